using System.Runtime.InteropServices;

namespace Sankore.Platform.Live;

/// <summary>
/// What is needed of a stream to write to it, side by side with its neighbours': writing to thousands touches nothing else.
/// </summary>
internal struct Member
{
    /// <summary>The socket's descriptor while bytes may go to it straight away; else -1, and its connection knows why.</summary>
    public int Descriptor;

    /// <summary>
    /// The last change that it was told, or need not be told, before those of now: the position when it came, or was told something of its
    /// own.
    /// </summary>
    public long Cursor;

    /// <summary>When the first of its rights ends (<see cref="Security.Rights.EndsAt"/>).</summary>
    public long EndsAt;

    /// <summary>The stream.</summary>
    public LiveConnection Connection;
}

/// <summary>
/// The streams of one shard that have the same topics: what they are told is decided, coalesced and put into frames once for all of them.
/// </summary>
internal sealed class Audience(string[] topics)
{
    private Member[] _members = new Member[1];
    private int _count;

    /// <summary>Its topics, but for the people's own.</summary>
    public string[] Topics => topics;

    /// <summary>Whom it consists of.</summary>
    public Span<Member> Members => _members.AsSpan(0, _count);

    /// <summary>What is to be told, in commit order.</summary>
    public List<Change> Waiting { get; private set; } = [];

    /// <summary>Nothing is told before this moment, so that what comes in quick succession is told together.</summary>
    public long DueAt { get; set; }

    /// <summary>Adds what is to be told, once.</summary>
    /// <returns>Whether nothing was waiting before.</returns>
    public bool Add(Change change)
    {
        if (Waiting.Count > 0 && Waiting[^1].Id == change.Id)
        {
            return false;
        }
        Waiting.Add(change);
        return Waiting.Count == 1;
    }

    /// <summary>Takes what is to be told.</summary>
    public List<Change> Take()
    {
        var waiting = Waiting;
        Waiting = [];
        return waiting;
    }

    public void Join(LiveConnection connection, long cursor, long endsAt)
    {
        if (_count == _members.Length)
        {
            Array.Resize(ref _members, _count * 2);
        }
        (connection.Audience, connection.Place) = (this, _count);
        _members[_count++] = new Member { Connection = connection, Cursor = cursor, EndsAt = endsAt, Descriptor = connection.Descriptor };
    }

    /// <returns>Whether nobody is left.</returns>
    public bool Leave(LiveConnection connection)
    {
        _members[connection.Place] = _members[--_count];
        _members[connection.Place].Connection.Place = connection.Place;
        _members[_count] = default;
        connection.Audience = null;
        return _count == 0;
    }
}

/// <summary>The same changes, whoever they wait for.</summary>
internal sealed class SameChanges : IEqualityComparer<List<Change>>
{
    public static readonly SameChanges Instance = new();

    public bool Equals(List<Change>? x, List<Change>? y) => CollectionsMarshal.AsSpan(x).SequenceEqual(CollectionsMarshal.AsSpan(y));

    public int GetHashCode(List<Change> changes) => HashCode.Combine(changes.Count, changes[0].Id, changes[^1].Id);
}

/// <summary>Changes that are told together: of each row its last state, made into frames once for all who are told.</summary>
internal sealed class Telling
{
    public Telling(List<Change> changes)
    {
        var last = Change.LastStates(changes);
        (Frames, Events, Covered) = (LiveFrame.Of(last), last.Count, changes.Count - last.Count);
    }

    public LiveFrame[] Frames { get; }

    public int Events { get; }

    /// <summary>Changes that a later one of the same row stands for.</summary>
    public int Covered { get; }

    public long Bytes => Frames.Sum(f => (long)f.Chunk.Length);
}
