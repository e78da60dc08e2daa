using Npgsql;
using Sankore.Platform.Data;

namespace Sankore.Tests.Tenancy;

/// <summary>What the database itself allows of assignments and their log, whatever the code does.</summary>
public sealed class AssignmentPolicyTests(World world) : IClassFixture<World>
{
    private static readonly string[] Tables = ["tenancy.user_module_permissions", "tenancy.module_assignment_logs"];

    [Fact]
    public async Task Nobody_writes_assignments_or_their_log_by_hand()
    {
        await SomeLines();
        foreach (var (role, id) in new (string, Guid?)[]
        {
            ("anon", null), ("authenticated", null), ("authenticated", await world.IdOf(Cast.Teacher1)), ("authenticated", await world.IdOf(Cast.HeadOnPremium)),
            ("authenticated", await world.IdOf(Cast.Admin1)), ("authenticated", await world.IdOf(Cast.Super)), ("service_role", null),
        })
        {
            foreach (var table in Tables)
            {
                var before = await world.Sql<long>($"select count(*) + coalesce(sum(hashtext(t::text)), 0) from {table} t");
                foreach (var sql in new[]
                {
                    $"insert into {table} default values returning 1", $"update {table} set school_id = null returning 1", $"update {table} set user_id = user_id returning 1",
                    $"delete from {table} returning 1", $"truncate {table}",
                })
                {
                    (await world.Tried(role, id, sql)).ShouldBeOneOf("42501", "0");
                }
                (await world.Tried(role, id, $"insert into {table} (user_id, school_group_id, module_id) select m.user_id, m.school_group_id, (select id from tenancy.modules limit 1) from tenancy.memberships m limit 1 returning 1")).ShouldBeOneOf("42501", "0");
                (await world.Sql<long>($"select count(*) + coalesce(sum(hashtext(t::text)), 0) from {table} t")).ShouldBe(before, $"{table} as {role}");
            }
        }
    }

    [Theory]
    [InlineData("update tenancy.module_assignment_logs set reason = null")]
    [InlineData("update tenancy.module_assignment_logs set created_at = now() where false")]
    [InlineData("delete from tenancy.module_assignment_logs")]
    [InlineData("truncate tenancy.module_assignment_logs")]
    public async Task Not_even_its_owner_changes_the_log(string sql)
    {
        await SomeLines();
        (await world.Tried("service_role", null, sql)).ShouldBe("42501");
        foreach (var role in new[] { DatabaseSetup.OwnerRole, "postgres" })
        {
            var refused = await Should.ThrowAsync<PostgresException>(() => world.Execute($"{(role == "postgres" ? "" : $"set role {role};")} {sql}"));
            (refused.SqlState, refused.MessageText).ShouldBe(("SK001", "IMMUTABLE"));
        }
    }

    [Fact]
    public async Task A_line_of_the_log_outlives_what_it_tells_of()
    {
        using var super = await world.As(Cast.Super);
        using var admin = await world.As("admin.g004@sankore.test");
        using var newcomer = await world.Newcomer();
        var user = (await newcomer.Ask(HttpMethod.Get, "/api/me").Json()).Id();
        await world.Place(user, "g004", "s0004", "teacher");
        var module = (await super.NewModule(categoryId: await world.CategoryId("finances"))).Id();
        var last = await world.LastLine();
        await admin.Assign(user, module).Json();
        await super.Ask(HttpMethod.Delete, $"/api/modules/{module}");
        await world.Execute("delete from auth.users where id = @user", new { user });
        (await world.Sql<int>("select count(*)::int from tenancy.user_module_permissions where user_id = @user", new { user })).ShouldBe(0);
        var line = (await world.LinesAfter(last)).ShouldHaveSingleItem();
        (line.UserId, line.ModuleId).ShouldBe((user, module));
        (await admin.Ask(HttpMethod.Get, $"/api/assignment-logs?user={user}").Json()).GetProperty("total").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Assignments_are_read_by_their_person_the_groups_administrator_and_the_operator()
    {
        await SomeLines();
        var (teacher, admin, group) = (await world.IdOf(Cast.Teacher1), await world.IdOf(Cast.Admin1), await world.GroupId("g001"));
        const string Sql = "select id from tenancy.user_module_permissions";
        (await world.AsRole<Guid>("authenticated", teacher, Sql)).ShouldBe(await world.Rows<Guid>($"{Sql} where user_id = @teacher", new { teacher }), ignoreOrder: true);
        (await world.AsRole<Guid>("authenticated", admin, Sql)).ShouldBe(await world.Rows<Guid>($"{Sql} where school_group_id = @group", new { group }), ignoreOrder: true);
        (await world.AsRole<Guid>("authenticated", await world.IdOf(Cast.Super), Sql)).Count.ShouldBe(await world.Sql<int>("select count(*)::int from tenancy.user_module_permissions"));
        const string LogSql = "select id from tenancy.module_assignment_logs";
        (await world.AsRole<long>("authenticated", teacher, LogSql)).ShouldBeEmpty();
        (await world.AsRole<long>("authenticated", admin, LogSql)).ShouldBe(await world.Rows<long>($"{LogSql} where school_group_id = @group", new { group }), ignoreOrder: true);
        foreach (var sql in new[] { Sql, LogSql })
        {
            (await world.Tried("anon", null, sql)).ShouldBeOneOf("42501", "0");
            (await world.Tried("authenticated", null, sql)).ShouldBe("0");
        }
    }

    [Fact]
    public async Task Functions_that_assign_are_for_people_who_are_signed_in()
    {
        const string Call = "select * from tenancy.change_assignments(false, array[gen_random_uuid()], array[gen_random_uuid()], '{}', null, null, true, true, true, null, null, false)";
        (await world.Tried("anon", null, Call)).ShouldBe("42501");
        (await world.Tried("service_role", null, Call)).ShouldBe("42501");
        var last = await world.LastLine();
        (await world.AsRole<string>("authenticated", null, Call.Replace("select *", "select outcome", StringComparison.Ordinal))).ShouldBe(["UNAUTHORIZED"]);
        (await world.LinesAfter(last)).Count.ShouldBe(1);
    }

    // An attempt that succeeds and one that is refused.
    private async Task SomeLines()
    {
        using var admin = await world.As(Cast.Admin1);
        var module = await world.ModuleId("bibliotheque");
        await admin.Bulk(await world.GroupId("g001"), new { userIds = new[] { await world.IdOf(Cast.Teacher1), await world.IdOf(Cast.Admin2) }, moduleIds = new[] { module } }).Json();
    }
}
