using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Ui;

/// <summary>Something found.</summary>
public sealed record Found(string Title, string? Note, string Url);

/// <summary>What was found of a kind.</summary>
/// <param name="More">The list that has all of them, where there may be more.</param>
public sealed record FoundPart(string Label, string Icon, IReadOnlyList<Found> Items, string? More);

/// <summary>One search over everything that a person may see: what it is, each module says; who may see it, the database does.</summary>
public sealed class Search(Db db, IEnumerable<SankoreModule> modules, IStringLocalizerFactory strings)
{
    /// <summary>How few letters are looked for.</summary>
    public const int Least = 2;

    /// <summary>What the words find, kind by kind, in one round trip. Words too short find nothing.</summary>
    public Task<IReadOnlyList<FoundPart>> Find(Caller caller, Rights rights, string? words, CancellationToken ct)
    {
        var pattern = new ListQuery { Q = words }.Pattern;
        if (words?.Trim().Length is not >= Least || pattern is null)
        {
            return Task.FromResult<IReadOnlyList<FoundPart>>([]);
        }
        var parts = modules.SelectMany(m => m.Searches).Where(p => p.Permission is null || rights.May(p.Permission)).ToList();
        return db.Read(caller, async session =>
        {
            var found = new List<FoundPart>();
            await using var grid = await session.Queries(string.Join(';', parts.Select(p => p.Sql)), new { Pattern = pattern });
            foreach (var part in parts)
            {
                IReadOnlyList<Found> items = [.. await grid.ReadAsync<Found>()];
                var more = items.Count == SearchPart.Most && part.List is { } list
                    ? $"{list}?q={Uri.EscapeDataString(words.Trim())}" : null;
                if (items.Count > 0)
                {
                    found.Add(new FoundPart(strings.Create(part.Strings)[part.Label], part.Icon, items, more));
                }
            }
            return (IReadOnlyList<FoundPart>)found;
        }, ct);
    }
}
