using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Sankore.Browser.Tests.Live;

/// <summary>
/// The examples of docs/live.md, as they stand there, served beside Sankoré by somebody else's program, under Sankoré's own
/// Content-Security-Policy.
/// </summary>
public sealed partial class DocumentedTests(DocumentedTests.Beside world, Chrome chrome) : IClassFixture<DocumentedTests.Beside>
{
    private const string Code = "caisse-et-depenses";

    [Theory]
    [InlineData("/bulletins/")]
    [InlineData("/bulletins/?position=0")]
    public async Task The_page_of_the_example_follows_what_it_shows(string path)
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await head.Watch(path);
        var row = page.Locator("main [data-row]", new PageLocatorOptions { Has = page.Locator("a[href='/m/caisse-et-depenses']") });
        var empty = page.Locator("[data-empty]");
        await world.Execute(
            "update tenancy.modules set name = 'Trésorerie', description = 'Tout ce qui entre et sort' where code = @Code", new { Code });
        await Expect(row.Locator("b")).ToHaveTextAsync("Trésorerie");
        await Expect(row.Locator("a")).ToHaveAttributeAsync("title", "Tout ce qui entre et sort");
        (await head.Toasts(1))[^1].ShouldStartWith("Modules mis à jour");

        await world.Execute("update tenancy.modules set status = 'inactive' where code = @Code", new { Code });
        await Expect(row).ToHaveCountAsync(0);
        await Expect(page.Locator("h1")).ToHaveTextAsync($"{await page.Locator("main [data-row]").CountAsync()} module(s)");
        (await empty.IsVisibleAsync()).ShouldBe(await page.Locator("main [data-row]").CountAsync() == 0);

        await world.Execute("update tenancy.modules set status = 'active' where code = @Code", new { Code });
        await Expect(row).ToHaveCountAsync(1);
        await Expect(row.Locator("small")).ToHaveTextAsync("Actif");
        await Expect(empty).ToBeHiddenAsync();
        await head.WasNotReloaded();
        head.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_page_of_the_example_is_read_again_in_place_when_rights_change()
    {
        const string Email = "head.s0006@sankore.test";
        await using var head = await chrome.Open(world.Address, Email);
        var page = await head.Watch("/bulletins/");
        var read = world.Rendered;
        await world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @id", new { id = await world.IdOf(Email) });
        await Waiting.Until(() => world.Rendered > read, "the page is read again");
        await Expect(page.Locator("main b")).ToHaveCountAsync(1);
        await head.WasNotReloaded();
        head.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_script_of_the_example_begins_with_a_reset_and_holds_what_changes()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        await head.Page.GotoAsync("/bulletins/script");
        await Holds("window.__events.length === 1 && window.__events[0].type === 'reset'");
        await world.Execute("update tenancy.modules set name = 'Économat' where code = 'inventaire'");
        await Holds("[...modules.values()].some(module => module.name === 'Économat')");
        await world.Execute("update tenancy.modules set status = 'inactive' where code = 'inventaire'");
        await Holds("modules.size === 0");
        head.Errors.ShouldBeEmpty();

        Task Holds(string expression) => Waiting.Until(() => head.Page.EvaluateAsync<bool>(expression), expression);
    }

    [GeneratedRegex("```(html|js)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    /// <summary>A world with another program on its origin, which renders the example's one row as it is now.</summary>
    public sealed class Beside : World
    {
        private static readonly Dictionary<string, string> Examples =
            Example().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "live.md")))
                .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);

        private int _rendered;

        /// <summary>How often the page was asked for.</summary>
        public int Rendered => _rendered;

        protected override void Map(WebApplication app)
        {
            app.MapGet("/bulletins/", async (string? position) =>
            {
                Interlocked.Increment(ref _rendered);
                position ??= $"{await Sql<long>("select live.position()")}";
                var (id, name) = (
                    await Sql<Guid>("select id from tenancy.modules where code = @Code", new { Code }),
                    await Sql<string>("select name from tenancy.modules where code = @Code", new { Code }));
                return Results.Content(
                    Examples["html"].Replace("data-position=\"1234\"", $"data-position=\"{position}\"", StringComparison.Ordinal)
                    .Replace("019a0000-0000-7000-8000-000000000001", $"{id}", StringComparison.Ordinal)
                    .Replace("<b data-field=\"name\">Caisse</b>", $"<b data-field=\"name\">{name}</b>", StringComparison.Ordinal)
                    .Replace("/m/caisse\"", $"/m/{Code}\"", StringComparison.Ordinal), "text/html; charset=utf-8");
            });
            app.MapGet(
                "/bulletins/script", () =>
                    Results.Content("<!DOCTYPE html><title>Script</title><script src=\"script.js\"></script>", "text/html"));
            app.MapGet(
                "/bulletins/script.js", () =>
                    Results.Content("const readEverythingAgain = () => {};\n" + Examples["js"], "text/javascript"));
        }
    }
}
