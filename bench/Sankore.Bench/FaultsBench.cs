using System.Diagnostics;
using Sankore.Bench.Crowds;

namespace Sankore.Bench;

/// <summary>
/// What breaks in the middle of a burst, with a full house: FaultTests at any size. After each fault every client must have been told the
/// last state of each row that changed, or to read everything again; nothing twice or out of order.
/// </summary>
internal sealed class FaultsBench : IAsyncDisposable
{
    private const int Rows = 20;
    private const int Deaf = 50;

    /// <summary>More than is told one by one.</summary>
    private const int Many = 1_100;

    // As much as the kernel keeps for somebody who does not read, and more; told to nobody else.
    private const string MuchSql = $"""
        select live.publish('bench', 'UPDATE', gen_random_uuid()::text, jsonb_build_object('text', repeat('x', 50000)),
            array(select 'user:' || id from ({Network.PeopleSql}) p))
        from generate_series(1, 10)
        """;

    private readonly Network _network;
    private readonly CrowdProcesses _crowd;
    private readonly IReadOnlyList<string> _tokens;
    private readonly Burst _burst;
    private bool _allWhole = true;

    private FaultsBench(Network network, IReadOnlyList<string> tokens, int rate)
    {
        (_network, _tokens, _burst) = (network, tokens, new Burst(() => network.Admin + ";Pooling=false"));
        _crowd = CrowdProcesses.Start(network.Addresses, ("/live", "kept"), tokens, rate);
    }

    /// <summary>Runs and reports; 1 when something was lost, or told twice or out of order.</summary>
    public static async Task<int> Run(LiveRun run)
    {
        Console.WriteLine(
            $"faults: {run.Clients} clients, {run.People} people, {run.Nodes} nodes on one PostgreSQL, {Environment.ProcessorCount} "
            + $"cores, clients beside the servers");
        await using var network = await Network.Start(run.People, run.Nodes, Rows);
        await using var bench = new FaultsBench(network, await network.Tokens(run.Clients, run.People), run.Rate);
        await bench.Run();
        return bench._allWhole ? 0 : 1;
    }

    public ValueTask DisposeAsync() => _crowd.DisposeAsync();

    private async Task Run()
    {
        var (open, refusals) = await _crowd.Connect(60 + _tokens.Count / 200);
        Console.WriteLine($"connected {open} {refusals}");
        await Fault($"two of {_network.Nodes.Count} nodes killed", () => _burst.RenameDuring(async () =>
        {
            await _network.Nodes[0].KillAndRestart();
            await _network.Nodes[^1].KillAndRestart();
        }));
        await Fault("PostgreSQL crashed", () => _burst.RenameDuring(_network.CrashPostgres));
        await Fault("LISTEN connections cut", () => _burst.RenameDuring(() => _burst.CutListeners(_network.Nodes.Count)));
        await Fault("clock three days back, then forward", Jump);
        await Fault("a quarter away", () => Away(_tokens.Count / 4, () => Task.CompletedTask));
        await Fault(
            $"all but a twentieth away for {Many} new rows", () => Away(_tokens.Count - _tokens.Count / 20, () => _burst.InsertMore(Many)));
        await Fault($"{Deaf} more who read nothing", Stalled);
    }

    /// <summary>Has something happen, and waits until everybody is whole again.</summary>
    private async Task Fault(string name, Func<Task> happening)
    {
        await _crowd.Forget();
        var (before, since, clock) = ((await _crowd.Hear(0, 0)).Tally, await _burst.Position(), Stopwatch.StartNew());
        await happening();
        var took = clock.Elapsed;
        var log = await _burst.Log(since);
        clock.Restart();
        (long Open, long Missing, long Disorder) now;
        while (
            (now = await _crowd.Missed(log)) is var (open, missing, _) && (missing > 0 || open < _tokens.Count)
            && clock.Elapsed.TotalMinutes < 4)
        {
            await Task.Delay(500);
        }
        var after = (await _crowd.Hear(0, 0)).Tally;
        Console.WriteLine(
            $"{name}: {log.Count} changes in {took.TotalSeconds:0.0} s, everybody whole {clock.Elapsed.TotalSeconds:0.0} s later; events "
            + $"told {after.Events - before.Events:#,0}, streams ended {after.Ended - before.Ended}, "
            + $"attempts refused or failed {after.Refused - before.Refused}, resets {after.Resets - before.Resets}, clients that miss "
            + $"something {now.Missing}, that were told something twice or out of order {now.Disorder}, open {now.Open}");
        _allWhole &= now is (_, 0, 0) && now.Open == _tokens.Count;
    }

    private async Task Jump()
    {
        foreach (var jump in new[] { "- interval '3 days'", "+ interval '3 days'", "+ interval '0 days'" })
        {
            await _burst.MoveClock(jump);
            await _burst.RenameDuring(() => Task.CompletedTask);
        }
        await _burst.Execute("select live.keep_partitions()");
    }

    private async Task Away(int clients, Func<Task> meanwhile)
    {
        await _crowd.Leave(clients);
        await _burst.RenameDuring(meanwhile);
        await _burst.Rename();
        await _crowd.Bring(clients);
    }

    /// <summary>They let their buffers fill, and nothing is taken for half a minute: they are let go, and come back.</summary>
    private async Task Stalled()
    {
        await using var deaf = CrowdProcesses.Start(_network.Addresses, ("/live", "kept"), [.. _tokens.Take(Deaf)], receiveBuffer: 4096);
        await deaf.Connect(60);
        var since = await _burst.Position();
        await deaf.Stall(Deaf);
        await _burst.Execute(MuchSql, new { people = Deaf });
        var clock = Stopwatch.StartNew();
        while ((await deaf.Hear(0, 0)).Tally.Ended < Deaf && clock.Elapsed.TotalMinutes < 2)
        {
            await _burst.Rename();
            await Task.Delay(5000);
        }
        var (letGo, after) = ((await deaf.Hear(0, 0)).Tally.Ended, clock.Elapsed);
        var log = await _burst.Log(since);
        while (await deaf.Missed(log) is var (open, missing, _) && (open < Deaf || missing > 0) && clock.Elapsed.TotalMinutes < 4)
        {
            await Task.Delay(500);
        }
        var (_, missed, disorder) = await deaf.Missed(log);
        Console.WriteLine(
            $"  of the {Deaf} who read nothing {letGo} were let go within {after.TotalSeconds:0} s and came back; {missed} of them miss "
            + $"something, {disorder} were told something twice or out of order");
        _allWhole &= letGo == Deaf && missed == 0 && disorder == 0;
    }
}
