namespace Sankore.Tests.Tenancy;

/// <summary>Where and how long an assignment counts: its school, its end, its group, the group's plan.</summary>
public sealed class AssignmentScopeTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task An_assignment_for_one_school_counts_there_alone()
    {
        const string Email = "teacher.s0011.1@sankore.test";
        var (user, module, school) = (await world.IdOf(Email), await world.ModuleId("caisse-et-depenses"), await world.SchoolId("s0011"));
        await world.Place(user, "g001", "s0016", "teacher");
        using var admin = await world.As(Cast.Admin1);
        var assigned = await admin.Assign(user, module, new { schoolId = school }).Json();
        assigned.GetProperty("schoolId").GetGuid().ShouldBe(school);
        assigned.Text("schoolName")
            .ShouldBe(await world.Sql<string>("select name from tenancy.schools where id = @school", new { school }));

        var chains = (await admin.Why(user, "caisse-et-depenses")).GetProperty("chains").EnumerateArray()
            .ToDictionary(c => c.Text("school"), c => c.GetProperty("granted").GetBoolean());
        chains.Count.ShouldBe(2);
        chains.Single(c => c.Value).Key.ShouldBe(assigned.Text("schoolName"));
        await admin.Revoke(user, module).ShouldRefuse(404, "NOT_FOUND");

        await world.Execute("update tenancy.schools set status = 'inactive' where id = @school", new { school });
        (await world.MenuOf(Email)).ShouldNotContainKey("caisse-et-depenses");
        await world.Execute("update tenancy.schools set status = 'active' where id = @school", new { school });
        (await world.MenuOf(Email)).ShouldContainKey("caisse-et-depenses");
        (await admin.Revoke(user, module, query: $"?schoolId={school}")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        (await world.MenuOf(Email)).ShouldNotContainKey("caisse-et-depenses");
    }

    [Fact]
    public async Task An_assignment_ends_at_its_end()
    {
        const string Email = "teacher.s0021.1@sankore.test";
        var (user, module, line) = (await world.IdOf(Email), await world.ModuleId("caisse-et-depenses"), await world.LastLine());
        using var admin = await world.As(Cast.Admin1);
        var end = new DateTimeOffset(2100, 1, 31, 12, 0, 0, TimeSpan.FromHours(1));
        (await admin.Assign(user, module, new { expiresAt = end }).Json()).GetProperty("expiresAt").GetDateTimeOffset().ShouldBe(end);
        (await world.MenuOf(Email)).ShouldContainKey("caisse-et-depenses");
        (await world.LinesAfter(line)).ShouldHaveSingleItem().After!.ShouldContain("2100-01-31");

        await world.Execute(
            "update tenancy.user_module_permissions set expires_at = now() - interval '1 second' where user_id = @user"
            + " and module_id = @module", new { user, module });
        (await world.MenuOf(Email)).ShouldNotContainKey("caisse-et-depenses");
        (await admin.Assign(user, module, new { version = 1 }).Json()).GetProperty("version").GetInt32().ShouldBe(2);
        (await world.MenuOf(Email)).ShouldContainKey("caisse-et-depenses");
    }

    [Fact]
    public async Task A_smaller_plan_makes_assignments_void_and_a_larger_one_brings_them_back()
    {
        const string Email = "teacher.s0005.1@sankore.test";
        var user = await world.IdOf(Email);
        using var admin = await world.As("admin.g005@sankore.test");
        await admin.Assign(user, await world.ModuleId("caisse-et-depenses"), new { canWrite = true }).Json();
        await admin.AssignCategory(user, await world.CategoryId("ressources-humaines")).Json();
        var (before, line) = (await world.AssignmentsNow(), await world.LastLine());

        await world.Subscribe("g005", plan: "gratuit");
        var menu = await world.MenuOf(Email);
        menu.Keys.ShouldContain("gestion-inscriptions");
        menu.Keys.Intersect(["caisse-et-depenses", "gestion-equipe", "contrats-et-conges"]).ShouldBeEmpty();
        await world.Subscribe("g005", plan: "premium");
        menu = await world.MenuOf(Email);
        (menu["caisse-et-depenses"], menu["gestion-equipe"], menu["contrats-et-conges"]).ShouldBe(("rw", "r", "r"));

        (await world.AssignmentsNow()).ShouldBe(before);
        (await world.LinesAfter(line)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(
        "update tenancy.subscriptions set status = 'suspended' where school_group_id = @group",
        "update tenancy.subscriptions set status = 'active' where school_group_id = @group")]
    [InlineData(
        "update tenancy.school_groups set status = 'inactive' where id = @group",
        "update tenancy.school_groups set status = 'active' where id = @group")]
    [InlineData(
        "update tenancy.memberships set status = 'inactive' where user_id = @user",
        "update tenancy.memberships set status = 'active' where user_id = @user")]
    [InlineData(
        "update tenancy.memberships set expires_at = now() - interval '1 second' where user_id = @user",
        "update tenancy.memberships set expires_at = null where user_id = @user")]
    [InlineData(
        "update tenancy.modules set status = 'inactive' where id = @module",
        "update tenancy.modules set status = 'active' where id = @module")]
    [InlineData(
        "update tenancy.modules set is_built = false where id = @module", "update tenancy.modules set is_built = true where id = @module")]
    [InlineData(
        "update tenancy.business_categories set status = 'inactive' where slug = 'finances'",
        "update tenancy.business_categories set status = 'active' where slug = 'finances'")]
    public async Task Any_link_that_breaks_takes_the_module_away_until_it_holds_again(string breaks, string mends)
    {
        const string Email = "teacher.s0004.1@sankore.test";
        var args = new
        {
            user = await world.IdOf(Email),
            group = await world.GroupId("g004"),
            module = await world.ModuleId("caisse-et-depenses"),
        };
        using var admin = await world.As("admin.g004@sankore.test");
        await admin.Bulk(args.group, new { userIds = new[] { args.user }, moduleIds = new[] { args.module }, canExport = true }).Json();
        (await world.MenuOf(Email))["caisse-et-depenses"].ShouldBe("re");
        await world.Execute(breaks, args);
        (await world.MenuOf(Email)).ShouldNotContainKey("caisse-et-depenses");
        await world.Execute(mends, args);
        (await world.MenuOf(Email))["caisse-et-depenses"].ShouldBe("re");
    }

    [Theory]
    [InlineData("update tenancy.memberships set status = 'inactive' where user_id = @user")]
    [InlineData("update tenancy.subscriptions set status = 'suspended' where school_group_id = @group")]
    [InlineData("update tenancy.modules set status = 'inactive' where code = 'messagerie-interne'")]
    [InlineData("update tenancy.schools set status = 'inactive' where code = 's0003'")]
    public async Task What_was_assigned_can_be_revoked_whatever_became_of_it(string became)
    {
        var (user, group, module) =
            (await world.IdOf("bursar.s0003.1@sankore.test"), await world.GroupId("g003"), await world.ModuleId("messagerie-interne"));
        await world.Execute("update tenancy.modules set status = 'active' where id = @module", new { module });
        await world.Execute("update tenancy.memberships set status = 'active' where user_id = @user", new { user });
        await world.Subscribe("g003", status: "active");
        using var admin = await world.As("admin.g003@sankore.test");
        await admin.Assign(user, module).Json();
        await world.Execute(became, new { user, group });
        (await admin.Revoke(user, module)).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        (await world.Sql<bool>(
            "select is_active from tenancy.user_module_permissions where user_id = @user and module_id = @module",
            new { user, module })).ShouldBeFalse();
    }

    [Fact]
    public async Task Who_administers_two_groups_is_shown_the_assignment_just_made()
    {
        var module = await world.ModuleId("gestion-inscriptions");
        var (first, second) = (await world.GroupId("g001"), await world.GroupId("g002"));
        await world.Place(await world.IdOf(Cast.Admin1), "g002", null, "group_admin");
        using var client = await world.As(Cast.Admin1);
        // Several, for the order of what is assigned is no more than chance.
        foreach (var user in await world.PeopleOf("g002", "teacher", 6))
        {
            await world.Place(user, "g001", "s0001", "teacher");
            foreach (var group in new[] { first, second })
            {
                var assigned = await client.Assign(user, module, new { groupId = group, canWrite = group == second }).Json();
                (assigned.GetProperty("groupId").GetGuid(), assigned.GetProperty("canWrite").GetBoolean())
                    .ShouldBe((group, group == second));
            }
            // Without a group named, whichever was decided on is what is answered.
            var last = await world.LastLine();
            var answer = await client.Assign(user, module, new { canDelete = true, canExport = true, version = 1 }).Json();
            answer.GetProperty("canDelete").GetBoolean().ShouldBeTrue();
            answer.GetProperty("groupId").GetGuid().ShouldBe((await world.LinesAfter(last)).ShouldHaveSingleItem().SchoolGroupId!.Value);
            await client.Revoke(user, module, query: $"?groupId={second}");
            (await client.ModulesOf(user)).Where(a => a.Text("code") == "gestion-inscriptions" && a.GetProperty("isActive").GetBoolean())
                .Select(a => a.GetProperty("groupId").GetGuid()).ShouldBe([first]);
        }
    }
}
