using Sankore.Bench;

// dotnet run -c Release --project bench/Sankore.Bench -- live --clients 10000 --changes 20
// dotnet run -c Release --project bench/Sankore.Bench -- demo
// dotnet run -c Release --project bench/Sankore.Bench -- entitlement
return args switch
{
    ["live", .. var rest] => await LiveBench.Run(Number(rest, "--clients", 10_000), Number(rest, "--changes", 20)),
    ["demo", ..] => await DemoBench.Run(),
    ["entitlement", ..] => await EntitlementBench.Run(),
    _ => Usage(),
};

static int Number(string[] args, string name, int otherwise) =>
    Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? int.Parse(args[i + 1], System.Globalization.CultureInfo.InvariantCulture) : otherwise;

static int Usage()
{
    Console.Error.WriteLine("bench live [--clients N] [--changes N] | bench demo | bench entitlement");
    return 2;
}
