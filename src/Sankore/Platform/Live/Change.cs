using System.Text;

namespace Sankore.Platform.Live;

/// <summary>One entry of <c>live.changes</c>, decoded, routed and serialised once for everybody.</summary>
public sealed class Change
{
    private const string PersonTopic = "user:";

    private LiveFrame? _frame;

    internal Change(ChangeRow row)
    {
        (Id, Row, IsRights) = (row.Id, (row.TableName, row.RowId), row.Op == "RIGHTS");
        People = [.. row.Topics.Select(PersonOf).OfType<Guid>()];
        Topics = People.Length == 0 ? row.Topics : [.. row.Topics.Where(t => PersonOf(t) is null)];
        var values = row.Row is null ? "" : $"\"row\":{row.Row},";
        Event = IsRights ? [] : Encoding.UTF8.GetBytes(
            $$"""
            id: {{row.Id}}
            event: change
            data: {"table":"{{row.TableName}}","op":"{{row.Op}}","id":"{{row.RowId}}",{{values}}"at":"{{row.At:yyyy-MM-ddTHH:mm:ss.fffZ}}"}


            """);
    }

    /// <summary>The cursor: ids follow commit order.</summary>
    public long Id { get; }

    /// <summary>Who is told, but for single people.</summary>
    public string[] Topics { get; }

    /// <summary>The single people who are told.</summary>
    public Guid[] People { get; }

    /// <summary>What changed: of two entries for one row the later one says all (an empty id: some row of the table).</summary>
    public (string Table, string Id) Row { get; }

    /// <summary>
    /// Rights of those concerned changed: their topics are decided anew before anything later is delivered. Never delivered itself.
    /// </summary>
    public bool IsRights { get; }

    /// <summary>The event's bytes as text/event-stream.</summary>
    public byte[] Event { get; }

    /// <summary>The change alone as one frame: what most frames are.</summary>
    internal LiveFrame Frame => _frame ??= new LiveFrame([this]);

    /// <summary>The person behind a topic; null when it is nobody's own.</summary>
    internal static Guid? PersonOf(string topic) =>
        topic.StartsWith(PersonTopic, StringComparison.Ordinal) && Guid.TryParse(topic.AsSpan(PersonTopic.Length), out var person) ? person
            : null;

    /// <summary>Whether somebody with these topics is told.</summary>
    internal bool Concerns(Guid person, string[] topics) => Array.IndexOf(People, person) >= 0 || Topics.AsSpan().ContainsAny(topics);

    /// <summary>What is left to say of changes that are said together: of each row its last state, in commit order.</summary>
    internal static List<Change> LastStates(IReadOnlyList<Change> changes)
    {
        if (changes.Count < 2)
        {
            return [.. changes];
        }
        var said = new HashSet<(string, string)>(changes.Count);
        var last = new List<Change>(changes.Count);
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            if (said.Add(changes[i].Row))
            {
                last.Add(changes[i]);
            }
        }
        last.Reverse();
        return last;
    }
}

internal sealed record ChangeRow(long Id, DateTime At, string[] Topics, string TableName, string Op, string RowId, string? Row, double Age);

/// <summary>
/// Bytes ready for both ways out: as they are, and as one chunk of HTTP/1.1's chunked coding. Shared by all who get them.
/// </summary>
internal sealed class LiveFrame
{
    /// <summary>Frames of a burst are about this long at most, so that a slow line takes them one by one.</summary>
    private const int MaxBytes = 64 * 1024;

    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    private readonly int _start;

    /// <summary>Some events in one frame.</summary>
    public LiveFrame(IReadOnlyList<Change> changes) : this(changes.Select(c => c.Event), changes.Count)
    {
    }

    private LiveFrame(IEnumerable<byte[]> payload, int events)
    {
        Events = events;
        var parts = payload as IReadOnlyCollection<byte[]> ?? [.. payload];
        var length = Encoding.ASCII.GetBytes($"{parts.Sum(p => p.Length):x}\r\n");
        _start = length.Length;
        Chunk = [.. length, .. parts.SelectMany(p => p), .. LineEnd];
    }

    /// <summary>How many events it carries.</summary>
    public int Events { get; }

    /// <summary>The bytes as one chunk.</summary>
    public byte[] Chunk { get; }

    /// <summary>The bytes themselves.</summary>
    public ReadOnlyMemory<byte> Payload => Chunk.AsMemory(_start..^LineEnd.Length);

    /// <summary>Nothing, to keep the connection open.</summary>
    public static LiveFrame Heartbeat { get; } = new([": still here\n\n"u8.ToArray()], 0);

    /// <summary>Nothing, to keep the connection open, and how far its reader need not ask again: an <c>id</c> without an event.</summary>
    public static LiveFrame Reached(long position) => new([Encoding.ASCII.GetBytes($"id: {position}\n\n")], 0);

    /// <summary>The end of a chunked response.</summary>
    public static ReadOnlySpan<byte> End => "0\r\n\r\n"u8;

    /// <summary>Says that the page must be read again, within <paramref name="spread"/> of now so that all do not come at once.</summary>
    public static LiveFrame Reset(long position, TimeSpan spread) =>
        new([Encoding.ASCII.GetBytes($"id: {position}\nevent: reset\ndata: {{\"spread\":{(int)spread.TotalMilliseconds}}}\n\n")], 0);

    /// <summary>As many frames as the changes fill.</summary>
    public static LiveFrame[] Of(IReadOnlyList<Change> changes)
    {
        if (changes.Count == 1)
        {
            return [changes[0].Frame];
        }
        var frames = new List<LiveFrame>();
        var (from, bytes) = (0, 0);
        for (var i = 0; i < changes.Count; i++)
        {
            if (i > from && bytes + changes[i].Event.Length > MaxBytes)
            {
                frames.Add(new LiveFrame([.. changes.Skip(from).Take(i - from)]));
                (from, bytes) = (i, 0);
            }
            bytes += changes[i].Event.Length;
        }
        frames.Add(new LiveFrame([.. changes.Skip(from)]));
        return [.. frames];
    }
}
