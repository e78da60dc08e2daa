namespace Sankore.Tests.Tenancy;

/// <summary>What the database allows a group's administrator of the group's places and schools.</summary>
public sealed class GroupAdminPolicyTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Places_of_others_in_the_group_are_an_administrators_to_change()
    {
        var admin = await world.IdOf(Cast.Admin1);
        var teacher = await world.IdOf("teacher.s0006.1@sankore.test");
        string[] theirs =
        [
            "role = 'supervisor'", "status = 'inactive'", "status = 'active'", "expires_at = now() + interval '1 year'",
            "expires_at = null", "school_id = (select id from tenancy.schools where code = 's0011')",
        ];
        foreach (var set in theirs)
        {
            (await Update(admin, set, teacher)).ShouldBe("1", set);
            (await Update(admin, set, await world.IdOf(Cast.HeadOnEssentiel))).ShouldBe("0", set);
            (await Update(admin, set, admin)).ShouldBe("0", set);
            (await Update(await world.IdOf(Cast.HeadOnPremium), set, teacher)).ShouldBe("0", set);
            (await Update(teacher, set, teacher)).ShouldBe("0", set);
        }
        (await Update(admin, "role = 'king'", teacher)).ShouldBe("23514");
        (await Update(admin, "role = 'group_admin'", teacher)).ShouldBe("23514");
        (await Update(admin, "school_id = null, role = 'teacher'", teacher)).ShouldBe("23514");
        (await Update(admin, $"school_id = '{await world.SchoolId("s0002")}'", teacher)).ShouldBe("23503");
        string[] nobodys =
        [
            "user_id = user_id", "school_group_id = school_group_id", "id = gen_random_uuid()", "version = 9", "created_at = now()",
        ];
        foreach (var set in nobodys)
        {
            (await Update(admin, set, teacher)).ShouldBe("42501", set);
        }
    }

    [Fact]
    public async Task Places_are_not_an_administrators_to_make_or_to_delete()
    {
        var (admin, group, school) = (await world.IdOf(Cast.Admin1), await world.GroupId("g001"), await world.SchoolId("s0001"));
        (await world.Tried(
            "authenticated", admin,
            "insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)"
            + " values (gen_random_uuid(), auth.uid(), @group, @school, 'head') returning 1", new { group, school })).ShouldBe("42501");
        (await world.Tried("authenticated", admin, "delete from tenancy.memberships returning 1")).ShouldBe("42501");
        (await world.Tried(
            "authenticated", admin,
            "insert into tenancy.invited_places (invitation_id, school_group_id, role) values (gen_random_uuid(), @group, 'group_admin')"
            + " returning 1", new { group })).ShouldBe("42501");
    }

    [Fact]
    public async Task Schools_of_the_group_are_an_administrators_to_keep()
    {
        var admin = await world.IdOf(Cast.Admin1);
        var (own, other) = (await world.GroupId("g001"), await world.GroupId("g002"));
        const string Insert = """
            insert into tenancy.schools (id, school_group_id, name, code) values (gen_random_uuid(), @group, 'École neuve', @code)
            returning 1
            """;
        var code = Catalogue.Word();
        (await world.Tried("authenticated", admin, Insert, new { group = own, code })).ShouldBe("1");
        (await world.Sql<bool>(
            "select active_modules ? 'campagnes' and subscription_id is not null from tenancy.schools where code = @code",
            new { code })).ShouldBeTrue();
        (await world.Tried("authenticated", admin, Insert, new { group = other, code = Catalogue.Word() })).ShouldBe("42501");
        (await world.Tried("authenticated", await world.IdOf(Cast.HeadOnPremium), Insert, new { group = own, code = Catalogue.Word() }))
            .ShouldBe("42501");

        (await Change(admin, code, "name = 'Renommée', status = 'inactive'")).ShouldBe("1");
        (await world.Sql<string>("select active_modules::text from tenancy.schools where code = @code", new { code })).ShouldBe("{}");
        (await Change(admin, "s0002", "name = 'Prise'")).ShouldBe("0");
        (await Change(await world.IdOf(Cast.HeadOnPremium), "s0001", "name = 'Prise'")).ShouldBe("0");
        string[] changes =
        [
            "active_modules = '{}'", "subscription_id = null", "school_group_id = school_group_id", "id = gen_random_uuid()",
        ];
        foreach (var set in changes)
        {
            (await Change(admin, code, set)).ShouldBe("42501", set);
        }
        (await world.Tried(
            "authenticated", admin,
            "insert into tenancy.schools (id, school_group_id, name, code, active_modules)"
            + " values (gen_random_uuid(), @own, 'X', 'x', '{}') returning 1", new { own })).ShouldBe("42501");
        (await world.Tried("authenticated", admin, "delete from tenancy.schools returning 1")).ShouldBeOneOf("0", "42501");

        Task<string> Change(Guid person, string school, string set) => world.Tried(
            "authenticated", person, $"update tenancy.schools set {set} where code = @school returning 1", new { school });
    }

    [Fact]
    public async Task An_administration_that_has_ended_changes_nothing()
    {
        var admin = await world.IdOf("admin.g003@sankore.test");
        await world.Execute(
            "update tenancy.memberships set expires_at = now() - interval '1 second' where user_id = @admin", new { admin });
        (await Update(admin, "status = 'inactive'", await world.IdOf(Cast.HeadOnGratuit))).ShouldBe("0");
        (await world.Tried("authenticated", admin, "update tenancy.schools set name = 'Prise' returning 1")).ShouldBe("0");
        (await world.Tried("authenticated", admin, "select 1 from tenancy.user_module_permissions")).ShouldBe("0");
    }

    [Theory]
    [InlineData("status = 'inactive'")]
    [InlineData("expires_at = now() + interval '1 day'")]
    [InlineData("role = 'head', school_id = (select id from tenancy.schools where code = 's0005')")]
    public async Task A_group_keeps_an_administrator_without_an_end(string set)
    {
        var (lasting, ending, operators) =
            (await world.IdOf("admin.g005@sankore.test"), await world.IdOf("head.s0005@sankore.test"), await world.IdOf(Cast.Super));
        await world.Execute("""
            insert into tenancy.memberships (id, user_id, school_group_id, role, expires_at) select gen_random_uuid(), @ending, id,
              'group_admin', now() + interval '1 year' from tenancy.school_groups where code = 'g005'
            on conflict on constraint memberships_user_id_school_id_role_unique do nothing
            """, new { ending });
        (await Update(ending, set, lasting)).ShouldBe("LAST_GROUP_ADMIN");
        (await Update(operators, set, lasting)).ShouldBe("1");
        await world.Execute(
            "update tenancy.memberships set role = 'group_admin', school_id = null, status = 'active', expires_at = null"
            + " where user_id = @lasting", new { lasting });
    }

    [Fact]
    public async Task Two_administrators_do_not_put_each_other_out()
    {
        var (first, second) = (await world.IdOf("admin.g004@sankore.test"), await world.IdOf("head.s0004@sankore.test"));
        await world.Execute(
            "update tenancy.memberships set role = 'group_admin', school_id = null where user_id = @second", new { second });
        for (var i = 0; i < 5; i++)
        {
            var outcomes = await Task.WhenAll(Update(first, "status = 'inactive'", second), Update(second, "status = 'inactive'", first));
            outcomes.ShouldContain("1");
            (await world.Sql<int>(
                "select count(*)::int from tenancy.memberships where user_id in (@first, @second) and status = 'active'",
                new { first, second })).ShouldBe(1);
            await world.Execute(
                "update tenancy.memberships set status = 'active' where user_id in (@first, @second)", new { first, second });
        }
    }

    private Task<string> Update(Guid by, string set, Guid whose) =>
        world.Tried("authenticated", by, $"update tenancy.memberships set {set} where user_id = @whose returning 1", new { whose });
}
