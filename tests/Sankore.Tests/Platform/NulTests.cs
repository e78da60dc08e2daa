namespace Sankore.Tests.Platform;

/// <summary>A character that PostgreSQL cannot hold is refused, and does no harm to whoever gets the connection next.</summary>
public sealed class NulTests(World world) : IClassFixture<World>
{
    private const int Rounds = 25;

    [Fact]
    public async Task In_a_query()
    {
        using var admin = await world.As(Cast.Super);
        for (var i = 0; i < Rounds; i++)
        {
            await admin.Ask(HttpMethod.Get, "/api/audit-logs?table=a%00b").ShouldRefuse(400, "BAD_REQUEST");
            await admin.Ask(HttpMethod.Get, "/api/audit-logs?table=modules").Json();
            await admin.Ask(HttpMethod.Get, "/api/modules?q=%00").Json();
        }
    }

    [Fact]
    public async Task In_a_body()
    {
        using var admin = await world.As(Cast.Super);
        for (var i = 0; i < Rounds; i++)
        {
            await admin.Ask(HttpMethod.Post, "/api/api-keys", new { name = "Key", permissions = new[] { "tenancy.read\0" } })
                .ShouldRefuse(400, "BAD_REQUEST");
            await admin.Ask(HttpMethod.Post, "/api/api-keys", new { name = "Key", permissions = new[] { "tenancy.read" } }).Json();
            await admin.NewCategory();
        }
    }

    [Fact]
    public async Task In_an_address_or_a_password()
    {
        using var nobody = world.Nobody();
        var email = await world.Register();
        for (var i = 0; i < Rounds; i++)
        {
            using var answer = await nobody.Ask(HttpMethod.Post, "/api/auth/login", new { email = "nul\0@example.org", password = "x" });
            ((int)answer.StatusCode).ShouldBeOneOf(400, 401);
            await nobody.Login(email);
        }
        await nobody.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "nul\0" }).ShouldRefuse(401, "INVALID_CREDENTIALS");
    }

    [Fact]
    public async Task In_the_path_of_a_page()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, "sankore-demo");
        for (var i = 0; i < Rounds; i++)
        {
            using var answer = await browser.Get("/m/a%00b");
            ((int)answer.StatusCode).ShouldBeOneOf(400, 404);
            await browser.Page("/m/gestion-classes");
        }
    }
}
