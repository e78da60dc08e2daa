namespace Sankore.Browser.Tests.Live;

/// <summary>What an administrator does with a category changes the sections of every open page.</summary>
public sealed class CategoryTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Told = "Catégories mises à jour";

    [Fact]
    public async Task A_category_renamed_and_recoloured_changes_its_sections_in_place()
    {
        await using var stage = await Stage.Set(world, chrome, "/admin/categories");
        var id = await Category("pedagogie");

        await stage.Save($"/admin/categories/{id}", ("name", "Enseignement"), ("color", "purple"));

        foreach (var within in (string[])["main", ".side"])
        {
            await Expect(Section(stage.Head.Page, within, id).Locator("h2")).ToHaveTextAsync("Enseignement");
            await Expect(Section(stage.Head.Page, within, id)).ToHaveAttributeAsync("data-color", "purple");
        }
        await Expect(stage.Admin.Page.Locator("main " + ById(id))).ToContainTextAsync("Enseignement");
        await stage.EndsWithOneToast(Told);
    }

    [Fact]
    public async Task A_category_renamed_is_renamed_on_the_rows_of_its_modules()
    {
        await using var stage = await Stage.Set(world, chrome);
        var id = await Category("ressources");

        await stage.Save($"/admin/categories/{id}", ("name", "Moyens"), ("color", "teal"));

        var badge = new PageLocatorOptions { HasTextString = "Moyens" };
        await Expect(stage.Plan.Locator("main .badge[data-color=teal]", badge)).ToHaveCountAsync(2);
        await Expect(stage.Admin.Page.Locator("main .badge[data-color=teal]", badge)).ToHaveCountAsync(3);
        await stage.OutsiderSawNothing();
    }

    [Fact]
    public async Task A_category_deactivated_takes_its_section_away_and_reactivated_brings_it_back()
    {
        await using var stage = await Stage.Set(world, chrome, "/admin/categories");
        var id = await Category("finances");
        var modules = new LocatorLocatorOptions { Has = stage.Head.Page.Locator("[data-field=name]") };

        await stage.Save($"/admin/categories/{id}", ("status", "inactive"));
        await Expect(stage.Head.Page.Locator(ById(id))).ToHaveCountAsync(0);
        await Expect(stage.Head.Page.GetByText("Caisse et dépenses")).ToHaveCountAsync(0);
        await Expect(stage.Plan.GetByText("Caisse et dépenses")).ToHaveCountAsync(0);
        await Expect(stage.Admin.Page.Locator("main " + ById(id))).ToContainTextAsync("Inactif");
        await stage.EndsWithOneToast(Told);

        await stage.Save($"/admin/categories/{id}", ("status", "active"));
        foreach (var within in (string[])["main", ".side"])
        {
            await Expect(Section(stage.Head.Page, within, id).Locator("[data-row^='tenancy.modules:']", modules)).ToHaveCountAsync(3);
            await Expect(Section(stage.Head.Page, within, id)).ToHaveAttributeAsync("data-color", "orange");
            (await Sections(stage.Head.Page, within)).ShouldContain("Finances");
        }
        await Expect(stage.Plan.GetByText("Caisse et dépenses").First).ToBeVisibleAsync();
        await stage.OutsiderSawNothing();
    }

    [Fact]
    public async Task A_category_given_another_order_moves_in_the_menu_and_on_the_home_page()
    {
        await using var stage = await Stage.Set(world, chrome, "/admin/categories");
        var id = await Category("ressources-humaines");

        await stage.Save($"/admin/categories/{id}", ("sortOrder", "1"));

        foreach (var within in (string[])["main", ".side"])
        {
            await Waiting.Until(
                async () => (await Sections(stage.Head.Page, within))[0] == "Ressources humaines", $"the category is first in {within}");
        }
        await Waiting.Until(async () => (
            await stage.Admin.Page.Locator("main tbody tr [data-field=name]").AllTextContentsAsync())[0] == "Ressources humaines",
            "the category is first in the administrator's list");
        await stage.EndsWithOneToast(Told);
    }

    [Fact]
    public async Task A_category_created_and_deleted_comes_and_goes_in_the_administrators_list()
    {
        await using var stage = await Stage.Set(world, chrome, "/admin/categories");

        await stage.Save("/admin/categories/new", ("name", "Sport"), ("color", "gold"), ("icon", "trophy"));
        var id = await Category("sport");
        await Expect(stage.Admin.Page.Locator("main " + ById(id))).ToContainTextAsync("Sport");

        await stage.Click($"/admin/categories/{id}", "Supprimer…");
        await Expect(stage.Admin.Page.Locator("main " + ById(id))).ToHaveCountAsync(0);
        (await stage.Head.Events()).ShouldBeEmpty();
        await stage.OutsiderSawNothing();
    }

    private static string ById(Guid id) => $"[data-row='tenancy.business_categories:{id}']";

    private static ILocator Section(IPage page, string within, Guid id) => page.Locator($"{within} {ById(id)}");

    private static async Task<string[]> Sections(IPage page, string within) =>
        [.. await page.Locator($"{within} [data-row^='tenancy.business_categories:'] > h2:visible").AllTextContentsAsync()];

    private Task<Guid> Category(string slug) =>
        world.Sql<Guid>("select id from tenancy.business_categories where slug = @slug", new { slug });
}
