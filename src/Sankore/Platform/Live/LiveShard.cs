using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>
/// A share of the connections and the one thread that writes to them, so that nothing here needs a lock: connections listed by topic,
/// the same ready-made bytes to each, heartbeats spread over their period.
/// </summary>
internal sealed class LiveShard : IDisposable
{
    private const int HeartbeatSlots = 100;
    private const int MaxReplay = 1000;
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan TooOldSpread = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RightsSpread = TimeSpan.FromSeconds(1);

    private readonly LiveHub _hub;
    private readonly ConcurrentQueue<Action> _inbox = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Dictionary<string, List<LiveConnection>> _byTopic = [];
    private readonly List<LiveConnection>[] _byHeartbeat = [.. Enumerable.Range(0, HeartbeatSlots).Select(_ => new List<LiveConnection>())];
    private readonly List<LiveConnection> _slow = [];
    private readonly Thread _thread;
    private int _nextSlot;
    private long _nextBeat;
    private int _beatSlot;
    private long _position;
    private volatile bool _stopped;

    public LiveShard(LiveHub hub, long position, int number)
    {
        (_hub, _position) = (hub, position);
        _nextBeat = Environment.TickCount64 + (long)HeartbeatEvery.TotalMilliseconds / HeartbeatSlots;
        _thread = new Thread(Work) { IsBackground = true, Name = $"live-{number}" };
        _thread.Start();
    }

    /// <summary>Has the shard's thread do something, after everything asked before.</summary>
    public void Post(Action action)
    {
        _inbox.Enqueue(action);
        _wake.Set();
    }

    /// <summary>Takes a connection in: what it missed, then its place in the lists. <paramref name="asOf"/> is the position that its rights are known for.</summary>
    public void Attach(LiveConnection connection, Rights rights, long asOf)
    {
        if (connection.IsClosed)
        {
            return;
        }
        (connection.Topics, connection.RightsAsOf, connection.ValidUntil) = (rights.Topics, asOf, rights.ValidUntil);
        var missed = _hub.Window.Between(Math.Min(Math.Min(connection.Cursor, asOf), _position), _position);
        List(connection);
        connection.HeartbeatSlot = _nextSlot++ % HeartbeatSlots;
        _byHeartbeat[connection.HeartbeatSlot].Add(connection);
        if (missed is null)
        {
            Reset(connection, TooOldSpread);
        }
        else if (missed.Any(c => c.IsRights && c.Id > asOf && Concerns(c, connection)))
        {
            Redecide(connection);
        }
        else
        {
            Replay(connection, missed);
        }
    }

    /// <summary>Takes a connection out.</summary>
    public void Detach(LiveConnection connection)
    {
        connection.Close();
        Unlist(connection);
        _byHeartbeat[connection.HeartbeatSlot].Remove(connection);
    }

    /// <summary>Gives a connection the topics that its person has now, and has its page read again.</summary>
    public void Decided(LiveConnection connection, Rights rights, long asOf)
    {
        if (connection.IsClosed)
        {
            return;
        }
        if (rights.SecurityStamp != connection.SecurityStamp)
        {
            connection.Close();
            return;
        }
        Unlist(connection);
        (connection.Topics, connection.RightsAsOf, connection.ValidUntil) = (rights.Topics, asOf, rights.ValidUntil);
        List(connection);
        var since = _hub.Window.Between(Math.Min(asOf, _position), _position);
        if (since is null || since.Any(c => c.IsRights && Concerns(c, connection)))
        {
            _hub.Redecide(this, connection);
            return;
        }
        connection.Pending = false;
        Reset(connection, RightsSpread);
    }

    /// <summary>Writes changes to whoever has one of their topics. Neighbours for the same topics go out as one write.</summary>
    public void Deliver(IReadOnlyList<Change> changes)
    {
        for (var i = 0; i < changes.Count;)
        {
            var first = changes[i];
            var end = i + 1;
            while (!first.IsRights && end < changes.Count && !changes[end].IsRights && changes[end].Topics.AsSpan().SequenceEqual(first.Topics))
            {
                end++;
            }
            var run = changes.Skip(i).Take(end - i).ToArray();
            i = end;
            if (first.IsRights)
            {
                foreach (var connection in first.Topics.SelectMany(Listed).ToArray())
                {
                    if (connection.RightsAsOf < first.Id)
                    {
                        Redecide(connection);
                    }
                }
            }
            else
            {
                Deliver(run);
            }
            _position = run[^1].Id;
        }
    }

