using Sankore.Identity;

namespace Sankore.Browser.Tests.Pages;

/// <summary>Every page works without JavaScript.</summary>
public sealed class NoScriptTests(World world, Chrome chrome) : IClassFixture<World>
{
    private static readonly Look NoScript = new(Script: false);

    [Fact]
    public async Task One_signs_in_changes_the_language_and_signs_out()
    {
        await using var person = await chrome.Open(world.Address, null, NoScript);
        var page = person.Page;
        await page.GotoAsync("/plan");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/login"));
        await page.FillAsync("#email", Cast.HeadOnPremium);
        await page.FillAsync("#password", PasswordRules.Demo);
        await page.ClickAsync("button.primary");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Plan Premium");

        await page.ClickAsync("header .right > form button");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Premium plan");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        page.Url.ShouldEndWith("/plan");

        await page.ClickAsync(".account summary");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Sign in");
        await page.GotoAsync("/");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/login"));
    }

    [Fact]
    public async Task One_creates_changes_and_deletes_a_module()
    {
        await using var person = await chrome.Open(world.Address, Cast.Super, NoScript);
        var page = person.Page;
        await page.GotoAsync("/admin/modules");
        await page.ClickAsync(".head .btn.primary");
        await page.FillAsync("#name", "Coopérative");
        await page.SelectOptionAsync("#categoryId", new SelectOptionValue { Label = "Finances" });
        await page.ClickAsync("form.form button.primary");
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Créé.");

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Coopérative" }).ClickAsync();
        await page.FillAsync("#description", "Ventes, stock");
        await page.ClickAsync("form.form button.primary");
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Enregistré.");
        (await page.InputValueAsync("#description")).ShouldBe("Ventes, stock");

        await page.ClickAsync(".head .actions [data-dialog=delete]");
        page.Url.ShouldEndWith("?done=saved&confirm=delete");
        await Expect(page.Locator("#delete")).ToBeVisibleAsync();
        await page.Locator("#delete").GetByText("Annuler").ClickAsync();
        await Expect(page.Locator("#delete")).ToBeHiddenAsync();
        await page.ClickAsync(".head .actions [data-dialog=delete]");
        await page.ClickAsync("#delete button.danger");
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Supprimé.");
        await Expect(page.GetByText("Coopérative")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_drawer_of_a_phone_opens()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, Look.Phone with { Script = false });
        await person.Page.GotoAsync("/");
        await person.Page.ClickAsync(".more > summary");
        await person.Page.Locator(".sheet").GetByText("Bibliothèque").ClickAsync();
        await Expect(person.Page.Locator("h1")).ToHaveTextAsync("Bibliothèque");
    }
}
