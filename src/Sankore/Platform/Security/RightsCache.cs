using System.Collections.Concurrent;
using System.Globalization;
using Sankore.Platform.Data;

namespace Sankore.Platform.Security;

/// <summary>A session that a person has, and when it was last seen.</summary>
public sealed class SeenSession(Guid id, long seenAt)
{
    private long _seenAt = seenAt;

    public Guid Id => id;

    /// <summary>
    /// Whether it is time to write down that the session is seen, once an hour: true for whoever asks first. <paramref name="now"/> in
    /// seconds since 1970.
    /// </summary>
    public bool IsDue(long now)
    {
        var seen = Interlocked.Read(ref _seenAt);
        return now - seen > 3600 && Interlocked.CompareExchange(ref _seenAt, now, seen) == seen;
    }

    /// <summary>From its id and the second it was last seen in.</summary>
    internal static SeenSession Parse(string text) => new(Guid.Parse(text.AsSpan(0, 36)), long.Parse(text.AsSpan(37),
        CultureInfo.InvariantCulture));
}

/// <summary>What a person may do and is told, as decided by the database.</summary>
/// <param name="Position">The log's position before the rights were read.</param>
/// <param name="Sessions">Where the person is signed in; nowhere when the account is gone.</param>
/// <param name="Roles">Platform roles in force.</param>
/// <param name="Permissions">Permission keys in force.</param>
/// <param name="Topics">Topics of the person's stream, but for the person's own. People with the same topics share one array.</param>
/// <param name="EndsAt">When the first of the rights expires, in milliseconds of <see cref="RightsCache.Milliseconds"/>: judged by the
/// database's clock, counted by one that nobody sets.</param>
public sealed record Rights(
    long Position, IReadOnlyList<SeenSession> Sessions, IReadOnlySet<string> Roles, IReadOnlySet<string> Permissions, string[] Topics,
        long EndsAt)
{
    /// <summary>Nobody's rights: none.</summary>
    public static Rights None { get; } = new(0, [], new HashSet<string>(), new HashSet<string>(), [], long.MaxValue);

    /// <summary>The session, if the person has it.</summary>
    public SeenSession? Session(Guid? id)
    {
        foreach (var session in Sessions)
        {
            if (session.Id == id)
            {
                return session;
            }
        }
        return null;
    }

    /// <summary>Whether the permission is among them.</summary>
    public bool May(string permission) => Permissions.Contains(permission);
}

/// <summary>
/// Rights by person, in memory, so that neither a request nor ten thousand connections returning at once read tables for them. Whoever is
/// asked for while others are being read is read together with all who wait then: one statement for up to <see cref="Lane{T}.MaxTogether"/>
/// people. Streams, which nobody sees begin a moment later, are read in larger companies, and keep no request waiting. The log says when
/// rights change (<c>RIGHTS</c>), and <see cref="Forget"/> runs before anything later is delivered.
/// </summary>
public sealed class RightsCache
{
    private const int MaxPeople = 200_000;

    // A lifetime: what ends later does not end for this node.
    private const double MaxSeconds = 3e9;

    private readonly Db _db;
    private readonly TimeProvider _time;
    private readonly string _sql;
    private readonly Lane<Wanted> _requests;
    private readonly Lane<Wanted> _streams;
    private readonly ConcurrentDictionary<Guid, Task<Rights>> _people = new();
    private readonly ConcurrentDictionary<string, string[]> _sameTopics = new();
    private readonly ConcurrentDictionary<string, IReadOnlySet<string>> _sameSets = new();

    private sealed record Entry(Guid UserId, string Kind, string[] Items);
    private sealed record Wanted(Guid Person, TaskCompletionSource<Rights> Answer);

    /// <summary>Made once per node; each module adds its part of the statement.</summary>
    public RightsCache(Db db, IEnumerable<SankoreModule> modules, TimeProvider time)
    {
        (_db, _time) = (db, time);
        _sql = "select live.position(); " + string.Join(" union all ", modules.Select(m => m.RightsSql).OfType<string>());
        _requests = new(Read, readers: 2, TimeSpan.Zero);
        _streams = new(Read, readers: 1, TimeSpan.FromMilliseconds(60));
    }

