using System.Net;

namespace Sankore.Tests.Tenancy;

/// <summary>Modules, categories and plans are called by their name in the reader's language.</summary>
public sealed class LanguageTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Menus_plans_and_reasons_name_things_in_the_readers_language()
    {
        using var super = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var category = await super.Ask(HttpMethod.Post, "/api/categories", new { name = $"Vie {word}", nameEn = $"Life {word}" }).Json(201);
        const string Route = "https://clubs.exemple.cg/";
        var clubs = new { name = $"Clubs {word}", nameEn = $"Societies {word}", categoryId = category.Id(), route = Route };
        var module = await super.Ask(HttpMethod.Post, "/api/modules", clubs).Json(201);
        var plan = await super.Ask(HttpMethod.Post, "/api/plans", new
        {
            name = $"Offre {word}",
            nameEn = $"Offer {word}",
            categoryIds = Array.Empty<Guid>(),
            modules = new[] { new { moduleId = module.Id() } },
        }).Json(201);
        var tenant = await world.NewTenant(super, plan);

        foreach (var (language, named, other) in new[] { ("fr", "Clubs", "Societies"), ("en", "Societies", "Clubs") })
        {
            using var admin = await world.As(tenant.Admin);
            admin.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
            var menu = (await admin.Ask(HttpMethod.Get, "/api/me/menu").Json()).EnumerateArray().Single(m => m.Id() == module.Id());
            menu.Text("name").ShouldBe($"{named} {word}");
            menu.GetProperty("category").Text("name").ShouldBe(language == "en" ? $"Life {word}" : $"Vie {word}");
            using var browser = new Browser(world.Address, language);
            await browser.SignIn(tenant.Admin, Sankore.Identity.PasswordRules.Demo);
            foreach (var page in new[] { "/", "/plan", $"/groups/{tenant.GroupId}/matrix", $"/groups/{tenant.GroupId}/assign" })
            {
                var shown = WebUtility.HtmlDecode(await browser.Page(page));
                shown.ShouldContain($"{named} {word}", Case.Sensitive, page);
                shown.ShouldNotContain($"{other} {word}", Case.Sensitive, page);
            }
        }
        (await super.Ask(HttpMethod.Get, $"/api/modules/{module.Id()}").Json()).Text("name")
            .ShouldBe($"Clubs {word}", "what is edited is as it was written");
    }

    [Fact]
    public async Task An_open_page_is_told_both_names()
    {
        using var super = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(super, await super.NewModule());
        await using var stream = await world.Listen(tenant.Admin);
        await world.Execute(
            "update tenancy.modules m set name_en = 'Seen' from tenancy.plan_modules p where p.module_id = m.id and p.plan_id = @PlanId",
            new { tenant.PlanId });
        await Waiting.Until(
            () => stream.Events.Any(e => e.Type == "change" && e.Data.ToString().Contains("Seen", StringComparison.Ordinal)), "it is told");
    }
}
