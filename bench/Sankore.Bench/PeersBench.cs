using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Sankore.Bench.Crowds;

namespace Sankore.Bench;

/// <summary>
/// The same event to the same clients by other means: a loop of <c>send()</c> in C, nginx with nchan, SignalR, and this program.
/// </summary>
internal static class PeersBench
{
    // Four crowds of this size fit into the machine together.
    private const int MostTogether = 20_000;

    /// <summary>Runs and prints one table; 1 when an event of this program was lost or out of order.</summary>
    /// <param name="sizes">How many clients, one after the other.</param>
    /// <param name="broadcasts">Events for each.</param>
    /// <param name="bytes">An event's size; 0: as large as this program's own was.</param>
    public static async Task<int> Run(int[] sizes, int broadcasts, int bytes)
    {
        Console.WriteLine(
            $"peers: {broadcasts} broadcasts each, {Environment.ProcessorCount} cores, clients beside the servers; ms from the moment it "
            + $"is asked for, median of the broadcasts (worst)");
        Console.WriteLine(
            "| clients | server, processes | p50 | p99 | max | CPU ms a broadcast | µs an event | KB a connection | connected in s | "
            + "bytes an event | lost, disorder |");
        Console.WriteLine("| --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
        var bad = 0L;
        foreach (var clients in sizes)
        {
            // This program first: the others send events of its size.
            Func<int, Task<Peer>>[] all = [SankorePeer.Start, LinePeer.Raw, NchanPeer.Start, LinePeer.SignalR];
            foreach (var together in all.Chunk(clients <= MostTogether ? all.Length : 1))
            {
                var (worst, size) = await Together(together, clients, broadcasts, bytes);
                (bad, bytes) = (bad + worst, size);
            }
        }
        return bad == 0 ? 0 : 1;
    }

    /// <summary>
    /// Has servers take turns, so that other work on the machine meets all of them. Events that this program lost, and an event's size.
    /// </summary>
    private static async Task<(long Bad, int Bytes)> Together(
        IEnumerable<Func<int, Task<Peer>>> starts, int clients, int broadcasts, int bytes)
    {
        var runs = new List<PeerRun>();
        try
        {
            foreach (var start in starts)
            {
                try
                {
                    var run = new PeerRun(await start(clients), clients);
                    runs.Add(run);
                    bytes = await run.Prepare(bytes);
                }
                catch (Exception e) when (e is Win32Exception or IOException or SocketException)
                {
                    Console.WriteLine(
                        $"| {clients} | {start.Method.DeclaringType!.Name}.{start.Method.Name} | could not be started: {e.Message} |");
                }
            }
            for (var i = 0; i < broadcasts; i++)
            {
                foreach (var run in runs)
                {
                    await run.Broadcast(bytes);
                }
            }
            runs.ForEach(r => Console.WriteLine(r.Line()));
            return (runs.Where(r => r.IsOurs).Sum(r => r.Bad), bytes);
        }
        finally
        {
            foreach (var run in runs)
            {
                await run.DisposeAsync();
            }
        }
    }

    /// <summary>A row of data that makes a server-sent event of so many bytes.</summary>
    private static string Data(int number, int bytes)
    {
        var data = string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"table\":\"tenancy.modules\",\"op\":\"UPDATE\",\"id\":\"019aa000-0000-7000-8000-000000000000\","
            + $"\"row\":{{\"name\":\"Inscriptions #{number}\",\"description\":\"");
        const string end = "\"}}";
        return data + new string('x', Math.Max(0, bytes - data.Length - end.Length - "data: \n\n".Length)) + end;
    }

    /// <summary>One server with its clients, and what was measured of it.</summary>
    private sealed class PeerRun(Peer peer, int clients) : IAsyncDisposable
    {
        private const int WarmUps = 5;

        private readonly List<Latencies> _each = [];
        private CrowdProcesses? _crowd;
        private string _connecting = "";
        private double _cpu, _database;
        private CrowdTally? _before, _last;
        private int _number;

        public bool IsOurs => peer is SankorePeer;

        /// <summary>Events that were lost or out of order.</summary>
        public long Bad => (long)clients * _each.Count - Events + _last!.Disorder;

        private long Events => _last!.Events - _before!.Events;

        private int Bytes => (int)Math.Round((_last!.Bytes - _before!.Bytes) / (double)Math.Max(Events, 1));

        /// <summary>Connects everybody and warms the server up. An event's size: <paramref name="bytes"/>, or what came.</summary>
        public async Task<int> Prepare(int bytes)
        {
            _crowd = CrowdProcesses.Start(peer.Addresses, peer.Stream, await peer.Tokens(clients));
            var memory = peer.Processes.Sum(Proc.Resident);
            var clock = Stopwatch.StartNew();
            var (open, refusals) = await _crowd.Connect(180);
            var seconds = clock.Elapsed.TotalSeconds;
            await Task.Delay(3000);
            memory = peer.Processes.Sum(Proc.Resident) - memory;
            _connecting = string.Create(
                CultureInfo.InvariantCulture,
                $"{memory / 1024.0 / Math.Max(open, 1):0.0} | {seconds:0.0}{(refusals.Length > 0 ? $" ({refusals})" : "")}");
            _before = (await _crowd.Hear(0, 0)).Tally;
            for (var i = 0; i < WarmUps; i++)
            {
                await Broadcast(bytes);
            }
            var size = bytes > 0 ? bytes : Bytes;
            (_before, _cpu, _database) = (_last, 0, 0);
            _each.Clear();
            return size;
        }

        /// <summary>Has everybody told once, and waits until they have been.</summary>
        public async Task Broadcast(int bytes)
        {
            var (cpu, database) = (peer.Processes.Sum(Proc.Cpu), peer.DatabaseCpuSeconds);
            var heard = await _crowd!.Hear(await peer.Broadcast(++_number, Data(_number, bytes)), 1);
            await Task.Delay(100);
            _cpu += peer.Processes.Sum(Proc.Cpu) - cpu;
            _database += peer.DatabaseCpuSeconds - database;
            _each.Add(heard.Latencies);
            _last = heard.Tally;
        }

        public string Line() => string.Create(CultureInfo.InvariantCulture,
            $"| {clients} | {peer.Name}, {peer.Processes.Count} | {Spread(l => l.At(.5))} | {Spread(l => l.At(.99))} | "
            + $"{Spread(l => l.Max)} | "
            + $"{_cpu * 1000 / _each.Count:0}{(_database > 0 ? $" + {_database * 1000 / _each.Count:0} PostgreSQL" : "")} | "
            + $"{_cpu * 1e6 / Math.Max(Events, 1):0.00} | {_connecting} | {Bytes} | {(long)clients * _each.Count - Events}, "
            + $"{_last!.Disorder} |");

        public async ValueTask DisposeAsync()
        {
            if (_crowd is not null)
            {
                await _crowd.DisposeAsync();
            }
            await peer.DisposeAsync();
        }

        private string Spread(Func<Latencies, double> figure) =>
            _each.Select(figure).Order().ToList() is var sorted
                ? string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Count / 2]:0.0} ({sorted[^1]:0.0})") : "";
    }
}
