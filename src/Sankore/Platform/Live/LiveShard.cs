using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>
/// A share of the streams and the one thread that writes to them, so that nothing here needs a lock: streams gathered by their topics into
/// audiences, the same ready-made bytes to each, heartbeats spread over their period. It follows the window by itself, so no queue grows
/// when it is behind.
/// </summary>
internal sealed class LiveShard : IDisposable
{
    private const int HeartbeatSlots = 100;
    private const int HeartbeatEvery = 25_000;
    private const int MaxReplay = 1000;

    /// <summary>The first change is told at once; what follows within this time is told together, the last state of each row.</summary>
    private const int Pace = 200;

    private static readonly TimeSpan TooOldSpread = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RightsSpread = TimeSpan.FromSeconds(1);

    private readonly LiveHub _hub;
    private readonly ConcurrentQueue<Action> _inbox = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Roster _roster = new(HeartbeatSlots);
    private readonly List<Audience> _waiting = [];
    private readonly Dictionary<LiveConnection, List<Change>> _personal = [];
    private readonly SlowReaders _slow;
    private readonly Thread _thread;
    private int _beatSlot;
    private long _nextBeat;
    private long _nextFlush;
    private long _position;
    private volatile bool _stopped;

    public LiveShard(LiveHub hub, long position, int number)
    {
        (_hub, _position, _slow) = (hub, position, new SlowReaders(Drop));
        _nextBeat = hub.Now + HeartbeatEvery / HeartbeatSlots;
        _thread = new Thread(Work) { IsBackground = true, Name = $"live-{number}" };
        _thread.Start();
    }

    /// <summary>Has the shard's thread do something, after everything asked before.</summary>
    public void Post(Action action)
    {
        _inbox.Enqueue(action);
        _wake.Set();
    }

    /// <summary>There is something new in the window.</summary>
    public void Wake() => _wake.Set();

    /// <summary>
    /// Takes a stream in: what it missed, then its place among the others. <paramref name="asOf"/> is the position that its rights are
    /// known for.
    /// </summary>
    public void Attach(LiveConnection connection, Rights rights, long asOf)
    {
        if (connection.IsEnded)
        {
            connection.Hangup();
            return;
        }
        var missed = _hub.Window.Between(Math.Min(Math.Min(connection.Since, asOf), _position), _position);
        connection.RightsAsOf = asOf;
        _roster.Add(connection, rights);
        if (missed is null && asOf >= _hub.Window.Floor)
        {
            Reset(connection, TooOldSpread);
        }
        else if (missed is null || missed.Any(c => c.IsRights && c.Id > asOf && c.Concerns(connection.UserId, rights.Topics)))
        {
            Redecide(connection);
        }
        else
        {
            Replay(
                connection, [.. missed.Where(c => c.Id > connection.Since && !c.IsRights && c.Concerns(connection.UserId, rights.Topics))]);
        }
    }

    /// <summary>Takes a stream out, and hangs up.</summary>
    public void Detach(LiveConnection connection)
    {
        _roster.Remove(connection);
        _personal.Remove(connection);
        connection.Hangup();
    }

    /// <summary>Ends every stream.</summary>
    public void EndAll() => _roster.Everybody.ForEach(c => c.End());

    /// <summary>Gives a stream the topics that its person has now, and has its page read again.</summary>
    public void Decided(LiveConnection connection, Rights rights, long asOf)
    {
        if (connection.IsEnded || connection.Audience is null)
        {
            return;
        }
        if (rights.Session(connection.Session) is null)
        {
            connection.End();
            return;
        }
        connection.RightsAsOf = asOf;
        _roster.Move(connection, rights);
        var since = _hub.Window.Between(Math.Min(asOf, _position), _position);
        if (since is null || since.Any(c => c.IsRights && c.Concerns(connection.UserId, rights.Topics)))
        {
            _hub.Redecide(this, connection);
            return;
        }
        connection.IsDeciding = false;
        Reset(connection, RightsSpread);
    }

