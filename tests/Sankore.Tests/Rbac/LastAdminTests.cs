using Npgsql;

namespace Sankore.Tests.Rbac;

/// <summary>The platform is never left without an administrator. Each test has its own two.</summary>
public sealed class LastAdminTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    [Fact]
    public async Task An_administrator_makes_another_and_is_revoked_by_that_one()
    {
        var (first, second) = await Administrators();
        await Revoke(second, first);
        (await Admins()).ShouldBe([second]);
        await Grant(second, first);
        (await Admins()).ShouldBe([first, second], ignoreOrder: true);
    }

    [Fact]
    public async Task The_last_administrator_is_not_revoked_by_anybody()
    {
        var (first, second) = await Administrators();
        await Revoke(second, first);
        (await Refusal(() => Revoke(second, second))).ShouldBe("LAST_ADMIN");
        (await Refusal(() => world.AsRole<string>("service_role", null, $"select rbac.revoke_role('{second}', 'admin')::text")))
            .ShouldBe("LAST_ADMIN");
        (await Admins()).ShouldBe([second]);
    }

    [Fact]
    public async Task The_last_administrator_is_given_no_expiry()
    {
        var (first, second) = await Administrators();
        await Revoke(second, first);
        (await Refusal(() => world.AsRole<string>(
            "service_role", null, $"select rbac.grant_role('{second}', 'admin', now() + interval '1 day')::text"))).ShouldBe("LAST_ADMIN");
        // One who will expire is no reason to let the other go.
        await world.AsRole<string>("authenticated", second, $"select rbac.grant_role('{first}', 'admin', now() + interval '1 day')::text");
        (await Refusal(() => Revoke(first, second))).ShouldBe("LAST_ADMIN");
        (await Refusal(() => world.AsRole<string>(
            "authenticated", first,
            $"select rbac.grant_role('{second}', 'admin', now() + interval '1 day')::text"))).ShouldBe("LAST_ADMIN");
    }

    [Fact]
    public async Task Of_two_administrators_who_revoke_each_other_at_once_exactly_one_stays()
    {
        for (var round = 0; round < 15; round++)
        {
            var (first, second) = await Administrators();
            var outcomes = await Task.WhenAll(Outcome(() => Revoke(first, second)), Outcome(() => Revoke(second, first)));
            outcomes.Count(o => o == "done").ShouldBe(1);
            outcomes.ShouldAllBe(o => o == "done" || o == "LAST_ADMIN" || o == "FORBIDDEN");
            (await Admins()).Count().ShouldBe(1);
        }
    }

    [Fact]
    public async Task Two_administrators_who_both_leave_at_once_do_not_both_get_away()
    {
        for (var round = 0; round < 15; round++)
        {
            var (first, second) = await Administrators();
            var outcomes = await Task.WhenAll(Outcome(() => Revoke(first, first)), Outcome(() => Revoke(second, second)));
            outcomes.ShouldBe(["done", "LAST_ADMIN"], ignoreOrder: true);
            (await Admins()).Count().ShouldBe(1);
        }
    }

    [Fact]
    public async Task Revoking_one_administrator_while_expiring_the_other_succeeds_only_once()
    {
        for (var round = 0; round < 15; round++)
        {
            var (first, second) = await Administrators();
            var outcomes = await Task.WhenAll(
                Outcome(() => Revoke(first, first)),
                Outcome(
                    () => world.AsRole<string>(
                        "service_role", null, $"select rbac.grant_role('{second}', 'admin', now() + interval '1 day')::text")));
            outcomes.ShouldBe(["done", "LAST_ADMIN"], ignoreOrder: true);
            (await world.Sql<long>(
                "select count(*) from rbac.user_roles ur join rbac.roles r on r.id = ur.role_id where role_name = 'admin' and is_active"
                + " and expires_at is null")).ShouldBe(1);
        }
    }

    [Fact]
    public async Task The_account_of_the_last_administrator_is_not_deleted()
    {
        var (first, second) = await Administrators();
        await Revoke(second, first);
        (await Refusal(() => world.AsRole<int>("service_role", null, $"delete from auth.users where id = '{second}'")))
            .ShouldBe("LAST_ADMIN");
        (await Refusal(() => world.Execute("update rbac.user_roles set is_active = false"))).ShouldBe("LAST_ADMIN");
        (await Admins()).ShouldBe([second]);
    }

    /// <summary>Two administrators without an end, and no others.</summary>
    private async Task<(Guid First, Guid Second)> Administrators()
    {
        var (first, second) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var id in (Guid[])[first, second])
        {
            await world.Execute("""
                insert into auth.users (id, email, normalized_email, security_stamp, concurrency_stamp)
                values (@id, @id || '@sankore.test', util.address_key(@id || '@sankore.test'), '', '');
                insert into public.profiles (id, email, display_name) values (@id, @id || '@sankore.test', 'Admin')
                """, new { id });
        }
        await world.AsRole<string>(
            "service_role", null, $"select rbac.grant_role('{first}', 'admin')::text || rbac.grant_role('{second}', 'admin')::text");
        await world.Execute(
            "update rbac.user_roles set is_active = false where user_id <> all(@stay) and role_id = (select id from rbac.roles"
            + " where role_name = 'admin')", new { stay = new[] { first, second } });
        return (first, second);
    }

    private Task<IReadOnlyList<string>> Grant(Guid asking, Guid to) =>
        world.AsRole<string>("authenticated", asking, $"select rbac.grant_role('{to}', 'admin')::text");

    private Task<IReadOnlyList<string>> Revoke(Guid asking, Guid from) =>
        world.AsRole<string>("authenticated", asking, $"select rbac.revoke_role('{from}', 'admin')::text");

    private async Task<IEnumerable<Guid>> Admins() => await world.Sql<Guid[]>(
        "select array_agg(user_id) from rbac.user_roles ur join rbac.roles r on r.id = ur.role_id where role_name = 'admin'"
        + " and is_active and (expires_at is null or expires_at > now())");

    private static async Task<string> Refusal(Func<Task> act)
    {
        var refused = await Should.ThrowAsync<PostgresException>(act);
        refused.SqlState.ShouldBe("SK001");
        return refused.MessageText;
    }

    private static async Task<string> Outcome(Func<Task> act)
    {
        try
        {
            await act();
            return "done";
        }
        catch (PostgresException e)
        {
            return e.MessageText;
        }
    }
}
