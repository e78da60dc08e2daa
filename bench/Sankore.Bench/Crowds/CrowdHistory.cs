using System.Collections.Concurrent;

namespace Sankore.Bench.Crowds;

/// <summary>Something that a client was told, or that the log holds.</summary>
/// <param name="Id">Its place in the log.</param>
/// <param name="Row">The row; empty for a reset.</param>
/// <param name="Counter">The number in the row's name (<see cref="CrowdEvent.Counter"/>).</param>
public readonly record struct Told(long Id, Guid Row, long Counter)
{
    /// <summary>Whether everything up to <see cref="Id"/> had to be read again.</summary>
    public bool IsReset => Row == Guid.Empty;
}

/// <summary>
/// What each client of a crowd was told, in order: for tests, which then ask what was wrong with it. Give <see cref="Seen"/> to
/// <see cref="CrowdOptions.Seen"/>.
/// </summary>
public sealed class CrowdHistory
{
    private readonly ConcurrentDictionary<int, List<Told>> _told = new();

    /// <summary>Keeps an event.</summary>
    public void Seen(CrowdClient client, CrowdEvent heard)
    {
        var told = _told.GetOrAdd(client.Number, _ => []);
        lock (told)
        {
            told.Add(heard.IsReset ? new Told(heard.Id, Guid.Empty, 0) : new Told(heard.Id, heard.Row, heard.Counter));
        }
    }

    /// <summary>Begins anew.</summary>
    public void Forget() => _told.Clear();

    /// <summary>What a client was told so far.</summary>
    public IReadOnlyList<Told> Of(CrowdClient client)
    {
        var told = _told.GetOrAdd(client.Number, _ => []);
        lock (told)
        {
            return [.. told];
        }
    }

    /// <summary>Changes that came twice or after a later one.</summary>
    public IReadOnlyList<Told> Disorder(CrowdClient client)
    {
        var last = 0L;
        var wrong = new List<Told>();
        foreach (var told in Of(client))
        {
            if (!told.IsReset && told.Id <= last)
            {
                wrong.Add(told);
            }
            last = told.Id;
        }
        return wrong;
    }

    /// <summary>
    /// Of the changes that the log holds for a client since it first connected, those that it neither was told, nor of which a later change
    /// of the same row, nor a reset that covers them. Where this is empty, the client's last state of every row is the database's.
    /// </summary>
    public IReadOnlyList<Told> Missed(CrowdClient client, IEnumerable<Told> log)
    {
        var rows = new Dictionary<Guid, Told>();
        foreach (var told in Of(client))
        {
            rows[told.Row] = told;
        }
        var reset = rows.GetValueOrDefault(Guid.Empty).Id;
        return [.. log.Where(c => c.Id > reset && !(rows.TryGetValue(c.Row, out var last) && (last.Id > c.Id || last == c)))];
    }
}
