using Microsoft.AspNetCore.Builder;

namespace Sankore.Browser.Tests.Live;

/// <summary>A page whose position the log no longer reaches back to reads itself again, in place.</summary>
public sealed class ResetTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Fact]
    public async Task A_page_that_is_too_old_to_resume_is_read_again_and_ends_right()
    {
        var node = await world.StartNode("http://127.0.0.1:0");
        await using var head = await chrome.Open(World.AddressOf(node), Cast.HeadOnPremium);
        await head.Watch("/");

        node = await Forget(node, "update tenancy.modules set name = 'Relu' where code = 'formation'");

        await Expect(head.Page.Locator("main").GetByText("Relu")).ToBeVisibleAsync(Patient);
        await Expect(head.Page.Locator(".side").GetByText("Relu")).ToBeVisibleAsync();
        (await head.Events()).ShouldContain(e => e.Type == "reset");
        await head.WasNotReloaded();
        await world.Execute("update tenancy.modules set name = 'Et toujours en direct' where code = 'formation'");
        await Expect(head.Page.Locator("main").GetByText("Et toujours en direct")).ToBeVisibleAsync();
        await Stop(node);
    }

    [Fact]
    public async Task A_form_being_filled_in_is_kept_and_the_page_says_it_changed()
    {
        var node = await world.StartNode("http://127.0.0.1:0");
        await using var super = await chrome.Open(World.AddressOf(node), Cast.Super);
        await super.Watch("/admin/modules/new");
        await super.Page.Locator("#name").PressSequentiallyAsync("À moitié éc");

        node = await Forget(node, "update tenancy.modules set name = 'Autre chose' where code = 'annonces'");

        await Expect(super.Page.Locator(".stale")).ToBeVisibleAsync(Patient);
        await Expect(super.Page.Locator(".stale")).ToContainTextAsync("Cette page a changé");
        (await super.Page.InputValueAsync("#name")).ShouldBe("À moitié éc");
        await super.WasNotReloaded();
        await Stop(node);
    }

    [Fact]
    public async Task A_change_while_the_page_is_being_read_again_is_not_lost()
    {
        var node = await world.StartNode("http://127.0.0.1:0");
        await using var head = await chrome.Open(World.AddressOf(node), Cast.HeadOnPremium);
        await head.Watch("/");
        await head.Page.RouteAsync(url => new Uri(url).AbsolutePath == "/", async route =>
        {
            var answer = await route.FetchAsync();
            // The page is rendered; before it reaches the browser, something changes, and the stream is faster.
            await world.Execute("update tenancy.modules set name = 'Pendant la relecture' where code = 'notes-et-bulletins'");
            await Waiting.Until(
                async () => (await head.Events()).Any(e => e.Data.ToString().Contains("Pendant la relecture", StringComparison.Ordinal)),
                "the stream was faster");
            await route.FulfillAsync(new RouteFulfillOptions { Response = answer });
        });

        node = await Forget(node, "update tenancy.modules set name = 'Avant la relecture' where code = 'cahier-de-texte'");

        await Expect(head.Page.Locator("main").GetByText("Avant la relecture")).ToBeVisibleAsync(Patient);
        await Expect(head.Page.Locator("main").GetByText("Pendant la relecture")).ToBeVisibleAsync();
        await Stop(node);
    }

    [Fact]
    public async Task A_page_whose_database_was_restored_follows_it_from_there()
    {
        var node = await world.StartNode("http://127.0.0.1:0");
        await using var head = await chrome.Open(World.AddressOf(node), Cast.HeadOnPremium);
        await head.Watch("/");
        await world.Execute("alter table live.changes alter column id restart with 1000000");
        await world.Execute("update tenancy.modules set name = 'Avant la restauration' where code = 'gestion-classes'");
        await Expect(head.Page.Locator("main").GetByText("Avant la restauration")).ToBeVisibleAsync();

        // The log begins before the position that the page has reached.
        node = await Forget(node, """
            delete from live.changes;
            alter table live.changes alter column id restart with 1000;
            update tenancy.modules set name = 'Restauré' where code = 'gestion-classes'
            """);

        await Expect(head.Page.Locator("main").GetByText("Restauré")).ToBeVisibleAsync(Patient);
        await world.Execute("update tenancy.modules set name = 'Après la restauration' where code = 'gestion-classes'");
        await Expect(head.Page.Locator("main").GetByText("Après la restauration")).ToBeVisibleAsync();
        await head.WasNotReloaded();
        await Stop(node);
    }

    private static LocatorAssertionsToBeVisibleOptions Patient { get; } = new() { Timeout = 60_000 };

    /// <summary>Stops the node, changes something, lets the log forget all of it, and starts the node again on the same address.</summary>
    private async Task<WebApplication> Forget(WebApplication node, string change)
    {
        var address = World.AddressOf(node);
        await Stop(node);
        await world.Execute(change);
        await world.Execute("update live.horizon set id = (select max(id) from live.changes); delete from live.changes");
        return await world.StartNode(address.ToString());
    }

    private static async Task Stop(WebApplication node)
    {
        await node.StopAsync();
        await node.DisposeAsync();
    }
}
