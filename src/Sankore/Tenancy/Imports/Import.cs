using Sankore.Platform.Security;

namespace Sankore.Tenancy.Imports;

/// <summary>What is wrong with a row: a key of the resource and its arguments.</summary>
public sealed record RowError(string Column, string Key, params string[] Args);

/// <summary>A row to import.</summary>
/// <param name="Number">As the file's reader sees it.</param>
/// <param name="Values">By column.</param>
/// <param name="Errors">What stands in its way.</param>
public sealed record ImportRow(int Number, IReadOnlyDictionary<string, string> Values, IReadOnlyList<RowError> Errors)
{
    internal string? this[string column] => Values.TryGetValue(column, out var value) && value.Length > 0 ? value : null;

    internal ImportRow With(string column, string key, params string[] args) => this with { Errors = [.. Errors, new RowError(column, key, args)] };

    /// <summary>The row with what a use case's own rules say of it, under the file's columns.</summary>
    internal ImportRow Checked(Action rules, IReadOnlyDictionary<string, string>? columns = null)
    {
        try
        {
            rules();
            return this;
        }
        catch (Refusal refusal)
        {
            return refusal.Fields.Count == 0 ? With("", refusal.Reason.Code)
                : refusal.Fields.Aggregate(this, (row, field) => row.With(columns?.GetValueOrDefault(field.Key) ?? field.Key, field.Value.Key, [.. field.Value.Args.Select(a => a.ToString()!)]));
        }
    }
}

/// <summary>A file that was read, with its rows; imported once its uploader says so.</summary>
/// <param name="Rows">All rows, in the file's order.</param>
/// <param name="Errors">How many rows have errors: with any, nothing is imported.</param>
/// <param name="ImportedAt">When it was imported; null before.</param>
/// <param name="Result">What became of it: counts by word.</param>
public sealed record ImportView(Guid Id, string Kind, Guid? GroupId, string FileName, IReadOnlyList<ImportRow> Rows, int Errors, DateTime? ImportedAt, IReadOnlyDictionary<string, int>? Result);
