using System.Collections.Concurrent;
using Sankore.Platform.Data;

namespace Sankore.Platform.Security;

/// <summary>What a person may do and is told, as decided by the database under the person's own role.</summary>
/// <param name="Position">The log's position before the rights were read.</param>
/// <param name="SecurityStamp">The account's stamp; null when the account is gone.</param>
/// <param name="Roles">Platform roles in force.</param>
/// <param name="Permissions">Permission keys in force.</param>
/// <param name="Topics">Topics of the person's stream.</param>
/// <param name="ValidUntil">When the first of the roles expires.</param>
public sealed record Rights(long Position, string? SecurityStamp, IReadOnlySet<string> Roles, IReadOnlySet<string> Permissions, string[] Topics, DateTime ValidUntil)
{
    /// <summary>Nobody's rights: none.</summary>
    public static Rights None { get; } = new(0, null, new HashSet<string>(), new HashSet<string>(), [], DateTime.MaxValue);

    /// <summary>Whether the permission is among them.</summary>
    public bool May(string permission) => Permissions.Contains(permission);
}

/// <summary>
/// Rights by person, in memory, so that neither a request nor ten thousand connections returning at once read tables for them. The log
/// says when they change (<c>RIGHTS</c>), and <see cref="Forget"/> runs before anything later is delivered.
/// </summary>
public sealed class RightsCache(Db db, IEnumerable<SankoreModule> modules, TimeProvider time)
{
    private const int MaxPeople = 200_000;

    private readonly string _sql = "select 'position' as kind, live.position()::text as value; "
        + string.Join(" union all ", modules.Select(m => m.RightsSql).OfType<string>());

    private readonly ConcurrentDictionary<Guid, Lazy<Task<Rights>>> _people = new();

    private sealed record Entry(string Kind, string? Value);

    /// <summary>The rights of a person.</summary>
    public async Task<Rights> Get(Guid userId, CancellationToken ct)
    {
        if (_people.Count > MaxPeople)
        {
            _people.Clear();
        }
        while (true)
        {
            var entry = _people.GetOrAdd(userId, id => new Lazy<Task<Rights>>(() => Read(id)));
            try
            {
                var rights = await entry.Value.WaitAsync(ct);
                if (rights.ValidUntil > time.GetUtcNow().UtcDateTime)
                {
                    return rights;
                }
            }
            catch when (!ct.IsCancellationRequested)
            {
                _people.TryRemove(KeyValuePair.Create(userId, entry));
                throw;
            }
            _people.TryRemove(KeyValuePair.Create(userId, entry));
        }
    }

    /// <summary>Drops what is known of the people behind some topics.</summary>
    public void Forget(IReadOnlyList<string> topics)
    {
        foreach (var topic in topics)
        {
            if (topic.StartsWith("user:", StringComparison.Ordinal) && Guid.TryParse(topic.AsSpan(5), out var userId))
            {
                _people.TryRemove(userId, out _);
                continue;
            }
            foreach (var (id, entry) in _people)
            {
                // Whoever is still being read may have read too early.
                if (!entry.IsValueCreated || !entry.Value.IsCompletedSuccessfully || entry.Value.Result.Topics.Contains(topic))
                {
                    _people.TryRemove(id, out _);
                }
            }
        }
    }

    private Task<Rights> Read(Guid userId) => db.Read(Caller.Person(userId), async session =>
    {
        await using var grid = await session.Queries(_sql);
        var position = long.Parse((await grid.ReadFirstAsync<Entry>()).Value!, System.Globalization.CultureInfo.InvariantCulture);
        var rows = (await grid.ReadAsync<Entry>()).ToLookup(r => r.Kind, r => r.Value);
        return new Rights(
            position,
            rows["stamp"].FirstOrDefault(),
            rows["role"].OfType<string>().ToHashSet(),
            rows["permission"].OfType<string>().ToHashSet(),
            [.. rows["topic"].OfType<string>().Select(string.Intern)],
            rows["valid_until"].OfType<string>().Select(v => DateTime.Parse(v, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal)).DefaultIfEmpty(DateTime.MaxValue).Min());
    }, CancellationToken.None);
}
