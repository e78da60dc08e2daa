using System.Net;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Identity;
using Sankore.Platform.Security;
using Sankore.Rbac;

namespace Sankore.Tests.Identity;

/// <summary>Accounts and sessions through <c>/api/auth</c>.</summary>
public sealed class AuthTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Whoever_has_an_account_signs_in_in_any_case_of_letters()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        var tokens = await client.Login(email.ToUpperInvariant());
        tokens.Names().ShouldBe(["tokenType", "accessToken", "expiresIn", "refreshToken"], ignoreOrder: true);
        tokens.Text("tokenType").ShouldBe("Bearer");
        tokens.GetProperty("expiresIn").GetInt32().ShouldBe(3600);
        client.Bears(tokens);
        var me = await client.Ask(HttpMethod.Get, "/api/me").Json();
        me.Text("email").ShouldBe(email);
        me.Text("displayName").ShouldBe(email.Split('@')[0]);
    }

    [Fact]
    public async Task A_session_is_refreshed_with_its_refresh_token()
    {
        using var client = world.Nobody();
        var first = await client.Login(await world.Register());
        var second = await client.Ask(HttpMethod.Post, "/api/auth/refresh", new { refreshToken = first.Text("refreshToken") }).Json();
        client.Bears(second);
        await client.Ask(HttpMethod.Get, "/api/me").Json();
        await world.Nobody().Ask(HttpMethod.Post, "/api/auth/refresh", new { refreshToken = "rubbish" })
            .ShouldRefuse(401, "UNAUTHENTICATED");
        await world.Nobody().Ask(HttpMethod.Post, "/api/auth/refresh", new { refreshToken = first.Text("accessToken") })
            .ShouldRefuse(401, "UNAUTHENTICATED");
    }

    [Theory]
    [InlineData("useCookies=true", true)]
    [InlineData("useSessionCookies=true", false)]
    public async Task A_sign_in_with_cookies_sets_one_that_scripts_cannot_read(string query, bool outlivesTheBrowser)
    {
        using var client = world.Nobody();
        var email = await world.Register();
        using var answer = await client.Ask(HttpMethod.Post, $"/api/auth/login?{query}", new { email, password = Newcomers.Password });
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Body()).ShouldBe("");
        var cookie = answer.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem();
        cookie.ShouldStartWith("sankore=");
        cookie.ShouldContain("httponly", Case.Insensitive);
        cookie.ShouldContain("samesite=lax", Case.Insensitive);
        cookie.Contains("expires=", StringComparison.OrdinalIgnoreCase).ShouldBe(outlivesTheBrowser);
        // HttpClient keeps cookies.
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
    }

    [Fact]
    public async Task A_cookie_of_one_node_is_good_for_another()
    {
        await using var second = await world.StartNode("http://127.0.0.1:0");
        using var client = world.Nobody();
        var email = await world.Register();
        using var answer =
            await client.Ask(HttpMethod.Post, "/api/auth/login?useCookies=true", new { email, password = Newcomers.Password });
        var cookie = answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var elsewhere = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = World.AddressOf(second) };
        elsewhere.DefaultRequestHeaders.Add("Cookie", cookie);
        (await elsewhere.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
        elsewhere.DefaultRequestHeaders.Remove("Cookie");
        elsewhere.Bears(await elsewhere.Login(email));
        (await elsewhere.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
        await second.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("nobody"), InlineData(""), InlineData("@"), InlineData(null), InlineData("nul\0@example.org"),
        InlineData("two@at@example.org")]
    [InlineData("line\nbreak@example.org"), InlineData("a b@example.org")]
    public async Task What_is_no_address_is_refused(string? email)
    {
        using var client = world.Nobody();
        (await client.Ask(HttpMethod.Post, "/api/auth/register", new { email }).ShouldRefuse(400, "EMAIL_INVALID")).ErrorOf("email");
        var tooLong = new { email = new string('a', 250) + "@example.org" };
        await client.Ask(HttpMethod.Post, "/api/auth/register", tooLong).ShouldRefuse(400, "EMAIL_INVALID");
    }

    [Theory]
    [InlineData("court"), InlineData(""), InlineData(null), InlineData(PasswordRules.Demo), InlineData("{email}")]
    public async Task A_password_that_breaks_the_rules_opens_no_account(string? password)
    {
        var (email, link) = await Registered();
        var accept = new AcceptInput(Hiring.Token(link), null, "Amina", password == "{email}" ? email.ToUpperInvariant() : password);
        var refusal = await Should.ThrowAsync<Refusal>(
            () => world.Invite(i => i.Accept(accept, TestContext.Current.CancellationToken)));
        refusal.Fields.Keys.ShouldBe(["password"]);
        (await world.Sql<int>("select count(*)::int from auth.users where email = @email", new { email })).ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_registers_has_an_account_once_the_link_is_followed()
    {
        var (email, link) = await Registered();
        (await world.Sql<int>("select count(*)::int from auth.users where email = @email", new { email })).ShouldBe(0);
        using var browser = new Browser(world.Address);
        using var answer = await browser.Submit(
            link, "Form.Token", ("Form.DisplayName", "Amina"), ("Form.Password", Newcomers.Password), ("Form.Email", "else@example.org"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Redirect, await answer.Body());
        using var client = world.Nobody();
        client.Bears(await client.Login(email));
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).GetProperty("roles").EnumerateArray().Select(r =>
            r.GetString()).ShouldBe(["member"]);
    }

    [Fact]
    public async Task Several_registrations_at_once_make_one_account()
    {
        using var client = world.Nobody();
        var (email, _) = await Registered();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => client.Ask(HttpMethod.Post, "/api/auth/register", new { email }).Json()));
        await Waiting.Until(() => world.Mails().Count(m => m.Header("To").Contains(email, StringComparison.Ordinal)) == 4,
            "four mails are there");
        string[] links = [.. world.Mails().Where(m => m.Header("To").Contains(email, StringComparison.Ordinal)).Select(m =>
            m.Link("/setup"))];
        var accepted = await Task.WhenAll(links.Select(async link =>
        {
            try
            {
                var input = new AcceptInput(Hiring.Token(link), null, "Amina", Newcomers.Password);
                await world.Invite(i => i.Accept(input, TestContext.Current.CancellationToken));
                return 1;
            }
            catch (Refusal)
            {
                return 0;
            }
        }));
        accepted.Sum().ShouldBe(1);
        (await world.Sql<int>("select count(*)::int from public.profiles where email = @email", new { email })).ShouldBe(1);
    }

    [Theory]
    [InlineData("{0}@École.example", "{0}@xn--cole-9oa.example"), InlineData("re\u0301my.{0}@example.org", "r\u00e9my.{0}@example.org")]
    [InlineData("{0}@example.org", "\u200b{0}@EXAMPLE.org\ufeff"), InlineData("{0}@example.org", " {0}@example.ORG ")]
    public async Task An_address_in_two_spellings_is_one_account(string first, string second)
    {
        var word = Catalogue.Word();
        (first, second) = (string.Format(null, first, word), string.Format(null, second, word));
        await using var scope = world.App.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Account>>();
        (await users.CreateAsync(new Account { Email = first, UserName = first, EmailConfirmed = true },
            Newcomers.Password)).Succeeded.ShouldBeTrue();
        var again = await users.CreateAsync(new Account { Email = second, UserName = second }, Newcomers.Password);
        again.Errors.Select(e => e.Code).ShouldContain("DuplicateEmail");
        using var client = world.Nobody();
        await client.Login(second);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_account_are_answered_alike()
    {
        using var client = world.Nobody();
        var known = await client.Ask(
            HttpMethod.Post, "/api/auth/login",
            new { email = await world.Register(), password = "not the password" }).ShouldRefuse(401, "INVALID_CREDENTIALS");
        var unknown = await client.Ask(
            HttpMethod.Post, "/api/auth/login",
            new { email = $"{Catalogue.Word()}@example.org", password = "not the password" }).ShouldRefuse(401, "INVALID_CREDENTIALS");
        unknown.With(("traceId", null)).Select(p => $"{p.Key}: {p.Value}")
            .ShouldBe(known.With(("traceId", null)).Select(p => $"{p.Key}: {p.Value}"));
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task Five_wrong_passwords_lock_an_address_for_a_while_whoever_has_it(bool isKnown)
    {
        using var client = world.Nobody();
        var email = isKnown ? await world.Register() : $"{Catalogue.Word()}@example.org";
        for (var i = 1; i <= 4; i++)
        {
            await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "not the password" })
                .ShouldRefuse(401, "INVALID_CREDENTIALS");
        }
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "not the password" }).ShouldRefuse(401, "LOCKED_OUT");
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password }).ShouldRefuse(401, "LOCKED_OUT");
        await world.Execute("update auth.attempts set ends_at = now()");
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password }).Json(isKnown ? 200 : 401);
    }

    [Fact]
    public async Task A_demo_account_has_the_demo_password()
    {
        using var client = world.Nobody();
        client.Bears(await client.Login("teacher.s0002.1@sankore.test", PasswordRules.Demo));
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe("teacher.s0002.1@sankore.test");
    }

    [Fact]
    public async Task Nobody_manages_an_account_without_signing_in()
    {
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, "/api/auth/manage/info").ShouldRefuse(401, "UNAUTHENTICATED");
        await nobody.Ask(HttpMethod.Post, "/api/auth/manage/info", new { newPassword = "x" }).ShouldRefuse(401, "UNAUTHENTICATED");
        await nobody.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).ShouldRefuse(401, "UNAUTHENTICATED");
        await nobody.Ask(HttpMethod.Post, "/api/auth/login", new StringContent("{", null, "application/json"))
            .ShouldRefuse(400, "BAD_REQUEST");
        await nobody.Ask(HttpMethod.Post, "/api/auth/login", new { }).ShouldRefuse(400, "BAD_REQUEST");
    }

    /// <summary>Registers, as far as the mail; the address and its link.</summary>
    private async Task<(string Email, string Link)> Registered()
    {
        using var client = world.Nobody();
        var email = $"{Catalogue.Word()}@example.org";
        await client.Ask(HttpMethod.Post, "/api/auth/register", new { email }).Json();
        return (email, (await world.MailTo(email, "/setup")).Link("/setup"));
    }
}
