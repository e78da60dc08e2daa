using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Who may change the catalogue, and what of it a member sees.</summary>
public sealed class CatalogueRightsTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData(Cast.HeadOnPremium)]
    [InlineData(Cast.Admin1)]
    [InlineData(Cast.Teacher1)]
    public async Task Only_an_operator_changes_the_catalogue(string email)
    {
        using var admin = await world.As(Cast.Super);
        using var member = await world.As(email);
        foreach (var (method, path, body) in await Changes(admin))
        {
            await member.Ask(method, path, body).ShouldRefuse(403, "FORBIDDEN");
        }
    }

    [Fact]
    public async Task Nobody_changes_or_reads_the_catalogue_without_signing_in()
    {
        using var admin = await world.As(Cast.Super);
        using var nobody = world.Nobody();
        foreach (var (method, path, body) in await Changes(admin))
        {
            await nobody.Ask(method, path, body).ShouldRefuse(401, "UNAUTHENTICATED");
            await nobody.Ask(HttpMethod.Get, path).ShouldRefuse(401, "UNAUTHENTICATED");
        }
        foreach (var token in new[] { "rubbish", "sk_rubbish", "" })
        {
            nobody.DefaultRequestHeaders.Remove("Authorization");
            nobody.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + token);
            await nobody.Ask(HttpMethod.Get, "/api/modules").ShouldRefuse(401, "UNAUTHENTICATED");
        }
    }

    [Fact]
    public async Task A_member_sees_the_modules_of_the_plan_and_no_others()
    {
        using var admin = await world.As(Cast.Super);
        using var head = await world.As(Cast.Admin2);
        var word = Catalogue.Word();
        var included = await admin.NewModule($"{word} incluse");
        var excluded = await admin.NewModule($"{word} exclue");
        var inactive = await admin.Ask(
            HttpMethod.Post, "/api/modules",
            new { name = $"{word} inactive", categoryId = included.GetProperty("categoryId").GetGuid(), status = "inactive" }).Json(201);
        var unbuilt = await admin.Ask(
            HttpMethod.Post, "/api/modules",
            new { name = $"{word} chantier", categoryId = included.GetProperty("categoryId").GetGuid(), isBuilt = false }).Json(201);
        foreach (var module in new[] { included, inactive, unbuilt })
        {
            await Include("essentiel", module);
        }
        await Include("premium", excluded);

        var seen = await head.Ask(HttpMethod.Get, $"/api/modules?q={word}").Json();
        seen.GetProperty("total").GetInt32().ShouldBe(1);
        seen.GetProperty("items").Texts("name").ShouldBe([$"{word} incluse"]);
        (await head.Ask(HttpMethod.Get, $"/api/modules/{included.Id()}").Json()).Text("name").ShouldBe($"{word} incluse");
        foreach (var hidden in new[] { excluded, inactive, unbuilt })
        {
            await head.Ask(HttpMethod.Get, $"/api/modules/{hidden.Id()}").ShouldRefuse(404, "NOT_FOUND");
            await head.Ask(HttpMethod.Get, $"/api/categories/{excluded.GetProperty("categoryId").GetGuid()}")
                .ShouldRefuse(404, "NOT_FOUND");
        }
        (await head.Ask(HttpMethod.Get, $"/api/categories/{included.GetProperty("categoryId").GetGuid()}").Json())
            .GetProperty("moduleCount").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_member_of_no_group_sees_nothing_of_the_catalogue()
    {
        using var newcomer = await world.Newcomer();
        foreach (var list in new[] { "modules", "categories", "plans", "groups", "schools" })
        {
            (await newcomer.Ask(HttpMethod.Get, $"/api/{list}").Json()).GetProperty("total").GetInt32().ShouldBe(0, list);
        }
    }

    private static async Task<(HttpMethod Method, string Path, object? Body)[]> Changes(HttpClient admin)
    {
        var module = await admin.NewModule();
        var category = await admin.NewCategory();
        return
        [
            (HttpMethod.Post, "/api/modules", module.With()), (HttpMethod.Put, $"/api/modules/{module.Id()}", module.With()),
                (HttpMethod.Delete, $"/api/modules/{module.Id()}", null),
            (HttpMethod.Post, "/api/categories", category.With()), (HttpMethod.Put, $"/api/categories/{category.Id()}", category.With()),
            (HttpMethod.Delete, $"/api/categories/{category.Id()}", null),
        ];
    }

    private Task<int> Include(string plan, JsonElement module) => world.Execute(
        "insert into tenancy.plan_modules (id, plan_id, module_id) select gen_random_uuid(), id, @module from tenancy.subscription_plans"
        + " where slug = @plan",
        new { plan, module = module.Id() });
}
