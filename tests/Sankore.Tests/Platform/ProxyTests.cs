using System.Net;

namespace Sankore.Tests.Platform;

/// <summary>Forwarded headers count from the proxies that the operator names, and from nobody else.</summary>
public sealed class ProxyTests(ProxyTests.Direct direct, ProxyTests.Behind behind)
    : IClassFixture<ProxyTests.Direct>, IClassFixture<ProxyTests.Behind>
{
    /// <summary>A server that names no proxy.</summary>
    public class Direct : World
    {
        protected override IReadOnlyDictionary<string, string?> Settings { get; } =
            new Dictionary<string, string?> { ["Sankore:SignIn:PerAddressPerMinute"] = "3" };
    }

    /// <summary>A server behind a proxy on this machine.</summary>
    public sealed class Behind : World
    {
        protected override IReadOnlyDictionary<string, string?> Settings { get; } =
            new Dictionary<string, string?>
            {
                ["Sankore:SignIn:PerAddressPerMinute"] = "3",
                ["Sankore:Proxies"] = "127.0.0.1, 10.0.0.0/8",
                ["Sankore:PublicUrl"] = "https://ecole.example",
            };
    }

    [Fact]
    public async Task Nobody_escapes_the_limit_by_inventing_addresses()
    {
        var statuses = await Attempts(direct, i => $"198.51.100.{i}");
        statuses.ShouldBe([401, 401, 401, 429, 429, 429]);
    }

    [Fact]
    public async Task Behind_a_proxy_each_address_has_its_own_limit()
    {
        (await Attempts(behind, i => $"198.51.100.{i}")).ShouldBe([401, 401, 401, 401, 401, 401]);
        (await Attempts(behind, _ => "203.0.113.7")).ShouldBe([401, 401, 401, 429, 429, 429]);
        // Only the last address was written by the proxy; what stands before it, by anybody.
        (await Attempts(behind, i => $"192.0.2.{i}, 203.0.113.8")).ShouldBe([401, 401, 401, 429, 429, 429]);
    }

    [Fact]
    public async Task Only_a_proxy_says_that_the_connection_is_secure()
    {
        foreach (var (world, secure) in new[] { (direct, false), ((World)behind, true) })
        {
            using var client = world.Nobody();
            client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
            client.DefaultRequestHeaders.Add("X-Forwarded-Host", "ecole.example");
            using var form = await client.Ask(HttpMethod.Get, "/login");
            form.Headers.GetValues("Set-Cookie").ShouldAllBe(c => c.Contains("secure", StringComparison.OrdinalIgnoreCase) == secure);
            form.Headers.Contains("Strict-Transport-Security").ShouldBe(secure);
        }
    }

    [Fact]
    public async Task Passkeys_belong_to_the_public_address_whatever_a_request_calls_it()
    {
        using var client = behind.Nobody();
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.50");
        client.Bears(await client.Login(await behind.Register()));
        using var phone = await Authenticator.Of(behind, client, origin: new Uri("https://ecole.example"));
        client.DefaultRequestHeaders.Remove("X-Forwarded-For");
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.51");
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { passkey = await phone.Answer(client) }).Json();
        phone.RelyingParty = "127.0.0.1";
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { passkey = await phone.Answer(client) })
            .ShouldRefuse(401, "PASSKEY_REFUSED");
    }

    [Fact]
    public async Task A_link_in_a_mail_does_not_follow_the_request()
    {
        using var client = behind.Nobody();
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.99");
        client.DefaultRequestHeaders.Add("X-Forwarded-Host", "evil.example");
        using var bent = behind.Nobody();
        bent.DefaultRequestHeaders.Host = "evil.example";
        using var refused = await bent.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email = Cast.HeadOnPremium });
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        await client.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email = Cast.HeadOnPremium }).Json();
        (await behind.MailTo(Cast.HeadOnPremium, "/reset")).Text.ShouldNotContain("evil.example");
        var email = $"{Catalogue.Word()}@example.org";
        await client.Ask(HttpMethod.Post, "/api/auth/register", new { email }).Json();
        (await behind.MailTo(email, "/setup")).Text.ShouldNotContain("evil.example");
    }

    private static async Task<IReadOnlyList<int>> Attempts(World world, Func<int, string> forwardedFor)
    {
        using var client = world.Nobody();
        var statuses = new List<int>();
        for (var i = 1; i <= 6; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/auth/login");
            request.Headers.Add("X-Forwarded-For", forwardedFor(i));
            request.Content = System.Net.Http.Json.JsonContent.Create(new { email = "nobody@example.org", password = "not the password" });
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            statuses.Add((int)answer.StatusCode);
        }
        return statuses;
    }
}
