using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Thirty random networks in one database, in a long run sixty: each person sees exactly what is theirs, no row more and no row less.
/// </summary>
public sealed class IsolationTests(RandomNetworks world) : IClassFixture<RandomNetworks>
{
    private const string EverythingSql = """
        select 'tenancy.modules ' || id from tenancy.modules union all select 'tenancy.business_categories ' || id
        from tenancy.business_categories
        union all select 'tenancy.subscription_plans ' || id from tenancy.subscription_plans union all select 'tenancy.plan_modules ' || id
          from tenancy.plan_modules
        union all select 'tenancy.plan_categories ' || id from tenancy.plan_categories union all select 'tenancy.school_groups ' || id
          from tenancy.school_groups
        union all select 'tenancy.schools ' || id from tenancy.schools union all select 'tenancy.subscriptions ' || id
          from tenancy.subscriptions
        union all select 'tenancy.user_module_permissions ' || id from tenancy.user_module_permissions
          union all select 'tenancy.module_assignment_logs ' || id from tenancy.module_assignment_logs
        union all select 'tenancy.memberships ' || id from tenancy.memberships union all select 'public.profiles ' || id
          from public.profiles
        """;

    [Fact]
    public async Task Everybody_sees_exactly_the_rows_that_are_theirs()
    {
        world.People.Count().ShouldBeGreaterThan(Effort.Of(125, 250));
        world.People.Count(
            p => !p.Network.Memberships.Exists(m => m.UserId == p.User.Id && m.Role == "group_admin")
            && Oracle.Menu(p.Network, p.User).Count > 0).ShouldBeGreaterThan(Effort.Of(7, 15), "staff who have modules by assignments");
        foreach (var (seed, network, user) in world.People)
        {
            var seen = await world.AsRole<string>("authenticated", user.Id, EverythingSql);
            var due = world.Oracle.Sees(network, user);
            seen.Except(due).ShouldBeEmpty($"leaked to {user.Email}, seed {seed}");
            due.Except(seen).ShouldBeEmpty($"hidden from {user.Email}, seed {seed}");
        }
    }

    [Fact]
    public async Task The_view_of_included_modules_shows_no_more_than_the_tables_do()
    {
        foreach (var (seed, network, user) in world.People)
        {
            var seen = await world.AsRole<Guid>("authenticated", user.Id, "select distinct module_id from tenancy.included_modules");
            var due = world.Oracle.Sees(network, user);
            seen.ShouldAllBe(id => due.Contains($"tenancy.modules {id}"), $"{user.Email}, seed {seed}");
        }
    }

    [Fact]
    public async Task Menus_and_lists_of_the_API_hold_what_is_theirs()
    {
        foreach (var (seed, network, user) in world.People.Where((_, i) => i % 9 == 0))
        {
            using var client = await world.As(user.Email);
            var because = $"{user.Email}, seed {seed}";
            Ids(await client.Ask("/api/me/menu")).ShouldBe(Oracle.Menu(network, user), ignoreOrder: true, because);
            var due = world.Oracle.Sees(network, user);
            foreach (var (path, table) in (
                (string, string)[])[("modules", "modules"), ("categories", "business_categories"), ("plans", "subscription_plans"),
                ("groups", "school_groups"), ("schools", "schools")])
            {
                var list = await client.Ask($"/api/{path}?size=100");
                list.Body.GetProperty("total").GetInt64()
                    .ShouldBe(due.Count(r => r.StartsWith($"tenancy.{table} ", StringComparison.Ordinal)), $"{path}, {because}");
                Ids(list).Select(id => $"tenancy.{table} {id}").ShouldBeSubsetOf(due, because);
            }
        }
    }

    [Fact]
    public async Task One_by_one_the_API_finds_what_is_theirs_and_nothing_else()
    {
        foreach (var (seed, network, user) in world.People.Where((_, i) => i % 30 == 0))
        {
            using var client = await world.As(user.Email);
            var due = world.Oracle.Sees(network, user);
            foreach (var module in network.Modules)
            {
                ((int)(await client.Ask($"/api/modules/{module.Id}")).Status)
                    .ShouldBe(due.Contains($"tenancy.modules {module.Id}") ? 200 : 404, $"{user.Email}, seed {seed}");
            }
        }
    }

    [Fact]
    public async Task Nobody_in_particular_sees_nothing_at_all()
    {
        foreach (var table in Oracle.Tables)
        {
            await Refused("anon", null, $"select count(*) from {table}");
        }
        using var nobody = world.Nobody();
        foreach (var path in (
            string[])["/api/me", "/api/me/menu", "/api/modules", "/api/categories", "/api/plans", "/api/groups", "/api/schools",
            "/api/users", "/live"])
        {
            (await nobody.Ask(path)).Code.ShouldBe("UNAUTHENTICATED", path);
        }
    }

    [Fact]
    public async Task Who_is_signed_in_as_nobody_known_sees_nothing()
    {
        (await world.AsRole<string>("authenticated", Guid.CreateVersion7(), EverythingSql)).ShouldBeEmpty();
        (await world.AsRole<string>("authenticated", null, EverythingSql)).ShouldBeEmpty();
    }

    private static IEnumerable<Guid> Ids(Answer answer) => answer.Items.Select(i => i.GetProperty("id").GetGuid());

    private async Task Refused(string role, Guid? userId, string sql) =>
        (await Should.ThrowAsync<PostgresException>(() => world.AsRole<long>(role, userId, sql)))
            .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, sql);
}

/// <summary>A world of sixty random networks.</summary>
public sealed class RandomNetworks : EmptyWorld, IAsyncLifetime
{
    private readonly List<(int Seed, Network Network)> _networks =
        [.. Enumerable.Range(1, Effort.Of(30, 60)).Select(seed => (seed, new Network(seed)))];

    public Oracle Oracle => field ??= new Oracle([.. _networks.Select(n => n.Network)]);

    public IEnumerable<(int Seed, Network Network, NetUser User)> People =>
        _networks.SelectMany(n => n.Network.Users, (n, user) => (n.Seed, n.Network, user));

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        await Network.Write(AdminConnection, [.. _networks.Select(n => n.Network)]);
    }
}
