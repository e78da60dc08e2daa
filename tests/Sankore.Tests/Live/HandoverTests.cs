using System.Diagnostics.Metrics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Live;

namespace Sankore.Tests.Live;

/// <summary>A stream keeps its connection's socket, and nothing of the request that opened it.</summary>
public sealed class HandoverTests(World world) : IClassFixture<World>
{
    private LiveHub Hub => world.App.Services.GetRequiredService<LiveHub>();

    [Fact]
    public async Task The_request_is_over_while_its_stream_goes_on()
    {
        // Some clients keep a connection for their next request.
        const int Streams = 30;
        var connections = 0L;
        using var listener = Connections(change => Interlocked.Add(ref connections, change));
        var module = await world.Included("gratuit");
        var streams = new List<LiveClient>();
        for (var n = 0; n < Streams; n++)
        {
            streams.Add(await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit)));
        }
        await Waiting.Until(() => Hub.Count == Streams, "the streams are open");
        await world.Rename(module, "Après la requête");
        foreach (var stream in streams)
        {
            await stream.Hears(module, "Après la requête");
        }
        await Waiting.Until(() => Interlocked.Read(ref connections) < Streams / 2, "Kestrel is done with the streams' connections");
        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }
        await Waiting.Until(() => Hub.Count == 0, "the streams are over");
    }

    /// <summary>Tells what Kestrel says of connections to this world's port: one more, one less.</summary>
    private MeterListener Connections(Action<long> change)
    {
        var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "kestrel.active_connections")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (tags.ToArray().Any(t => t.Key == "server.port" && Equals(t.Value, world.Address.Port)))
            {
                change(value);
            }
        });
        listener.Start();
        return listener;
    }

    [Theory, InlineData("after"), InlineData("with"), InlineData("during")]
    public async Task A_stream_ends_when_its_client_says_something_more(string when)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        await socket.ConnectAsync(world.Address.Host, world.Address.Port);
        var token = await world.Token(Cast.HeadOnPremium);
        var request = $"GET /live HTTP/1.1\r\nHost: {world.Address.Authority}\r\nAuthorization: Bearer {token}\r\n\r\n";
        const string More = "GET /api/me HTTP/1.1\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(when == "with" ? request + More : request));
        if (when == "during")
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(More));
        }
        var heard = new StringBuilder();
        await Waiting.Until(
            async () => heard.Append(await Receive(socket)).ToString().Contains("retry: ", StringComparison.Ordinal), "the stream begins");
        if (when == "after")
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(More));
        }
        await Waiting.Until(
            async () => await Receive(socket) is var more && (heard.Append(more), more.Length == 0).Item2, "the connection is closed");
        heard.ToString().ShouldEndWith("0\r\n\r\n", Case.Sensitive, "nothing is answered, and the response is whole");
    }

    private static async Task<string> Receive(Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
    }
}
