using System.Runtime.InteropServices;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>Who is at a shard: streams by their topics, by their person, and by the moment of their heartbeat.</summary>
internal sealed class Roster(int heartbeatSlots)
{
    private readonly Dictionary<string[], Audience> _audiences = new(TopicsComparer.Instance);
    private readonly Dictionary<string, List<Audience>> _byTopic = [];
    private readonly Dictionary<Guid, LiveConnection> _byPerson = [];
    private readonly List<LiveConnection>[] _byHeartbeat = [.. Enumerable.Range(0, heartbeatSlots).Select(_ => new List<LiveConnection>())];
    private int _nextSlot;

    /// <summary>Everybody, as of now.</summary>
    public List<LiveConnection> Everybody => [.. _byHeartbeat.SelectMany(c => c)];

    /// <summary>Takes a stream in.</summary>
    public void Add(LiveConnection connection, Rights rights)
    {
        Join(connection, rights, connection.Since);
        connection.NextOfPerson = _byPerson.GetValueOrDefault(connection.UserId);
        _byPerson[connection.UserId] = connection;
        connection.HeartbeatSlot = _nextSlot++ % heartbeatSlots;
        connection.HeartbeatPlace = _byHeartbeat[connection.HeartbeatSlot].Count;
        _byHeartbeat[connection.HeartbeatSlot].Add(connection);
    }

    /// <summary>Gives a stream other topics.</summary>
    public void Move(LiveConnection connection, Rights rights)
    {
        var cursor = connection.Self.Cursor;
        Leave(connection);
        Join(connection, rights, cursor);
    }

    /// <summary>Takes a stream out, if it is here.</summary>
    public void Remove(LiveConnection connection)
    {
        if (connection.Audience is null)
        {
            return;
        }
        Leave(connection);
        var slot = _byHeartbeat[connection.HeartbeatSlot];
        slot[connection.HeartbeatPlace] = slot[^1];
        slot[^1].HeartbeatPlace = connection.HeartbeatPlace;
        slot.RemoveAt(slot.Count - 1);
        RemoveOfPerson(connection);
    }

    /// <summary>Whose heartbeat is due in a slot.</summary>
    public ReadOnlySpan<LiveConnection> DueIn(int slot) => CollectionsMarshal.AsSpan(_byHeartbeat[slot]);

    public IReadOnlyList<Audience> Audiences(string topic) => _byTopic.TryGetValue(topic, out var audiences) ? audiences : [];

    /// <summary>The streams of a person.</summary>
    public IEnumerable<LiveConnection> Of(Guid person)
    {
        for (var connection = _byPerson.GetValueOrDefault(person); connection is not null; connection = connection.NextOfPerson)
        {
            yield return connection;
        }
    }

    /// <summary>The streams that a change concerns.</summary>
    public List<LiveConnection> Concerned(Change change)
    {
        List<LiveConnection> concerned = [.. change.People.SelectMany(Of)];
        foreach (var audience in change.Topics.SelectMany(Audiences))
        {
            foreach (ref var member in audience.Members)
            {
                concerned.Add(member.Connection);
            }
        }
        return concerned;
    }

    private void Join(LiveConnection connection, Rights rights, long cursor)
    {
        if (!_audiences.TryGetValue(rights.Topics, out var audience))
        {
            _audiences[rights.Topics] = audience = new Audience(rights.Topics);
            foreach (var topic in rights.Topics)
            {
                (CollectionsMarshal.GetValueRefOrAddDefault(_byTopic, topic, out _) ??= []).Add(audience);
            }
        }
        audience.Join(connection, cursor, rights.EndsAt);
    }

    private void Leave(LiveConnection connection)
    {
        var audience = connection.Audience!;
        if (!audience.Leave(connection))
        {
            return;
        }
        _audiences.Remove(audience.Topics);
        foreach (var topic in audience.Topics)
        {
            if (_byTopic.TryGetValue(topic, out var audiences) && audiences.Remove(audience) && audiences.Count == 0)
            {
                _byTopic.Remove(topic);
            }
        }
    }

    private void RemoveOfPerson(LiveConnection connection)
    {
        var before = Of(connection.UserId).FirstOrDefault(c => c.NextOfPerson == connection);
        if (before is not null)
        {
            before.NextOfPerson = connection.NextOfPerson;
        }
        else if (connection.NextOfPerson is { } next)
        {
            _byPerson[connection.UserId] = next;
        }
        else
        {
            _byPerson.Remove(connection.UserId);
        }
    }

    private sealed class TopicsComparer : IEqualityComparer<string[]>
    {
        public static readonly TopicsComparer Instance = new();

        public bool Equals(string[]? x, string[]? y) => ReferenceEquals(x, y) || x.AsSpan().SequenceEqual(y);

        public int GetHashCode(string[] topics)
        {
            var hash = new HashCode();
            foreach (var topic in topics)
            {
                hash.Add(topic);
            }
            return hash.ToHashCode();
        }
    }
}
