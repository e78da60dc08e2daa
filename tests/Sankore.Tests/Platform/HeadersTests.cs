using System.Net;
using System.Text.RegularExpressions;
using Sankore.Identity;

namespace Sankore.Tests.Platform;

/// <summary>Safe by default: what every answer says to the browser, and what no page contains.</summary>
public sealed partial class HeadersTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("/login", 200)]
    [InlineData("/", 302)]
    [InlineData("/nowhere", 302)]
    [InlineData("/error/500", 200)]
    [InlineData("/api/me", 401)]
    [InlineData("/api/nowhere", 401)]
    [InlineData("/live", 401)]
    [InlineData("/health/live", 200)]
    [InlineData("/openapi/v1.json", 200)]
    [InlineData("/app.css", 200)]
    [InlineData("/live.js", 200)]
    public async Task Every_answer_keeps_the_browser_on_a_short_leash(string path, int status)
    {
        using var browser = new Browser(world.Address);
        using var answer = await browser.Get(path);
        ((int)answer.StatusCode).ShouldBe(status);
        var policy = Header(answer, "Content-Security-Policy");
        string[] rules =
        [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
            "form-action 'self'",
        ];
        foreach (var rule in rules)
        {
            policy.Split(';', StringSplitOptions.TrimEntries).ShouldContain(rule);
        }
        policy.ShouldNotContain("unsafe");
        policy.ShouldNotContain("*");
        Header(answer, "X-Content-Type-Options").ShouldBe("nosniff");
        Header(answer, "X-Frame-Options").ShouldBe("DENY");
        Header(answer, "Referrer-Policy").ShouldBe("same-origin");
        answer.Headers.Contains("Server").ShouldBeFalse();
        answer.Headers.Contains("X-Powered-By").ShouldBeFalse();
        answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Theory]
    [InlineData("/api/nowhere", 401, "UNAUTHENTICATED")]
    [InlineData("/api/me", 401, "UNAUTHENTICATED")]
    [InlineData("/live", 401, "UNAUTHENTICATED")]
    [InlineData("/api/modules/1", 401, "UNAUTHENTICATED")]
    public async Task A_program_is_refused_with_a_problem(string path, int status, string code)
    {
        using var nobody = world.Nobody();
        foreach (var language in new[] { "fr", "en" })
        {
            using var answer = await nobody.Ask(HttpMethod.Get, path, language: language);
            await Task.FromResult(answer).ShouldRefuse(status, code);
        }
    }

    [Fact]
    public async Task No_page_has_anything_inline_or_foreign()
    {
        foreach (var (email, start) in new[] { (Cast.Super, "/admin"), (Cast.HeadOnPremium, "/"), (Cast.Admin1, "/") })
        {
            using var browser = new Browser(world.Address);
            await browser.SignIn(email, PasswordRules.Demo);
            var pages = await Walk(browser, start);
            pages.Count.ShouldBeGreaterThanOrEqualTo(email == Cast.Super ? 15 : 5, email);
            foreach (var (path, html) in pages)
            {
                // The server itself, by its address and by its name.
                Clean(path, html.Replace(world.Address.ToString(), "/", StringComparison.Ordinal)
                    .Replace($"http://localhost:{world.Address.Port}/", "/", StringComparison.Ordinal));
            }
        }
        using var stranger = new Browser(world.Address);
        foreach (var path in new[] { "/login", "/register", "/forgot", "/reset", "/setup" })
        {
            Clean(path, await stranger.Page(path));
        }
        await stranger.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        Clean("/nowhere", await stranger.Page("/nowhere", HttpStatusCode.NotFound));
        Clean("/admin", await stranger.Page("/admin", HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task Cookies_are_for_the_server_alone()
    {
        using var browser = new Browser(world.Address);
        using var form = await browser.Get("/login");
        using var signedIn = await browser.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        using var language = await browser.Submit("/", "action=\"/language\"", ("lang", "en"));
        var cookies = new[] { form, signedIn, language }.Where(a => a.Headers.Contains("Set-Cookie"))
            .SelectMany(a => a.Headers.GetValues("Set-Cookie")).ToList();
        cookies.Count.ShouldBeGreaterThanOrEqualTo(3);
        cookies.ShouldAllBe(c => c.Contains("httponly", StringComparison.OrdinalIgnoreCase));
        cookies.ShouldAllBe(
            c => c.Contains("samesite=lax", StringComparison.OrdinalIgnoreCase)
            || c.Contains("samesite=strict", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task What_a_person_sees_is_kept_by_no_cache()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        foreach (var path in new[] { "/", "/account", "/plan" })
        {
            using var answer = await browser.Get(path);
            (answer.Headers.CacheControl is { NoStore: true } or { NoCache: true }).ShouldBeTrue(path);
        }
    }

    /// <summary>Every page that can be reached by links from one, each sort of page once or twice.</summary>
    private static async Task<Dictionary<string, string>> Walk(Browser browser, string start)
    {
        var pages = new Dictionary<string, string>();
        var perKind = new Dictionary<string, int>();
        var queue = new Queue<string>([start, "/", "/account"]);
        while (queue.TryDequeue(out var path))
        {
            var kind = Ids().Replace(path.Split('?')[0], "*");
            if (pages.ContainsKey(path) || (perKind[kind] = perKind.GetValueOrDefault(kind) + 1) > 2)
            {
                continue;
            }
            using var answer = await browser.Get(path);
            answer.StatusCode.ShouldBeOneOf([HttpStatusCode.OK, HttpStatusCode.Redirect], path);
            if (answer.StatusCode != HttpStatusCode.OK || answer.Content.Headers.ContentType?.MediaType != "text/html")
            {
                continue;
            }
            pages[path] = await answer.Body();
            foreach (Match link in Links().Matches(pages[path]))
            {
                queue.Enqueue(WebUtility.HtmlDecode(link.Groups[1].Value));
            }
        }
        return pages;
    }

    private static void Clean(string path, string html)
    {
        html.ShouldContain("</html>");
        Regex.Matches(html, @"<script\b[^>]*>").Select(m => m.Value)
            .ShouldAllBe(s => s.Contains(" src=\"/", StringComparison.Ordinal), path);
        Regex.Matches(html, @"<script\b[^>]*>([^<]*)</script>").Select(m => m.Groups[1].Value.Trim()).ShouldAllBe(s => s.Length == 0, path);
        html.ShouldNotContain("<style", Case.Insensitive, path);
        Regex.Matches(html, @"<[a-z][^>]*?\s(style|on[a-z]+)\s*=", RegexOptions.IgnoreCase).Select(m => m.Value).ShouldBeEmpty(path);
        Regex.Matches(html, @"\s(?:src|href|action)=""(?:https?:)?//[^""]*", RegexOptions.IgnoreCase).Select(m => m.Value)
            .ShouldBeEmpty(path);
        html.ShouldNotContain("javascript:", Case.Insensitive, path);
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.ShouldHaveSingleItem() : throw new ShouldAssertException($"no {name}");

    [GeneratedRegex(@"<a\b[^>]*?\shref=""(/[^""#]*)""")]
    private static partial Regex Links();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/m/)[a-z0-9-]+")]
    private static partial Regex Ids();
}
