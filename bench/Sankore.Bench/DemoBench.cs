using System.Diagnostics;
using Sankore.Demo;
using Sankore.Platform.Data;

namespace Sankore.Bench;

/// <summary>Loads the full demo network into an empty cluster.</summary>
internal static class DemoBench
{
    public static async Task<int> Run()
    {
        var root = Path.Combine(Path.GetTempPath(), $"sankore-bench-{Environment.ProcessId}");
        await using (var postgres = await EmbeddedPostgres.Start(root, throwaway: false, _ => { }, CancellationToken.None))
        {
            await SankoreApp.PrepareDatabase(postgres.ConnectionString, _ => { }, CancellationToken.None);
            var clock = Stopwatch.StartNew();
            await DemoNetwork.Load(postgres.ConnectionString, "full", elsewhere: false, (_, _) => { }, CancellationToken.None);
            Console.WriteLine($"demo full (500 groups, 7,000 schools, 100,000 people): {clock.Elapsed.TotalSeconds:0.0} s");
        }
        Directory.Delete(root, recursive: true);
        return 0;
    }
}
