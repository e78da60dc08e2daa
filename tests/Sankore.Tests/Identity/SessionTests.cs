using System.Net;

namespace Sankore.Tests.Identity;

/// <summary>Sessions: where one is signed in, and that what has ended is dead, wherever its cookie or token may be.</summary>
public sealed class SessionTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_cookie_is_dead_after_signing_out_on_every_node()
    {
        await using var second = await world.StartNode("http://127.0.0.1:0");
        using var browser = new Browser(world.Address);
        using var signedIn = await browser.SignIn(await world.Register(), Newcomers.Password);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("sankore=", StringComparison.Ordinal)).Split(';')[0];
        HttpClient[] thieves = [Thief(world.Address, cookie), Thief(World.AddressOf(second), cookie)];
        foreach (var thief in thieves)
        {
            await thief.Ask(HttpMethod.Get, "/api/me").Json();
        }
        (await browser.Submit("/account", "action=\"/logout\"")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        foreach (var thief in thieves)
        {
            await Waiting.Until(async () => (int)(await thief.Ask(HttpMethod.Get, "/api/me")).StatusCode == 401, "the cookie is dead");
            thief.Dispose();
        }
        await second.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_token_is_dead_after_signing_out_and_so_is_what_would_refresh_it()
    {
        using var client = world.Nobody();
        var tokens = await client.Login(await world.Register());
        client.Bears(tokens);
        await using var stream = await LiveClient.Open(world.Address, tokens.Text("accessToken"));
        await client.Ask(HttpMethod.Post, "/api/auth/logout").Json(204);
        await client.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await client.Ask(HttpMethod.Post, "/api/auth/refresh", new { refreshToken = tokens.Text("refreshToken") }).ShouldRefuse(401,
            "UNAUTHENTICATED");
        await Waiting.Until(() => stream.Ended.IsCompleted, "its stream ends");
    }

    [Fact]
    public async Task One_sees_ones_own_sessions_and_ends_any_of_them_and_nobody_elses()
    {
        var email = await world.Register();
        using var here = world.Nobody();
        using var there = world.Nobody();
        there.DefaultRequestHeaders.UserAgent.ParseAdd("Mozilla/5.0 (Linux; Android 10) Chrome/120.0");
        here.Bears(await here.Login(email));
        there.Bears(await there.Login(email));
        using var other = await world.Newcomer();
        var sessions = (await here.Ask("/api/auth/sessions")).Items;
        sessions.Select(s => s.GetProperty("isCurrent").GetBoolean()).ShouldBe([true, false]);
        sessions[1].Text("device").ShouldContain("Android");
        (await other.Remove($"/api/auth/sessions/{sessions[1].Id()}")).Code.ShouldBe("NOT_FOUND");
        (await world.AsRole<Guid>("authenticated", await world.IdOf(Cast.Super), "select id from auth.sessions where id = @id",
            new { id = sessions[1].Id() })).ShouldBeEmpty();
        (await here.Remove($"/api/auth/sessions/{sessions[1].Id()}")).Code.ShouldBeNull();
        await there.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        there.Bears(await there.Login(email));
        (await here.Remove("/api/auth/sessions")).Code.ShouldBeNull();
        await there.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await here.Ask(HttpMethod.Get, "/api/me").Json();
    }

    [Fact]
    public async Task The_account_page_lists_sessions_and_signs_out_everywhere_else()
    {
        var email = await world.Register();
        using var here = new Browser(world.Address);
        using var there = new Browser(world.Address);
        await here.SignIn(email, Newcomers.Password);
        await there.SignIn(email, Newcomers.Password);
        (await here.Submit("/account", "connecter partout ailleurs")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await there.Get("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        await here.Page("/account");
    }

    [Theory]
    [InlineData("https://evil.example", null, 403), InlineData("null", null, 403), InlineData(null, null, 403)]
    [InlineData(null, "https://evil.example/page", 403), InlineData("own", null, 204), InlineData(null, "own", 204)]
    public async Task What_a_cookie_changes_comes_from_a_page_of_ours(string? origin, string? referer, int status)
    {
        using var client = world.Nobody();
        var email = await world.Register();
        using var login = await client.Ask(HttpMethod.Post, "/api/auth/login?useCookies=true", new
        {
            email,
            password = Newcomers.Password
        });
        var own = world.Address.GetLeftPart(UriPartial.Authority);
        foreach (var content in new HttpContent?[] { null, new FormUrlEncodedContent([]), new StringContent("{}", null, "text/plain") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/auth/sessions") { Content = content };
            Add("Origin", origin);
            Add("Referer", referer);
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            ((int)answer.StatusCode).ShouldBe(status);

            void Add(string name, string? value)
            {
                if (value is not null)
                {
                    request.Headers.TryAddWithoutValidation(name, value == "own" ? own : value);
                }
            }
        }
        await client.Ask(HttpMethod.Get, "/api/me").Json();
    }

    [Fact]
    public async Task A_request_that_names_another_host_is_refused()
    {
        using var client = world.Nobody();
        client.DefaultRequestHeaders.Host = "evil.example";
        (await client.Ask(HttpMethod.Get, "/login")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private static HttpClient Thief(Uri address, string cookie)
    {
        var client = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = address };
        client.DefaultRequestHeaders.Add("Cookie", cookie);
        return client;
    }
}
