using System.Diagnostics;
using System.Net.Http.Headers;

namespace Sankore.Bench;

/// <summary>Requests to a server, one after the other, and how long they took.</summary>
internal static class Requests
{
    /// <summary>A client signed in as a demo account.</summary>
    public static async Task<HttpClient> Client(ServerProcess server, string email)
    {
        var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await server.Token(email));
        return client;
    }

    /// <summary>Makes a request so often, after a first one that does not count, and says how long it took.</summary>
    public static async Task Measure(string what, int times, Func<int, Task> request)
    {
        await request(0);
        var samples = new List<double>();
        for (var i = 1; i <= times; i++)
        {
            var clock = Stopwatch.StartNew();
            await request(i);
            samples.Add(clock.Elapsed.TotalMilliseconds);
        }
        samples.Sort();
        Console.WriteLine(
            $"{what}: p50 {samples[times / 2]:0.0}  p95 {samples[times * 95 / 100]:0.0}  p99 {samples[times * 99 / 100]:0.0} ms");
    }
}
