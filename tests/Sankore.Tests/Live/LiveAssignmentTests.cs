using System.Text.Json;

namespace Sankore.Tests.Live;

/// <summary>A stream tells of what is assigned to its person, from when it is assigned until it is no longer.</summary>
public sealed class LiveAssignmentTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task What_is_assigned_is_told_of_until_it_is_revoked_and_the_rest_is_not()
    {
        const string Email = "teacher.s0001.2@sankore.test";
        var (given, kept, other, user) =
            (await InPlan("premium"), await InPlan("premium"), await InPlan("premium"), await world.IdOf(Email));
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(user, kept.Id()).Json();
        await admin.Assign(await world.IdOf("teacher.s0001.3@sankore.test"), given.Id()).Json();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await using var neighbour = await LiveClient.Open(world.Address, await world.Token("teacher.s0001.3@sankore.test"));
        await Rename("Un", given, other, kept);
        await stream.Hears(kept, "Un");

        await admin.Assign(user, given.Id()).Json();
        await Resets(stream, 1);
        await Rename("Deux", other, given);
        await stream.Hears(given, "Deux");

        (await admin.Revoke(user, given.Id())).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        // At once, before the stream can have been told.
        await Rename("Trois", given);
        await Resets(stream, 2);
        await Rename("Quatre", given, other, kept);
        await stream.Hears(kept, "Quatre");
        await neighbour.Hears(given, "Quatre");

        stream.NamesOf(given).ShouldBe(["Deux"]);
        stream.NamesOf(other).ShouldBeEmpty();
        stream.NamesOf(kept).ShouldBe(["Un", "Quatre"]);
        neighbour.NamesOf(given).ShouldEndIn("Un", "Deux", "Trois", "Quatre");
        neighbour.Events.ShouldAllBe(e => e.Type == "change");
    }

    [Fact]
    public async Task A_category_tells_of_the_modules_that_come_and_go_in_it()
    {
        const string Email = "teacher.s0006.1@sankore.test";
        using var admin = await world.As(Cast.Admin1);
        using var super = await world.As(Cast.Super);
        var (finances, staff, kept, user) = (
            await world.CategoryId("finances"), await world.CategoryId("ressources-humaines"), await InPlan("premium"),
            await world.IdOf(Email));
        await admin.AssignCategory(user, finances).Json();
        await admin.Assign(user, kept.Id()).Json();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        var made = await super.NewModule(categoryId: finances);
        (await stream.Next(e => e.Type == "change" && e.RowId == made.Id(), "the new module is told")).Op.ShouldBe("INSERT");
        await super.Ask(HttpMethod.Put, $"/api/modules/{made.Id()}", made.With(("categoryId", staff))).Json();
        await stream.Next(e => e.Type == "change" && e.RowId == made.Id() && e.Op == "DELETE", "the module that left is told");
        await Rename("Ailleurs", made, kept);
        await stream.Hears(kept, "Ailleurs");
        stream.Events.Where(e => e.Type == "change" && e.RowId == made.Id()).Select(e => e.Op).ShouldBe(["INSERT", "DELETE"]);
    }

    [Theory]
    [InlineData(
        "teacher.s0005.1@sankore.test", "update tenancy.subscriptions set status = 'suspended' where school_group_id = @group",
        "update tenancy.subscriptions set status = 'active' where school_group_id = @group")]
    [InlineData(
        "teacher.s0010.1@sankore.test", "update tenancy.school_groups set status = 'inactive' where id = @group",
        "update tenancy.school_groups set status = 'active' where id = @group")]
    [InlineData(
        "teacher.s0015.1@sankore.test", "update tenancy.schools set status = 'inactive' where code = 's0015'",
        "update tenancy.schools set status = 'active' where code = 's0015'")]
    [InlineData(
        "teacher.s0020.1@sankore.test", "update tenancy.memberships set expires_at = now() - interval '1 second' where user_id = @user",
        "update tenancy.memberships set expires_at = null where user_id = @user")]
    public async Task A_link_that_breaks_silences_the_stream_until_it_holds_again(string email, string breaks, string mends)
    {
        var (module, args) = (await InPlan("premium"), new { group = await world.GroupId("g005"), user = await world.IdOf(email) });
        using var admin = await world.As("admin.g005@sankore.test");
        await admin.Assign(args.user, module.Id()).Json();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(email));
        await Rename("Un", module);
        await stream.Hears(module, "Un");
        await world.Execute(breaks, args);
        await Rename("Deux", module);
        await Resets(stream, 1);
        await Rename("Trois", module);
        await world.Execute(mends, args);
        await Resets(stream, 2);
        await Rename("Quatre", module);
        await stream.Hears(module, "Quatre");
        stream.NamesOf(module).ShouldBe(["Un", "Quatre"]);
    }

    [Fact]
    public async Task An_assignment_that_ends_while_connected_is_told_of_no_more_though_nothing_happened()
    {
        const string Email = "teacher.s0011.1@sankore.test";
        var (ending, kept, user) = (await InPlan("premium"), await InPlan("premium"), await world.IdOf(Email));
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(user, ending.Id()).Json();
        await admin.Assign(user, kept.Id()).Json();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await Rename("Avant", ending);
        await stream.Hears(ending, "Avant");

        await world.Execute(
            "update tenancy.user_module_permissions set expires_at = clock_timestamp() + interval '2 seconds' where user_id = @user"
            + " and module_id = @module", new { user, module = ending.Id() });
        await Resets(stream, 1);
        await Waiting.Until(() => world.Sql<bool>(
            "select expires_at < clock_timestamp() from tenancy.user_module_permissions where user_id = @user and module_id = @module",
            new { user, module = ending.Id() }), "the assignment has ended");
        await Rename("Après", ending, kept);
        // The first change after the end has the rights read again, so the page is too; or they had been read since.
        await Waiting.Until(
            () => stream.Events.Count(e => e.Type == "reset") == 2
            || stream.NamesOf(kept).Count > 0, "the stream is told of the end, or of what is left");
        await Rename("Ensuite", ending, kept);
        await stream.Hears(kept, "Ensuite");
        stream.NamesOf(ending).ShouldBe(["Avant"]);
        (await world.MenuOf(Email)).ShouldNotContainKey(ending.Text("code"));

        await using var again = await LiveClient.Open(world.Address, await world.Token(Email));
        await Rename("Enfin", ending, kept);
        await again.Hears(kept, "Enfin");
        again.NamesOf(ending).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_assignment_for_another_place_that_has_ended_tells_nothing()
    {
        const string Email = "teacher.s0016.1@sankore.test";
        var (module, kept, user) = (await InPlan("premium"), await InPlan("premium"), await world.IdOf(Email));
        await world.Place(user, "g001", "s0021", "teacher");
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(user, module.Id(), new { schoolId = await world.SchoolId("s0021") }).Json();
        await admin.Assign(user, kept.Id()).Json();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await Rename("Un", module, kept);
        await stream.Hears(module, "Un");
        await world.Execute(
            "update tenancy.memberships set status = 'inactive' where user_id = @user and school_id = (select id from tenancy.schools"
            + " where code = 's0021')", new { user });
        await Rename("Deux", module);
        await Resets(stream, 1);
        await Rename("Trois", module, kept);
        await stream.Hears(kept, "Trois");
        stream.NamesOf(module).ShouldBe(["Un"]);
    }

    [Fact]
    public async Task A_category_is_told_of_to_whoever_has_one_module_of_it()
    {
        const string Email = "teacher.s0026.1@sankore.test";
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(await world.IdOf(Email), await world.ModuleId("caisse-et-depenses")).Json();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Email));
        await using var colleague = await LiveClient.Open(world.Address, await world.Token("teacher.s0026.2@sankore.test"));
        foreach (var slug in new[] { "pilotage", "ressources-humaines", "finances", "pedagogie" })
        {
            await world.Execute("update tenancy.business_categories set description = 'Racontée' where slug = @slug", new { slug });
        }
        foreach (var (client, slugs) in new (LiveClient, string[])[] { (stream, ["finances", "pedagogie"]), (colleague, ["pedagogie"]) })
        {
            await Waiting.Until(() => Told(client).Contains("pedagogie"), "the stream tells of the last category");
            Told(client).ShouldBe(slugs);
        }

        static List<string> Told(LiveClient client) =>
            [.. client.Events.Where(e => e.Type == "change" && e.Table == "tenancy.business_categories").Select(e => e.Row.Text("slug"))];
    }

    private static Task Resets(LiveClient stream, int count) =>
        Waiting.Until(() => stream.Events.Count(e => e.Type == "reset") == count, $"the page is to be read again, {count} in all");

    private async Task<JsonElement> InPlan(string plan)
    {
        using var super = await world.As(Cast.Super);
        var module = await super.NewModule();
        await world.Execute(
            "insert into tenancy.plan_modules (id, plan_id, module_id) select gen_random_uuid(), id, @module"
            + " from tenancy.subscription_plans where slug = @plan", new { module = module.Id(), plan });
        return module;
    }

    private async Task Rename(string name, params JsonElement[] modules)
    {
        foreach (var module in modules)
        {
            await world.Rename(module, name);
        }
    }
}
