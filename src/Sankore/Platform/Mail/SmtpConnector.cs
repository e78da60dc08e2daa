using System.Net;
using System.Net.Sockets;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;

namespace Sankore.Platform.Mail;

/// <summary>No connection that is fit to send mail could be made: nothing has been sent.</summary>
/// <param name="phase"><see cref="SmtpPhase.Connect"/> or <see cref="SmtpPhase.SignIn"/>.</param>
/// <param name="code">The server's reply; 0: there was none.</param>
/// <param name="message">What went wrong, in the server's words where it had any; never a password or a token.</param>
/// <param name="inner">Why.</param>
public sealed class SmtpConnectionException(SmtpPhase phase, int code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What was being done.</summary>
    public SmtpPhase Phase => phase;

    /// <summary>The server's reply; 0: there was none.</summary>
    public int Code => code;
}

/// <summary>From nothing to a server that takes mail: connection, TLS, greeting, EHLO, AUTH.</summary>
internal static class SmtpConnector
{
    // Of several the first that is offered. One alone is tried, so that a wrong password counts once.
    private static readonly string[] PasswordMechanisms = ["PLAIN", "LOGIN"];

    public static async Task<PhaseSmtpClient> Open(SmtpOptions options, AccessTokens? tokens, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var (client, phase) = (new PhaseSmtpClient(options), SmtpPhase.Connect);
        try
        {
            limit.CancelAfter(options.Timeouts.Connect);
            await Connect(client, options, limit.Token);
            phase = SmtpPhase.SignIn;
            limit.CancelAfter(options.Timeouts.Command);
            if (tokens is not null)
            {
                await SignIn(client, options, tokens, limit.Token);
            }
            else if (options.User is not null)
            {
                await SignIn(client, options, limit.Token);
            }
            return client;
        }
        catch (Exception e)
        {
            client.Dispose();
            ct.ThrowIfCancellationRequested();
            if (Failed(options, phase, e) is { } failed)
            {
                throw failed;
            }
            throw;
        }
    }

    private static async Task Connect(PhaseSmtpClient client, SmtpOptions options, CancellationToken ct)
    {
        // Without NoDelay the small writes of SMTP wait for each other: a twentieth of the mails on the same machine.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, ct);
            var security = options.Security switch
            {
                SmtpSecurity.StartTls => SecureSocketOptions.StartTls,
                SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
                _ => SecureSocketOptions.None,
            };
            await client.ConnectAsync(new ReplyLimitStream(socket), options.Host, options.Port, security, ct);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// RFC 4954. Where the operator chose no encryption the password travels in the clear: that was said, not fallen back to.
    /// </summary>
    private static async Task SignIn(PhaseSmtpClient client, SmtpOptions options, CancellationToken ct)
    {
        var mechanism = PasswordMechanisms.FirstOrDefault(client.AuthenticationMechanisms.Contains)
            ?? throw new SmtpConnectionException(SmtpPhase.SignIn, 0, $"{options} offers neither AUTH PLAIN nor AUTH LOGIN");
        client.AuthenticationMechanisms.Clear();
        client.AuthenticationMechanisms.Add(mechanism);
        await client.AuthenticateAsync(Encoding.UTF8, new NetworkCredential(options.User, options.Password), ct);
    }

    /// <summary>XOAUTH2 before OAUTHBEARER (RFC 7628): Microsoft and Google both have the first.</summary>
    private static async Task SignIn(PhaseSmtpClient client, SmtpOptions options, AccessTokens tokens, CancellationToken ct)
    {
        var offered = client.AuthenticationMechanisms;
        if (!offered.Contains("XOAUTH2") && !offered.Contains("OAUTHBEARER"))
        {
            throw new SmtpConnectionException(SmtpPhase.SignIn, 0, $"{options} offers neither AUTH XOAUTH2 nor AUTH OAUTHBEARER");
        }
        var token = await tokens.Get(ct);
        try
        {
            await client.AuthenticateAsync(offered.Contains("XOAUTH2") ? new SaslMechanismOAuth2(options.User!, token)
                : new SaslMechanismOAuthBearer(options.User!, token), ct);
        }
        catch (AuthenticationException)
        {
            tokens.Discard(token);
            throw;
        }
    }

    /// <summary>A failure in a sentence; null: it is a fault of the program.</summary>
    private static SmtpConnectionException? Failed(SmtpOptions options, SmtpPhase phase, Exception e)
    {
        return e switch
        {
            SmtpConnectionException known => known,
            SmtpCommandException refused =>
                Said($"{options} answered {(int)refused.StatusCode} {refused.Message}", (int)refused.StatusCode),
            AuthenticationException refused => Said($"{options} answered to AUTH: {refused.Message}", CodeOf(refused.Message)),
            SslHandshakeException { ServerCertificate: not null } =>
                Said($"The certificate of {options} is not trusted, or is for another name"),
            SslHandshakeException tls =>
                Said($"{options} speaks no TLS that we do, or its certificate is not trusted ({tls.InnerException?.Message})"),
            OperationCanceledException => Said($"{options} did not answer in time"),
            NotSupportedException or IOException or SocketException or ProtocolException or ServiceNotConnectedException =>
                Said($"{options} cannot be used ({e.Message})"),
            _ => null,
        };

        SmtpConnectionException Said(string sentence, int code = 0) => new(phase, code, sentence.ReplaceLineEndings(" "), e);
    }

    /// <summary>MailKit begins with it: <c>535: 5.7.8 …</c>.</summary>
    private static int CodeOf(string message) => int.TryParse(message.Split(':')[0], out var code) ? code : 0;
}
