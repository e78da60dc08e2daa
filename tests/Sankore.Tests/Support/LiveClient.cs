using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>An event as a client got it.</summary>
public sealed record LiveEvent(long Id, string Type, JsonElement Data)
{
    public string Op => Data.GetProperty("op").GetString()!;
    public string Table => Data.GetProperty("table").GetString()!;

    /// <summary>Which row changed; empty: some of the table.</summary>
    public Guid RowId => Guid.TryParse(Data.GetProperty("id").GetString(), out var id) ? id : Guid.Empty;
    public JsonElement Row => Data.GetProperty("row");
}

/// <summary>An open <c>GET /live</c>, collecting what comes.</summary>
public sealed class LiveClient : IAsyncDisposable
{
    private readonly HttpClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<LiveEvent> _events = [];
    private Task _reading = Task.CompletedTask;

    private LiveClient(HttpClient client) => _client = client;

    /// <summary>What has come so far.</summary>
    public IReadOnlyList<LiveEvent> Events { get { lock (_events) { return [.. _events]; } } }

    /// <summary>Completes when the stream is over.</summary>
    public Task Ended => _reading;

    /// <summary>Opens a stream; it is the server's from the moment that this returns.</summary>
    /// <param name="address">The node.</param>
    /// <param name="token">Whose bearer token.</param>
    /// <param name="since">After which position; null: from now.</param>
    /// <param name="lastEventId">The position as a browser that returns says it.</param>
    public static async Task<LiveClient> Open(Uri address, string token, long? since = null, long? lastEventId = null)
    {
        var stream = new LiveClient(new HttpClient { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan });
        var request = new HttpRequestMessage(HttpMethod.Get, since is null ? "/live" : $"/live?since={since}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId.Value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        var answer = await stream._client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stream._stop.Token);
        answer.EnsureSuccessStatusCode();
        stream._reading = stream.Read(await answer.Content.ReadAsStreamAsync(stream._stop.Token));
        return stream;
    }

    /// <summary>Waits for the first event that fits.</summary>
    public async Task<LiveEvent> Next(Func<LiveEvent, bool> fits, string what)
    {
        await Waiting.Until(() => Events.Any(fits), what);
        return Events.First(fits);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task Read(Stream body)
    {
        try
        {
            await foreach (var item in SseParser.Create(body).EnumerateAsync(_stop.Token))
            {
                lock (_events)
                {
                    _events.Add(new LiveEvent(
                        long.Parse(item.EventId ?? "0", System.Globalization.CultureInfo.InvariantCulture), item.EventType,
                        JsonElement.Parse(item.Data)));
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
        {
            // The end.
        }
    }
}
