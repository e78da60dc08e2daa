namespace Sankore.Browser.Tests.Live;

/// <summary>
/// The headline (document 000), as people see it: an administrator saves a module in a form, and every open page shows it.
/// </summary>
public sealed class HeadlineTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Told = "Modules mis à jour";

    [Fact]
    public async Task A_module_renamed_is_renamed_in_place_on_every_page_that_shows_it()
    {
        await using var stage = await Stage.Set(world, chrome);
        var id = await Module("caisse-et-depenses");

        await stage.Save($"/admin/modules/{id}", ("name", "Caisse centrale"), ("description", "Entrées et sorties"), ("icon", "bell"));

        await Expect(Row(stage.Head.Page, "main", id)).ToContainTextAsync("Caisse centrale");
        await Expect(Row(stage.Head.Page, "main", id)).ToContainTextAsync("Entrées et sorties");
        await Expect(Row(stage.Head.Page, "main", id).Locator("use"))
            .ToHaveAttributeAsync("href", new System.Text.RegularExpressions.Regex("#bell$"));
        await Expect(Row(stage.Head.Page, ".side", id)).ToContainTextAsync("Caisse centrale");
        await Expect(Row(stage.Plan, "main", id)).ToContainTextAsync("Caisse centrale");
        await Expect(Row(stage.Admin.Page, "main", id)).ToContainTextAsync("Caisse centrale");
        await stage.EndsWithOneToast($"{Told} « Caisse centrale »");
    }

    [Fact]
    public async Task A_module_deactivated_is_gone_and_reactivated_is_back_in_its_place()
    {
        await using var stage = await Stage.Set(world, chrome);
        var id = await Module("frais-de-scolarite");
        var order = await Names(stage.Head.Page, "main");
        var menu = await Names(stage.Head.Page, ".side");

        await stage.Click($"/admin/modules/{id}", "Désactiver…");
        await Expect(Row(stage.Head.Page, "main", id)).ToHaveCountAsync(0);
        await Expect(Row(stage.Head.Page, ".side", id)).ToHaveCountAsync(0);
        await Expect(Row(stage.Plan, "main", id)).ToHaveCountAsync(0);
        await Expect(Row(stage.Admin.Page, "main", id)).ToContainTextAsync("Inactif");
        await stage.EndsWithOneToast(Told);

        await stage.Click($"/admin/modules/{id}", "Activer");
        await Expect(Row(stage.Head.Page, "main", id)).ToContainTextAsync("Frais de scolarité");
        await Expect(Row(stage.Plan, "main", id)).ToContainTextAsync("Frais de scolarité");
        await Expect(Row(stage.Admin.Page, "main", id)).ToContainTextAsync("Actif");
        (await Names(stage.Head.Page, "main")).ShouldBe(order);
        (await Names(stage.Head.Page, ".side")).ShouldBe(menu);
        await stage.OutsiderSawNothing();
    }

    [Fact]
    public async Task A_module_created_is_there_at_once_with_a_link_that_works()
    {
        await using var stage = await Stage.Set(world, chrome);

        await stage.Save(
            "/admin/modules/new", ("name", "Bourses d’études"), ("description", "Dossiers, versements"), ("categoryId", "Finances"),
            ("priority", "15"), ("route", "https://bourses.example/"), ("isBuilt", "true"));

        var id = await Module("bourses-d-etudes", "bourses-etudes");
        await Expect(Row(stage.Head.Page, "main", id)).ToContainTextAsync("Dossiers, versements");
        await Expect(Row(stage.Plan, "main", id)).ToContainTextAsync("Bourses d’études");
        await Expect(Row(stage.Admin.Page, "main", id)).ToContainTextAsync("Bourses d’études");
        await Expect(Row(stage.Admin.Page, "main", id).Locator("a")).ToHaveAttributeAsync("href", $"/admin/modules/{id}");
        var names = await Names(stage.Head.Page, "main");
        names[Array.IndexOf(names, "Bourses d’études") - 1].ShouldBe("Frais de scolarité");
        await stage.EndsWithOneToast(Told);
        await Row(stage.Head.Page, ".side", id).ClickAsync();
        await Expect(stage.Head.Page.Locator("h1")).ToHaveTextAsync("Bourses d’études");
    }

    [Fact]
    public async Task A_module_that_changes_category_moves_on_the_page_and_leaves_with_its_plan()
    {
        await using var stage = await Stage.Set(world, chrome);
        var id = await Module("paie-du-personnel");

        await stage.Save($"/admin/modules/{id}", ("categoryId", "Communication"));
        await Expect(Section(stage.Head.Page, "main", "Communication").Locator(ById(id))).ToBeVisibleAsync();
        await Expect(Section(stage.Head.Page, ".side", "Communication").Locator(ById(id))).ToBeVisibleAsync();
        await Expect(stage.Head.Page.Locator("main " + ById(id))).ToHaveCountAsync(1);
        await Expect(Row(stage.Plan, "main", id)).ToContainTextAsync("Communication");
        await Expect(Row(stage.Admin.Page, "main", id)).ToContainTextAsync("Communication");
        await stage.EndsWithOneToast(Told);

        await stage.Save($"/admin/modules/{id}", ("categoryId", "Vie scolaire"));
        await Expect(stage.Head.Page.Locator(ById(id))).ToHaveCountAsync(0);
        await Expect(Row(stage.Plan, "main", id)).ToHaveCountAsync(0);
        await stage.OutsiderSawNothing();
    }

    [Fact]
    public async Task A_module_deleted_is_gone_everywhere()
    {
        var id = await world.Sql<Guid>(
            "insert into tenancy.modules (id, code, name, category_id) select gen_random_uuid(), 'dons', 'Dons', id"
            + " from tenancy.business_categories where slug = 'finances' returning id");
        await using var stage = await Stage.Set(world, chrome);
        await Expect(Row(stage.Head.Page, "main", id)).ToBeVisibleAsync();

        await stage.Click($"/admin/modules/{id}", "Supprimer…");

        foreach (var page in (IPage[])[stage.Head.Page, stage.Plan, stage.Admin.Page])
        {
            await Expect(page.Locator(ById(id))).ToHaveCountAsync(0);
        }
        await stage.EndsWithOneToast(Told);
    }

    [Fact]
    public async Task Five_modules_changed_by_one_statement_make_one_toast()
    {
        await using var stage = await Stage.Set(world, chrome);

        await world.Execute(
            "update tenancy.modules set description = 'Ensemble' where id in (select id from tenancy.modules"
            + " where code in ('annonces', 'campagnes', 'formation', 'cahier-de-texte', 'notes-et-bulletins'))");

        await Waiting.Until(async () => (await stage.Head.Events()).Length == 5, "the head is told of five modules");
        await Expect(stage.Head.Page.Locator("main p", new PageLocatorOptions { HasTextString = "Ensemble" })).ToHaveCountAsync(5);
        await stage.EndsWithOneToast($"{Told} 5 modules ont changé");
    }

    private static string ById(Guid id) => $"[data-row='tenancy.modules:{id}']";

    private static ILocator Row(IPage page, string within, Guid id) => page.Locator($"{within} {ById(id)}");

    private static ILocator Section(IPage page, string within, string name) =>
        page.Locator($"{within} [data-row^='tenancy.business_categories:']", new PageLocatorOptions { HasTextString = name });

    private static async Task<string[]> Names(IPage page, string within) =>
        [.. await page.Locator($"{within} [data-row^='tenancy.modules:'] [data-field=name]").AllTextContentsAsync()];

    private Task<Guid> Module(params string[] codes) =>
        world.Sql<Guid>("select id from tenancy.modules where code = any(@codes)", new { codes });
}
