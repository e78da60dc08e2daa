using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>Without a permission nobody changes a row of the network, and nobody at all reads a secret.</summary>
public sealed class ReadOnlyTests(World world) : IClassFixture<World>
{
    private static readonly string[] Tables =
    [
        "tenancy.modules", "tenancy.business_categories", "tenancy.subscription_plans", "tenancy.plan_modules", "tenancy.plan_categories",
        "tenancy.school_groups", "tenancy.schools", "tenancy.subscriptions", "tenancy.memberships",
    ];

    public static TheoryData<string> Secrets =>
    [
        "password_hash from auth.users", "security_stamp from auth.users", "authenticator_key from auth.users",
            "recovery_codes from auth.users", "* from auth.users",
        "xml from auth.data_protection_keys", "key_hash from rbac.api_keys", "* from rbac.api_keys", "token_hash from rbac.invitations",
        "* from rbac.invitations",
        "payload from util.job_queue", "* from live.changes",
    ];

    [Fact]
    public async Task Whoever_has_no_permission_changes_nothing()
    {
        (string Role, Guid? Id)[] people =
        [
            ("anon", null), ("authenticated", null), ("authenticated", await world.IdOf(Cast.HeadOnPremium)),
            ("authenticated", await world.IdOf(Cast.Admin1)),
        ];
        foreach (var table in Tables)
        {
            var before = await Rows(table);
            foreach (var (role, id) in people)
            {
                (await Touched(
                    role, id,
                    $"insert into {table} select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'code', "
                    + $"'planted', 'slug', 'planted'))).* from {table} t limit 1 returning 1")).ShouldBeOneOf(null, 0);
                (await Touched(role, id, $"insert into {table} default values returning 1")).ShouldBeNull($"insert into {table} as {role}");
                (await Touched(role, id, $"update {table} set id = id returning 1")).ShouldBeOneOf(null, 0);
                (await Touched(role, id, $"delete from {table} returning 1")).ShouldBeOneOf(null, 0);
                (await Touched(role, id, $"truncate {table} cascade")).ShouldBeNull($"truncate {table} as {role}");
            }
            (await Rows(table)).ShouldBe(before, table);
        }
    }

    [Fact]
    public async Task A_moderator_reads_the_catalogue_and_changes_nothing_of_it()
    {
        var moderator = await world.IdOf(Cast.Teacher1);
        await world.Execute(
            "insert into rbac.user_roles (user_id, role_id) select @moderator, id from rbac.roles where role_name = 'moderator'",
            new { moderator });
        (await world.AsRole<long>("authenticated", moderator, "select count(*) from tenancy.modules"))[0].ShouldBe(
            await world.Sql<long>("select count(*) from tenancy.modules"));
        (await Touched("authenticated", moderator, "update tenancy.modules set name = 'planted' returning 1")).ShouldBe(0);
        (await Touched("authenticated", moderator, "delete from tenancy.modules returning 1")).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Secrets))]
    public async Task Not_even_an_administrator_reads_a_secret(string what)
    {
        foreach (var (role, id) in (
            (string, Guid?)[])[("authenticated", await world.IdOf(Cast.Super)), ("authenticated", await world.IdOf(Cast.HeadOnGratuit)),
            ("anon", null)])
        {
            (await Touched(role, id, $"select {what}")).ShouldBeNull($"select {what} as {role}");
        }
    }

    [Fact]
    public async Task Only_what_is_their_own_of_a_profile_is_theirs_to_change()
    {
        var (head, other) = (await world.IdOf(Cast.HeadOnPremium), await world.IdOf(Cast.HeadOnEssentiel));
        (await Touched("authenticated", head, $"update public.profiles set city = 'Ouesso' where id = '{other}' returning 1")).ShouldBe(0);
        (await Touched("authenticated", head, "update public.profiles set city = 'Ouesso' returning 1")).ShouldBe(1);
        (await Touched("authenticated", head, "update public.profiles set email = 'super@sankore.test' returning 1")).ShouldBeNull();
        (await Touched("authenticated", head, $"update public.profiles set id = '{Guid.CreateVersion7()}' returning 1")).ShouldBeNull();
    }

    [Fact]
    public async Task The_functions_behind_the_feed_are_nobodys_to_call()
    {
        var head = await world.IdOf(Cast.HeadOnPremium);
        var module = await world.Sql<Guid>("select id from tenancy.modules limit 1");
        foreach (var call in (string[])[
            "live.publish('tenancy.modules', 'UPDATE', 'x', '{}', array['everyone'])", "live.keep_partitions('0 seconds')",
                $"tenancy.plans_including('{module}')",
            $"tenancy.publish_module('{module}')", "tenancy.sync_active_modules('{}')", "tenancy.advance_subscriptions()",
            "audit.watch('tenancy.modules')", "util.protect('tenancy.modules')",
        ])
        {
            (await Touched("authenticated", head, $"select {call}")).ShouldBeNull(call);
            (await Touched("anon", null, $"select {call}")).ShouldBeNull(call);
        }
    }

    private Task<long> Rows(string table) => world.Sql<long>($"select count(*) + coalesce(sum(hashtext(t::text)), 0) from {table} t");

    /// <summary>
    /// How many rows a statement touched or gave; null when the database refused it for want of a privilege or by a row policy.
    /// </summary>
    private async Task<int?> Touched(string role, Guid? userId, string sql)
    {
        try
        {
            return (await world.AsRole<object>(role, userId, sql)).Count;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return null;
        }
    }
}
