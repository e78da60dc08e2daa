using System.Text.Json;
using Sankore.Platform.Imports;

namespace Sankore.Campaigns;

/// <summary>How the rows of a file of contacts are read.</summary>
/// <param name="Email">The column of addresses, from 0.</param>
/// <param name="Organization">The column of organisations; null: none.</param>
/// <param name="Name">The column of people's names; null: none.</param>
/// <param name="HasHeader">Whether the first row is a head.</param>
/// <param name="Tags">What every contact of the file is tagged with.</param>
/// <param name="ConsentSource">Where the contacts agreed to be written to.</param>
/// <param name="Sheet">The sheet's place among the visible ones, from 0.</param>
/// <param name="Above">How many rows that say something stand above the head, such as a title.</param>
/// <param name="Others">The places of further columns: <c>email2</c>, <c>firstName</c>, <c>lastName</c>, <c>tags</c>, <c>consentSource</c>,
/// <c>consentOn</c>.</param>
public sealed record ContactImportSettings(
    int? Email, int? Organization, int? Name, bool HasHeader, IReadOnlyList<string>? Tags = null, string? ConsentSource = null,
    int Sheet = 0, int Above = 0, IReadOnlyDictionary<string, int>? Others = null)
{
    private static readonly string[] Main = ["email", "organization", "name"];

    internal static ContactImportSettings Of(ImportSettings settings)
    {
        var (options, columns) = (ContactOptions.Of(settings.Options), settings.Columns);
        return new ContactImportSettings(
            Place("email"), Place("organization"), Place("name"), settings.HasHeader, options.Tags, options.ConsentSource, settings.Sheet,
            settings.Above, columns.Where(c => !Main.Contains(c.Key)).ToDictionary(c => c.Key, c => c.Value));

        int? Place(string column) => columns.TryGetValue(column, out var place) ? place : null;
    }

    internal ImportSettings ToSettings() => new(
        Sheet, HasHeader,
        new[] { ("email", Email), ("organization", Organization), ("name", Name) }.Where(c => c.Item2 is not null)
        .Select(c => KeyValuePair.Create(c.Item1, c.Item2!.Value)).Concat(Others ?? new Dictionary<string, int>())
        .DistinctBy(c => c.Key).ToDictionary(c => c.Key, c => c.Value),
        JsonSerializer.SerializeToElement(new ContactOptions(Tags ?? [], ConsentSource)), Math.Clamp(Above, 0, 1000));
}

/// <summary>A file of contacts, and what became of it.</summary>
/// <param name="Status"><c>uploaded</c>, <c>running</c>, <c>completed</c> or <c>failed</c>.</param>
/// <param name="Settings">How its rows are read: as guessed until it is started.</param>
/// <param name="Sheets">The sheets to choose from; a CSV has one without a name.</param>
/// <param name="Preview">The cells of the first rows of the sheet that is read.</param>
/// <param name="Percent">How far it is, from 0 to 100.</param>
/// <param name="Rows">Rows read so far.</param>
/// <param name="Imported">New contacts.</param>
/// <param name="Updated">Contacts that the file knew more of.</param>
/// <param name="Unchanged">Contacts that were as the file says.</param>
/// <param name="Duplicate">Rows whose address another row of the file had before.</param>
/// <param name="Invalid">Rows without a valid address.</param>
/// <param name="Empty">Rows with nothing in the chosen columns.</param>
/// <param name="Organizations">Organisations that were made.</param>
/// <param name="Failure">The code of what it failed of; nothing was imported then.</param>
public sealed record ContactImport(
    Guid Id,
    string FileName,
    string Status,
    ContactImportSettings Settings,
    IReadOnlyList<string> Sheets,
    IReadOnlyList<string[]> Preview,
    int Percent,
    int Rows,
    int Imported,
    int Updated,
    int Unchanged,
    int Duplicate,
    int Invalid,
    int Empty,
    int Organizations,
    string? Failure,
    DateTime CreatedAt,
    DateTime? FinishedAt)
{
    internal static ContactImport Of(ImportView i) => new(
        i.Id, i.FileName, i.Status, ContactImportSettings.Of(i.Settings), [.. i.Sheets.Select(s => s.Name)],
        i.Sheets[i.Settings.Sheet].Rows, i.Percent, i.Rows,
        i.Count("imported"), i.Count("updated"), i.Count("unchanged"), i.Count("duplicate"), i.Count("invalid"), i.Count("empty"),
        i.Result.GetValueOrDefault("organizations"), i.Failure, i.CreatedAt, i.FinishedAt);
}

/// <summary>What became of a row of the file.</summary>
/// <param name="Number">As people see it, from 1.</param>
/// <param name="Verdict"><c>imported</c>, <c>updated</c>, <c>unchanged</c>, <c>duplicate</c>, <c>invalid</c> or <c>empty</c>.</param>
public sealed record ImportedRow(int Number, string? Organization, string? Email, string? Name, string Verdict);
