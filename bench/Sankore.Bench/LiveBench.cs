using System.Diagnostics;
using System.Globalization;
using Dapper;
using Npgsql;

namespace Sankore.Bench;

/// <summary>What is asked of one run.</summary>
/// <param name="Clients">Streams.</param>
/// <param name="People">Different people among them.</param>
/// <param name="Nodes">Server processes.</param>
/// <param name="Changes">Changes of one row, one after the other.</param>
/// <param name="Burst">Rows changed in one transaction at the end; 0: none.</param>
/// <param name="Rate">Connections begun in a second, at most; 0: as fast as they are answered.</param>
internal sealed record LiveRun(int Clients, int People, int Nodes, int Changes, int Burst, int Rate);

/// <summary>
/// Changes to N connected people over several nodes: what connecting costs, what a connection holds, COMMIT to each client, nothing lost,
/// and what it costs the nodes.
/// </summary>
internal static class LiveBench
{
    /// <summary>Changes one row that everybody hears of.</summary>
    public const string RenameSql = "update tenancy.modules set name = 'Inscriptions #' || @number where code = 'gestion-inscriptions'";
    private const string BurstSql = "update tenancy.modules set name = 'Rafale #' || @number where code like 'rafale-%'";

    private const string RevokeSql = $"""
        delete from auth.sessions where user_id in (select id from ({Network.PeopleSql}) p)
        """;

    // PostgreSQL's backends hand their figures in when they have been idle for ten seconds.
    private const string ReadSql = """
        select xact_commit as transactions, tup_returned + tup_fetched as rows from pg_stat_database where datname = 'sankore'
        """;

    private sealed record Read(long Transactions, long Rows);

    /// <summary>Runs and reports; 1 when a change was lost or out of order.</summary>
    public static async Task<int> Run(LiveRun run)
    {
        Console.WriteLine(
            $"live: {run.Clients} clients, {run.People} people, {run.Nodes} nodes on one PostgreSQL, {run.Changes} changes, "
            + $"{Environment.ProcessorCount} cores, clients beside the servers");
        await using var network = await Network.Start(run.People, run.Nodes, run.Burst);
        var tokens = await network.Tokens(run.Clients, run.People);
        await using var crowd = CrowdProcesses.Start(network.Addresses, ("/live", "live"), tokens, run.Rate);
        var open = await Connect(network, crowd, tokens);
        var heard = await Changes(network, crowd, run);
        if (run.Burst > 0)
        {
            heard = await Burst(network, crowd, run, heard);
        }
        var (expected, tally) = ((long)run.Clients * (run.Changes + run.Burst), heard.Tally);
        Console.WriteLine(
            $"delivered {tally.Events:#,0} of {expected:#,0}; out of order or twice {tally.Disorder}, resets {tally.Resets}, streams "
            + $"ended {tally.Ended}");
        await Revoke(network, crowd, Math.Min(100, run.People));
        return tally.Events == expected && tally.Disorder == 0 && open == run.Clients ? 0 : 1;
    }

    /// <summary>Processes for so many streams.</summary>
    public static int NodesFor(int clients) => (clients + Network.MostPerNode - 1) / Network.MostPerNode;

    /// <summary>Has everybody connect, with a person asking for the menu meanwhile, and says what that took.</summary>
    private static async Task<int> Connect(Network network, CrowdProcesses crowd, IReadOnlyList<string> tokens)
    {
        await using var database = new NpgsqlConnection(network.Admin);
        using var probe = new MenuProbe(network.Nodes, tokens);
        await probe.Run(TimeSpan.FromSeconds(3));
        await Task.Delay(11_000);
        var read = await database.QuerySingleAsync<Read>(ReadSql);
        var (memory, cpu, postgres, clock) =
            (network.Nodes.Select(n => n.ResidentBytes).ToList(), network.CpuSeconds, network.PostgresCpuSeconds, Stopwatch.StartNew());
        var connecting = crowd.Connect(60 + tokens.Count / 200);
        var menus = await probe.Run(connecting);
        var (open, refusals) = await connecting;
        var seconds = clock.Elapsed.TotalSeconds;
        Console.WriteLine(
            $"connected {open} from {crowd.Count} processes in {seconds:0.0} s ({open / seconds:0} a second); CPU per connection: "
            + $"servers {(network.CpuSeconds - cpu) * 1e6 / open:0} µs, PostgreSQL "
            + $"{(network.PostgresCpuSeconds - postgres) * 1e6 / open:0} µs {refusals}");
        Console.WriteLine(
            $"meanwhile GET /api/me/menu {menus.Count} times, ms: p50 {menus.At(.5):0.0}  p99 {menus.At(.99):0.0}  max {menus.Max:0.0}");
        await Task.Delay(5000);
        Console.WriteLine($"server memory per connection after 5 s: {PerConnection()}");
        await Task.Delay(25_000);
        Console.WriteLine($"server memory per connection after 30 s: {PerConnection()}");
        var after = await database.QuerySingleAsync<Read>(ReadSql);
        Console.WriteLine(
            $"PostgreSQL meanwhile, the menus included: {after.Transactions - read.Transactions} transactions, {after.Rows - read.Rows} "
            + $"rows read");
        return open;

        string PerConnection() => string.Join(
            ", ",
            network.Nodes.Select(
            (n, i) =>
            ((n.ResidentBytes - memory[i]) / 1024.0 / open * network.Nodes.Count).ToString("0.0", CultureInfo.InvariantCulture))) + " KB";
    }