    private void Work()
    {
        while (!_stopped)
        {
            _wake.WaitOne((int)Math.Max(0, Math.Min(_nextBeat, _nextFlush) - _hub.Now));
            while (_inbox.TryDequeue(out var action))
            {
                _hub.Guarded(action);
            }
            _hub.Guarded(Round);
        }
    }

    private void Round()
    {
        RouteNews();
        var now = _hub.Now;
        _nextFlush = long.MaxValue;
        TellPeople();
        TellAudiences(now);
        _slow.Try(now);
        _nextFlush = Math.Min(_nextFlush, _slow.DueAt);
        if (now >= _nextBeat)
        {
            Beat(now);
        }
    }

    // ── What is new: who is to be told ──

    private void RouteNews()
    {
        if (_hub.Window.Between(_position) is not { } news)
        {
            // More came than the window holds, or the log began anew, and it is unknown to whom.
            _position = _hub.Position;
            _roster.Everybody.ForEach(Redecide);
            return;
        }
        foreach (var change in news)
        {
            if (change.IsRights)
            {
                foreach (var connection in _roster.Concerned(change).Where(c => c.RightsAsOf < change.Id))
                {
                    Redecide(connection);
                }
            }
            else
            {
                Route(change);
            }
            _position = change.Id;
        }
    }

    private void Route(Change change)
    {
        foreach (var topic in change.Topics)
        {
            foreach (var audience in _roster.Audiences(topic))
            {
                if (audience.Add(change))
                {
                    _waiting.Add(audience);
                }
            }
        }
        foreach (var connection in change.People.SelectMany(_roster.Of))
        {
            (CollectionsMarshal.GetValueRefOrAddDefault(_personal, connection, out _) ??= []).Add(change);
        }
    }

    // ── Telling ──

    /// <summary>Whoever is told something of their own is told all that is waiting, in commit order.</summary>
    private void TellPeople()
    {
        foreach (var (connection, own) in _personal)
        {
            Send(connection, [.. connection.Audience!.Waiting.Concat(own).DistinctBy(c => c.Id).OrderBy(c => c.Id)]);
        }
        _personal.Clear();
    }

    private void TellAudiences(long now)
    {
        var ready = new Dictionary<List<Change>, Telling>(SameChanges.Instance);
        var started = _hub.Time.GetTimestamp();
        var told = 0;
        for (var i = _waiting.Count - 1; i >= 0; i--)
        {
            var audience = _waiting[i];
            if (audience.DueAt > now)
            {
                _nextFlush = Math.Min(_nextFlush, audience.DueAt);
                continue;
            }
            _waiting[i] = _waiting[^1];
            _waiting.RemoveAt(_waiting.Count - 1);
            audience.DueAt = now + Pace;
            var waiting = audience.Take();
            if (!ready.TryGetValue(waiting, out var telling))
            {
                ready[waiting] = telling = new Telling(waiting);
            }
            Send(audience, waiting, telling);
            told += audience.Members.Length;
        }
        if (told > 0)
        {
            _hub.Meters.FannedOut(_hub.Time.GetElapsedTime(started));
        }
    }

    private void Send(Audience audience, List<Change> waiting, Telling telling)
    {
        var now = _hub.Now;
        var (before, complete) = (waiting[0].Id, 0);
        foreach (ref var member in audience.Members)
        {
            if (member.Descriptor >= 0 && member.Cursor < before && member.EndsAt > now)
            {
                SendStraight(member, telling.Frames);
                complete++;
            }
            else if (member.Cursor < before && member.EndsAt > now && !member.Connection.IsDeciding)
            {
                // It is behind, or its request writes itself.
                Send(member.Connection, telling.Frames);
                complete++;
            }
            else
            {
                // It came in the middle, or its rights have ended.
                Send(member.Connection, waiting);
            }
        }
        _hub.Meters.CountSent(complete, telling.Events, telling.Covered, telling.Bytes);
    }

