using System.Globalization;
using Sankore.Bench;

// dotnet run -c Release --project bench/Sankore.Bench -- live --clients 10000 --changes 30
// dotnet run -c Release --project bench/Sankore.Bench -- live --clients 100000 --changes 10 --people 600
// dotnet run -c Release --project bench/Sankore.Bench -- live --faults --clients 100000
// dotnet run -c Release --project bench/Sankore.Bench -- live --peers
// dotnet run -c Release --project bench/Sankore.Bench -- demo
// dotnet run -c Release --project bench/Sankore.Bench -- entitlement
// dotnet run -c Release --project bench/Sankore.Bench -- pages
// dotnet run -c Release --project bench/Sankore.Bench -- campaigns --messages 1000000 --rows 100000
// dotnet run -c Release --project bench/Sankore.Bench -- mail --mails 20000 --connections 8
// dotnet run -c Release --project bench/Sankore.Bench -- silence --times 400
using var stop = Leftovers.StopOnSignal();
try
{
    return await Run(args);
}
catch when (Leftovers.AreBeingStopped)
{
    // A run whose servers are taken away fails; the process ends when they are all gone.
    await Task.Delay(Timeout.Infinite);
    return 1;
}

static async Task<int> Run(string[] args) => args switch
{
    ["live", .. var rest] when rest.Contains("--peers") => await PeersBench.Run(
        Number(rest, "--clients", 0) is > 0 and var n ? [n] : [10_000, 19_000], Number(rest, "--changes", 20), Number(rest, "--bytes", 0)),
    ["live", .. var rest] when rest.Contains("--faults") => await FaultsBench.Run(Live(rest)),
    ["live", .. var rest] => await LiveBench.Run(Live(rest)),
    ["demo", ..] => await DemoBench.Run(),
    ["entitlement", ..] => await EntitlementBench.Run(),
    ["pages", ..] => await PagesBench.Run(),
    ["campaigns", .. var rest] => await CampaignsBench.Run(Number(rest, "--messages", 1_000_000), Number(rest, "--rows", 100_000)),
    ["mail", .. var rest] =>
    await MailBench.Run(new MailRun(Number(rest, "--mails", 20_000), Number(rest, "--connections", 8), Number(rest, "--bytes", 5_000))),
    ["silence", .. var rest] => await SilenceBench.Run(Number(rest, "--times", 400)),
    ["peer-signalr", var port] => await SignalRPeer.Run(port),
    ["crowd", .. var rest] => await CrowdCommand.Run(rest),
    _ => Usage(),
};

static LiveRun Live(string[] args)
{
    var clients = Number(args, "--clients", 10_000);
    return new LiveRun(
        clients, Number(args, "--people", clients), Number(args, "--nodes", LiveBench.NodesFor(clients)), Number(args, "--changes", 30),
        Number(args, "--burst", 0), Number(args, "--rate", 0));
}

static int Number(string[] args, string name, int otherwise) =>
    Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? int.Parse(args[i + 1], CultureInfo.InvariantCulture) : otherwise;

static int Usage()
{
    Console.Error.WriteLine("""
        bench live [--clients N] [--changes M] [--nodes K] [--burst ROWS] [--people P] [--rate PER_SECOND]
        bench live --faults [--clients N] [--nodes K] [--people P] [--rate PER_SECOND]
        bench live --peers [--clients N] [--changes M] [--bytes B]
        bench demo | bench entitlement | bench pages
        bench campaigns [--messages N] [--rows N]
        bench mail [--mails N] [--connections C] [--bytes B]
        bench silence [--times N]
        """);
    return 2;
}
