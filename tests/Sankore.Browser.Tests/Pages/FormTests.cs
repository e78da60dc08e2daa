namespace Sankore.Browser.Tests.Pages;

/// <summary>Forms forgive: what was written is kept, what is wrong is said beside its field, a second click does nothing.</summary>
public sealed class FormTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Theory]
    [InlineData("fr", "Ce code existe déjà : « gestion-classes » (Gestion des classes).", "Un nombre entre 0 et 9999.", "Finances")]
    [InlineData("en", "This code exists already: “gestion-classes” (Classes).", "A number between 0 and 9999.", "Finance")]
    public async Task A_refused_save_keeps_what_was_written_and_says_why_beside_the_field(
        string language, string clash, string number, string category)
    {
        await using var person = await chrome.Open(world.Address, Cast.Super, new Look(language));
        var page = person.Page;
        await page.GotoAsync("/admin/modules/new");
        await page.FillAsync("#name", "Classes et groupes");
        await page.FillAsync("#code", "Gestion_Classes");
        await page.FillAsync("#description", "Deux\nlignes & <balises>");
        await page.SelectOptionAsync("#categoryId", new SelectOptionValue { Label = category });
        await page.SelectOptionAsync("#kind", "option");
        await page.CheckAsync("input[value=trophy]", new PageCheckOptions { Force = true });
        await page.UncheckAsync("input[name='Form.IsBuilt']");
        await page.ClickAsync("form.form button.primary");

        await Expect(page.Locator("#code-err")).ToHaveTextAsync(clash);
        (await page.GetAttributeAsync("#code", "aria-invalid")).ShouldBe("true");
        (await page.GetAttributeAsync("#code", "aria-describedby")).ShouldBe("code-err");
        (await page.InputValueAsync("#name")).ShouldBe("Classes et groupes");
        (await page.InputValueAsync("#description")).ShouldBe("Deux\nlignes & <balises>");
        (await page.Locator("#categoryId option:checked").TextContentAsync()).ShouldBe(category);
        (await page.InputValueAsync("#kind")).ShouldBe("option");
        (await page.IsCheckedAsync("input[value=trophy]")).ShouldBeTrue();
        (await page.IsCheckedAsync("input[name='Form.IsBuilt']")).ShouldBeFalse();

        await page.FillAsync("#priority", "deux");
        await page.ClickAsync("form.form button.primary");
        await Expect(page.Locator("#priority-err")).ToHaveTextAsync(number);
        (await page.InputValueAsync("#priority")).ShouldBe("deux");
    }

    [Fact]
    public async Task A_save_over_somebody_elses_is_refused_and_keeps_what_was_written()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        var path = $"/admin/modules/{await world.Sql<Guid>("select id from tenancy.modules where code = 'bibliotheque'")}";
        var (first, second) = (await person.Tab(path), await person.Tab(path));
        await first.FillAsync("#description", "Le premier");
        await second.FillAsync("#description", "Le second");
        await first.ClickAsync("form.form button.primary");
        await Expect(first.Locator(".flash.ok")).ToBeVisibleAsync();

        await second.ClickAsync("form.form button.primary");

        await Expect(second.Locator(".flash.bad"))
            .ToHaveTextAsync("Quelqu’un a modifié « Bibliothèque » entre-temps : rechargez la page, puis recommencez.");
        (await second.InputValueAsync("#description")).ShouldBe("Le second");
        (await world.Sql<string>("select description from tenancy.modules where code = 'bibliotheque'")).ShouldBe("Le premier");
    }

    [Fact]
    public async Task A_double_click_on_save_makes_one_module()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        await person.Page.GotoAsync("/admin/modules/new");
        await person.Page.FillAsync("#name", "Internat");
        await person.Page.SelectOptionAsync("#categoryId", new SelectOptionValue { Label = "Vie scolaire" });

        await person.Page.DblClickAsync("form.form button.primary");

        await Expect(person.Page.Locator(".flash.ok")).ToHaveTextAsync("Créé.");
        (await world.Sql<long>("select count(*) from tenancy.modules where name = 'Internat'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_category_that_has_modules_is_not_deleted_and_the_page_says_why()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        await person.Page.GotoAsync(
            $"/admin/categories/{await world.Sql<Guid>("select id from tenancy.business_categories where slug = 'finances'")}");
        await person.Page.ClickAsync(".head .actions .danger");
        await person.Page.ClickAsync("dialog button.danger");

        await Expect(person.Page.Locator(".flash.bad"))
            .ToHaveTextAsync("Des modules sont encore dans cette catégorie : déplacez-les d’abord.");
        await Expect(person.Page.Locator("dialog")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_filter_is_kept_when_one_searches_within_it()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        await person.Page.GotoAsync("/admin/modules?state=inactive");
        await person.Page.FillAsync("#q", "gestion");
        await person.Page.PressAsync("#q", "Enter");

        await Expect(person.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("q=gestion"));
        await Expect(person.Page.Locator(".chip[aria-current]")).ToContainTextAsync("Inactifs");
    }

    [Fact]
    public async Task A_person_is_given_a_role_and_loses_it()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        var page = person.Page;
        await page.GotoAsync($"/admin/people/{await world.IdOf(Cast.Teacher1)}");
        await page.SelectOptionAsync("#role", "moderator");
        await page.FillAsync("#reason", "Remplacement");
        await page.ClickAsync("form.form button.primary");
        await Expect(page.Locator(".feed")).ToContainTextAsync("Modérateur");

        await page.Locator(".feed li", new PageLocatorOptions { HasTextString = "Modérateur" }).GetByText("Retirer…").ClickAsync();
        await page.ClickAsync("dialog[open] button.danger");
        await Expect(page.Locator(".feed")).Not.ToContainTextAsync("Modérateur");
    }
}
