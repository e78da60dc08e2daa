using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sankore.Tests.Support;

/// <summary>The front of a PostgreSQL, as far as the first word of it: says hello as some version, or refuses the login.</summary>
public sealed class OldPostgres : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _hello;
    private readonly Task _serving;

    private OldPostgres(byte[] hello)
    {
        _hello = hello;
        _listener.Start();
        _serving = Serve();
    }

    /// <summary>How to reach it. Its types are not asked for: it has none.</summary>
    public string ConnectionString =>
        $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};Username=postgres;Password=guess;Database=sankore;Server "
        + $"Compatibility Mode=NoTypeLoading;Timeout=5";

    /// <summary>A server of some version.</summary>
    public static OldPostgres OfVersion(string version) => new(
    [
        .. Message('R', [0, 0, 0, 0]), .. Message('S', Texts("server_version", version)), .. Message('S', Texts("client_encoding", "UTF8")),
        .. Message('S', Texts("standard_conforming_strings", "on")), .. Message('K', [0, 0, 0, 1, 0, 0, 0, 1]),
        .. Message('Z', [(byte)'I']),
    ]);

    /// <summary>A server that refuses every login with some SQLSTATE.</summary>
    public static OldPostgres Refusing(string sqlState, string message) => new(
        Message('E', [.. Texts("SFATAL", "VFATAL", "C" + sqlState, "M" + message), 0]));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stop.Dispose();
    }

    private static byte[] Texts(params string[] texts) => [.. texts.SelectMany(t => Encoding.UTF8.GetBytes(t).Append((byte)0))];

    private static byte[] Message(char type, byte[] body)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, body.Length + 4);
        return [(byte)type, .. length, .. body];
    }

    private async Task Serve()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await Greet(client.GetStream());
            }
        }
        catch (Exception e) when (
            e is OperationCanceledException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            // The end.
        }
    }

    private async Task Greet(NetworkStream stream)
    {
        try
        {
            while (true)
            {
                var header = new byte[4];
                await stream.ReadExactlyAsync(header, _stop.Token);
                var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(header) - 4];
                await stream.ReadExactlyAsync(rest, _stop.Token);
                if (rest.Length > 4)
                {
                    await stream.WriteAsync(_hello, _stop.Token);
                    // What else is said stays unanswered until the client hangs up.
                    await stream.CopyToAsync(Stream.Null, _stop.Token);
                    return;
                }
                // Encryption: no.
                await stream.WriteAsync("N"u8.ToArray(), _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or EndOfStreamException)
        {
            // The client left.
        }
    }
}
