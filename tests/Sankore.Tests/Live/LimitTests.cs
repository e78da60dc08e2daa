using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Live;

namespace Sankore.Tests.Live;

/// <summary>A person and an address may have so many streams open on a node; the next one is refused until one ends.</summary>
public sealed class LimitTests(LimitTests.FewStreams world) : IClassFixture<LimitTests.FewStreams>
{
    public sealed class FewStreams : World
    {
        protected override IReadOnlyDictionary<string, string?> Settings =>
            new Dictionary<string, string?> { ["Sankore:Live:PerPerson"] = "3", ["Sankore:Live:PerAddress"] = "5" };
    }

    public sealed class FullNode : World
    {
        protected override IReadOnlyDictionary<string, string?> Settings =>
            new Dictionary<string, string?> { ["Sankore:Live:PerNode"] = "2" };
    }

    private LiveHub Hub => world.App.Services.GetRequiredService<LiveHub>();

    [Fact]
    public async Task The_stream_too_many_is_refused_until_another_ends()
    {
        var (mine, others) = (await world.Token(Cast.HeadOnPremium), await world.Token(Cast.HeadOnGratuit));
        var open = new List<LiveClient>();
        for (var n = 0; n < 3; n++)
        {
            open.Add(await LiveClient.Open(world.Address, mine));
        }
        await Refused(mine, "of a person");
        for (var n = 0; n < 2; n++)
        {
            open.Add(await LiveClient.Open(world.Address, others));
        }
        await Refused(others, "of an address");
        await open[0].DisposeAsync();
        await Waiting.Until(() => Hub.Count == 4, "the stream's place is free");
        open.Add(await LiveClient.Open(world.Address, others));
        await Refused(mine, "of an address again");
        foreach (var stream in open.Skip(1))
        {
            await stream.DisposeAsync();
        }
        await Waiting.Until(() => Hub.Count == 0, "all places are free");
    }

    [Fact]
    public async Task Attempts_that_end_at_once_leave_no_place_taken()
    {
        var token = await world.Token(Cast.HeadOnEssentiel);
        for (var n = 0; n < 40; n++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(world.Address.Host, world.Address.Port);
            await socket.SendAsync(
                Encoding.ASCII.GetBytes($"GET /live HTTP/1.1\r\nHost: {world.Address.Authority}\r\nAuthorization: Bearer {token}\r\n\r\n"));
            if (n % 2 == 0)
            {
                // A reset instead of a farewell.
                socket.LingerState = new LingerOption(true, 0);
            }
        }
        await Waiting.Until(() => Hub.Count == 0, "no place is taken");
        await using var stream = await LiveClient.Open(world.Address, token);
    }

    [Fact]
    public async Task A_full_node_refuses_streams_and_goes_on_answering()
    {
        await using var full = new FullNode();
        await full.InitializeAsync();
        var token = await full.Token(Cast.HeadOnPremium);
        await using var first = await LiveClient.Open(full.Address, token);
        var second = await LiveClient.Open(full.Address, token);
        using (var client = await full.As(Cast.HeadOnPremium))
        {
            using var refused = await client.GetAsync(
                new Uri("/live", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10));
            (await client.GetAsync(new Uri("/api/me/menu", UriKind.Relative), TestContext.Current.CancellationToken))
                .StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        await second.DisposeAsync();
        await Waiting.Until(() => full.App.Services.GetRequiredService<LiveHub>().Count == 1, "a place is free");
        await using var third = await LiveClient.Open(full.Address, token);
    }

    [Fact]
    public void A_node_keeps_descriptors_for_what_is_no_stream()
    {
        var limit = int.Parse(
            File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture);
        new LiveLimits().PerNode.ShouldBeLessThan(limit - 500);
        new LiveLimits().PerNode.ShouldBeGreaterThanOrEqualTo(limit / 2);
        new LiveLimits(PerNode: 7).PerNode.ShouldBe(7);
    }

    private async Task Refused(string token, string which)
    {
        using var client = world.Nobody();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var answer = await client.GetAsync(
            new Uri("/live", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests, which);
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromMinutes(1));
        (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("TOO_MANY_STREAMS");
    }
}