    private static async Task<Heard> Changes(Network network, CrowdProcesses crowd, LiveRun run)
    {
        var (clients, changes) = (run.Clients, run.Changes);
        await using var database = new NpgsqlConnection(network.Admin);
        await database.OpenAsync();
        var before = await crowd.Hear(0, 0);
        var (heard, each) = (before, new List<Latencies>());
        var (cpu, postgres) = (network.CpuSeconds, network.PostgresCpuSeconds);
        for (var number = 1; number <= changes; number++)
        {
            heard = await crowd.Hear(await Commit(database, RenameSql, number), 1);
            each.Add(heard.Latencies);
            await Task.Delay(200);
        }
        (cpu, postgres) = (network.CpuSeconds - cpu, network.PostgresCpuSeconds - postgres);
        Console.WriteLine(
            $"COMMIT to client, ms, median of {changes} changes (worst): p50 {Spread(l => l.At(.5))}  p95 {Spread(l => l.At(.95))}  p99 "
            + $"{Spread(l => l.At(.99))}  max {Spread(l => l.Max)}");
        var events = (double)clients * changes;
        Console.WriteLine(
            $"server CPU {cpu * 1000 / changes:0.0} ms a change, {cpu * 1e6 / events:0.00} µs an event; PostgreSQL "
            + $"{postgres * 1000 / changes:0.0} ms a change; bytes an event {(heard.Tally.Bytes - before.Tally.Bytes) / events:0}");
        return heard;

        string Spread(Func<Latencies, double> figure) =>
            each.Select(figure).Order().ToList() is var sorted
                ? string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Count / 2]:0.0} ({sorted[^1]:0.0})") : "";
    }

    private static async Task<Heard> Burst(Network network, CrowdProcesses crowd, LiveRun run, Heard before)
    {
        var (clients, rows) = (run.Clients, run.Burst);
        await using var database = new NpgsqlConnection(network.Admin);
        await database.OpenAsync();
        var (cpu, postgres) = (network.CpuSeconds, network.PostgresCpuSeconds);
        var heard = await crowd.Hear(await Commit(database, BurstSql, 1), rows, 120);
        (cpu, postgres) = (network.CpuSeconds - cpu, network.PostgresCpuSeconds - postgres);
        var (events, frames, bytes) =
            (heard.Tally.Events - before.Tally.Events, heard.Tally.Frames - before.Tally.Frames, heard.Tally.Bytes - before.Tally.Bytes);
        Console.WriteLine(
            $"one transaction of {rows} rows: COMMIT to the last client's last row {heard.Latencies.Max:0} ms (p50 of all rows "
            + $"{heard.Latencies.At(.5):0}); per client {events / (double)clients:0.0} events in {frames / (double)clients:0.0} frames "
            + $"(heartbeats among them), {bytes / (double)clients:0} bytes");
        Console.WriteLine($"server CPU {cpu * 1000:0} ms, {cpu * 1e6 / events:0.00} µs an event; PostgreSQL {postgres * 1000:0} ms");
        return heard;
    }

    /// <summary>Ends the sessions of some people, as a new password does, and says how long their streams outlived that.</summary>
    private static async Task Revoke(Network network, CrowdProcesses crowd, int people)
    {
        var before = (await crowd.Hear(0, 0)).Tally.Ended;
        await using var database = new NpgsqlConnection(network.Admin);
        await database.ExecuteAsync(RevokeSql, new { people });
        var clock = Stopwatch.StartNew();
        while ((await crowd.Hear(0, 0)).Tally.Ended < before + people && clock.Elapsed.TotalSeconds < 20)
        {
            await Task.Delay(5);
        }
        Console.WriteLine(
            $"sessions of {people} people revoked: from the commit to the end of the last stream {clock.ElapsedMilliseconds} ms");
    }

    /// <summary>Changes rows in a transaction of its own. The moment before COMMIT was sent.</summary>
    public static async Task<long> Commit(NpgsqlConnection database, string sql, int number)
    {
        await using var transaction = await database.BeginTransactionAsync();
        await database.ExecuteAsync(sql, new { number }, transaction);
        var committed = Stopwatch.GetTimestamp();
        await transaction.CommitAsync();
        return committed;
    }
}
