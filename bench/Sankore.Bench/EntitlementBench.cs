using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace Sankore.Bench;

/// <summary>
/// The entitlement chain on the full demo network: menus, the matrix of a group of 2,000 people, a bulk assignment, a plan that 7,000
/// schools live on. Fails when one of these requests reads a table of more than 10,000 rows from end to end.
/// </summary>
internal static class EntitlementBench
{
    private const string ScansSql = """
        select schemaname || '.' || relname as name, seq_scan as scans, pg_stat_get_live_tuples(relid) as rows from pg_stat_user_tables
        where schemaname in ('tenancy', 'public', 'rbac', 'auth', 'audit') and pg_stat_get_live_tuples(relid) > 10000
        """;

    private sealed record Scan(string Name, long Scans, long Rows);

    public static async Task<int> Run()
    {
        Console.WriteLine($"entitlement: full demo network, {Environment.ProcessorCount} cores, client beside the server");
        await using var server = await ServerProcess.Start("full");
        await using var database = new NpgsqlConnection(server.AdminConnection);
        await database.OpenAsync();
        var group = await BigGroup(database);
        var bad = 0;
        bad += await Watched(database, "menus", () => Menus(server));
        using var admin = await Requests.Client(server, "admin.g001@sankore.test");
        bad += await Watched(database, "matrix", () => Matrix(admin, group));
        var teacher = await database.ExecuteScalarAsync<Guid>("select id from auth.users where email = 'teacher.s0001.1@sankore.test'");
        bad += await Watched(database, "why", () => Why(admin, teacher));
        bad += await Watched(database, "bulk", () => Bulk(admin, database, group));
        using var super = await Requests.Client(server, "super@sankore.test");
        await Plan(super, database);
        return bad == 0 ? 0 : 1;
    }

    /// <summary>Group 1 with 2,000 people: those of other groups get a place in its first school.</summary>
    private static async Task<Guid> BigGroup(NpgsqlConnection database)
    {
        var group = await database.ExecuteScalarAsync<Guid>("select id from tenancy.school_groups where code = 'g001'");
        await database.ExecuteAsync("""
            insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)
            select gen_random_uuid(), p.id, s.school_group_id, s.id, 'teacher'
            from (select distinct m.user_id as id from tenancy.memberships m where m.school_group_id <> @group and m.role = 'teacher'
                order by m.user_id limit (select 2000 - count(distinct user_id) from tenancy.memberships where school_group_id = @group)) p
            cross join (select id, school_group_id from tenancy.schools where code = 's0001') s;
            analyze tenancy.memberships
            """, new { group });
        return group;
    }

    private static async Task Menus(ServerProcess server)
    {
        var clients = new List<HttpClient>();
        foreach (var email in Enumerable.Range(1, 60)
            .SelectMany(
                i => (string[])[$"head.s{i:0000}@sankore.test", $"teacher.s{i:0000}.1@sankore.test", $"admin.g{i:000}@sankore.test"]))
        {
            clients.Add(await Requests.Client(server, email));
        }
        foreach (var client in clients)
        {
            await client.GetStringAsync(new Uri("/api/me/menu", UriKind.Relative));
        }
        await Requests.Measure("menu, GET /api/me/menu, 180 people, one at a time", 1000, i =>
            clients[i % clients.Count].GetStringAsync(new Uri("/api/me/menu", UriKind.Relative)));
        await Requests.Measure(
            "home page, GET /, the same people", 400, i => clients[i % clients.Count].GetStringAsync(new Uri("/", UriKind.Relative)));
        clients.ForEach(c => c.Dispose());
    }

    private static async Task Matrix(HttpClient admin, Guid group)
    {
        await Requests.Measure("matrix page, 2,000 people, GET /groups/{id}/matrix?page=N", 60, i =>
            admin.GetStringAsync(new Uri($"/groups/{group}/matrix?page={1 + i % 80}", UriKind.Relative)));
        await Requests.Measure("matrix, GET /api/groups/{id}/matrix?size=100", 60, i =>
            admin.GetStringAsync(new Uri($"/api/groups/{group}/matrix?size=100&page={1 + i % 20}", UriKind.Relative)));
    }

