using System.Diagnostics;
using System.Net.Http.Headers;

namespace Sankore.Bench;

/// <summary>Somebody who asks for the menu twenty times a second, at one node after the other, while something else is going on.</summary>
internal sealed class MenuProbe(IReadOnlyList<ServerProcess> nodes, IReadOnlyList<string> tokens) : IDisposable
{
    private const int People = 60;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _client = new();
    private int _asked;

    /// <summary>Asks for a while.</summary>
    public Task<Latencies> Run(TimeSpan time) => Run(Task.Delay(time));

    /// <summary>Asks as long as something takes; an answer that is late delays no other question.</summary>
    public async Task<Latencies> Run(Task meanwhile)
    {
        var asked = new List<Task<double>>();
        while (!meanwhile.IsCompleted)
        {
            asked.Add(Ask(_asked++));
            await Task.Delay(Every);
        }
        var latencies = new Latencies();
        foreach (var milliseconds in await Task.WhenAll(asked))
        {
            latencies.Add(milliseconds, 1);
        }
        return latencies;
    }

    public void Dispose() => _client.Dispose();

    private async Task<double> Ask(int number)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(nodes[number % nodes.Count].Address, "/api/me/menu"));
        // Spread over everybody: most of them have not been seen by the node yet.
        request.Headers.Authorization =
            new AuthenticationHeaderValue("Bearer", tokens[(int)((long)number * tokens.Count / People % tokens.Count)]);
        var clock = Stopwatch.StartNew();
        using var answer = await _client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync();
        return clock.Elapsed.TotalMilliseconds;
    }
}
