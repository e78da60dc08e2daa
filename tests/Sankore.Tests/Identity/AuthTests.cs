using System.Net;
using Sankore.Identity;

namespace Sankore.Tests.Identity;

/// <summary>Accounts and sessions through <c>/api/auth</c>.</summary>
public sealed class AuthTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Whoever_registers_can_sign_in()
    {
        using var client = world.Nobody();
        var email = await client.Register();
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
        var first = await client.Login(await client.Register());
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
        var email = await client.Register();
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
        var email = await client.Register();
        using var answer =
            await client.Ask(HttpMethod.Post, "/api/auth/login?useCookies=true", new { email, password = Newcomers.Password });
        var cookie = answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var elsewhere = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = World.AddressOf(second) };
        elsewhere.DefaultRequestHeaders.Add("Cookie", cookie);
        (await elsewhere.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
        elsewhere.DefaultRequestHeaders.Remove("Cookie");
        elsewhere.Bears(await client.Login(email));
        (await elsewhere.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
        await second.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("nobody", "un mot de passe à moi", "email", "EMAIL_INVALID")]
    [InlineData("", "un mot de passe à moi", "email", "EMAIL_INVALID")]
    [InlineData("@", "un mot de passe à moi", "email", "EMAIL_INVALID")]
    [InlineData("new@example.org", "court", "password")]
    [InlineData("new@example.org", "", "password")]
    [InlineData("new-longer@example.org", "NEW-longer@example.org", "password")]
    [InlineData("new@example.org", PasswordRules.Demo, "password")]
    public async Task What_makes_no_account_is_refused_by_field(
        string email, string password, string field, string code = "ACCOUNT_INVALID")
    {
        using var client = world.Nobody();
        var problem = await client.Ask(HttpMethod.Post, "/api/auth/register", new { email, password }).ShouldRefuse(400, code);
        problem.ErrorOf(field);
        (await world.Sql<int>("select count(*)::int from auth.users where email ilike 'new%@example.org'")).ShouldBe(0);
    }

    [Theory]
    [InlineData("nul\0@example.org", "un mot de passe à moi")]
    [InlineData("line\nbreak@example.org", "un mot de passe à moi")]
    [InlineData("a b@example.org", "un mot de passe à moi")]
    [InlineData("two@at@example.org", "un mot de passe à moi")]
    public async Task A_strange_address_makes_no_account(string email, string password)
    {
        using var client = world.Nobody();
        using var answer = await client.Ask(HttpMethod.Post, "/api/auth/register", new { email, password });
        ((int)answer.StatusCode).ShouldBe(400, await answer.Body());
        answer.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task A_very_long_address_makes_no_account()
    {
        using var client = world.Nobody();
        await client.Ask(
            HttpMethod.Post, "/api/auth/register",
            new { email = new string('a', 250) + "@example.org", password = Newcomers.Password }).ShouldRefuse(400, "EMAIL_INVALID");
    }

    [Fact]
    public async Task An_address_has_one_account()
    {
        using var client = world.Nobody();
        var email = await client.Register();
        var problem = await client.Ask(
            HttpMethod.Post, "/api/auth/register", new { email = email.ToUpperInvariant(), password = Newcomers.Password },
            language: "en").ShouldRefuse(409, "EMAIL_TAKEN");
        problem.ErrorOf("email").ShouldBe("An account with this address exists already.");
    }

    [Fact]
    public async Task Two_registrations_at_once_make_one_account()
    {
        using var client = world.Nobody();
        var email = $"{Catalogue.Word()}@example.org";
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 4)
            .Select(_ => client.Ask(HttpMethod.Post, "/api/auth/register", new { email, password = Newcomers.Password })));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 409, 409, 409]);
        (await world.Sql<int>("select count(*)::int from public.profiles where email = @email", new { email })).ShouldBe(1);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_account_are_answered_alike()
    {
        using var client = world.Nobody();
        var known = await client.Ask(
            HttpMethod.Post, "/api/auth/login",
            new { email = await client.Register(), password = "not the password" }).ShouldRefuse(401, "INVALID_CREDENTIALS");
        var unknown = await client.Ask(
            HttpMethod.Post, "/api/auth/login",
            new { email = $"{Catalogue.Word()}@example.org", password = "not the password" }).ShouldRefuse(401, "INVALID_CREDENTIALS");
        unknown.With(("traceId", null)).Select(p => $"{p.Key}: {p.Value}")
            .ShouldBe(known.With(("traceId", null)).Select(p => $"{p.Key}: {p.Value}"));
    }

    [Fact]
    public async Task Five_wrong_passwords_lock_the_account_for_a_while()
    {
        using var client = world.Nobody();
        var email = await client.Register();
        for (var i = 1; i <= 4; i++)
        {
            await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "not the password" })
                .ShouldRefuse(401, "INVALID_CREDENTIALS");
        }
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "not the password" }).ShouldRefuse(401, "LOCKED_OUT");
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password }).ShouldRefuse(401, "LOCKED_OUT");
        await world.Execute("update auth.users set lockout_end = now() where email = @email", new { email });
        await client.Login(email);
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
}
