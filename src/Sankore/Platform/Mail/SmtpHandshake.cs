using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>No connection that is fit to send mail could be made: nothing has been sent.</summary>
public sealed class SmtpConnectionException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What a server said it can do (RFC 5321, 4.1.1.1).</summary>
internal sealed record SmtpAbilities(bool Pipelining, bool EightBit, bool Utf8, bool StartTls, bool SizeKnown, long MaxSize, IReadOnlyList<string> Logins)
{
    public static SmtpAbilities None { get; } = new(false, false, false, false, false, 0, []);

    public static SmtpAbilities Of(SmtpReply hello)
    {
        var words = hello.Lines.Skip(1).Select(line => line.Replace("AUTH=", "AUTH ", StringComparison.OrdinalIgnoreCase).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 0).ToList();
        var size = words.Find(w => Is(w, "SIZE"));
        return new SmtpAbilities(Has("PIPELINING"), Has("8BITMIME"), Has("SMTPUTF8"), Has("STARTTLS"), size is not null,
            size is { Length: > 1 } && long.TryParse(size[1], NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : 0,
            [.. words.Where(w => Is(w, "AUTH")).SelectMany(w => w.Skip(1)).Select(w => w.ToUpperInvariant())]);

        bool Has(string name) => words.Exists(w => Is(w, name));
    }

    private static bool Is(string[] words, string name) => words[0].Equals(name, StringComparison.OrdinalIgnoreCase);
}

/// <summary>From nothing to a server that takes mail: connection, TLS, greeting, EHLO, AUTH.</summary>
internal static class SmtpHandshake
{
    public static async Task<(SmtpWire Wire, SmtpAbilities Abilities)> Run(SmtpOptions options, CancellationToken ct)
    {
        using var phase = CancellationTokenSource.CreateLinkedTokenSource(ct);
        SmtpWire? wire = null;
        try
        {
            phase.CancelAfter(options.Timeouts.Connect);
            wire = await Connect(options, phase.Token);
            if (options.Security == SmtpSecurity.Tls)
            {
                await wire.Encrypt(Tls(options), phase.Token);
            }
            Expect(await wire.Read(phase.Token), 220, "greeting");
            phase.CancelAfter(options.Timeouts.Command);
            var abilities = await Hello(wire, options, phase.Token);
            if (options.Security == SmtpSecurity.StartTls)
            {
                abilities = await StartTls(wire, abilities, options, phase.Token);
            }
            if (options.User is not null)
            {
                await SignIn(wire, abilities, options, phase.Token);
            }
            return (wire, abilities);
        }
        catch (Exception e)
        {
            await (wire?.DisposeAsync() ?? ValueTask.CompletedTask);
            ct.ThrowIfCancellationRequested();
            throw e switch
            {
                SmtpConnectionException => e,
                AuthenticationException => new SmtpConnectionException($"The certificate of {options} is not trusted ({e.Message})", e),
                OperationCanceledException => new SmtpConnectionException($"{options} did not answer in time", e),
                IOException or SocketException => new SmtpConnectionException($"{options} cannot be used ({e.Message})", e),
                _ => e,
            };
        }
    }

    private static async Task<SmtpWire> Connect(SmtpOptions options, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, ct);
            return new SmtpWire(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<SmtpAbilities> Hello(SmtpWire wire, SmtpOptions options, CancellationToken ct)
    {
        await wire.Write($"EHLO {OwnName()}\r\n", ct);
        var reply = await wire.Read(ct);
        if (reply.Code is 500 or 502 or 504 && options is { Security: SmtpSecurity.None, User: null })
        {
            await wire.Write($"HELO {OwnName()}\r\n", ct);
            Expect(await wire.Read(ct), 250, "HELO");
            return SmtpAbilities.None;
        }
        Expect(reply, 250, "EHLO");
        return SmtpAbilities.Of(reply);
    }

    private static async Task<SmtpAbilities> StartTls(SmtpWire wire, SmtpAbilities abilities, SmtpOptions options, CancellationToken ct)
    {
        if (!abilities.StartTls)
        {
            throw new SmtpConnectionException($"{options} offers no STARTTLS, and nothing is sent without it");
        }
        await wire.Write("STARTTLS\r\n", ct);
        Expect(await wire.Read(ct), 220, "STARTTLS");
        await wire.Encrypt(Tls(options), ct);
        return await Hello(wire, options, ct);
    }

    private static SslClientAuthenticationOptions Tls(SmtpOptions options)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = options.Host, CertificateRevocationCheckMode = X509RevocationMode.NoCheck };
        if (options.Authorities is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return tls;
    }

    /// <summary>RFC 4954. Where the operator chose no encryption the password travels in the clear: that was said, not fallen back to.</summary>
    private static async Task SignIn(SmtpWire wire, SmtpAbilities abilities, SmtpOptions options, CancellationToken ct)
    {
        if (abilities.Logins.Contains("PLAIN"))
        {
            await wire.Write($"AUTH PLAIN {Base64($"\0{options.User}\0{options.Password}")}\r\n", ct);
        }
        else if (abilities.Logins.Contains("LOGIN"))
        {
            await wire.Write("AUTH LOGIN\r\n", ct);
            Expect(await wire.Read(ct), 334, "AUTH");
            await wire.Write($"{Base64(options.User!)}\r\n", ct);
            Expect(await wire.Read(ct), 334, "AUTH");
            await wire.Write($"{Base64(options.Password!)}\r\n", ct);
        }
        else
        {
            throw new SmtpConnectionException($"{options} offers neither AUTH PLAIN nor AUTH LOGIN");
        }
        Expect(await wire.Read(ct), 235, "AUTH");
    }

    private static void Expect(SmtpReply reply, int code, string what)
    {
        if (reply.Code != code)
        {
            throw new SmtpConnectionException($"The mail server's answer to {what} was {reply.Code} {reply.Text}");
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string OwnName() => Uri.CheckHostName(Environment.MachineName) == UriHostNameType.Dns && Ascii.IsValid(Environment.MachineName) ? Environment.MachineName : "localhost";
}
