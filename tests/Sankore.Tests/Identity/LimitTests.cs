using System.Net;

namespace Sankore.Tests.Identity;

/// <summary>Who may register, and how often an address may try to sign in.</summary>
public sealed class LimitTests(LimitTests.Strict strict) : IClassFixture<LimitTests.Strict>
{
    /// <summary>No registration, and five attempts a minute.</summary>
    public sealed class Strict : World
    {
        protected override IReadOnlyDictionary<string, string?> Settings { get; } =
            new Dictionary<string, string?> { ["Sankore:Registration"] = "closed", ["Sankore:SignIn:PerAddressPerMinute"] = "5" };
    }

    [Fact]
    public async Task An_address_that_tries_too_often_waits()
    {
        // A node of its own: it counts for itself.
        await using var node = await strict.StartNode("http://127.0.0.1:0");
        using var client = new HttpClient { BaseAddress = World.AddressOf(node) };
        for (var i = 0; i < 5; i++)
        {
            await client.Ask(HttpMethod.Post, "/api/auth/login", new { email = $"{i}@example.org", password = "not the password" })
                .ShouldRefuse(401, "INVALID_CREDENTIALS");
        }

        using var answer = await client.Ask(HttpMethod.Post, "/api/auth/login", new { email = Cast.Super, password = "sankore-demo" });
        await Task.FromResult(answer).ShouldRefuse(429, "TOO_MANY_REQUESTS");
        int.Parse(answer.Headers.GetValues("Retry-After").Single(), System.Globalization.CultureInfo.InvariantCulture)
            .ShouldBeInRange(1, 60);
        var browser = new Browser(World.AddressOf(node));
        using var form = await browser.SignIn(Cast.Super, "sankore-demo");
        form.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await form.Body()).ShouldContain("</html>");
        // Reading takes no password.
        (await client.Ask(HttpMethod.Get, "/login")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.Ask(HttpMethod.Get, "/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await node.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Nobody_registers_where_registration_is_closed()
    {
        using var client = strict.Nobody();
        await client.Ask(HttpMethod.Post, "/api/auth/register", new { email = "new@example.org", password = Newcomers.Password })
            .ShouldRefuse(403, "REGISTRATION_CLOSED");
        (await (await client.Ask(HttpMethod.Get, "/register")).Body()).ShouldNotContain("name=\"Form.Password\"");
        (await (await client.Ask(HttpMethod.Get, "/login")).Body()).ShouldNotContain("href=\"/register\"");
        (await strict.Sql<int>("select count(*)::int from auth.users where email = 'new@example.org'")).ShouldBe(0);
    }
}
