using System.Diagnostics;
using System.Globalization;
using System.Net;
using Sankore.Bench.Crowds;

namespace Sankore.Bench;

/// <summary>
/// <c>bench crowd</c>, started by the bench itself: a share of the clients in a process of its own, told what to do by lines on standard
/// input,
/// <c>connect SECONDS</c>, <c>hear EVENTS SINCE SECONDS</c>, <c>leave COUNT</c>, <c>bring COUNT</c>, <c>stall COUNT</c>, <c>forget</c> and
/// <c>missed LOG</c>, and answering each with a line.
/// </summary>
internal static class CrowdCommand
{
    /// <summary>Runs until standard input ends. <paramref name="args"/>: as <see cref="CrowdProcesses"/> gives them.</summary>
    public static async Task<int> Run(string[] args)
    {
        var history = new CrowdHistory();
        var options = new CrowdOptions
        {
            Servers = [.. args[0].Split(',').Select(IPEndPoint.Parse)],
            From = IPAddress.Parse(args[1]),
            Path = args[2],
            SignalR = args[3] == "signalr",
            ByCounter = args[3] is not ("live" or "kept"),
            Concurrency = int.Parse(args[4], CultureInfo.InvariantCulture),
            Rate = int.Parse(args[5], CultureInfo.InvariantCulture),
            Return = TimeSpan.FromSeconds(1),
            ReceiveBuffer = int.Parse(args[6], CultureInfo.InvariantCulture),
            Seen = args[3] == "kept" ? history.Seen : null,
        };
        using var crowd = new Crowd(options, File.ReadLines(args[7]));
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            Console.WriteLine(words[0] switch
            {
                "connect" => await Connect(crowd, Seconds(words[1])),
                "hear" => await Hear(
                    crowd, long.Parse(words[1], CultureInfo.InvariantCulture), long.Parse(words[2], CultureInfo.InvariantCulture),
                    Seconds(words[3])),
                "leave" => Each(crowd, words[1], crowd.Leave),
                "bring" => Each(crowd, words[1], crowd.Bring),
                "stall" => Each(crowd, words[1], crowd.Stall),
                "forget" => Forget(history),
                "missed" => Missed(crowd, history, words[1]),
                _ => throw new ArgumentException(line),
            });
        }
        return 0;
    }

    private static string Each(Crowd crowd, string count, Action<CrowdClient> what)
    {
        foreach (var client in crowd.Clients.Take(int.Parse(count, CultureInfo.InvariantCulture)))
        {
            what(client);
        }
        return "";
    }

    private static string Forget(CrowdHistory history)
    {
        history.Forget();
        return "";
    }

    /// <summary>
    /// How many streams are open, and of how many clients something is missing that the log holds, or came twice or out of order.
    /// </summary>
    private static string Missed(Crowd crowd, CrowdHistory history, string file)
    {
        List<Told> log = [
            .. File.ReadLines(file).Select(l => l.Split(' '))
            .Select(
            w =>
            new Told(long.Parse(w[0], CultureInfo.InvariantCulture), Guid.Parse(w[1]), long.Parse(w[2], CultureInfo.InvariantCulture)))];
        return Words(
            crowd.Open, crowd.Clients.Count(c => history.Missed(c, log).Count > 0),
            crowd.Clients.Count(c => history.Disorder(c).Count > 0));
    }

    private static async Task<string> Connect(Crowd crowd, TimeSpan limit)
    {
        await crowd.Connect(limit);
        return Words(crowd.Open, crowd.Tally.Refused, crowd.LastRefusal);
    }

    /// <summary>Waits for so many changes in all, and says what came and how long after <paramref name="since"/>.</summary>
    private static async Task<string> Hear(Crowd crowd, long events, long since, TimeSpan limit)
    {
        await crowd.Hears(events, limit);
        var latencies = new Latencies();
        foreach (var (at, count) in await crowd.Arrivals())
        {
            latencies.Add(Stopwatch.GetElapsedTime(since, at).TotalMilliseconds, count);
        }
        var tally = crowd.Tally;
        return Words(tally.Events, tally.Bytes, tally.Frames, tally.Disorder, tally.Resets, tally.Ended, tally.Refused) + " " + latencies;
    }

    private static string Words(params long[] numbers) => string.Join(' ', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));

    private static TimeSpan Seconds(string word) => TimeSpan.FromSeconds(int.Parse(word, CultureInfo.InvariantCulture));
}
