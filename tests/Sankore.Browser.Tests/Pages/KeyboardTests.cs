namespace Sankore.Browser.Tests.Pages;

/// <summary>With a keyboard alone.</summary>
public sealed class KeyboardTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Fact]
    public async Task The_first_stop_skips_to_the_content_and_the_menu_follows_in_order()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await person.Watch("/");

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator(".skip")).ToBeFocusedAsync();
        await Expect(page.Locator(".skip")).ToBeInViewportAsync();
        foreach (var next in (string[])["Sankoré", "Accueil", "Mon plan", "Gestion des inscriptions"])
        {
            await page.Keyboard.PressAsync("Tab");
            (await page.EvaluateAsync<string>("document.activeElement.textContent.trim()")).ShouldBe(next);
            (await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle")).ShouldBe("solid");
        }

        await page.ReloadAsync();
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        (await page.EvaluateAsync<bool>("document.querySelector('main').contains(document.activeElement)")).ShouldBeTrue();
    }

    [Fact]
    public async Task The_account_menu_opens_with_a_key_and_signs_out()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await person.Watch("/");
        await page.FocusAsync(".account summary");
        await page.Keyboard.PressAsync("Enter");
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await page.Keyboard.PressAsync("Tab");
        }
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Se déconnecter" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Connexion");
    }

    [Fact]
    public async Task A_dialog_takes_the_focus_keeps_it_and_gives_it_back()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        var page = await person.Watch($"/admin/modules/{await world.Sql<Guid>("select id from tenancy.modules where code = 'cantine'")}");
        var opener = page.Locator(".head .actions [data-dialog=delete]");
        await opener.FocusAsync();
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.Locator("#delete")).ToBeVisibleAsync();
        for (var i = 0; i < 6; i++)
        {
            // Past the last control the browser's own bar is next, which is the body here; nothing behind the dialog is.
            (await page.EvaluateAsync<bool>(
                "document.activeElement === document.body || document.activeElement.closest('dialog') !== null")).ShouldBeTrue();
            await page.Keyboard.PressAsync("Tab");
        }
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("#delete")).ToBeHiddenAsync();
        await Expect(opener).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#delete").GetByText("Annuler").PressAsync("Enter");
        await Expect(page.Locator("#delete")).ToBeHiddenAsync();
        await person.WasNotReloaded();
    }

    [Fact]
    public async Task A_module_is_saved_from_the_keyboard()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super);
        var page = await person.Watch("/admin/modules/new");
        await page.FocusAsync("#name");
        await page.Keyboard.TypeAsync("Jardin scolaire");
        await page.FocusAsync("#categoryId");
        await page.Keyboard.TypeAsync("Vie");
        await page.FocusAsync("input[name='Form.Icon']:checked");
        await page.Keyboard.PressAsync("ArrowRight");
        await page.FocusAsync("#name");
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Créé.");
        (await world.Sql<string>(
            "select c.slug || ' ' || m.icon from tenancy.modules m join tenancy.business_categories c on c.id = m.category_id"
            + " where m.name = 'Jardin scolaire'")).ShouldStartWith("vie-scolaire ");
    }
}
