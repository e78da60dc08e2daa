using Npgsql;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Tenancy;

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
            ("anon", null), ("authenticated", null), ("authenticated", await world.IdOf(Cast.Teacher1)),
                ("authenticated", await world.IdOf(Cast.HeadOnPremium)),
            ("authenticated", await world.IdOf(Cast.Admin1)), ("authenticated", await world.IdOf(Cast.Super)), ("service_role", null),
        })
        {
            foreach (var table in Tables)
            {
                var before = await world.Sql<long>($"select count(*) + coalesce(sum(hashtext(t::text)), 0) from {table} t");
                foreach (var sql in new[]
                {
                    $"insert into {table} default values returning 1", $"update {table} set school_id = null returning 1",
                        $"update {table} set user_id = user_id returning 1",
                    $"delete from {table} returning 1", $"truncate {table}",
                })
                {
                    (await world.Tried(role, id, sql)).ShouldBeOneOf("42501", "0");
                }
                (await world.Tried(
                    role, id,
                    $"insert into {table} (user_id, school_group_id, module_id) select m.user_id, m.school_group_id, (select id"
                    + $" from tenancy.modules limit 1) from tenancy.memberships m limit 1 returning 1")).ShouldBeOneOf("42501", "0");
                (await world.Sql<long>($"select count(*) + coalesce(sum(hashtext(t::text)), 0) from {table} t"))
                    .ShouldBe(before, $"{table} as {role}");
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
            var refused =
                await Should.ThrowAsync<PostgresException>(() => world.Execute($"{(role == "postgres" ? "" : $"set role {role};")} {sql}"));
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
        (await world.AsRole<Guid>("authenticated", teacher, Sql))
            .ShouldBe(await world.Rows<Guid>($"{Sql} where user_id = @teacher", new { teacher }), ignoreOrder: true);
        (await world.AsRole<Guid>("authenticated", admin, Sql))
            .ShouldBe(await world.Rows<Guid>($"{Sql} where school_group_id = @group", new { group }), ignoreOrder: true);
        (await world.AsRole<Guid>("authenticated", await world.IdOf(Cast.Super), Sql))
            .Count.ShouldBe(await world.Sql<int>("select count(*)::int from tenancy.user_module_permissions"));
        const string LogSql = "select id from tenancy.module_assignment_logs";
        (await world.AsRole<long>("authenticated", teacher, LogSql)).ShouldBeEmpty();
        (await world.AsRole<long>("authenticated", admin, LogSql))
            .ShouldBe(await world.Rows<long>($"{LogSql} where school_group_id = @group", new { group }), ignoreOrder: true);
        foreach (var sql in new[] { Sql, LogSql })
        {
            (await world.Tried("anon", null, sql)).ShouldBeOneOf("42501", "0");
            (await world.Tried("authenticated", null, sql)).ShouldBe("0");
        }
    }

    [Fact]
    public async Task Only_people_who_are_signed_in_assign()
    {
        var (assignments, last) = (new Assignments(world.Db), await world.LastLine());
        foreach (var caller in new[] { Caller.Anonymous, Caller.Service })
        {
            var refused = await Should.ThrowAsync<Refusal>(() => assignments.Revoke(
                caller, Guid.NewGuid(), AssignmentTarget.Module(Guid.NewGuid()), null, null, null, TestContext.Current.CancellationToken));
            refused.Reason.Code.ShouldBe("FORBIDDEN");
        }
        (await world.LinesAfter(last)).ShouldBeEmpty();
    }

    // What the program may do in somebody's name, and no more: the policies, and the trigger that judges a statement.
    [Theory]
    [InlineData("1", "")]
    [InlineData("1", "a category of the plan", "category_id", "(select id from tenancy.business_categories where slug = 'pedagogie')")]
    [InlineData("1", "one of the person's schools", "school_id", "(select id from tenancy.schools where code = 's0001')")]
    [InlineData("42501", "to themselves", "user_id", "(select id from auth.users where email = 'admin.g001@sankore.test')")]
    [InlineData("42501", "in another's name", "assigned_by", "(select id from auth.users where email = 'admin.g002@sankore.test')")]
    [InlineData("42501", "in nobody's name", "assigned_by", "null")]
    [InlineData("42501", "in another group", "school_group_id", "(select id from tenancy.school_groups where code = 'g002')")]
    [InlineData("UNAUTHORIZED", "to a person of another group", "user_id",
        "(select id from auth.users where email = 'head.s0002@sankore.test')")]
    [InlineData("UNAUTHORIZED", "in a school where the person does not work", "school_id",
        "(select id from tenancy.schools where code = 's0006')")]
    [InlineData("MODULE_NOT_IN_PLAN", "what cannot be used", "module_id", "(select id from tenancy.modules where code = 'transport')")]
    [InlineData("42501", "who administers nothing", "by", Cast.HeadOnPremium)]
    [InlineData("42501", "who operates the platform", "by", Cast.Super)]
    public async Task An_assignment_is_written_only_as_the_rules_have_it(
        string expected, string what, string? column = null, string? value = null)
    {
        var by = await world.IdOf(column == "by" ? value! : Cast.Admin1);
        string Value(string name, string otherwise) => column == name ? value! : otherwise;
        var sql = $"""
            insert into tenancy.user_module_permissions (user_id, school_group_id, school_id, module_id, category_id, assigned_by)
            values ({Value("user_id", "(select id from auth.users where email = 'teacher.s0001.1@sankore.test')")},
              {Value("school_group_id", "(select id from tenancy.school_groups where code = 'g001')")}, {Value("school_id", "null")},
              {(column == "category_id" ? "null" : Value("module_id", "(select id from tenancy.modules where code = 'inventaire')"))},
              {Value("category_id", "null")}, {Value("assigned_by", $"'{by}'")})
            on conflict do nothing returning 1
            """;
        (await world.Tried("service_role", by, sql)).ShouldBe(expected, what);
        (await world.Tried("authenticated", by, sql)).ShouldBe("42501", what);
        (await world.Tried("service_role", null, sql)).ShouldBe("42501", what);
    }

    [Fact]
    public async Task An_assignment_is_changed_only_by_who_administers_its_group_and_in_their_name()
    {
        await SomeLines();
        var (admin, other, teacher) = (await world.IdOf(Cast.Admin1), await world.IdOf(Cast.Admin2), await world.IdOf(Cast.Teacher1));
        string Sql(Guid by) =>
            $"update tenancy.user_module_permissions set is_active = false, assigned_by = '{by}' where user_id = '{teacher}' returning 1";
        (await world.Tried("service_role", admin, Sql(admin))).ShouldNotBeOneOf("0", "42501");
        (await world.Tried("service_role", admin, Sql(other))).ShouldBe("42501");
        (await world.Tried("service_role", other, Sql(other))).ShouldBe("0");
        (await world.Tried("service_role", teacher, Sql(teacher))).ShouldBe("0");
        (await world.Tried("service_role", null, Sql(admin))).ShouldBe("0");
        foreach (var column in new[] { "user_id", "school_group_id", "school_id", "module_id", "category_id", "id", "can_read" })
        {
            var sql = $"update tenancy.user_module_permissions set {column} = {column}";
            (await world.Tried("service_role", admin, sql)).ShouldBe("42501", column);
        }
        (await world.Tried("service_role", admin, "delete from tenancy.user_module_permissions")).ShouldBe("42501");
    }

    [Fact]
    public async Task A_line_of_the_log_is_written_in_the_name_of_who_is_asking()
    {
        var (admin, other) = (await world.IdOf(Cast.Admin1), await world.IdOf(Cast.Admin2));
        string Sql(Guid by) =>
            $"insert into tenancy.module_assignment_logs (action, reason, assigned_by) values ('refused', 'NOT_FOUND', '{by}')";
        (await world.Tried("service_role", admin, Sql(admin))).ShouldBe("0", "written, and nothing is returned");
        foreach (var (role, user) in new (string, Guid?)[]
            { ("service_role", other), ("service_role", null), ("authenticated", admin), ("anon", null) })
        {
            (await world.Tried(role, user, Sql(admin))).ShouldBe("42501");
        }
        (await world.Tried("service_role", admin, Sql(admin).Replace("(action", "(created_at, action", StringComparison.Ordinal)
            .Replace("('refused'", "(now(), 'refused'", StringComparison.Ordinal))).ShouldBe("42501", "the time is the database's");
    }

    // An attempt that succeeds and one that is refused.
    private async Task SomeLines()
    {
        using var admin = await world.As(Cast.Admin1);
        var module = await world.ModuleId("bibliotheque");
        await admin.Bulk(
            await world.GroupId("g001"),
            new { userIds = new[] { await world.IdOf(Cast.Teacher1), await world.IdOf(Cast.Admin2) }, moduleIds = new[] { module } })
            .Json();
    }
}
