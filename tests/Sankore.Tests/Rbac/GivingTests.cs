using Dapper;
using Npgsql;

namespace Sankore.Tests.Rbac;

/// <summary>
/// Nobody, person or key, gives what they do not have, now and at the moment it is used: every way of giving, by the statements that the
/// server sends, against a model that knows only who has what.
/// </summary>
public sealed class GivingTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private static readonly string[] Permissions =
        ["tenancy.read", "tenancy.manage", "tenancy.delete", "identity.read", "identity.invite", "identity.manage_keys", "rbac.read",
            "rbac.grant"];

    public static TheoryData<int> Seeds => Effort.Seeds(3, 1, 2, 3, 4, 5, 6, 7, 8);

    [Theory, MemberData(nameof(Seeds))]
    public async Task Every_way_of_giving_is_refused_exactly_where_the_giver_lacks_something(int seed)
    {
        var model = await NewModel(new Random(seed));
        var (tried, refused) = (new HashSet<string>(), new HashSet<string>());
        for (var n = 0; n < Effort.Of(150, 1500); n++)
        {
            await model.Change();
            var attempt = model.Attempt();
            var allowed = attempt.IsAllowed;
            (await model.Try(attempt) is null).ShouldBe(allowed, $"{seed}/{n}: {attempt.Words}");
            (allowed ? tried : refused).Add(attempt.Way);
            if (n % 10 == 0)
            {
                await model.Compare();
            }
        }
        string[] ways = ["key", "role", "invitation", "place", "assignment"];
        tried.ShouldBe(ways, ignoreOrder: true);
        refused.ShouldBe(ways, ignoreOrder: true);
    }

    [Theory]
    [InlineData("""{"role":"service_role"}"""), InlineData("""{"sub":"?","role":"service_role"}"""), InlineData("{}"),
        InlineData("""{"sub":"?"}""")]
    public async Task A_claim_that_says_more_than_the_transaction_gives_nothing(string claims)
    {
        var model = await NewModel(new Random(7));
        var (person, other) = (model.People[0], model.People[1]);
        await world.Execute("delete from rbac.user_roles where user_id = @person", new { person });
        await using var connection = new NpgsqlConnection(world.AppConnection);
        await connection.OpenAsync();
        foreach (var role in new[] { "anon", "authenticated" })
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await connection.ExecuteAsync(
                "select set_config('role', @role, true), set_config('request.jwt.claims', @claims, true)",
                new { role, claims = claims.Replace("?", person.ToString(), StringComparison.Ordinal) });
            var refused = await Should.ThrowAsync<PostgresException>(
                () => connection.ExecuteAsync($"select rbac.grant_role('{other}', 'admin')"));
            refused.MessageText.ShouldBe("FORBIDDEN");
            await transaction.RollbackAsync();
        }
    }

    [Fact]
    public async Task Of_others_the_functions_tell_only_who_may_read_roles()
    {
        var admin = await Admin();
        var person = (await NewModel(new Random(3))).People[0];
        const string Sql = "select rbac.has_permission(@admin, 'rbac.grant'), rbac.has_role(@admin, 'admin'), "
            + "cardinality((rbac.get_user_permissions(@admin)).permissions) > 0";
        await world.Execute("delete from rbac.user_roles where user_id = @person", new { person });
        (await world.AsRole<(bool, bool, bool)>("anon", null, Sql, new { admin })).ShouldBe([(false, false, false)]);
        (await world.AsRole<(bool, bool, bool)>("authenticated", person, Sql, new { admin })).ShouldBe([(false, false, false)]);
        (await world.AsRole<(bool, bool, bool)>("authenticated", admin, Sql, new { admin })).ShouldBe([(true, true, true)]);
        (await world.AsRole<(bool, bool, bool)>("service_role", null, Sql, new { admin })).ShouldBe([(true, true, true)]);
        await world.Execute("""
            insert into rbac.roles (role_name, description, sort_order) values ('reader', 'Reads roles', 900) on conflict do nothing;
            insert into rbac.role_permissions (role_id, permission_id) select r.id, p.id from rbac.roles r, rbac.permissions p
            where r.role_name = 'reader' and p.permission_key = 'rbac.read' on conflict do nothing;
            insert into rbac.user_roles (user_id, role_id) select @person, id from rbac.roles where role_name = 'reader'
            """, new { person });
        (await world.AsRole<(bool, bool, bool)>("authenticated", person, Sql, new { admin })).ShouldBe([(true, true, true)]);
    }

    private async Task<Guid> Admin()
    {
        var id = Guid.CreateVersion7();
        await world.Execute("""
            insert into auth.users (id, email, normalized_email, security_stamp, concurrency_stamp)
            values (@id, @id || '@example.org', util.address_key(@id || '@example.org'), '1', '1');
            insert into public.profiles (id, email, display_name) values (@id, @id || '@example.org', 'Admin');
            insert into rbac.user_roles (user_id, role_id) select @id, id from rbac.roles where role_name = 'admin'
            """, new { id });
        return id;
    }

    private async Task<GivingModel> NewModel(Random random)
    {
        var model = new GivingModel(world, random, Permissions);
        await model.Create();
        return model;
    }
}
