using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Whatever happens to plans, subscriptions, groups, modules and categories, every school has what its group's subscription gives, and
/// nothing is touched in vain.
/// </summary>
public sealed class SyncTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private sealed record State(Guid Id, string Xmin, string Follows, int Version);

    public static TheoryData<int> Seeds(int first) => Effort.Seeds(1, [.. Enumerable.Range(first, first == 1 ? 8 : 2)]);

    [Theory]
    [MemberData(nameof(Seeds), 1)]
    public async Task After_thousands_of_events_every_school_has_what_its_group_lives_on(int seed)
    {
        await using var connection = await Open();
        var network = await Written(connection, seed);
        for (int events = 0, transactions = 0; events < 1300; transactions++)
        {
            var (count, before) = (1 + transactions % 9, events);
            var statements = network.Transaction(count);
            await network.Run(statements);
            events += count;
            if (transactions % 2 == 0)
            {
                (await SyncOracle.Differences(connection))
                    .ShouldBeEmpty($"seed {seed}, events {before} to {events}\n{string.Join(";\n", statements)}");
            }
        }
        (await SyncOracle.Differences(connection)).ShouldBeEmpty($"seed {seed}, at the end");
    }

    [Theory]
    [MemberData(nameof(Seeds), 21)]
    public async Task Only_schools_whose_list_changes_are_touched_without_new_versions_or_audit(int seed)
    {
        await using var connection = await Open();
        var network = await Written(connection, seed);
        var touched = 0;
        var lines = await AuditLines();
        for (var i = 0; i < 400; i++)
        {
            var before = await Schools(connection);
            var sql = network.OtherEvent();
            await network.Commit([sql]);
            foreach (var (id, after) in await Schools(connection))
            {
                (after.Xmin != before[id].Xmin).ShouldBe(after.Follows != before[id].Follows, $"seed {seed}: {sql}");
                after.Version.ShouldBe(before[id].Version, $"seed {seed}: {sql}");
                touched += after.Xmin == before[id].Xmin ? 0 : 1;
            }
        }
        touched.ShouldBeGreaterThan(100);
        (await AuditLines()).ShouldBe(lines);
    }

    [Theory]
    [MemberData(nameof(Seeds), 31)]
    public async Task Two_transactions_at_the_same_time_leave_no_school_behind(int seed)
    {
        await using var connection = await Open();
        var network = await Written(connection, seed);
        Func<string>[] kinds = [network.PlanEvent, network.GroupEvent, network.CatalogueEvent, network.SchoolEvent];
        for (var i = 0; i < 80; i++)
        {
            await BothAtOnce(connection, kinds[i % 4](), kinds[i / 4 % 4](), seed);
        }
    }

    [Fact]
    public async Task A_plan_edited_while_a_school_or_a_subscription_is_inserted_reaches_it()
    {
        await using var connection = await Open();
        var (category, plan, number) = (Guid.CreateVersion7(), Guid.CreateVersion7(), 0);
        await world.Execute($"""
            insert into tenancy.business_categories (id, name, slug) values ('{category}', 'Category', 'amid');
            insert into tenancy.subscription_plans (id, name, slug) values ('{plan}', 'Plan', 'amid');
            """);
        foreach (var turn in (bool[])[true, false])
        {
            foreach (var what in (string[])["school", "subscription"])
            {
                var (module, group, school) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
                var insertSchool =
                    $"insert into tenancy.schools (id, school_group_id, name, code)"
                    + $" values ('{school}', '{group}', 'School', 'amid-{++number}')";
                var insertSubscription =
                    $"insert into tenancy.subscriptions (id, school_group_id, plan_id, starts_at)"
                    + $" values ('{Guid.CreateVersion7()}', '{group}', '{plan}', now())";
                await world.Execute($"""
                    insert into tenancy.modules (id, code, name, category_id) values ('{module}', 'amid-{number}', 'Module', '{category}');
                    insert into tenancy.school_groups (id, name, code) values ('{group}', 'Group', 'amid-{number}');
                    {(what == "school" ? insertSubscription : insertSchool)};
                    """);
                var edit = $"insert into tenancy.plan_modules (id, plan_id, module_id) values (gen_random_uuid(), '{plan}', '{module}')";
                var insert = what == "school" ? insertSchool : insertSubscription;
                await BothAtOnce(connection, turn ? edit : insert, turn ? insert : edit, 0);
                (await world.Sql<string>($"select active_modules ->> 'amid-{number}' from tenancy.schools where id = '{school}'"))
                    .ShouldBe("true", $"{what}, {turn}");
            }
        }
    }

    /// <summary>The second is begun while the first is done but not committed.</summary>
    private async Task BothAtOnce(NpgsqlConnection connection, string first, string second, int seed)
    {
        await using var open = await Open();
        await using var other = await Open();
        await open.ExecuteAsync($"begin; {first}");
        var pid = await other.ExecuteScalarAsync<int>("select pg_backend_pid()");
        var running = other.ExecuteAsync(second);
        await Waiting.Until(
            async () => running.IsCompleted
            || await world.Sql<bool>("select exists (select 1 from pg_locks where not granted and pid = @pid)", new { pid }),
            "the second is committed, or waits");
        await open.ExecuteAsync("commit transaction");
        await running;
        (await SyncOracle.Differences(connection)).ShouldBeEmpty($"seed {seed}: {first}\nat the same time as: {second}");
    }

    private async Task<NpgsqlConnection> Open()
    {
        var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<SyncNetwork> Written(NpgsqlConnection connection, int seed)
    {
        var network = new SyncNetwork(connection, seed);
        await network.Write();
        (await SyncOracle.Differences(connection)).ShouldBeEmpty($"seed {seed}, at the start");
        return network;
    }

    private static async Task<Dictionary<Guid, State>> Schools(NpgsqlConnection connection) =>
        (await connection.QueryAsync<State>(
            "select id, xmin::text, coalesce(subscription_id::text, '') || active_modules as follows, version from tenancy.schools"))
            .ToDictionary(s => s.Id);

    private Task<long> AuditLines() => world.Sql<long>("select count(*) from audit.audit_logs where table_name = 'tenancy.schools'");
}
