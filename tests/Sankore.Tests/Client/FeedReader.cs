using Sankore.Client;
using Fed = Sankore.Client.LiveEvent;

namespace Sankore.Tests.Client;

/// <summary>Somebody who reads a feed and writes down what comes.</summary>
internal sealed class FeedReader : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Fed> _events = [];
    private readonly List<LiveState> _states = [];

    private FeedReader(Uri address) => _http = new HttpClient { BaseAddress = address };

    public IReadOnlyList<Fed> Events { get { lock (_lock) { return [.. _events]; } } }
    public IReadOnlyList<RowChanged> Changes => [.. Events.OfType<RowChanged>()];
    public IReadOnlyList<long> Positions => [.. Events.Select(e => e.Position)];
    public IReadOnlyList<LiveState> States { get { lock (_lock) { return [.. _states]; } } }
    public IReadOnlyList<Disconnected> Losses => [.. States.OfType<Disconnected>()];

    /// <summary>Completes, with what ended it, when no more is read.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to read. Pauses are short unless a clock is given, which has to be moved.</summary>
    public static FeedReader Of(Uri address, TokenSource? token = null, ICursorStore? cursor = null, TimeProvider? time = null)
    {
        var reader = new FeedReader(address);
        var feed = new LiveFeed(reader._http, new LiveFeedOptions
        {
            Token = token,
            Cursor = cursor ?? new MemoryCursorStore(),
            Time = time ?? TimeProvider.System,
            MinBackoff = time is null ? TimeSpan.FromMilliseconds(10) : TimeSpan.FromSeconds(1),
            OnState = state => { lock (reader._lock) { reader._states.Add(state); } },
        });
        reader.Ended = reader.Read(feed);
        return reader;
    }

    /// <summary>A reader of the real server, signed in, who has been told to read everything: what happens from now on comes.</summary>
    public static async Task<FeedReader> In(World world, string email, ICursorStore? cursor = null)
    {
        var token = await world.Token(email);
        var reader = Of(world.Address, (_, _) => new(token), cursor);
        await Waiting.Until(() => reader.States.Count > 0 && (cursor is not null || reader.Events.Count > 0), "the feed begins");
        return reader;
    }

    /// <summary>Waits for so many events.</summary>
    public Task Gets(int count) =>
        Waiting.Until(() => Ended.IsFaulted ? throw Ended.Exception!.InnerException! : Events.Count >= count, $"{count} events have come");

    /// <summary>Waits for a module's name.</summary>
    public Task Hears(string name) => Waiting.Until(() => NamesOf().Contains(name), $"the feed tells of {name}", seconds: 60);

    /// <summary>Waits until the connection was lost so many times.</summary>
    public Task Loses(int count) => Waiting.Until(() => Losses.Count >= count, $"the connection is lost {count} times");

    /// <summary>The names that came, in order.</summary>
    public IReadOnlyList<string> NamesOf() =>
        [.. Changes.Where(c => c.Table == "tenancy.modules" && c.Row is not null).Select(c => c.Row!.Value.Text("name"))];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended.ContinueWith(_ => { }, TaskScheduler.Default);
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task Read(LiveFeed feed)
    {
        await foreach (var next in feed.Read(_stop.Token))
        {
            lock (_lock)
            {
                _events.Add(next);
            }
        }
    }
}
