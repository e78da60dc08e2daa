using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Ui;

/// <summary>A line of a home page.</summary>
/// <param name="Text">What it is, in the person's words, with its number.</param>
/// <param name="Name">What it is called, where it is one.</param>
/// <param name="At">Since when, or until when.</param>
/// <param name="Url">Where it is dealt with; null: nowhere.</param>
public sealed record HomeEntry(string Text, string? Name, DateTime? At, string? Url);

/// <summary>A figure, and what it was thirty days ago.</summary>
public sealed record HomeFigure(string Label, long Value, long Before, string? Url);

/// <summary>What a home page says, besides what is only its own.</summary>
/// <param name="Reads">The tables that it is read from.</param>
public sealed record HomeContent(
    IReadOnlyList<HomeEntry> Waiting, IReadOnlyList<HomeEntry> News, IReadOnlyList<HomeFigure> Figures, string Reads)
{
    /// <summary>Not read yet.</summary>
    public static HomeContent Empty { get; } = new([], [], [], "");
}

/// <summary>Reads the home pages: what every module says, in one round trip.</summary>
public sealed class Home(Db db, IEnumerable<SankoreModule> modules, IStringLocalizerFactory strings)
{
    private const int MaxNews = 6;

    private sealed record Row(string Part, string Kind, long N, string? Name, DateTime? At, string? Url, long? Before);

    /// <summary>What waits for the caller, what changed, and how much there is of what.</summary>
    /// <param name="isOperator">Whether it is the operator's page.</param>
    public Task<HomeContent> Read(Caller caller, Rights rights, bool isOperator, CancellationToken ct)
    {
        var parts = modules.SelectMany(m => m.Home)
            .Where(p => isOperator ? p.Permission is { } permission && rights.May(permission) : p.Permission is null).ToList();
        return db.Read(caller, async session =>
        {
            var rows = new List<(HomePart Part, Row Row)>();
            await using var grid = await session.Queries(string.Join(';', parts.Select(p => p.Sql)));
            foreach (var part in parts)
            {
                rows.AddRange((await grid.ReadAsync<Row>()).Select(row => (part, row)));
            }
            return new HomeContent(
                [.. rows.Where(r => r.Row.Part == "todo").Select(Entry)],
                [.. rows.Where(r => r.Row.Part == "news").OrderByDescending(r => r.Row.At).Take(MaxNews).Select(Entry)],
                [.. rows.Where(r => r.Row.Part == "figure").Select(r => new HomeFigure(
                    strings.Create(r.Part.Strings)["figure." + r.Row.Kind], r.Row.N, r.Row.Before ?? r.Row.N, r.Row.Url))],
                string.Join(' ', parts.SelectMany(p => p.Reads.Split(' ')).Distinct()));
        }, ct);

        HomeEntry Entry((HomePart Part, Row Row) line) => new(
            strings.Create(line.Part.Strings).Count($"{line.Row.Part}.{line.Row.Kind}", line.Row.N), line.Row.Name, line.Row.At,
            line.Row.Url);
    }
}
