using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Npgsql;

namespace Sankore.Bench;

/// <summary>One change to N connected clients: COMMIT to each client, nothing lost, and what it costs the server.</summary>
internal static class LiveBench
{
    public static async Task<int> Run(int clients, int changes)
    {
        Console.WriteLine($"live: {clients} SSE clients, {changes} changes, {Environment.ProcessorCount} cores, clients beside the server");
        await using var server = await ServerProcess.Start(5481);
        var tokens = new List<string>();
        for (var i = 1; i <= 60; i++)
        {
            tokens.Add(await server.Token($"head.s{i:0000}@sankore.test"));
        }
        var before = server.ResidentBytes;
        using var pool = new SseClients(new IPEndPoint(IPAddress.Loopback, server.Address.Port), tokens);
        var clock = Stopwatch.StartNew();
        var cpu = server.CpuSeconds;
        await pool.Connect(clients);
        Console.WriteLine($"connected {pool.Open} in {clock.Elapsed.TotalSeconds:0.0} s, server CPU {(server.CpuSeconds - cpu) * 1000:0} ms");
        await Task.Delay(2000);
        var perConnection = (server.ResidentBytes - before) / (double)clients;

        var samples = new ConcurrentBag<double>();
        var lasts = new List<double>();
        long committed = 0;
        pool.OnEvent = at => samples.Add(Stopwatch.GetElapsedTime(committed, at).TotalMilliseconds);
        await using var connection = new NpgsqlConnection(server.AdminConnection);
        await connection.OpenAsync();
        var bytes = pool.Bytes;
        cpu = server.CpuSeconds;
        for (var change = 1; change <= changes; change++)
        {
            var expected = pool.Events + clients;
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var update = new NpgsqlCommand($"update tenancy.modules set name = 'Inscriptions {change}' where code = 'gestion-inscriptions'", connection, transaction))
            {
                await update.ExecuteNonQueryAsync();
            }
            committed = Stopwatch.GetTimestamp();
            await transaction.CommitAsync();
            var limit = Stopwatch.StartNew();
            while (pool.Events < expected && limit.Elapsed.TotalSeconds < 20)
            {
                await Task.Delay(5);
            }
            lasts.Add(samples.IsEmpty ? double.NaN : samples.Max());
            await Task.Delay(200);
        }
        cpu = server.CpuSeconds - cpu;
        var sorted = samples.Order().ToArray();
        var events = (double)clients * changes;
        Console.WriteLine($"delivered {pool.Events} of {events:0}, out of order or twice {pool.Disorder}");
        Console.WriteLine($"COMMIT to client, ms: p50 {At(sorted, .5):0.0}  p95 {At(sorted, .95):0.0}  p99 {At(sorted, .99):0.0}  max {sorted[^1]:0.0}");
        Console.WriteLine($"server CPU {cpu * 1000 / changes:0.0} ms a change, {cpu * 1e6 / events:0.00} µs an event");
        Console.WriteLine($"bytes an event {(pool.Bytes - bytes) / events:0}; server memory per connection {perConnection / 1024:0.0} KB (resident {server.ResidentBytes / 1048576} MB)");
        return pool.Events == events && pool.Disorder == 0 ? 0 : 1;
    }

    private static double At(double[] sorted, double quantile) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))];
}
