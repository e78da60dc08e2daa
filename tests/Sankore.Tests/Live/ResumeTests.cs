using System.Globalization;

namespace Sankore.Tests.Live;

/// <summary>A stream that was cut goes on where it stopped, on any node; where it cannot, it says so once.</summary>
public sealed class ResumeTests(World world) : IClassFixture<World>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_goes_on_after_the_last_event_that_came(bool asABrowser)
    {
        var module = await world.Included("premium");
        var token = await world.Token(Cast.HeadOnPremium);
        long last;
        await using (var before = await LiveClient.Open(world.Address, token))
        {
            await world.Rename(module, "Avant");
            await before.Hears(module, "Avant");
            last = before.Events[^1].Id;
        }
        foreach (var name in new[] { "Un", "Deux", "Trois" })
        {
            await world.Rename(module, name);
        }

        await using var after = asABrowser ? await LiveClient.Open(world.Address, token, lastEventId: last)
            : await LiveClient.Open(world.Address, token, since: last);
        await after.Hears(module, "Trois");
        after.NamesOf(module).ShouldEndIn("Un", "Deux", "Trois");
        after.Events.Select(e => e.Id).ShouldBe(after.Events.Select(e => e.Id).Order());
        after.Events.ShouldAllBe(e => e.Id > last && e.Type == "change");
    }

    [Fact]
    public async Task What_a_browser_says_counts_before_what_its_page_said()
    {
        var module = await world.Included("premium");
        var old = await world.Position();
        await world.Rename(module, "Vieux");
        var last = await world.Position();
        await world.Rename(module, "Neuf");
        await using var client = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium), since: old, lastEventId: last);
        await client.Hears(module, "Neuf");
        client.NamesOf(module).ShouldBe(["Neuf"]);
    }

    [Fact]
    public async Task Another_node_goes_on_where_the_first_stopped()
    {
        var module = await world.Included("premium");
        var token = await world.Token(Cast.HeadOnPremium);
        await using var second = await world.StartNode("http://127.0.0.1:0");
        await using var first = await LiveClient.Open(world.Address, token);
        await world.Rename(module, "Sur le premier");
        await first.Hears(module, "Sur le premier");
        var last = first.Events[^1].Id;
        await world.Rename(module, "Entre les deux");

        await using var client = await LiveClient.Open(World.AddressOf(second), token, lastEventId: last);
        await client.Hears(module, "Entre les deux");
        await world.Rename(module, "Sur les deux");
        await client.Hears(module, "Sur les deux");
        await first.Hears(module, "Sur les deux");
        client.NamesOf(module).ShouldEndIn("Entre les deux", "Sur les deux");
        await second.StopAsync(Token);
    }

    [Fact]
    public async Task A_node_that_was_away_tells_what_happened_meanwhile()
    {
        var module = await world.Included("premium");
        var token = await world.Token(Cast.HeadOnPremium);
        var node = await world.StartNode("http://127.0.0.1:0");
        var address = World.AddressOf(node);
        await using var before = await LiveClient.Open(address, token);
        await world.Rename(module, "Avant");
        await before.Hears(module, "Avant");
        var last = before.Events[^1].Id;
        await node.StopAsync(Token);
        await node.DisposeAsync();
        await Waiting.Until(() => before.Ended.IsCompleted, "the stream ends with its node");
        foreach (var name in new[] { "Un", "Deux", "Trois" })
        {
            await world.Rename(module, name);
        }

        await using var again = await world.StartNode(address.ToString());
        await using var after = await LiveClient.Open(address, token, lastEventId: last);
        await after.Hears(module, "Trois");
        after.NamesOf(module).ShouldEndIn("Un", "Deux", "Trois");
        after.Events.ShouldAllBe(e => e.Type == "change");
        await again.StopAsync(Token);
    }

    [Fact]
    public async Task A_position_that_the_log_has_forgotten_gets_one_reset_and_what_comes_later()
    {
        var module = await world.Included("premium");
        var old = await world.Position();
        await world.Rename(module, "Oublié");
        var horizon = await world.Position();
        await world.Execute("delete from live.changes; update live.horizon set id = @horizon", new { horizon });
        await using var node = await world.StartNode("http://127.0.0.1:0");
        foreach (var (since, resets) in new[] { (old, 1), (horizon, 0) })
        {
            await using var client = await LiveClient.Open(World.AddressOf(node), await world.Token(Cast.HeadOnPremium), since: since);
            await world.Rename(module, $"Après {since}");
            await client.Hears(module, $"Après {since}");
            client.Events.Count(e => e.Type == "reset").ShouldBe(resets);
            client.NamesOf(module).ShouldNotContain("Oublié");
            if (resets > 0)
            {
                client.Events[0].Type.ShouldBe("reset");
                client.Events[0].Id.ShouldBe(horizon);
                client.Events[0].Data.GetProperty("spread").GetInt32().ShouldBeGreaterThan(0);
            }
        }
        await node.StopAsync(Token);
    }

    [Fact]
    public async Task A_position_that_was_never_given_gets_one_reset()
    {
        var module = await world.Included("premium");
        await using var client =
            await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium), lastEventId: await world.Position() + 1_000_000);
        var reset = await client.Next(e => e.Type == "reset", "the stream begins anew");
        reset.Id.ShouldBe(await world.Position());
        await world.Rename(module, "Après");
        await client.Hears(module, "Après");
        client.Events.Count(e => e.Type == "reset").ShouldBe(1);
    }

    [Fact]
    public async Task A_position_a_little_ahead_of_this_node_is_none_of_the_future()
    {
        var module = await world.Included("premium");
        await world.Rename(module, "Juste avant");
        // The node may not have read that change yet.
        await using var client = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium), since: await world.Position());
        await world.Rename(module, "Juste après");
        await client.Hears(module, "Juste après");
        client.Events.ShouldAllBe(e => e.Type == "change");
        client.NamesOf(module).ShouldBe(["Juste après"]);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("1e3")]
    [InlineData("1.5")]
    [InlineData("99999999999999999999")]
    [InlineData(" 1")]
    [InlineData("1,000")]
    public async Task What_is_no_position_is_refused(string position)
    {
        using var client = await world.As(Cast.HeadOnPremium);
        await client.Ask(HttpMethod.Get, "/live?since=" + Uri.EscapeDataString(position)).ShouldRefuse(400, "BAD_REQUEST");
        client.DefaultRequestHeaders.Add("Last-Event-ID", position);
        if (position.Trim() == position)
        {
            await client.Ask(HttpMethod.Get, "/live").ShouldRefuse(400, "BAD_REQUEST");
        }
    }

    [Fact]
    public async Task Nobody_has_no_stream()
    {
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, "/live").ShouldRefuse(401, "UNAUTHENTICATED");
        await nobody.Ask(HttpMethod.Get, "/live?since=1").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    [Fact]
    public async Task A_stream_says_what_it_is()
    {
        using var client = await world.As(Cast.HeadOnPremium);
        using var answer = await client.GetAsync(new Uri("/live", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Token);
        ((int)answer.StatusCode).ShouldBe(200);
        answer.Content.Headers.ContentType?.ToString().ShouldBe("text/event-stream");
        answer.Content.Headers.ContentEncoding.ShouldBeEmpty();
        answer.Headers.CacheControl?.NoStore.ShouldBeTrue();
        answer.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Token));
        var retry = (await reader.ReadLineAsync(Token))!;
        retry.ShouldStartWith("retry: ");
        int.Parse(retry["retry: ".Length..], CultureInfo.InvariantCulture).ShouldBeInRange(1000, 3000);
    }
}
