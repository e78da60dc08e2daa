using System.Diagnostics.Metrics;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>All open streams of this node, shared out over as many writing threads as there are cores.</summary>
public sealed class LiveHub : IDisposable
{
    private const int WindowCapacity = 65_536;

    private readonly RightsCache _rights;
    private readonly ILogger<LiveHub> _log;
    private readonly SemaphoreSlim _deciding = new(8);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Meter _meter = new("Sankore.Live");
    private readonly Counter<long> _delivered;
    private LiveShard[] _shards = [];
    private int _next;
    private int _count;

    /// <summary>Made once per node.</summary>
    public LiveHub(RightsCache rights, ILogger<LiveHub> log)
    {
        (_rights, _log) = (rights, log);
        _delivered = _meter.CreateCounter<long>("sankore.live.delivered", description: "Events written to streams");
        _meter.CreateObservableGauge("sankore.live.connections", () => _count, description: "Open streams");
    }

    /// <summary>The last part of the log.</summary>
    public LiveWindow Window { get; } = new(WindowCapacity);

    /// <summary>The id of the last change handed out.</summary>
    public long Position => Window.Position;

    /// <summary>Open streams on this node.</summary>
    public int Count => _count;

    /// <summary>Begins at what the log holds already.</summary>
    public void Start(IReadOnlyList<Change> recent)
    {
        Window.Add(recent);
        _shards = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(i => new LiveShard(this, Position, i))];
    }

    /// <summary>Hands changes to every shard, in order.</summary>
    public void Publish(IReadOnlyList<Change> changes)
    {
        Window.Add(changes);
        foreach (var shard in _shards)
        {
            shard.Post(() => shard.Deliver(changes));
        }
    }

    /// <summary>Takes a stream in. <paramref name="asOf"/>: this node's position before <paramref name="rights"/> were asked for.</summary>
    /// <returns>Dispose it when the request ends.</returns>
    public IDisposable Attach(LiveConnection connection, Rights rights, long asOf)
    {
        var shard = _shards[(uint)Interlocked.Increment(ref _next) % (uint)_shards.Length];
        Interlocked.Increment(ref _count);
        shard.Post(() => shard.Attach(connection, rights, asOf));
        return new Attachment(this, shard, connection);
    }

    /// <summary>Reads a person's rights again and tells the shard.</summary>
    internal void Redecide(LiveShard shard, LiveConnection connection) => _ = Task.Run(async () =>
    {
        while (!connection.IsClosed && !_stopping.IsCancellationRequested)
        {
            await _deciding.WaitAsync(_stopping.Token);
            try
            {
                var asOf = Position;
                var rights = await _rights.Get(connection.UserId, _stopping.Token);
                shard.Post(() => shard.Decided(connection, rights, Math.Max(asOf, rights.Position)));
                return;
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                // Until the database answers, the stream stays silent: nothing is delivered on old rights.
                _log.LiveRightsUnknown(e.Message);
                await Task.Delay(500, _stopping.Token);
            }
            finally
            {
                _deciding.Release();
            }
        }
    });

    internal void Delivered(int events) => _delivered.Add(events);

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

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Cancel();
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
        _meter.Dispose();
        _deciding.Dispose();
        _stopping.Dispose();
    }

    private sealed class Attachment(LiveHub hub, LiveShard shard, LiveConnection connection) : IDisposable
    {
        public void Dispose()
        {
            Interlocked.Decrement(ref hub._count);
            shard.Post(() => shard.Detach(connection));
        }
    }
}
