using System.Text.Json;
using Sankore.Platform.Security;

namespace Sankore.Platform.Imports;

/// <summary>How a file is read.</summary>
/// <param name="Sheet">The sheet's place among the visible ones, from 0.</param>
/// <param name="HasHeader">Whether the first row is a head.</param>
/// <param name="Columns">The place of each column that the file has, from 0, by its name.</param>
/// <param name="Options">What else the kind wants to know.</param>
/// <param name="Above">How many rows that say something stand above the head, such as a title; they are passed over with it.</param>
public sealed record ImportSettings(
    int Sheet, bool HasHeader, IReadOnlyDictionary<string, int> Columns, JsonElement? Options = null, int Above = 0)
{
    /// <summary>How many rows come before the first that is read.</summary>
    public int Skipped => HasHeader ? Above + 1 : 0;
}

/// <summary>The beginning of a sheet, and what it suggests.</summary>
/// <param name="Name">As the workbook has it; empty for a CSV.</param>
/// <param name="Rows">The cells of its first rows.</param>
/// <param name="HasHeader">Whether the first of them seems to be a head.</param>
/// <param name="Columns">The place of each column that was found.</param>
/// <param name="Above">How many of its rows stand above the head.</param>
/// <param name="Hidden">How many of its first rows the program that wrote it does not show; they are read like the others.</param>
public sealed record ImportSheet(
    string Name, IReadOnlyList<string[]> Rows, bool HasHeader, IReadOnlyDictionary<string, int> Columns, int Above = 0, int Hidden = 0);

/// <summary>A file that somebody uploaded, and what became of it.</summary>
/// <param name="Kind">See <see cref="ImportKind.Name"/>.</param>
/// <param name="Status"><c>uploaded</c>, <c>running</c>, <c>checked</c> (of a kind that is all or nothing), <c>completed</c> or
/// <c>failed</c>.</param>
/// <param name="Settings">How it is read: as guessed until it is started.</param>
/// <param name="Sheets">The sheets to choose from.</param>
/// <param name="Percent">How far it is, from 0 to 100.</param>
/// <param name="Rows">Rows read so far.</param>
/// <param name="Counts">Rows by verdict.</param>
/// <param name="Result">What was made, by word.</param>
/// <param name="Failure">The code of what it failed of; nothing was imported then.</param>
public sealed record ImportView(
    Guid Id,
    string Kind,
    string FileName,
    string Status,
    ImportSettings Settings,
    IReadOnlyList<ImportSheet> Sheets,
    int Percent,
    int Rows,
    IReadOnlyDictionary<string, int> Counts,
    IReadOnlyDictionary<string, int> Result,
    string? Failure,
    DateTime CreatedAt,
    DateTime? FinishedAt)
{
    /// <summary>How many rows got a verdict.</summary>
    public int Count(string verdict) => Counts.GetValueOrDefault(verdict);

    /// <summary>What a sheet suggests. Refuses with VALIDATION_FAILED where there is no such sheet.</summary>
    public ImportSettings Guess(int sheet)
    {
        new Validation().That("sheet", sheet >= 0 && sheet < Sheets.Count).Check();
        return new ImportSettings(sheet, Sheets[sheet].HasHeader, Sheets[sheet].Columns, Settings.Options, Sheets[sheet].Above);
    }
}

/// <summary>What is wrong with a row.</summary>
/// <param name="Column">Its name; empty where it is the row's.</param>
/// <param name="Key">A key of a module's texts.</param>
/// <param name="Args">The message's arguments.</param>
public sealed record RowError(string Column, string Key, params string[] Args);

/// <summary>A row of a file.</summary>
/// <param name="Number">As the file's reader sees it, from 1.</param>
/// <param name="Values">What it says, by column.</param>
/// <param name="Verdict">One of the kind's.</param>
/// <param name="Errors">What stands in its way.</param>
public sealed record ImportRow(int Number, IReadOnlyDictionary<string, string> Values, string Verdict, IReadOnlyList<RowError> Errors)
{
    /// <summary>What it says in a column; null: nothing.</summary>
    public string? this[string column] => Values.TryGetValue(column, out var value) && value.Length > 0 ? value : null;

    /// <summary>The row with one more thing wrong.</summary>
    public ImportRow With(string column, string key, params string[] args) =>
        this with { Errors = [.. Errors, new RowError(column, key, args)] };

    /// <summary>The row with what a use case's own rules say of it, under the file's columns.</summary>
    public ImportRow Checked(Action rules, IReadOnlyDictionary<string, string>? columns = null)
    {
        try
        {
            rules();
            return this;
        }
        catch (Refusal refusal)
        {
            return refusal.Fields.Count == 0 ? With("", refusal.Reason.Code)
                : refusal.Fields.Aggregate(this, (row, field) => row.With(
                    columns?.GetValueOrDefault(field.Key) ?? field.Key, field.Value.Key, [.. field.Value.Args.Select(a => a.ToString()!)]));
        }
    }
}
