using System.Runtime.InteropServices;

namespace Sankore.Platform.Live;

/// <summary>The streams of one shard that have the same topics: what they are told is decided, coalesced and put into frames once for all of them.</summary>
internal sealed class Audience(string[] topics)
{
    private readonly List<LiveConnection> _connections = [];

    /// <summary>Its topics, but for the people's own.</summary>
    public string[] Topics => topics;

    /// <summary>Whom it consists of.</summary>
    public ReadOnlySpan<LiveConnection> Connections => CollectionsMarshal.AsSpan(_connections);

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

    public void Join(LiveConnection connection)
    {
        (connection.Audience, connection.AudienceIndex) = (this, _connections.Count);
        _connections.Add(connection);
    }

    /// <returns>Whether nobody is left.</returns>
    public bool Leave(LiveConnection connection)
    {
        var last = _connections[^1];
        _connections[connection.AudienceIndex] = last;
        last.AudienceIndex = connection.AudienceIndex;
        _connections.RemoveAt(_connections.Count - 1);
        connection.Audience = null;
        return _connections.Count == 0;
    }
}
