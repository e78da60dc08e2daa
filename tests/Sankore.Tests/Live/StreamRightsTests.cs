namespace Sankore.Tests.Live;

/// <summary>When rights change, an open stream changes with them before anything later is told.</summary>
public sealed class StreamRightsTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Whoever_leaves_a_group_is_told_nothing_more_of_its_plan()
    {
        const string Email = "head.s0006@sankore.test";
        var module = await world.Included("premium");
        var head = await world.IdOf(Email);
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await world.Rename(module, "Encore là");
        await stream.Hears(module, "Encore là");

        await world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @head", new { head });
        // At once, before the stream can have been told.
        await world.Rename(module, "Plus là");
        await Waiting.Until(() => stream.Events.Count(e => e.Type == "reset") == 1, "the page is to be read again");
        await world.Rename(module, "Toujours pas");
        // What comes after another change of rights comes after all that.
        await world.Execute("update tenancy.memberships set status = 'active' where user_id = @head", new { head });
        await Waiting.Until(() => stream.Events.Count(e => e.Type == "reset") == 2, "and again");
        await world.Rename(module, "De retour");
        await stream.Hears(module, "De retour");
        stream.NamesOf(module).ShouldBe(["Encore là", "De retour"]);
    }

    [Fact]
    public async Task A_group_that_moves_to_another_plan_is_told_of_that_one()
    {
        // Group 5 lives on Premium.
        const string Email = "head.s0005@sankore.test";
        var (premium, gratuit) = (await world.Included("premium"), await world.Included("gratuit"));
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await using var neighbour = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium));
        await Both("Un");
        await stream.Hears(premium, "Un");

        await world.Execute("""
            update tenancy.subscriptions set plan_id = (select id from tenancy.subscription_plans where slug = 'gratuit')
            where school_group_id = (select id from tenancy.school_groups where code = 'g005')
            """);
        await Waiting.Until(() => stream.Events.Any(e => e.Type == "reset"), "the page is to be read again");
        await Both("Deux");
        await stream.Hears(gratuit, "Deux");
        await neighbour.Hears(premium, "Deux");

        stream.NamesOf(premium).ShouldBe(["Un"]);
        stream.NamesOf(gratuit).ShouldBe(["Deux"]);
        stream.Events.Count(e => e.Type == "reset").ShouldBe(1);
        neighbour.NamesOf(premium).ShouldEndIn("Un", "Deux");
        neighbour.Events.ShouldAllBe(e => e.Type == "change");

        async Task Both(string name)
        {
            await world.Rename(premium, name);
            await world.Rename(gratuit, name);
        }
    }

    [Fact]
    public async Task Whoever_becomes_an_operator_is_told_of_the_whole_catalogue()
    {
        const string Email = "teacher.s0003.1@sankore.test";
        var module = await world.Included("premium");
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await world.Execute(
            "insert into rbac.user_roles (user_id, role_id) select @id, id from rbac.roles where role_name = 'moderator'",
            new { id = await world.IdOf(Email) });
        await Waiting.Until(() => stream.Events.Any(e => e.Type == "reset"), "the page is to be read again");
        await world.Rename(module, "Tout le catalogue");
        (await stream.Next(e => e.Type == "change", "the moderator is told")).Row.TryGetProperty("planIds", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task A_stream_resumed_after_a_change_of_rights_follows_the_new_rights()
    {
        const string Email = "head.s0011@sankore.test";
        var module = await world.Included("premium");
        var head = await world.IdOf(Email);
        var position = await world.Position();
        await world.Rename(module, "Avant");
        await world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @head", new { head });
        await world.Rename(module, "Pendant");
        await world.Execute("update tenancy.memberships set status = 'active' where user_id = @head", new { head });
        await world.Rename(module, "Après");

        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email), since: position);
        await world.Rename(module, "Maintenant");
        await stream.Hears(module, "Maintenant");
        // Now a member again, who may know what the module was called; what matters is that nothing comes twice or out of order.
        stream.NamesOf(module).ShouldBeUnique();
        stream.Events.Select(e => e.Id).ShouldBe(stream.Events.Select(e => e.Id).Order());
    }

    [Fact]
    public async Task An_account_that_is_deleted_has_no_stream()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        await using var stream = await LiveClient.Open(world.Address, (await client.Login(email)).Text("accessToken"));
        await world.Execute("delete from auth.users where email = @email", new { email });
        await Waiting.Until(() => stream.Ended.IsCompleted, "the stream ends");
    }
}
