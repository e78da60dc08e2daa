using System.Globalization;
using Sankore.Bench;

// dotnet run -c Release --project bench/Sankore.Bench -- live --clients 10000 --changes 30
// dotnet run -c Release --project bench/Sankore.Bench -- live --clients 100000 --changes 10 --people 600
// dotnet run -c Release --project bench/Sankore.Bench -- demo
// dotnet run -c Release --project bench/Sankore.Bench -- entitlement
return args switch
{
    ["live", .. var rest] => await LiveBench.Run(Number(rest, "--clients", 10_000), Number(rest, "--changes", 30), Number(rest, "--nodes", 0), Number(rest, "--burst", 0), Number(rest, "--people", 0)),
    ["demo", ..] => await DemoBench.Run(),
    ["entitlement", ..] => await EntitlementBench.Run(),
    ["crowd", .. var rest] => await CrowdCommand.Run(rest),
    _ => Usage(),
};

static int Number(string[] args, string name, int otherwise) =>
    Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? int.Parse(args[i + 1], CultureInfo.InvariantCulture) : otherwise;

static int Usage()
{
    Console.Error.WriteLine("""
        bench live [--clients N] [--changes M] [--nodes K] [--burst ROWS] [--people P]
        bench demo | bench entitlement
        """);
    return 2;
}
