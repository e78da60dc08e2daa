using System.Collections.Concurrent;
using System.Net;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>How many streams may be open on a node (<c>Sankore:Live:PerPerson</c>, <c>PerAddress</c>, <c>PerNode</c>).</summary>
/// <param name="PerPerson">Every open page is one.</param>
/// <param name="PerAddress">A school, or a whole mobile network, may share one.</param>
/// <param name="PerNode">Of everybody; not given: what the process has descriptors for, less those that requests, the database and files
/// need.</param>
public sealed record LiveLimits(int PerPerson = 50, int PerAddress = 10_000, int PerNode = 0)
{
    private const int Reserve = 1_000;

    /// <summary>Of everybody, with the default worked out.</summary>
    public int PerNode { get; } = PerNode > 0 ? PerNode : Math.Max(Kernel.MaxDescriptors - Reserve, Kernel.MaxDescriptors / 2);
}

/// <summary>All open streams of this node, shared out over as many writing threads as there are cores.</summary>
public sealed class LiveHub : IDisposable
{
    private const int WindowCapacity = 65_536;

    private readonly RightsCache _rights;
    private readonly LiveLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger<LiveHub> _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Guid, int> _byPerson = new();
    private readonly ConcurrentDictionary<IPAddress, int> _byAddress = new();
    private LiveShard[] _shards = [];
    private int _next;
    private int _count;

    /// <summary>Made once per node.</summary>
    public LiveHub(
        RightsCache rights, LiveLimits limits, LiveMeters meters, TimeProvider time, IHostApplicationLifetime lifetime,
        ILogger<LiveHub> log)
    {
        (_rights, _limits, Meters, _time, _log) = (rights, limits, meters, time, log);
        meters.Watch(() => _count);
        lifetime.ApplicationStopping.Register(Stop);
    }

    /// <summary>The last part of the log.</summary>
    public LiveWindow Window { get; } = new(WindowCapacity);

    /// <summary>The id of the last change handed out.</summary>
    public long Position => Window.Position;

    /// <summary>Open streams on this node.</summary>
    public int Count => _count;

    internal LiveMeters Meters { get; }

    /// <summary>Milliseconds on a clock that nobody sets.</summary>
    internal long Now => RightsCache.Milliseconds(_time);

    internal TimeProvider Time => _time;

    /// <summary>Begins at what the log holds already.</summary>
    public void Start(IReadOnlyList<Change> recent)
    {
        Window.Add(recent);
        _shards = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(i => new LiveShard(this, Position, i))];
    }

    /// <summary>Adds changes to the window, and wakes the shards to tell them.</summary>
    public void Publish(IReadOnlyList<Change> changes)
    {
        Window.Add(changes);
        foreach (var shard in _shards)
        {
            shard.Wake();
        }
    }

    /// <summary>Counts a stream that is about to begin. Refuses with TOO_MANY_STREAMS, UNAVAILABLE (the node stops).</summary>
    /// <returns>End it, whatever becomes of it.</returns>
    internal LiveConnection Admit(Guid userId, Guid session, IPAddress address, long cursor)
    {
        if (_stopping.IsCancellationRequested)
        {
            throw new Refusal(Reason.Unavailable) { RetryAfter = TimeSpan.FromSeconds(1) };
        }
        if (!TryCount(_byPerson, userId, _limits.PerPerson))
        {
            throw TooMany();
        }
        if (!TryCount(_byAddress, address, _limits.PerAddress))
        {
            Discount(_byPerson, userId);
            throw TooMany();
        }
        Interlocked.Increment(ref _count);
        return new LiveConnection(this, userId, session, address, cursor);
    }

    /// <summary>Takes a stream in. <paramref name="asOf"/>: this node's position before <paramref name="rights"/> were asked for.</summary>
    internal void Attach(LiveConnection connection, Rights rights, long asOf)
    {
        var shard = _shards[(uint)Interlocked.Increment(ref _next) % (uint)_shards.Length];
        connection.Shard = shard;
        shard.Post(() => shard.Attach(connection, rights, asOf));
        if (_stopping.IsCancellationRequested)
        {
            connection.End();
        }
    }

    /// <summary>A stream has ended.</summary>
    internal void Leave(LiveConnection connection)
    {
        Interlocked.Decrement(ref _count);
        Discount(_byPerson, connection.UserId);
        Discount(_byAddress, connection.Address);
        if (connection.Shard is { } shard)
        {
            shard.Post(() => shard.Detach(connection));
        }
        else
        {
            connection.Hangup();
        }
    }

    /// <summary>Reads a person's rights again and tells the shard.</summary>
    internal void Redecide(LiveShard shard, LiveConnection connection) => _ = Task.Run(async () =>
    {
        while (!connection.IsEnded && !_stopping.IsCancellationRequested)
        {
            try
            {
                var asOf = Position;
                var rights = await _rights.Get(connection.UserId, _stopping.Token, forStream: true);
                shard.Post(() => shard.Decided(connection, rights, Math.Max(asOf, rights.Position)));
                return;
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                // Until the database answers, the stream stays silent: nothing is delivered on old rights.
                _log.LiveRightsUnknown(e.Message);
                await Task.Delay(500, _stopping.Token);
            }
        }
    });

    internal void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            _log.LiveShardFailed(e);
        }
    }

    public void Dispose()
    {
        Stop();
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
        _stopping.Dispose();
    }

    /// <summary>Ends every stream: their clients go on at another node, or here when it is back.</summary>
    private void Stop()
    {
        if (!_stopping.IsCancellationRequested)
        {
            _stopping.Cancel();
            Array.ForEach(_shards, shard => shard.Post(shard.EndAll));
        }
    }

    private Refusal TooMany()
    {
        Meters.Refused();
        return new Refusal(Reason.TooManyStreams) { RetryAfter = TimeSpan.FromMinutes(1) };
    }

    private static bool TryCount<T>(ConcurrentDictionary<T, int> counts, T key, int limit) where T : notnull
    {
        if (counts.AddOrUpdate(key, 1, (_, n) => n + 1) <= limit)
        {
            return true;
        }
        Discount(counts, key);
        return false;
    }

    private static void Discount<T>(ConcurrentDictionary<T, int> counts, T key) where T : notnull
    {
        var left = counts.AddOrUpdate(key, 0, (_, n) => n - 1);
        if (left == 0)
        {
            // Unless somebody came meanwhile.
            counts.TryRemove(KeyValuePair.Create(key, 0));
        }
    }
}