    private void Deliver(Change[] run)
    {
        LiveFrame? frame = null;
        var now = DateTime.UtcNow;
        foreach (var topic in run[0].Topics)
        {
            if (!_byTopic.TryGetValue(topic, out var connections))
            {
                continue;
            }
            frame ??= LiveFrame.Of(run);
            foreach (var connection in CollectionsMarshal.AsSpan(connections))
            {
                if (connection.Pending || connection.Cursor >= run[^1].Id)
                {
                    continue;
                }
                if (connection.ValidUntil <= now)
                {
                    Redecide(connection);
                    continue;
                }
                Send(connection, connection.Cursor < run[0].Id ? frame : LiveFrame.Of(run.Where(c => c.Id > connection.Cursor)));
                connection.Cursor = run[^1].Id;
            }
            _hub.Delivered(connections.Count * run.Length);
        }
    }

    private void Replay(LiveConnection connection, IReadOnlyList<Change> missed)
    {
        var own = missed.Where(c => c.Id > connection.Cursor && !c.IsRights && Concerns(c, connection)).ToList();
        if (own.Count > MaxReplay)
        {
            Reset(connection, TooOldSpread);
        }
        else if (own.Count > 0)
        {
            Send(connection, LiveFrame.Of(own));
        }
        connection.Cursor = Math.Max(connection.Cursor, _position);
    }

    private void Reset(LiveConnection connection, TimeSpan spread)
    {
        connection.Cursor = Math.Max(connection.Cursor, _position);
        Send(connection, LiveFrame.Reset(_position, spread));
    }

    private void Redecide(LiveConnection connection)
    {
        if (!connection.Pending && !connection.IsClosed)
        {
            connection.Pending = true;
            _hub.Redecide(this, connection);
        }
    }

    private void Send(LiveConnection connection, LiveFrame frame)
    {
        var slow = connection.HasBacklog;
        connection.Send(frame);
        if (!slow && connection.HasBacklog)
        {
            _slow.Add(connection);
        }
    }

    private static bool Concerns(Change change, LiveConnection connection) => change.Topics.Any(t => Array.IndexOf(connection.Topics, t) >= 0);

    private IEnumerable<LiveConnection> Listed(string topic) => _byTopic.TryGetValue(topic, out var connections) ? connections : [];

    private void List(LiveConnection connection)
    {
        foreach (var topic in connection.Topics)
        {
            (CollectionsMarshal.GetValueRefOrAddDefault(_byTopic, topic, out _) ??= []).Add(connection);
        }
    }

    private void Unlist(LiveConnection connection)
    {
        foreach (var topic in connection.Topics)
        {
            if (_byTopic.TryGetValue(topic, out var connections) && connections.Remove(connection) && connections.Count == 0)
            {
                _byTopic.Remove(topic);
            }
        }
    }

    private void Work()
    {
        while (!_stopped)
        {
            var now = Environment.TickCount64;
            var wait = _slow.Count > 0 ? 10 : Math.Max(0, _nextBeat - now);
            _wake.WaitOne((int)wait);
            while (_inbox.TryDequeue(out var action))
            {
                _hub.Guarded(action);
            }
            _slow.RemoveAll(c => c.Flush());
            if (Environment.TickCount64 >= _nextBeat)
            {
                Beat();
            }
        }
    }

    private void Beat()
    {
        _nextBeat += (long)HeartbeatEvery.TotalMilliseconds / HeartbeatSlots;
        var now = DateTime.UtcNow;
        foreach (var connection in CollectionsMarshal.AsSpan(_byHeartbeat[_beatSlot]))
        {
            Send(connection, LiveFrame.Heartbeat);
            if (connection.ValidUntil <= now)
            {
                // A role, a place or an assignment has ended while nothing happened.
                Redecide(connection);
            }
        }
        _beatSlot = (_beatSlot + 1) % HeartbeatSlots;
    }

    public void Dispose()
    {
        _stopped = true;
        _wake.Set();
        _thread.Join(TimeSpan.FromSeconds(5));
        foreach (var connection in _byHeartbeat.SelectMany(c => c))
        {
            connection.Close();
        }
        _wake.Dispose();
    }
}
