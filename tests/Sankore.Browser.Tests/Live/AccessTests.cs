using System.Net.Http.Json;

namespace Sankore.Browser.Tests.Live;

/// <summary>
/// Rights that change while pages are open: the menus of exactly the people concerned change, with one toast, without a reload.
/// </summary>
public sealed class AccessTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Told = "Vos accès ont changé";

    [Fact]
    public async Task What_is_assigned_is_in_the_menu_at_once_and_what_is_revoked_is_gone()
    {
        await using var teacher = await chrome.Open(world.Address, "teacher.s0001.1@sankore.test");
        await using var colleague = await chrome.Open(world.Address, "teacher.s0006.1@sankore.test");
        var page = await teacher.Watch("/");
        await colleague.Watch("/");
        var (id, module) = (await world.IdOf("teacher.s0001.1@sankore.test"), await Module("bibliotheque"));
        using var admin = await world.As(Cast.Admin1);

        (await admin.PutAsJsonAsync($"/api/users/{id}/modules/{module}", new { canWrite = true })).EnsureSuccessStatusCode();
        await Expect(page.Locator(".side")).ToContainTextAsync("Bibliothèque");
        await Expect(page.Locator("main")).ToContainTextAsync("Bibliothèque");
        (await teacher.Toasts(1)).ShouldHaveSingleItem().ShouldStartWith(Told);

        (await admin.DeleteAsync($"/api/users/{id}/modules/{module}")).EnsureSuccessStatusCode();
        await Expect(page.Locator(".side")).Not.ToContainTextAsync("Bibliothèque");
        (await teacher.Toasts(2)).Length.ShouldBe(2);
        await teacher.WasNotReloaded();
        (await colleague.Events()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_open_page_of_a_module_that_is_lost_says_so_and_leads_home()
    {
        await using var head = await chrome.Open(world.Address, "head.s0002@sankore.test");
        var page = await head.Watch("/m/cahier-de-texte");
        var id = await world.IdOf("head.s0002@sankore.test");
        using var admin = await world.As(Cast.Admin2);
        var pedagogy = await world.Sql<Guid>("select id from tenancy.business_categories where slug = 'pedagogie'");
        var school = await world.Sql<Guid>("select school_id from tenancy.memberships where user_id = @id", new { id });

        (await admin.DeleteAsync($"/api/users/{id}/categories/{pedagogy}?schoolId={school}")).EnsureSuccessStatusCode();

        await Expect(page.Locator("main")).ToContainTextAsync("L’assignation du module « Cahier de texte » a été révoquée");
        await Expect(page.Locator(".side")).Not.ToContainTextAsync("Cahier de texte");
        await Expect(page.Locator(".side")).ToContainTextAsync("Gestion des classes");
        await page.Locator("main").GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "Revenir à l’accueil" }).ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync("Bonjour");
    }

    [Fact]
    public async Task A_suspended_subscription_empties_the_menus_of_its_group_alone_until_it_resumes()
    {
        await using var head = await chrome.Open(world.Address, "head.s0004@sankore.test");
        await using var other = await chrome.Open(world.Address, "head.s0003@sankore.test");
        var page = await head.Watch("/");
        await other.Watch("/");
        var modules = await page.Locator(".side [data-list] > [data-row]").CountAsync();
        modules.ShouldBeGreaterThan(10);

        await world.Execute(
            "update tenancy.subscriptions set status = 'suspended' where school_group_id = (select id from tenancy.school_groups"
            + " where code = 'g004')");
        await Expect(page.Locator(".side [data-list] > [data-row]")).ToHaveCountAsync(0);
        (await head.Toasts(1)).ShouldHaveSingleItem().ShouldStartWith(Told);

        await world.Execute(
            "update tenancy.subscriptions set status = 'active' where school_group_id = (select id from tenancy.school_groups"
            + " where code = 'g004')");
        await Expect(page.Locator(".side [data-list] > [data-row]")).ToHaveCountAsync(modules);
        await head.WasNotReloaded();
        (await other.Events()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_matrix_of_a_group_follows_what_another_administrator_assigns()
    {
        await using var first = await chrome.Open(world.Address, "admin.g005@sankore.test");
        var group = await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g005'");
        var page = await first.Watch($"/groups/{group}/matrix?open=all&q=teacher.s0005.1@");
        var cells = page.Locator("td .badge");
        var before = await cells.CountAsync();
        var (id, module) = (await world.IdOf("teacher.s0005.1@sankore.test"), await Module("caisse-et-depenses"));
        await world.Execute(
            "insert into tenancy.user_module_permissions (user_id, school_group_id, module_id) values (@id, @group, @module)",
            new { id, group, module });
        await Expect(cells).ToHaveCountAsync(before + 1);
        await first.WasNotReloaded();
    }

    private Task<Guid> Module(string code) => world.Sql<Guid>("select id from tenancy.modules where code = @code", new { code });
}
