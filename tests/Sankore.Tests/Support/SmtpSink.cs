using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Sankore.Tests.Support;

/// <summary>
/// Postfix's smtp-sink: a mail server that takes everything, or refuses what it is told to, and keeps what it took in files.
/// </summary>
public sealed class SmtpSink : IAsyncDisposable
{
    private const string Program = "/usr/sbin/smtp-sink";

    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-sink-").FullName;
    private readonly Process _process;

    private SmtpSink(string[] options)
    {
        if (!OperatingSystem.IsWindows())
        {
            // As root it works as nobody, who writes here too.
            File.SetUnixFileMode(_folder, (UnixFileMode)0b111_111_111);
        }
        string[] user = Environment.IsPrivilegedProcess ? ["-u", "nobody"] : [];
        _process = Process.Start(new ProcessStartInfo(
            Program,
            [.. user, .. options, "-d", Path.Combine(_folder, "mail."), $"127.0.0.1:{Port}",
            "100"])
        { RedirectStandardError = true, WorkingDirectory = _folder })!;
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; } = FreePort();

    /// <summary>What it took: X- lines of the envelope, then the message with LF, byte for byte.</summary>
    public IReadOnlyList<string> Mails =>
        [.. Directory.GetFiles(_folder, "mail.*").Select(path => File.ReadAllText(path, System.Text.Encoding.Latin1))];

    /// <summary>How many it took.</summary>
    public int Count => Directory.EnumerateFiles(_folder, "mail.*").Count();

    /// <summary>Starts one; the test is skipped where there is none.</summary>
    /// <param name="options">As its manual says, e.g. <c>-p</c> for no pipelining or <c>-r RCPT</c> for a 4xx to every recipient.</param>
    public static async Task<SmtpSink> Start(params string[] options)
    {
        Assert.SkipUnless(File.Exists(Program), "smtp-sink is not installed (package postfix)");
        var sink = new SmtpSink(options);
        await Waiting.Until(sink.Answers, "smtp-sink listens");
        return sink;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.Ended();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> Answers()
    {
        _process.HasExited.ShouldBeFalse();
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
