using System.Net;
using Sankore.Identity;

namespace Sankore.Tests.Identity;

/// <summary>Signing in and out, and choosing a language, by the pages' forms.</summary>
public sealed class SignInPagesTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Whoever_fills_in_the_form_is_signed_in_until_signing_out()
    {
        using var browser = new Browser(world.Address);
        using var signedIn = await browser.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        LeadsTo(signedIn).ShouldBe("/");
        (await browser.Page("/")).ShouldContain("Orel Mboungou");
        LeadsTo(await browser.Get("/login")).ShouldBe("/");

        using var signedOut = await browser.Submit("/", "action=\"/logout\"");
        LeadsTo(signedOut).ShouldBe("/login");
        LeadsTo(await browser.Get("/")).ShouldBe("/login?returnUrl=%2F");
        await browser.Client.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    [Theory]
    [InlineData("fr", "ne convient pas")]
    [InlineData("en", "is not right")]
    public async Task A_wrong_password_shows_the_form_again_with_the_reason(string language, string reason)
    {
        using var browser = new Browser(world.Address, language);
        using var answer = await browser.SignIn(Cast.HeadOnGratuit, "not the password");
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var html = WebUtility.HtmlDecode(await answer.Body());
        html.ShouldContain(reason);
        html.ShouldContain("role=\"alert\"");
        Browser.Form(html, "Form.Email").Fields["Form.Email"].ShouldBe(Cast.HeadOnGratuit);
        html.ShouldNotContain("not the password");
    }

    [Theory]
    [InlineData("__RequestVerificationToken", null)]
    [InlineData("__RequestVerificationToken", "")]
    [InlineData("__RequestVerificationToken", "CfDJ8rubbish")]
    public async Task A_form_without_its_token_is_refused(string field, string? value)
    {
        using var browser = new Browser(world.Address);
        using var answer = await browser.Submit(
            "/login", "Form.Email", ("Form.Email", Cast.HeadOnPremium), ("Form.Password", PasswordRules.Demo), (field, value));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Body()).ShouldContain("</html>");
        (await browser.Get("/")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    [Theory]
    [InlineData("/logout")]
    [InlineData("/language")]
    public async Task An_act_without_a_token_is_refused(string path)
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        var body = new FormUrlEncodedContent([KeyValuePair.Create("lang", "en"), KeyValuePair.Create("returnUrl", "/")]);
        (await browser.Client.Ask(HttpMethod.Post, path, body)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await browser.Get("/")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/admin/modules?q=a b", "/admin/modules?q=a%20b")]
    [InlineData("/plan", "/plan")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("/\t/evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("evil.example", "/")]
    [InlineData("", "/")]
    public async Task Signing_in_leads_back_but_never_off_the_site(string returnUrl, string target)
    {
        using var browser = new Browser(world.Address);
        using var answer = await browser.SignIn(Cast.Super, PasswordRules.Demo, "/login?returnUrl=" + Uri.EscapeDataString(returnUrl));
        LeadsTo(answer).ShouldBe(target);
        LeadsTo(await browser.Get("/login?returnUrl=" + Uri.EscapeDataString(returnUrl))).ShouldBe(target);
    }

    [Fact]
    public async Task A_page_that_needs_somebody_leads_to_the_form_and_back()
    {
        using var browser = new Browser(world.Address);
        var form = LeadsTo(await browser.Get("/admin/modules?q=caisse"));
        form.ShouldBe("/login?returnUrl=%2Fadmin%2Fmodules%3Fq%3Dcaisse");
        LeadsTo(await browser.SignIn(Cast.Super, PasswordRules.Demo, form)).ShouldBe("/admin/modules?q=caisse");
    }

    [Fact]
    public async Task The_language_is_remembered()
    {
        using var browser = new Browser(world.Address);
        (await browser.Page("/login")).ShouldContain("<html lang=\"fr\">");
        LeadsTo(await browser.Submit("/login?returnUrl=%2Fplan", "action=\"/language\"", ("lang", "en")))
            .ShouldBe("/login?returnUrl=%2Fplan");
        (await browser.Page("/login")).ShouldContain("<html lang=\"en\">");
        LeadsTo(await browser.Submit("/login", "action=\"/language\"", ("lang", "xx"))).ShouldBe("/login");
        (await browser.Page("/login")).ShouldContain("<html lang=\"fr\">");
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("")]
    public async Task Choosing_a_language_leads_nowhere_else(string returnUrl)
    {
        using var browser = new Browser(world.Address);
        LeadsTo(await browser.Submit("/login", "action=\"/language\"", ("lang", "en"), ("returnUrl", returnUrl))).ShouldBe("/");
    }

    [Fact]
    public async Task The_language_of_somebody_signed_in_is_kept_in_the_profile()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn("head.s0010@sankore.test", PasswordRules.Demo);
        await browser.Submit("/", "action=\"/language\"", ("lang", "en"));
        (await world.Sql<string>("select locale from public.profiles where email = 'head.s0010@sankore.test'")).ShouldBe("en");
    }

    [Fact]
    public async Task A_changed_password_keeps_this_browser_signed_in_and_ends_the_others()
    {
        using var here = new Browser(world.Address);
        using var elsewhere = new Browser(world.Address);
        var email = await world.Register();
        foreach (var browser in new[] { here, elsewhere })
        {
            LeadsTo(await browser.SignIn(email, Newcomers.Password)).ShouldBe("/");
        }

        LeadsTo(await here.Submit(
            "/account", "Password.OldPassword", ("Password.OldPassword", Newcomers.Password),
            ("Password.Password", "une autre phrase secrète"))).ShouldBe("/account?done=changed");
        await here.Page("/account?done=changed");
        await Waiting.Until(
            async () => (await elsewhere.Get("/account")).StatusCode == HttpStatusCode.Redirect, "the other browser is signed out");
        await here.Page("/account");
    }

    [Fact]
    public async Task A_page_for_others_says_so()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        foreach (var path in new[] { "/admin", "/admin/modules", "/admin/people", "/admin/api-keys", "/admin/audit", "/admin/outbox" })
        {
            (await browser.Page(path, HttpStatusCode.Forbidden)).ShouldContain("<html lang=\"fr\">");
        }
        (await browser.Page("/nowhere", HttpStatusCode.NotFound)).ShouldContain("<html lang=\"fr\">");
    }

    private static string LeadsTo(HttpResponseMessage answer)
    {
        answer.StatusCode.ShouldBeOneOf(HttpStatusCode.Redirect, HttpStatusCode.SeeOther);
        var location = answer.Headers.Location!;
        return location.IsAbsoluteUri
            ? location.PathAndQuery.Insert(0, location.Authority == answer.RequestMessage!.RequestUri!.Authority ? "" : location.Authority)
            : location.OriginalString;
    }
}
