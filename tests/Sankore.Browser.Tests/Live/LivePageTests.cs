using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Live;

namespace Sankore.Browser.Tests.Live;

/// <summary>The page « Direct » is told of the feed by the feed.</summary>
public sealed class LivePageTests(World world, Chrome chrome) : IClassFixture<World>
{
    // What the page shows of the nodes, in order; of the page itself, or of what the server would answer now.
    private const string Shown = """
        async fresh => {
          const fetched = async () => (await fetch(location.href, { cache: 'no-store' })).text();
          const page = fresh ? new DOMParser().parseFromString(await fetched(), 'text/html') : document;
          const parts = 'main [data-row], main [data-field], main [data-count], main [data-empty], main figcaption, main svg, main path';
          return [...page.querySelectorAll(parts)].map(part => [
            part.tagName, part.hidden, part.id, part.dataset.row, part.dataset.order, part.dataset.state, part.getAttribute('d'),
            part.getAttribute('aria-labelledby'), part.children.length ? '' : part.textContent.trim()].join(' '));
        }
        """;

    private LiveReporter Reporter => world.App.Services.GetRequiredService<LiveReporter>();

    [Theory, InlineData(1280, 800), InlineData(360, 740)]
    public async Task Streams_that_open_are_counted_before_the_operators_eyes(int width, int height)
    {
        // Nodes that another test made up.
        await world.Execute("delete from live.nodes");
        await Reporter.Report(CancellationToken.None);
        await using var super = await chrome.Open(world.Address, Cast.Super, new Look(Width: width, Height: height));
        var page = await super.Watch("/admin/live");
        await Reporter.Report(CancellationToken.None);
        var all = page.Locator(".stats [data-field='streams']");
        var here = page.Locator($"[data-row='live.nodes:{Reporter.Id}']");
        await Expect(all).ToHaveTextAsync("1");
        var line = await here.Locator("path.line").First.GetAttributeAsync("d");

        var streams = new List<LiveClient>();
        for (var i = 0; i < 5; i++)
        {
            streams.Add(await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium)));
        }
        await Reporter.Report(CancellationToken.None);
        await Expect(all).ToHaveTextAsync("6");
        await Expect(here.Locator("[data-field='streams']")).ToHaveTextAsync("6");
        await Expect(here.GetByRole(AriaRole.Img, new LocatorGetByRoleOptions { Name = "Flux ouverts 6 max. 6" })).ToBeVisibleAsync();
        (await here.Locator("path.line").First.GetAttributeAsync("d")).ShouldNotBe(line);
        await Expect(here.Locator("[data-field='streamsTop']")).ToHaveTextAsync("6");

        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }
        await Waiting.Until(() => world.App.Services.GetRequiredService<LiveHub>().Count == 1, "the streams are closed");
        await Reporter.Report(CancellationToken.None);
        await Expect(all).ToHaveTextAsync("1");
        await super.WasNotReloaded();
        (await super.Toasts()).ShouldBeEmpty();
        super.Errors.ShouldBeEmpty();
    }

    [Theory, InlineData("fr"), InlineData("en")]
    public async Task Whatever_nodes_come_fall_silent_and_leave_the_page_shows_what_a_reload_would_show(string language)
    {
        await world.Execute("delete from live.nodes");
        var random = new Random(language.Length + language[0]);
        await using var super = await chrome.Open(world.Address, Cast.Super, new Look(language));
        var page = await super.Watch("/admin/live");
        await Expect(page.Locator(".empty")).ToBeVisibleAsync();
        Guid[] nodes = [.. Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7())];
        for (var step = 0; step < 40; step++)
        {
            var node = random.Next(nodes.Length);
            await world.Execute(
                "update live.nodes set seen_at = now() - make_interval(secs => @age) where id = @id and (not is_silent or @age > 60)",
                new { id = nodes[random.Next(nodes.Length)], age = 31 * random.Next(1, 3) });
            await Say(nodes[node], $"nœud {10 - node}", random);
        }
        await Say(nodes[0], "nœud 10", random);

        var last = await world.Sql<long>("select max(id) from live.changes where table_name = 'live.nodes'");
        await page.WaitForFunctionAsync("last => window.__events.some(e => Number(e.id) >= last)", last);
        await super.Settle();
        await Expect(page.Locator(".leaving")).ToHaveCountAsync(0);
        var wanted = await page.EvaluateAsync<string[]>(Shown, true);
        var shown = await page.EvaluateAsync<string[]>(Shown, false);
        wanted.Length.ShouldBeGreaterThan(30);
        shown.ShouldBe(wanted);
        await super.WasNotReloaded();
        super.Errors.ShouldBeEmpty();
    }

    private Task<int> Say(Guid id, string name, Random random) => world.Execute("""
        select live.report(@id, @name, '1.0', interval '1 hour', interval '1 minute',
          jsonb_build_object('streams', @streams, 'streamsMax', 20000, 'events', 0.5, 'eventsMax', 12, 'fanOut', 3, 'fanOutMax', 3, 'lag',
              0, 'lagMax', 0, 'kilobytes', 1.2, 'coalesced', 0, 'dropped', 0, 'resets', 0, 'refused', @streams),
          jsonb_build_object('streamsPath', 'M0 40L236 ' || @streams % 40, 'eventsPath', 'M0 0H236', 'fanOutPath', 'M0 0H236', 'lagPath',
              'M0 40H236', 'seconds', @streams % 200, 'streamsTop', @streams + 1, 'eventsTop', 1.5, 'fanOutTop', 3, 'lagTop', 1))
        """, new { id, name, streams = random.Next(20_000) });
}