    private void SendStraight(in Member member, LiveFrame[] frames)
    {
        for (var i = 0; i < frames.Length; i++)
        {
            var sent = Kernel.Send(member.Descriptor, frames[i].Chunk);
            if (sent == frames[i].Chunk.Length)
            {
                continue;
            }
            var connection = member.Connection;
            if (sent > 0)
            {
                connection.KeepRest(frames[i++], sent);
                _slow.Add(connection, _hub.Now);
            }
            Send(connection, frames.AsSpan(i));
            return;
        }
    }

    private void Send(LiveConnection connection, List<Change> changes)
    {
        if (connection.IsDeciding || connection.IsEnded)
        {
            return;
        }
        if (connection.Self.EndsAt <= _hub.Now)
        {
            Redecide(connection);
            return;
        }
        var cursor = connection.Self.Cursor;
        var news = changes.FindAll(c => c.Id > cursor);
        if (news.Count == 0)
        {
            return;
        }
        var telling = new Telling(news);
        Send(connection, telling.Frames);
        connection.Self.Cursor = news[^1].Id;
        _hub.Meters.CountSent(1, telling.Events, telling.Covered, telling.Bytes);
    }

    private void Replay(LiveConnection connection, List<Change> missed)
    {
        if (missed.Count > MaxReplay && Change.LastStates(missed).Count > MaxReplay)
        {
            Reset(connection, TooOldSpread);
            return;
        }
        Send(connection, missed);
        connection.Self.Cursor = Math.Max(connection.Self.Cursor, _position);
    }

    private void Reset(LiveConnection connection, TimeSpan spread)
    {
        connection.Self.Cursor = Math.Max(connection.Self.Cursor, _position);
        var frame = LiveFrame.Reset(_position, spread);
        Send(connection, [frame]);
        _hub.Meters.Reset(frame.Chunk.Length);
    }

    private void Redecide(LiveConnection connection)
    {
        if (!connection.IsDeciding && !connection.IsEnded)
        {
            connection.IsDeciding = true;
            _hub.Redecide(this, connection);
        }
    }

    private void Send(LiveConnection connection, ReadOnlySpan<LiveFrame> frames)
    {
        if (connection.IsTooFarBehind)
        {
            Drop(connection);
            return;
        }
        var behind = connection.HasBacklog;
        foreach (var frame in frames)
        {
            if (!connection.Send(frame))
            {
                Drop(connection);
                return;
            }
        }
        if (!behind && connection.HasBacklog)
        {
            _slow.Add(connection, _hub.Now);
        }
    }

    private void Drop(LiveConnection connection)
    {
        connection.End();
        _hub.Meters.Dropped();
    }

    private void Beat(long now)
    {
        _nextBeat += HeartbeatEvery / HeartbeatSlots;
        var reached = LiveFrame.Reached(_position);
        foreach (var connection in _roster.DueIn(_beatSlot))
        {
            if (!connection.HasBacklog)
            {
                // Whoever came from a node that is ahead is not sent back.
                Send(connection, [HasReachedPosition(connection) ? reached : LiveFrame.Heartbeat]);
            }
            if (connection.Self.EndsAt <= now)
            {
                // A role, a place or an assignment has ended while nothing happened.
                Redecide(connection);
            }
        }
        _beatSlot = (_beatSlot + 1) % HeartbeatSlots;

        bool HasReachedPosition(LiveConnection c) => !c.IsDeciding && c.Audience!.Waiting.Count == 0 && c.Self.Cursor <= _position;
    }

    public void Dispose()
    {
        _stopped = true;
        _wake.Set();
        _thread.Join(TimeSpan.FromSeconds(5));
        EndAll();
        while (_inbox.TryDequeue(out var action))
        {
            _hub.Guarded(action);
        }
        _wake.Dispose();
    }
}
