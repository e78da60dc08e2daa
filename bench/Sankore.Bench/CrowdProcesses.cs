using System.Diagnostics;
using System.Globalization;
using System.Net;
using Sankore.Bench.Crowds;

namespace Sankore.Bench;

/// <summary>What all clients heard of one change.</summary>
/// <param name="Tally">What was heard since the beginning.</param>
/// <param name="Latencies">Of the changes that came since the last time.</param>
internal sealed record Heard(CrowdTally Tally, Latencies Latencies);

/// <summary>The clients, in as many processes as their sockets need, each with a source address of its own.</summary>
internal sealed class CrowdProcesses : IAsyncDisposable
{
    private const int MostPerProcess = 18_000;
    private const int Concurrency = 128;

    private readonly List<(Process Process, int Clients)> _processes = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-crowd-").FullName;
    private long[] _heard = [];

    /// <summary>Processes that hold the clients.</summary>
    public int Count => _processes.Count;

    /// <summary>Starts processes for the clients; none connects yet.</summary>
    /// <param name="servers">The nodes, which the clients are shared out over.</param>
    /// <param name="stream">Where the stream is, and of what kind. <c>live</c>: events in order of their ids; <c>kept</c>: the same, and
    /// each client's are remembered; <c>sse</c>: in order of the number in their data; <c>signalr</c>: the same, over WebSocket.</param>
    /// <param name="tokens">A bearer token for each client, or an empty word.</param>
    /// <param name="rate">Connections begun in a second at most, over all processes; 0: as fast as they are answered.</param>
    /// <param name="receiveBuffer">The sockets' in bytes; 0: the system's.</param>
    public static CrowdProcesses Start(
        IReadOnlyList<IPEndPoint> servers, (string Path, string Kind) stream, IReadOnlyList<string> tokens, int rate = 0,
        int receiveBuffer = 0)
    {
        var crowd = new CrowdProcesses();
        Leftovers.Add(crowd);
        var count = (tokens.Count + MostPerProcess - 1) / MostPerProcess;
        foreach (var share in tokens.Chunk((tokens.Count + count - 1) / count))
        {
            var number = crowd._processes.Count;
            var file = Path.Combine(crowd._folder, $"tokens-{number}");
            File.WriteAllLines(file, share);
            // Each process begins with another node, so that the nodes' shares are even.
            var nodes = servers.Skip(number % servers.Count).Concat(servers.Take(number % servers.Count));
            string[] arguments =
                [Environment.GetCommandLineArgs()[0], "crowd", string.Join(',', nodes), $"127.0.0.{number + 2}", stream.Path, stream.Kind,
                Word(Math.Max(1, Concurrency / count)), Word(rate > 0 ? Math.Max(10, rate / count) : int.MaxValue), Word(receiveBuffer),
                file];
            var process =
                Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
            crowd._processes.Add((process, share.Length));
        }
        crowd._heard = new long[crowd._processes.Count];
        return crowd;
    }

    /// <summary>Has everybody connect.</summary>
    /// <returns>How many streams are open, and a word about those that are not.</returns>
    public async Task<(int Open, string Refusals)> Connect(int seconds)
    {
        var answers = await Task.WhenAll(_processes.Select(p => Ask(p.Process, $"connect {seconds}")));
        var refused = answers.Where(a => a[1] != 0).Select(a => $"{a[1]} refused or failed, the last with {a[2]}");
        return ((int)answers.Sum(a => a[0]), string.Join("; ", refused));
    }

    /// <summary>Waits until every client has heard <paramref name="events"/> more changes, or so many seconds.</summary>
    /// <param name="since">The moment that the latencies run from (<see cref="Stopwatch.GetTimestamp"/>).</param>
    /// <param name="events">Changes told to each client.</param>
    /// <param name="seconds">How long to wait at most.</param>
    public async Task<Heard> Hear(long since, int events, int seconds = 20)
    {
        var answers = await Task.WhenAll(_processes.Select((p, i) =>
            Answer(
                p.Process, string.Create(CultureInfo.InvariantCulture, $"hear {_heard[i] + (long)p.Clients * events} {since} {seconds}"))));
        var latencies = new Latencies();
        var sums = new long[7];
        foreach (var (process, answer) in answers.Index())
        {
            var words = answer.Split(' ');
            for (var i = 0; i < sums.Length; i++)
            {
                sums[i] += long.Parse(words[i], CultureInfo.InvariantCulture);
            }
            _heard[process] = long.Parse(words[0], CultureInfo.InvariantCulture);
            latencies.Add(Latencies.Parse(words[7]));
        }
        return new Heard(new CrowdTally(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]), latencies);
    }

    /// <summary>Has some clients leave without a word; they stay away.</summary>
    public Task Leave(int clients) => Each("leave", clients);

    /// <summary>Has as many come back.</summary>
    public Task Bring(int clients) => Each("bring", clients);

    /// <summary>Has some clients read nothing until they are let go.</summary>
    public Task Stall(int clients) => Each("stall", clients);

    /// <summary>What clients were told before now is not asked for any more.</summary>
    public Task Forget() => Task.WhenAll(_processes.Select(p => Answer(p.Process, "forget")));

    /// <summary>
    /// How many streams are open, how many clients miss something of the log, and how many were told something twice or out of order.
    /// </summary>
    public async Task<(long Open, long Missing, long Disorder)> Missed(IEnumerable<Told> log)
    {
        var file = Path.Combine(_folder, "log");
        await File.WriteAllLinesAsync(file, log.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Id} {t.Row} {t.Counter}")));
        var answers = await Task.WhenAll(_processes.Select(p => Ask(p.Process, $"missed {file}")));
        return (answers.Sum(a => a[0]), answers.Sum(a => a[1]), answers.Sum(a => a[2]));
    }

    public ValueTask DisposeAsync() => Leftovers.Once(this, Stop);

    private async Task Stop()
    {
        foreach (var (process, _) in _processes)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The clients are the first ones of each process.</summary>
    private async Task Each(string what, int clients)
    {
        var each = (clients + _processes.Count - 1) / _processes.Count;
        await Task.WhenAll(_processes.Select((p, i) => Answer(p.Process, $"{what} {Math.Max(0, Math.Min(each, clients - each * i))}")));
    }

    private static async Task<long[]> Ask(Process process, string line) =>
        [.. (await Answer(process, line)).Split(' ').Select(w => long.Parse(w, CultureInfo.InvariantCulture))];

    private static string Word(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> Answer(Process process, string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync();
        return await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("a process of clients has ended");
    }
}
