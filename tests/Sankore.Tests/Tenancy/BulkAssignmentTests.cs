using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Assigning to many people at once: each person and target by itself, and a preview that tells the truth.</summary>
public sealed class BulkAssignmentTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("bursar", "campagnes", null)]
    [InlineData("deputy_head", "bibliotheque", "s0006")]
    public async Task A_preview_changes_nothing_and_foretells_what_a_role_gets(string role, string code, string? school)
    {
        using var admin = await world.As(Cast.Admin1);
        var (group, before, last) = (await world.GroupId("g001"), await world.AssignmentsNow(), await world.LastLine());
        var body = new
        {
            role,
            moduleIds = new[] { await world.ModuleId(code) },
            canWrite = true,
            schoolId = school is null ? null : (Guid?)await world.SchoolId(school),
        };
        var preview = await admin.Bulk(group, body, preview: true).Json();
        (await world.AssignmentsNow()).ShouldBe(before);
        (await world.LinesAfter(last)).ShouldBeEmpty();

        var people = await world.Rows<Guid>(
            "select distinct user_id from tenancy.memberships where school_group_id = @group and role = @role"
            + " and (@SchoolId::uuid is null or school_id = @SchoolId)", new { group, role, body.schoolId });
        people.Count.ShouldBeGreaterThan(0);
        preview.GetProperty("people").GetInt32().ShouldBe(people.Count);
        Outcomes(preview).ShouldBe([("assigned", people.Count)]);
        JsonElement.DeepEquals(await admin.Bulk(group, body).Json(), preview).ShouldBeTrue();
        (await world.LinesAfter(last)).Select(l => (l.Action, l.UserId!.Value, l.SchoolId))
            .ShouldBe(people.Select(p => ("assigned", p, body.schoolId)), ignoreOrder: true);
        (await world.Rows<Guid>(
            "select user_id from tenancy.user_module_permissions where module_id = @module and school_group_id = @group and can_write"
            + " and is_active and school_id is not distinct from @schoolId",
            new { module = body.moduleIds[0], group, body.schoolId })).ShouldBe(people, ignoreOrder: true);

        Outcomes(await admin.Bulk(group, body, preview: true).Json()).ShouldBe([("unchanged", people.Count)]);
        last = await world.LastLine();
        Outcomes(await admin.Bulk(group, body).Json()).ShouldBe([("unchanged", people.Count)]);
        (await world.LinesAfter(last)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Modules_and_categories_go_to_named_people_together()
    {
        string[] emails = ["teacher.s0011.1@sankore.test", "teacher.s0011.2@sankore.test", "secretary.s0011.1@sankore.test"];
        var users = await Ids(emails);
        using var admin = await world.As(Cast.Admin1);
        var body = new
        {
            userIds = users.Concat(users).ToArray(),
            moduleIds = new[] { await world.ModuleId("bibliotheque") },
            categoryIds = new[] { await world.CategoryId("finances") },
            canExport = true,
        };
        var result = await admin.Bulk(await world.GroupId("g001"), body).Json();
        result.GetProperty("people").GetInt32().ShouldBe(3);
        Outcomes(result).ShouldBe([("assigned", 6)]);
        foreach (var email in emails)
        {
            var menu = await world.MenuOf(email);
            (menu["bibliotheque"], menu["caisse-et-depenses"]).ShouldBe(("re", "re"));
        }
    }

    [Fact]
    public async Task What_is_refused_to_one_is_not_refused_to_the_others()
    {
        using var admin = await world.As("admin.g004@sankore.test");
        var (group, unknown, stranger, self) =
            (await world.GroupId("g004"), Guid.NewGuid(), await world.IdOf(Cast.Teacher1), await world.IdOf("admin.g004@sankore.test"));
        var users = await Ids("teacher.s0004.1@sankore.test", "teacher.s0004.2@sankore.test");
        var (good, inactive, none) = (await world.ModuleId("campagnes"), await world.ModuleId("transport"), Guid.NewGuid());
        var (body, last) = (
            new { userIds = (Guid[])[.. users, unknown, stranger, self], moduleIds = new[] { good, inactive, none } },
            await world.LastLine());
        var preview = await admin.Bulk(group, body, preview: true).Json();
        var result = await admin.Bulk(group, body).Json();

        JsonElement.DeepEquals(result, preview).ShouldBeTrue();
        result.GetProperty("people").GetInt32().ShouldBe(5);
        Outcomes(result)
            .ShouldBe(
            [("assigned", 2), ("MODULE_INACTIVE", 2), ("NOT_FOUND", 8), ("SELF_ASSIGNMENT", 3)], ignoreOrder: true);
        var lines = await world.LinesAfter(last);
        lines.Where(l => l.Action == "assigned").Select(l => (l.UserId!.Value, l.ModuleId!.Value))
            .ShouldBe(users.Select(u => (u, good)), ignoreOrder: true);
        var refused = lines.Where(l => l.Action == "refused").Select(l => (l.UserId!.Value, l.ModuleId!.Value, l.Reason!)).ToList();
        refused.Count.ShouldBe(13);
        result.GetProperty("refused").EnumerateArray()
            .Select(r => (r.GetProperty("userId").GetGuid(), r.GetProperty("moduleId").GetGuid(), r.Text("outcome")))
            .ShouldBe(refused, ignoreOrder: true);
        (await world.MenuOf("teacher.s0004.1@sankore.test")).ShouldContainKey("campagnes");
    }

    [Fact]
    public async Task Many_are_revoked_at_once()
    {
        using var admin = await world.As("admin.g005@sankore.test");
        var (group, users, module) = (
            await world.GroupId("g005"),
            await Ids("teacher.s0005.1@sankore.test", "teacher.s0005.2@sankore.test", "teacher.s0005.3@sankore.test"),
            await world.ModuleId("caisse-et-depenses"));
        var body = new { userIds = users, moduleIds = new[] { module }, revoke = true };
        await admin.Bulk(group, new { userIds = users.Take(2), moduleIds = body.moduleIds, canDelete = true }).Json();
        var last = await world.LastLine();
        Outcomes(await admin.Bulk(group, body, preview: true).Json()).ShouldBe([("revoked", 2), ("NOT_FOUND", 1)], ignoreOrder: true);
        (await world.MenuOf("teacher.s0005.1@sankore.test")).ShouldContainKey("caisse-et-depenses");
        Outcomes(await admin.Bulk(group, body).Json()).ShouldBe([("revoked", 2), ("NOT_FOUND", 1)], ignoreOrder: true);
        (await world.MenuOf("teacher.s0005.1@sankore.test")).ShouldNotContainKey("caisse-et-depenses");
        (await world.LinesAfter(last)).Select(l => (l.UserId!.Value, l.Action, l.Had, l.Asked))
            .ShouldBe(
            [(users[0], "revoked", "rd", null), (users[1], "revoked", "rd", null), (users[2], "refused", null, null)], ignoreOrder: true);
    }

    [Fact]
    public async Task There_is_a_limit_to_many()
    {
        using var admin = await world.As(Cast.Admin1);
        var (group, user, module) = (await world.GroupId("g001"), await world.IdOf(Cast.Teacher1), await world.ModuleId("campagnes"));
        var (before, last) = (await world.AssignmentsNow(), await world.LastLine());
        foreach (var (people, targets, category, role, field) in new (int, int, int, string?, string)[]
        {
            (5001, 1, 0, null, "people"), (1001, 100, 0, null, "people"), (1, 101, 0, null, "modules"), (1, 60, 41, null, "modules"),
                (1, 0, 0, null, "modules"), (0, 1, 0, null, "people"), (0, 1, 0, "king", "role"),
        })
        {
            var body = new { userIds = Many(people, user), role, moduleIds = Many(targets, module), categoryIds = Many(category, module) };
            foreach (var preview in new[] { true, false })
            {
                (await admin.Bulk(group, body, preview).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(field);
            }
        }
        await admin.Bulk(group, new StringContent("""{"userIds":"all"}""", System.Text.Encoding.UTF8, "application/json"))
            .ShouldRefuse(400, "BAD_REQUEST");
        ((await world.AssignmentsNow()) == before && (await world.LastLine()) == last).ShouldBeTrue();
    }

    [Fact]
    public async Task As_many_as_allowed_go_through()
    {
        using var admin = await world.As(Cast.Admin1);
        var body = new { userIds = Many(1000, Guid.NewGuid()), moduleIds = Many(100, Guid.NewGuid()) };
        var result = await admin.Bulk(await world.GroupId("g001"), body, preview: true).Json();
        Outcomes(result).ShouldBe([("NOT_FOUND", 100_000)]);
        result.GetProperty("refused").GetArrayLength().ShouldBe(100);
    }

    [Theory]
    [InlineData(Cast.Admin2)]
    [InlineData(Cast.HeadOnPremium)]
    [InlineData(Cast.Teacher1)]
    [InlineData(Cast.Super)]
    public async Task Only_a_groups_own_administrator_assigns_to_many_of_it(string email)
    {
        using var client = await world.As(email);
        var (group, user, module) =
            (await world.GroupId("g001"), await world.IdOf("teacher.s0001.3@sankore.test"), await world.ModuleId("campagnes"));
        object[] bodies =
        [
            new { userIds = new[] { user, Guid.NewGuid() }, moduleIds = new[] { module } },
            new { role = "teacher", moduleIds = new[] { module }, revoke = true },
        ];
        foreach (var body in bodies)
        {
            var (before, last) = (await world.AssignmentsNow(), await world.LastLine());
            await client.Bulk(group, body, preview: true).ShouldRefuse(403, "UNAUTHORIZED");
            (await world.LinesAfter(last)).ShouldBeEmpty();
            await client.Bulk(group, body).ShouldRefuse(403, "UNAUTHORIZED");
            (await world.AssignmentsNow()).ShouldBe(before);
            (await world.LinesAfter(last)).ShouldHaveSingleItem().Reason.ShouldBe("UNAUTHORIZED");
        }
    }

    [Fact]
    public async Task A_school_of_another_group_is_not_found()
    {
        using var admin = await world.As(Cast.Admin1);
        var body = new
        {
            userIds = await Ids("teacher.s0001.3@sankore.test", "teacher.s0001.4@sankore.test"),
            moduleIds = new[] { await world.ModuleId("campagnes") },
            schoolId = await world.SchoolId("s0002"),
        };
        var before = await world.AssignmentsNow();
        await admin.Bulk(await world.GroupId("g001"), body, preview: true).ShouldRefuse(404, "NOT_FOUND");
        await admin.Bulk(await world.GroupId("g001"), body).ShouldRefuse(404, "NOT_FOUND");
        (await world.AssignmentsNow()).ShouldBe(before);
    }

    private static Guid[] Many(int count, Guid first) => [.. Enumerable.Range(0, count).Select(i => i == 0 ? first : Guid.NewGuid())];

    private static List<(string Outcome, int Count)> Outcomes(JsonElement result) =>
        [.. result.GetProperty("outcomes").EnumerateObject().Select(p => (p.Name, p.Value.GetInt32()))];

    private async Task<Guid[]> Ids(params string[] emails) => [.. await Task.WhenAll(emails.Select(world.IdOf))];
}