    /// <summary>Milliseconds that only count, whatever is done to the clock.</summary>
    public static long Milliseconds(TimeProvider time) => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>The rights of a person. <paramref name="forStream"/>: nobody sees it if they come a moment later.</summary>
    public async Task<Rights> Get(Guid userId, CancellationToken ct, bool forStream = false)
    {
        while (true)
        {
            var known = _people.TryGetValue(userId, out var found) ? found : Ask(userId, forStream ? _streams : _requests);
            try
            {
                var rights = await known.WaitAsync(ct);
                if (rights.EndsAt > Milliseconds(_time))
                {
                    return rights;
                }
            }
            catch when (!ct.IsCancellationRequested)
            {
                _people.TryRemove(KeyValuePair.Create(userId, known));
                throw;
            }
            _people.TryRemove(KeyValuePair.Create(userId, known));
        }
    }

    /// <summary>Drops what is known of some people, and of everybody who has one of some topics.</summary>
    public void Forget(IEnumerable<Guid> people, IReadOnlyCollection<string> topics)
    {
        foreach (var person in people)
        {
            _people.TryRemove(person, out _);
        }
        if (topics.Count == 0)
        {
            return;
        }
        var concerned = new Dictionary<string[], bool>(ReferenceEqualityComparer.Instance);
        foreach (var (person, known) in _people)
        {
            // Whoever is still being read may have read too early.
            if (!known.IsCompletedSuccessfully || Concerned(known.Result.Topics))
            {
                _people.TryRemove(KeyValuePair.Create(person, known));
            }
        }

        bool Concerned(string[] mine) => concerned.TryGetValue(mine, out var known) ? known : concerned[mine] = mine.Any(topics.Contains);
    }

    /// <summary>Drops all that is known.</summary>
    public void ForgetEverybody()
    {
        _people.Clear();
        _sameTopics.Clear();
        _sameSets.Clear();
    }

    private Task<Rights> Ask(Guid userId, Lane<Wanted> lane)
    {
        if (_people.Count >= MaxPeople)
        {
            ForgetEverybody();
        }
        var answer = new TaskCompletionSource<Rights>(TaskCreationOptions.RunContinuationsAsynchronously);
        var known = _people.GetOrAdd(userId, answer.Task);
        if (known == answer.Task)
        {
            lane.Add(new Wanted(userId, answer));
        }
        return known;
    }

    private async Task Read(List<Wanted> wanted)
    {
        try
        {
            var now = Milliseconds(_time);
            var (position, entries) = await _db.Read(Caller.Service, async session =>
            {
                await using var grid = await session.Queries(_sql, new { userIds = wanted.Select(w => w.Person).Distinct().ToArray() });
                return (await grid.ReadFirstAsync<long>(), (await grid.ReadAsync<Entry>()).ToLookup(e => e.UserId));
            }, CancellationToken.None);
            foreach (var (person, answer) in wanted)
            {
                Give(answer, () => RightsOf(entries[person].ToLookup(e => e.Kind, e => e.Items), position, now));
            }
        }
        catch (Npgsql.PostgresException e) when (
            wanted.Count > 1 && e.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            // Something of somebody's cannot be read: the others have no part in it.
            foreach (var one in wanted)
            {
                await Read([one]);
            }
        }
        catch (Exception e)
        {
            // Each who waits hears of it.
            foreach (var (_, answer) in wanted)
            {
                answer.TrySetException(e);
            }
        }
    }

    private static void Give(TaskCompletionSource<Rights> answer, Func<Rights> rights)
    {
        try
        {
            answer.SetResult(rights());
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            answer.SetException(e);
        }
    }

    private Rights RightsOf(ILookup<string, string[]> items, long position, long now)
    {
        string[] topics = [.. items["topic"].SelectMany(t => t)];
        var secondsLeft = items["seconds_left"].Select(s => double.Parse(s[0], CultureInfo.InvariantCulture))
            .DefaultIfEmpty(double.PositiveInfinity).Min();
        return new Rights(
            position,
            [.. items["session"].SelectMany(s => s).Select(SeenSession.Parse)],
            Same(items["role"]),
            Same(items["permission"]),
            _sameTopics.GetOrAdd(string.Join('\n', topics), _ => topics),
            secondsLeft < MaxSeconds ? now + (long)(secondsLeft * 1000) : long.MaxValue);
    }

    private IReadOnlySet<string> Same(IEnumerable<string[]> items)
    {
        string[] all = [.. items.SelectMany(i => i)];
        return _sameSets.GetOrAdd(string.Join('\n', all), _ => all.ToHashSet());
    }
}
