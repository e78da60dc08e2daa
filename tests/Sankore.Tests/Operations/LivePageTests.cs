using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Identity;
using Sankore.Platform.Live;
using Sankore.Ui;

namespace Sankore.Tests.Operations;

/// <summary>The page « Direct », as the server renders it.</summary>
public sealed partial class LivePageTests(World world) : IClassFixture<World>
{
    private static readonly string Node = $"{Environment.MachineName} · 127.0.0.1";

    [Theory]
    [InlineData("fr", "Flux ouverts", "12\u202f500", "0,4"), InlineData("en", "Open streams", "12,500", "0.4")]
    public async Task An_operator_sees_the_figures_of_each_node(string language, params string[] texts)
    {
        await world.App.Services.GetRequiredService<LiveReporter>().Report(CancellationToken.None);
        await world.AsRole<string>("service_role", null, """
            select live.report(gen_random_uuid(), 'nœud-2 <b>', '1.0', interval '1 hour', interval '0', '{"streams": 12500, "fanOut": 0.4}',
                '{"streamsPath": "M0 40H236"}')::text
            """);
        using var super = new Browser(world.Address, language);
        await super.SignIn(Cast.Super, PasswordRules.Demo);
        var page = WebUtility.HtmlDecode(await super.Page("/admin/live"));
        foreach (var text in texts.Append(Node).Append("nœud-2 <b>").Append("""d="M0 40H236V40H0Z" """.Trim()))
        {
            page.ShouldContain(text);
        }
    }

    [Theory]
    [InlineData("fr", "15\u202f000 flux", "1,5 ms"), InlineData("en", "15,000 open", "1.5 ms")]
    public async Task A_curve_has_its_scale_with_the_unit_and_its_times(string language, params string[] scales)
    {
        var name = $"Courbes {language}";
        await world.AsRole<string>("service_role", null, """
            select live.report(gen_random_uuid(), @name, '1.0', interval '1 hour', interval '0', '{"streams": 12500}',
                '{"seconds": 118, "streamsTop": 15000, "lagTop": 1.5, "streamsPath": "M0 40H236"}')::text
            """, new { name });
        var seen = await world.Sql<DateTime>("select seen_at from live.nodes where name = @name", new { name });
        using var super = new Browser(world.Address, language);
        await super.SignIn(Cast.Super, PasswordRules.Demo);
        var page = Words().Replace(WebUtility.HtmlDecode(await super.Page("/admin/live")), " ");
        foreach (var text in (string[])[.. scales, $"{Format.Time(seen.AddSeconds(-118))} {Format.Time(seen)}"])
        {
            page.ShouldContain(text);
        }
    }

    [Fact]
    public async Task Whoever_opens_the_page_is_told_of_every_report()
    {
        // A server of its own, which has said nothing yet: what has not changed is not said again at once.
        await using var own = new World();
        await own.InitializeAsync();
        using var super = new Browser(own.Address);
        await super.SignIn(Cast.Super, PasswordRules.Demo);
        await super.Page("/admin/live");
        await own.App.Services.GetRequiredService<LiveReporter>().Report(CancellationToken.None);
        (await own.Sql<bool>("select exists (select 1 from live.nodes where watched_until > now() + interval '9 minutes')")).ShouldBeTrue();
    }

    [Theory]
    [InlineData(Cast.HeadOnPremium), InlineData(Cast.Admin1), InlineData(Cast.Teacher1)]
    public async Task Nobody_else_gets_in(string email)
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(email, PasswordRules.Demo);
        (await browser.Page("/admin/live", HttpStatusCode.Forbidden)).ShouldNotContain(Node);
        (await browser.Page("/")).ShouldNotContain("/admin/live");
    }

    /// <summary>What parts a page's words: tags and white space.</summary>
    [GeneratedRegex(@"(?:<[^>]*>|[\s-[\u202f]])+")]
    private static partial Regex Words();
}
