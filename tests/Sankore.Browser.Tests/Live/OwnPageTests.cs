using System.Globalization;

namespace Sankore.Browser.Tests.Live;

/// <summary>A module's own page, and lists that show a part.</summary>
public sealed class OwnPageTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Fact]
    public async Task A_modules_own_page_follows_it_and_says_so_when_it_is_gone()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await head.Watch("/m/inventaire");

        await world.Execute("update tenancy.modules set name = 'Matériel', description = 'Tout ce qui se prête' where code = 'inventaire'");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Matériel");
        await Expect(page.Locator("main")).ToContainTextAsync("Tout ce qui se prête");

        await world.Execute("update tenancy.modules set status = 'inactive' where code = 'inventaire'");
        await Expect(page.Locator("main")).Not.ToContainTextAsync("Matériel");
        await Expect(page.Locator("main").GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "Revenir à l’accueil" }))
            .ToBeVisibleAsync();
        await head.WasNotReloaded();
    }

    [Fact]
    public async Task A_filtered_list_shows_what_fits_its_filter_and_its_figures_move()
    {
        await using var super = await chrome.Open(world.Address, Cast.Super);
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var all = await super.Tab("/admin/modules");
        var page = await super.Watch("/admin/modules?state=active");
        await head.Watch("/");
        var row = page.Locator("tbody [data-row]", new PageLocatorOptions { HasTextString = "Campagnes" });
        await Expect(row).ToHaveCountAsync(1);
        var (inactive, mine) = (all.Locator(".chip").Nth(2).Locator(".num"), head.Page.Locator("main [data-list] > [data-row]"));
        var (inactiveBefore, mineBefore) = (await Figure(inactive), await mine.CountAsync());

        await world.Execute("update tenancy.modules set status = 'inactive' where code = 'campagnes'");
        await Expect(row).ToHaveCountAsync(0);
        await Expect(inactive).ToHaveTextAsync(Text(inactiveBefore + 1));
        await Expect(mine).ToHaveCountAsync(mineBefore - 1);

        await world.Execute("update tenancy.modules set status = 'active' where code = 'campagnes'");
        await Expect(row).ToHaveCountAsync(1);
        await Expect(inactive).ToHaveTextAsync(Text(inactiveBefore));
        await Expect(mine).ToHaveCountAsync(mineBefore);
    }

    private static async Task<int> Figure(ILocator figure) => int.Parse(await figure.InnerTextAsync(), CultureInfo.InvariantCulture);

    private static string Text(int figure) => figure.ToString(CultureInfo.InvariantCulture);
}
