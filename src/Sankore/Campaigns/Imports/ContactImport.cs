using Sankore.Platform.Files;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns.Imports;

/// <summary>How the rows of a file are read (document 001, « Import Excel »: column A the organisation, column B the address).</summary>
/// <param name="Email">The column of addresses, from 0.</param>
/// <param name="Organization">The column of organisations; null: none.</param>
/// <param name="Name">The column of people's names; null: none.</param>
/// <param name="HasHeader">Whether the first row is a head.</param>
/// <param name="Tags">What every contact of the file is tagged with.</param>
/// <param name="ConsentSource">Where the contacts agreed to be written to.</param>
public sealed record ImportSettings(int Email, int? Organization, int? Name, bool HasHeader, IReadOnlyList<string>? Tags = null, string? ConsentSource = null)
{
    /// <summary>The most columns that can be chosen from.</summary>
    internal const int MaxColumns = 26;

    /// <summary>Files up to 50 MB; more rows than half a million are for two files.</summary>
    internal static readonly SheetLimits Limits = new(50 * 1024 * 1024, 500_000, MaxColumns, 300, 600L * 1024 * 1024);

    /// <summary>What a file's first rows suggest: the column with the most addresses; of the others the first is the organisation. Refuses with IMPORT_COLUMNS when none has any.</summary>
    internal static ImportSettings Guess(IReadOnlyList<SheetRow> rows)
    {
        var columns = Enumerable.Range(0, rows.Select(r => r.Cells.Length).DefaultIfEmpty().Max()).ToList();
        var addresses = columns.ToDictionary(c => c, c => rows.Count(r => IsAddress(r, c)));
        var email = columns.OrderByDescending(c => addresses[c]).ThenBy(c => c).FirstOrDefault(-1);
        if (email < 0 || addresses[email] == 0)
        {
            throw new Refusal(Reason.ImportColumns);
        }
        var organization = columns.Where(c => c != email && rows.Any(r => c < r.Cells.Length)).Cast<int?>().FirstOrDefault();
        return new ImportSettings(email, organization, null, !IsAddress(rows[0], email));
    }

    /// <summary>The settings in their one form. Refuses with IMPORT_COLUMNS, VALIDATION_FAILED.</summary>
    internal ImportSettings Normalized()
    {
        var chosen = new[] { Email, Organization, Name }.OfType<int>().ToList();
        if (chosen.Exists(c => c is < 0 or >= MaxColumns) || chosen.Distinct().Count() < chosen.Count)
        {
            throw new Refusal(Reason.ImportColumns);
        }
        var settings = this with { Tags = Contacts.ContactInput.TagsOf(Tags ?? []), ConsentSource = Texts.Blank(ConsentSource) };
        new Validation().That("tags", settings.Tags.Count <= Contacts.ContactInput.MaxTags && settings.Tags.All(t => t.Length <= 40), "contact.tags").Optional("consentSource", settings.ConsentSource, 200).Check();
        return settings;
    }

    private static bool IsAddress(SheetRow row, int column) => column < row.Cells.Length && Mail.IsAddress(Contacts.Addresses.Normalize(row.Cells[column]));
}

/// <summary>A file of contacts, and what became of it.</summary>
/// <param name="Status"><c>uploaded</c>, <c>running</c>, <c>completed</c> or <c>failed</c>.</param>
/// <param name="Settings">How its rows are read: as guessed until it is started.</param>
/// <param name="Preview">The cells of its first rows.</param>
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
public sealed record ContactImport(Guid Id, string FileName, string Status, ImportSettings Settings, IReadOnlyList<string[]> Preview, int Percent, int Rows, int Imported, int Updated, int Unchanged,
    int Duplicate, int Invalid, int Empty, int Organizations, string? Failure, DateTime CreatedAt, DateTime? FinishedAt);

/// <summary>What became of a row of the file.</summary>
/// <param name="Number">As people see it, from 1.</param>
/// <param name="Verdict"><c>imported</c>, <c>updated</c>, <c>unchanged</c>, <c>duplicate</c>, <c>invalid</c> or <c>empty</c>.</param>
public sealed record ImportedRow(int Number, string? Organization, string? Email, string? Name, string Verdict);
