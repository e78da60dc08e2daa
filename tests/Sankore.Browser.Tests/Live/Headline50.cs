using System.Globalization;

namespace Sankore.Browser.Tests.Live;

/// <summary>A measurement for docs/benchmarks.md, run by hand: <c>Sankore.Browser.Tests -explicit only -class '*Headline50'</c>.</summary>
public sealed class Headline50(World world, Chrome chrome, ITestOutputHelper output) : IClassFixture<World>
{
    private const int Changes = 50;

    // Both clocks are the machine's: the page notes when its DOM changed, in milliseconds since 1970.
    private const string Observe = """
        id => {
          window.__changed = {};
          const card = document.querySelector(`main [data-row='tenancy.modules:${id}'] [data-field=name]`);
          new MutationObserver(() => window.__changed[card.textContent] ??= performance.timeOrigin + performance.now())
            .observe(card, { childList: true, characterData: true, subtree: true });
        }
        """;

    [Fact(Explicit = true)]
    public async Task From_commit_to_the_changed_page_fifty_times()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        await head.Watch("/");
        var id = await world.Sql<Guid>("select id from tenancy.modules where code = 'caisse-et-depenses'");
        await head.Page.EvaluateAsync(Observe, id.ToString());
        var times = new List<double>();
        for (var i = 1; i <= Changes; i++)
        {
            var name = $"Caisse {i}";
            await world.Execute("update tenancy.modules set name = @name where id = @id", new { name, id });
            var committed = (DateTime.UtcNow - DateTime.UnixEpoch).TotalMilliseconds;
            double? changed = null;
            await Waiting.Until(
                async () => (changed = await head.Page.EvaluateAsync<double?>("name => window.__changed[name] ?? null", name)) is not null,
                $"the page says {name}");
            times.Add(changed!.Value - committed);
        }
        times.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"COMMIT to DOM change, {Changes} changes: p50 {times[Changes / 2]:0.0} ms, p95 {times[Changes * 95 / 100]:0.0} ms, max "
            + $"{times[^1]:0.0} ms"));
        times[Changes * 95 / 100].ShouldBeLessThan(200);
        await head.WasNotReloaded();
    }
}
