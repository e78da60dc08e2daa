using Microsoft.AspNetCore.Builder;
using Sankore.Tenancy;

namespace Sankore.Tests.Tenancy;

/// <summary>A route that belongs to a module asks for it at every request, whatever the token says.</summary>
public sealed class RequireModuleTests(ModuleRoutes world) : IClassFixture<ModuleRoutes>
{
    private const string Path = "/api/try-campagnes";

    [Theory]
    [InlineData(
        Cast.HeadOnEssentiel, "le plan Essentiel n’inclut pas le module «\u00a0Campagnes\u00a0»",
        "the plan Essential does not include the module “Campaigns”")]
    [InlineData(
        "bursar.s0004.1@sankore.test", "modifier dans «\u00a0Campagnes\u00a0» n’est pas permis",
        "changing things in “Campaigns” is not permitted")]
    [InlineData(Cast.Super, "aucune fonction en cours", "no position")]
    public async Task Whoever_may_not_is_told_which_link_fails(string email, string french, string english)
    {
        using var client = await world.As(email);
        foreach (var (language, words) in new[] { ("fr", french), ("en", english) })
        {
            (await client.Ask(HttpMethod.Get, Path, language: language).ShouldRefuse(403, "MODULE_REFUSED")).Text("title")
                .ShouldContain(words);
        }
    }

    [Theory]
    [InlineData(Cast.HeadOnPremium)]
    [InlineData(Cast.Admin1)]
    public async Task Whoever_may_gets_through(string email)
    {
        using var client = await world.As(email);
        (await (await client.Ask(HttpMethod.Get, Path)).Body()).ShouldBe("1");
    }

    [Fact]
    public async Task What_is_assigned_and_revoked_counts_at_the_next_request_of_the_same_token()
    {
        const string Email = "supervisor.s0004.1@sankore.test";
        var (user, module) = (await world.IdOf(Email), await world.ModuleId("campagnes"));
        using var admin = await world.As("admin.g004@sankore.test");
        using var client = await world.As(Email);
        // The category gives the right to read, and not to write.
        await client.Ask(HttpMethod.Get, Path).ShouldRefuse(403, "MODULE_REFUSED");
        await client.Ask(HttpMethod.Get, Path + "/read").Json();
        await admin.Assign(user, module, new { canWrite = true }).Json();
        await client.Ask(HttpMethod.Get, Path).Json();
        await client.Ask(HttpMethod.Get, Path + "/export").ShouldRefuse(403, "MODULE_REFUSED");
        await admin.Assign(user, module, new { canExport = true, canDelete = true, version = 1 }).Json();
        await client.Ask(HttpMethod.Get, Path).ShouldRefuse(403, "MODULE_REFUSED");
        await client.Ask(HttpMethod.Get, Path + "/export").Json();
        await client.Ask(HttpMethod.Get, Path + "/delete").Json();
        await admin.Revoke(user, module);
        await client.Ask(HttpMethod.Get, Path + "/export").ShouldRefuse(403, "MODULE_REFUSED");
        await admin.Ask(
            HttpMethod.Delete,
            $"/api/users/{user}/categories/{await world.CategoryId("communication")}?schoolId={await world.SchoolId("s0004")}");
        (await client.Ask(HttpMethod.Get, Path + "/read", language: "fr").ShouldRefuse(403, "MODULE_REFUSED")).Text("title")
            .ShouldContain("révoquée");
    }

    [Fact]
    public async Task A_subscription_that_is_suspended_closes_the_route_to_everybody_of_the_group()
    {
        foreach (var email in new[] { "head.s0005@sankore.test", "admin.g005@sankore.test" })
        {
            using var client = await world.As(email);
            await client.Ask(HttpMethod.Get, Path).Json();
            await world.Subscribe("g005", status: "suspended");
            (await client.Ask(HttpMethod.Get, Path, language: "fr").ShouldRefuse(403, "MODULE_REFUSED")).Text("title")
                .ShouldContain("n’a pas d’abonnement en cours");
            await world.Subscribe("g005", status: "active");
            await client.Ask(HttpMethod.Get, Path).Json();
        }
    }

    [Fact]
    public async Task A_module_that_does_not_exist_is_refused_to_everybody()
    {
        using var admin = await world.As(Cast.Admin1);
        ((int)(await admin.Ask(HttpMethod.Get, Path + "/unknown")).StatusCode).ShouldBeOneOf(403, 404);
    }

    [Fact]
    public async Task Whoever_is_not_signed_in_is_asked_to()
    {
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, Path).ShouldRefuse(401, "UNAUTHENTICATED");
    }
}

/// <summary>A world with routes that belong to the module « Campagnes ».</summary>
public sealed class ModuleRoutes : World
{
    protected override void Map(WebApplication app)
    {
        app.MapGet("/api/try-campagnes", () => 1).RequireModule("campagnes", ModuleRight.Write);
        app.MapGet("/api/try-campagnes/read", () => 1).RequireModule("campagnes");
        app.MapGet("/api/try-campagnes/delete", () => 1).RequireModule("campagnes", ModuleRight.Delete);
        app.MapGet("/api/try-campagnes/export", () => 1).RequireModule("campagnes", ModuleRight.Export);
        app.MapGet("/api/try-campagnes/unknown", () => 1).RequireModule("never-was");
    }
}
