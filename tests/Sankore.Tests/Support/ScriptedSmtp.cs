using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sankore.Tests.Support;

/// <summary>A mail server that answers as a test tells it to, commands and data alike, and remembers what it heard.</summary>
public sealed class ScriptedSmtp : IAsyncDisposable
{
    /// <summary>An answer: the connection is reset.</summary>
    public const string Cut = "CUT";

    /// <summary>An answer: the connection is closed, as it should be.</summary>
    public const string Close = "CLOSE";

    /// <summary>An answer: none, ever.</summary>
    public const string Hang = "HANG";

    /// <summary>An answer: the usual one, but not before <see cref="Release"/>.</summary>
    public const string Hold = "HOLD";

    /// <summary>An answer: without an end.</summary>
    public const string Endless = "ENDLESS";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<string, string?> _answer;
    private readonly Task _accepting;
    private int _connections;

    /// <summary>Starts it.</summary>
    /// <param name="answer">What it answers to GREETING, to a command line, and to the data (<c>.</c> and the data); null: what every
    /// server answers.</param>
    public ScriptedSmtp(Func<string, string?>? answer = null)
    {
        _answer = answer ?? (_ => null);
        _listener.Start();
        _accepting = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Every command line, of all connections.</summary>
    public ConcurrentQueue<string> Heard { get; } = new();

    /// <summary>The data as they came, with doubled dots, without the last one.</summary>
    public ConcurrentQueue<string> Mails { get; } = new();

    /// <summary>How many connections were made so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>What it can do, line by line.</summary>
    public string[] Abilities { get; init; } = ["PIPELINING", "8BITMIME", "SIZE 1000000000", "ENHANCEDSTATUSCODES"];

    /// <summary>Its certificate; it speaks TLS after STARTTLS, or at once.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whether TLS comes first.</summary>
    public bool TlsFirst { get; init; }

    /// <summary>A certificate signed by itself.</summary>
    public static X509Certificate2 SelfSigned(string host)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    /// <summary>Lets go of what is on hold, and holds nothing any more.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Lets go of what is on hold at this moment.</summary>
    public void ReleaseHeld() =>
        Interlocked.Exchange(ref _released, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task Accept()
    {
        var talks = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                talks.Add(Talk(client));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(talks);
        }
    }

    private async Task Talk(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                stream = TlsFirst ? await Encrypt(stream) : stream;
                await Serve(client, stream);
            }
            catch (Exception e) when (
                e is IOException or OperationCanceledException or ObjectDisposedException
                or System.Security.Authentication.AuthenticationException)
            {
                // The other side went away, or the test is over.
            }
        }
    }

    private async Task Serve(TcpClient client, Stream stream)
    {
        var command = "GREETING";
        while (await Say(client, stream, command) is { } said)
        {
            if (said.StartsWith("220", StringComparison.Ordinal) && command == "STARTTLS")
            {
                stream = await Encrypt(stream);
            }
            if (said.StartsWith("354", StringComparison.Ordinal) && command == "DATA")
            {
                command = ".\n" + await HearData(stream);
                continue;
            }
            if (command == "QUIT")
            {
                return;
            }
            command = await Hear(stream);
            Heard.Enqueue(command);
        }
    }

    /// <summary>What was said; null: it is over.</summary>
    private async Task<string?> Say(TcpClient client, Stream stream, string command)
    {
        var answer = _answer(command) ?? Usual(command);
        switch (answer)
        {
            case Cut:
                client.Client.LingerState = new LingerOption(true, 0);
                client.Client.Close();
                return null;
            case Close:
                return null;
            case Hang:
                await Task.Delay(Timeout.Infinite, _stop.Token);
                return null;
            case Hold:
                await _released.Task.WaitAsync(_stop.Token);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(Usual(command) + "\r\n"), _stop.Token);
                return Usual(command);
            case Endless:
                while (true)
                {
                    await stream.WriteAsync("250-and on\r\n"u8.ToArray(), _stop.Token);
                }
            default:
                await stream.WriteAsync(Encoding.UTF8.GetBytes(answer + (answer.Length > 0 ? "\r\n" : "")), _stop.Token);
                return answer;
        }
    }

    private string Usual(string command) => command.Split(' ', '\n')[0] switch
    {
        "GREETING" => "220 test ESMTP",
        "EHLO" => string.Join("\r\n", (string[])["250-test", .. Abilities.Select(a => $"250-{a}"), "250 OK"]),
        "DATA" => "354 go on",
        "STARTTLS" => "220 go on",
        "AUTH" => "235 2.7.0 welcome",
        "QUIT" => "221 2.0.0 bye",
        _ => "250 2.0.0 fine",
    };

    private async Task<SslStream> Encrypt(Stream stream)
    {
        var encrypted = new SslStream(stream);
        await encrypted.AuthenticateAsServerAsync(Certificate!);
        return encrypted;
    }

    private async Task<string> HearData(Stream stream)
    {
        var data = new StringBuilder();
        while (await Hear(stream) is var line && line != ".")
        {
            data.Append(line).Append("\r\n");
        }
        Mails.Enqueue(data.ToString());
        return data.ToString();
    }

    private async Task<string> Hear(Stream stream)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line is not [.., (byte)'\r', (byte)'\n'])
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            line.Add(one[0]);
        }
        return Encoding.UTF8.GetString([.. line.SkipLast(2)]);
    }
}
