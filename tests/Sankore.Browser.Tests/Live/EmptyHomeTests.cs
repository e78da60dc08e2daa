namespace Sankore.Browser.Tests.Live;

/// <summary>A home page without modules.</summary>
public sealed class EmptyHomeTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Fact]
    public async Task The_first_module_of_a_person_replaces_the_empty_page()
    {
        await world.Execute(
            "update tenancy.business_categories set status = 'inactive' where id in (select category_id from tenancy.modules"
            + " where code = 'messagerie-interne') or slug = 'scolarite'");
        await using var head = await chrome.Open(world.Address, Cast.HeadOnGratuit);
        var page = await head.Watch("/");
        await Expect(page.GetByText("Aucun module pour l’instant")).ToBeVisibleAsync();

        await world.Execute("update tenancy.business_categories set status = 'active' where slug = 'scolarite'");

        await Expect(page.Locator("main").GetByText("Gestion des classes")).ToBeVisibleAsync();
        await Expect(page.GetByText("Aucun module pour l’instant")).ToBeHiddenAsync();
        await head.WasNotReloaded();
    }
}
