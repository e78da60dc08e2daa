using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace Sankore.Bench.Crowds;

/// <summary>How a crowd connects and what it does with what it hears.</summary>
public sealed record CrowdOptions
{
    /// <summary>The nodes. Client n begins with node n modulo their number, and goes to the next one after each end.</summary>
    public required IReadOnlyList<IPEndPoint> Servers { get; init; }

    /// <summary>Where the stream is.</summary>
    public string Path { get; init; } = "/live";

    /// <summary>The source address: each has about 28,000 ports towards one server.</summary>
    public IPAddress? From { get; init; }

    /// <summary>A hub of SignalR over WebSocket instead of server-sent events.</summary>
    public bool SignalR { get; init; }

    /// <summary>Order is told by the number in the data, not by the event's id (servers that have ids of their own, or none).</summary>
    public bool ByCounter { get; init; }

    /// <summary>Connections begun and not yet answered, at most.</summary>
    public int Concurrency { get; init; } = 128;

    /// <summary>Connections begun in a second, at most.</summary>
    public int Rate { get; init; } = int.MaxValue;

    /// <summary>The mean pause before a client whose stream has ended comes back, give or take a half.</summary>
    public TimeSpan Return { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The socket's receive buffer in bytes; 0: the system's. Small for a client that is to be slow.</summary>
    public int ReceiveBuffer { get; init; }

    /// <summary>Shown every change and reset, in the crowd's thread; null where counting is enough.</summary>
    public CrowdSeen? Seen { get; init; }
}

/// <summary>Is shown an event of a client.</summary>
public delegate void CrowdSeen(CrowdClient client, CrowdEvent heard);

/// <summary>What a crowd has heard so far, over all clients.</summary>
/// <param name="Events">Changes.</param>
/// <param name="Bytes">Bytes, the answers' heads included.</param>
/// <param name="Frames">Chunks of HTTP/1.1, or frames of WebSocket.</param>
/// <param name="Disorder">Changes whose id was not above the last one's: out of order, or twice.</param>
/// <param name="Resets">Events that say that everything must be read again.</param>
/// <param name="Ended">Streams that were open and ended.</param>
/// <param name="Refused">Answers that were no stream, and connections that failed.</param>
public sealed record CrowdTally(long Events, long Bytes, long Frames, long Disorder, long Resets, long Ended, long Refused);

/// <summary>
/// Many readers of a live feed in one thread: plain sockets and epoll, a few hundred bytes and no task per client, so that it can share the
/// cores with the server it measures. Clients whose stream ends come back to the next node with their last id.
/// </summary>
public sealed partial class Crowd : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CrowdOptions _options;
    private readonly CrowdClient[] _clients;
    private readonly Epoll _epoll = new();
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Action> _asked = new();
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly Queue<CrowdClient> _next = new();
    private readonly PriorityQueue<CrowdClient, long> _later = new();
    private readonly Queue<(CrowdClient Client, int Attempt, long Until)> _hoped = new();
    private List<(long At, int Events)> _arrivals = [];
    private (long Events, TaskCompletionSource Reached)? _awaited;
    private long _events, _bytes, _frames, _disorder, _resets, _ended, _refused;
    private double _allowed;
    private long _allowedAt = Environment.TickCount64;
    private int _open, _connecting;
    private volatile bool _stopped;

    /// <summary>A crowd of one client for each bearer token (empty: without); nobody connects before <see cref="Connect"/>.</summary>
    public Crowd(CrowdOptions options, IEnumerable<string> tokens)
    {
        _options = options;
        _clients = [.. tokens.Select((token, number) => new CrowdClient(number, token) { Server = number % options.Servers.Count })];
        _thread = new Thread(Run) { IsBackground = true, Name = "crowd" };
        _thread.Start();
    }

    /// <summary>Everybody.</summary>
    public IReadOnlyList<CrowdClient> Clients => _clients;

    /// <summary>Streams that are open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>What was heard so far.</summary>
    public CrowdTally Tally =>
        new(Interlocked.Read(ref _events), Interlocked.Read(ref _bytes), Interlocked.Read(ref _frames), Interlocked.Read(ref _disorder),
        Interlocked.Read(ref _resets), Interlocked.Read(ref _ended), Interlocked.Read(ref _refused));

    /// <summary>Why the last answer that was no stream was none: its status, or minus the system's error.</summary>
    public int LastRefusal { get; private set; }

    /// <summary>Has everybody connect, and waits until all streams are open, or for <paramref name="limit"/>.</summary>
    /// <returns>Whether all are open.</returns>
    public async Task<bool> Connect(TimeSpan limit)
    {
        Post(() => Array.ForEach(_clients, client => _next.Enqueue(client)));
        for (var clock = Stopwatch.StartNew(); Open < _clients.Length && clock.Elapsed < limit;)
        {
            await Task.Delay(10);
        }
        return Open == _clients.Length;
    }

    /// <summary>The client's connection ends without a word, and it stays away until it is brought back.</summary>
    public void Leave(CrowdClient client) => Post(() =>
    {
        client.IsAway = true;
        End(client, 0);
    });

    /// <summary>Has a client come back that has left.</summary>
    public void Bring(CrowdClient client) => Post(() =>
    {
        client.IsAway = false;
        _next.Enqueue(client);
    });

    /// <summary>Waits until this many changes have been heard in all, or for <paramref name="limit"/>.</summary>
    /// <returns>Whether they have.</returns>
    public async Task<bool> Hears(long events, TimeSpan limit)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => _awaited = (events, reached));
        return await Task.WhenAny(reached.Task, Task.Delay(limit)) == reached.Task;
    }

    /// <summary>
    /// When changes came since the last call (<see cref="Stopwatch.GetTimestamp"/>, the same clock in every process of a machine), and how
    /// many with one read.
    /// </summary>
    public async Task<IReadOnlyList<(long At, int Events)>> Arrivals()
    {
        var taken = new TaskCompletionSource<IReadOnlyList<(long, int)>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            taken.SetResult(_arrivals);
            _arrivals = new List<(long, int)>(_clients.Length);
        });
        return await taken.Task;
    }

    /// <summary>From now on the client reads nothing, and stays connected.</summary>
    public void Stall(CrowdClient client) => Post(() => Deaf(client, true));

    /// <summary>The client reads again.</summary>
    public void Resume(CrowdClient client) => Post(() => Deaf(client, false));

    /// <summary>The client's connection ends without a word; it comes back as after any end.</summary>
    public void Drop(CrowdClient client) => Post(() => End(client, 0));

    /// <summary>Ends everything.</summary>
    public void Dispose()
    {
        _stopped = true;
        _epoll.Wake();
        _thread.Join();
        foreach (var client in _clients.Where(c => c.Descriptor >= 0))
        {
            _ = Native.Close(client.Descriptor);
        }
        _epoll.Dispose();
    }

    private void Post(Action action)
    {
        _asked.Enqueue(action);
        _epoll.Wake();
    }
}