    private static async Task Why(HttpClient admin, Guid teacher) =>
        await Requests.Measure("why, GET /api/users/{id}/modules/{code}/why", 200, _ =>
            admin.GetStringAsync(new Uri($"/api/users/{teacher}/modules/caisse-et-depenses/why", UriKind.Relative)));

    private static async Task Bulk(HttpClient admin, NpgsqlConnection database, Guid group)
    {
        var people = (await database.QueryAsync<Guid>(
            "select distinct user_id from tenancy.memberships where school_group_id = @group and role <> 'group_admin' order by user_id"
            + " limit 2000", new { group })).ToArray();
        var modules = (await database.QueryAsync<Guid>(
            "select a.module_id from tenancy.available_modules a join tenancy.live_subscriptions u on u.plan_id = a.plan_id"
            + " where u.school_group_id = @group order by a.module_id limit 10", new { group })).ToArray();
        foreach (var (what, revoke, write) in (
            (string, bool, bool)[])[("assigns", false, false), ("changes", false, true), ("revokes", true, false)])
        {
            var clock = Stopwatch.StartNew();
            var answer = await admin.PostAsJsonAsync(
                $"/api/groups/{group}/assignments", new { userIds = people, moduleIds = modules, canWrite = write, revoke });
            var body = await answer.Content.ReadAsStringAsync();
            Console.WriteLine(
                $"bulk {what} {modules.Length} modules × {people.Length} people: {clock.Elapsed.TotalMilliseconds:0} ms "
                + $"{(answer.IsSuccessStatusCode ? JsonElement.Parse(body).GetProperty("outcomes") : body)}");
        }
    }

    /// <summary>Every group on one plan, which gains and loses a category.</summary>
    private static async Task Plan(HttpClient super, NpgsqlConnection database)
    {
        var plan = await database.ExecuteScalarAsync<Guid>("select id from tenancy.subscription_plans where slug = 'pro'");
        await database.ExecuteAsync("update tenancy.subscriptions set plan_id = @plan", new { plan });
        await database.ExecuteAsync("vacuum analyze tenancy.schools");
        var found = await super.GetFromJsonAsync<JsonElement>($"/api/plans/{plan}");
        var categories = (await database.QueryAsync<Guid>(
            "select category_id from tenancy.plan_categories where plan_id = @plan order by category_id", new { plan })).ToArray();
        var version = found.GetProperty("plan").GetProperty("version").GetInt32();
        await Requests.Measure("plan of 7,000 schools gains or loses a category, PUT /api/plans/{id}", 20, async i =>
        {
            var body = new
            {
                name = "Pro",
                slug = "pro",
                monthlyPrice = 150_000,
                yearlyPrice = 1_500_000,
                sortOrder = 40,
                categoryIds = i % 2 == 0 ? categories[1..] : categories,
                version,
            };
            var answer = await super.PutAsJsonAsync($"/api/plans/{plan}", body);
            version = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("version").GetInt32();
        });
        var off = await database.ExecuteScalarAsync<long>(
            "select count(*) from tenancy.schools s join tenancy.school_entitlements e on e.school_id = s.id"
            + " where s.active_modules <> e.active_modules");
        Console.WriteLine($"schools that differ from the recomputation: {off}");
    }

    /// <summary>Says which tables of more than 10,000 rows were read from end to end meanwhile; how many.</summary>
    private static async Task<int> Watched(NpgsqlConnection database, string what, Func<Task> requests)
    {
        // Idle backends hand their figures in within ten seconds.
        await Task.Delay(11_000);
        var before = await Scans(database);
        await requests();
        await Task.Delay(11_000);
        var offenders = (await Scans(database)).Where(s => s.Value.Scans > before.GetValueOrDefault(s.Key)?.Scans).ToList();
        foreach (var (name, scan) in offenders)
        {
            Console.WriteLine(
                $"  {what}: {name} ({scan.Rows} rows) was read from end to end "
                + $"{scan.Scans - (before.GetValueOrDefault(name)?.Scans ?? 0)} times");
        }
        return offenders.Count;
    }

    private static async Task<Dictionary<string, Scan>> Scans(NpgsqlConnection database)
    {
        await database.ExecuteAsync("select pg_stat_clear_snapshot()");
        return (await database.QueryAsync<Scan>(ScansSql)).ToDictionary(s => s.Name);
    }
}
