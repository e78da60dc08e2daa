using Microsoft.AspNetCore.Builder;

namespace Sankore.Browser.Tests.Live;

/// <summary>Whatever happens to the network or the server, every page ends right, without a reload.</summary>
public sealed class ReconnectTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Three = """
        update tenancy.modules set name = 'Caisse ' || @mark where code = 'caisse-et-depenses';
        update tenancy.modules set status = 'inactive' where code = @gone;
        insert into tenancy.modules (id, code, name, category_id) select gen_random_uuid(), 'nouveau-' || lower(@mark), 'Nouveau ' || @mark,
          id from tenancy.business_categories where slug = 'finances'
        """;

    [Fact]
    public async Task A_server_that_stops_and_starts_again_is_caught_up_with()
    {
        var node = await world.StartNode("http://127.0.0.1:0");
        var address = World.AddressOf(node);
        await using var head = await chrome.Open(address, Cast.HeadOnPremium);
        await using var super = await chrome.Open(address, Cast.Super);
        await Task.WhenAll(head.Watch("/"), super.Watch("/admin/modules"));

        await Stop(node);
        await Expect(head.Page.Locator(".live")).ToHaveAttributeAsync("data-state", "wait");
        await Expect(head.Page.Locator(".live")).ToContainTextAsync("Reconnexion");
        await world.Execute(Three, new { mark = "A", gone = "annonces" });
        node = await world.StartNode(address.ToString());

        await EndsRight(head, "A", "Annonces");
        await Expect(super.Page.Locator("main")).ToContainTextAsync("Nouveau A");
        await super.WasNotReloaded();
        await Stop(node);
    }

    [Fact]
    public async Task A_browser_that_was_offline_catches_up()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        await head.Watch("/");

        await using var cable = await Cable.Cut(head);
        await world.Execute(Three, new { mark = "B", gone = "campagnes" });
        await cable.DisposeAsync();

        await EndsRight(head, "B", "Campagnes");
    }

    [Fact]
    public async Task A_category_that_went_and_came_back_meanwhile_is_still_there()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        await head.Watch("/");

        await using (await Cable.Cut(head))
        {
            await world.Execute("update tenancy.business_categories set status = 'inactive' where slug = 'ressources'");
            await world.Execute("update tenancy.business_categories set status = 'active' where slug = 'ressources'");
        }

        // A toast tells of what has been done to the page: by then whatever leaves has left.
        await head.Toasts(1);
        await Expect(head.Page.Locator(".leaving")).ToHaveCountAsync(0);
        await Expect(head.Page.Locator("main").GetByText("Bibliothèque")).ToBeVisibleAsync();
        await Expect(head.Page.Locator(".side").GetByText("Bibliothèque")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_change_between_the_page_and_its_stream_arrives()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var asked = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await head.Page.RouteAsync("**/live?*", async route =>
        {
            asked.TrySetResult();
            await go.Task;
            await route.ContinueAsync();
        });
        await head.Page.GotoAsync("/");
        await asked.Task;

        await world.Execute("update tenancy.modules set name = 'Changé entre-temps' where code = 'formation'");
        go.SetResult();

        await Expect(head.Page.Locator("main").GetByText("Changé entre-temps")).ToBeVisibleAsync();
        await Expect(head.Page.Locator(".side").GetByText("Changé entre-temps")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_page_that_comes_back_from_the_browsers_history_is_live_again()
    {
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        await head.Watch("/");

        // Playwright's Chromium keeps no pages: the two events are what a browser that does would send.
        await head.Page.EvaluateAsync(
            "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); dispatchEvent(new PageTransitionEvent('pageshow', "
            + "{ persisted: true }))");
        await Expect(head.Page.Locator(".live")).ToHaveAttributeAsync("data-state", "on");
        await head.Page.WaitForFunctionAsync("() => window.__source.readyState === EventSource.OPEN");
        await world.Execute("update tenancy.modules set name = 'Après le retour' where code = 'cahier-de-texte'");

        await Expect(head.Page.Locator("main").GetByText("Après le retour")).ToBeVisibleAsync();
    }

    private static async Task EndsRight(Person person, string mark, string gone)
    {
        await Expect(person.Page.Locator(".live"))
            .ToHaveAttributeAsync("data-state", "on", new LocatorAssertionsToHaveAttributeOptions { Timeout = 30_000 });
        foreach (var within in (string[])["main", ".side"])
        {
            await Expect(person.Page.Locator(within).GetByText("Caisse " + mark)).ToBeVisibleAsync();
            await Expect(person.Page.Locator(within).GetByText("Nouveau " + mark)).ToBeVisibleAsync();
            await Expect(person.Page.Locator(within).GetByText(gone)).ToHaveCountAsync(0);
        }
        await person.WasNotReloaded();
    }

    private static async Task Stop(WebApplication node)
    {
        await node.StopAsync();
        await node.DisposeAsync();
    }
}
