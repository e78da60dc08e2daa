using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Platform.Imports;

/// <summary>A column of a kind of file.</summary>
/// <param name="Name">As rows keep it.</param>
/// <param name="Required">Whether the file must have it.</param>
/// <param name="French">Its head in French: the template's, and the page's.</param>
/// <param name="English">The same in English.</param>
/// <param name="Example">What the template shows.</param>
/// <param name="Heads">What else its head may be, in either language.</param>
public sealed record ImportColumn(string Name, bool Required, string French, string English, string Example, params string[] Heads)
{
    /// <summary>What people write above e-mail addresses.</summary>
    public static string[] EmailHeads { get; } =
    [
        "Adresse e-mail", "Adresse électronique", "Adresse de messagerie", "Adresse mail", "Courriel", "Courriels", "E-mail address",
        "E-mail 1 - Value", "E-mail 1", "E-mail", "E-mails", "Email", "Emails", "Mail", "Mails", "Mél", "Primary email", "Messagerie",
        "Adresse", "Address",
    ];

    /// <summary>Whether a cell holds what the column is for; null: only the head tells.</summary>
    public Func<string, bool>? Holds { get; init; }

    /// <summary>Whether it is the first column that is no other's, where nothing else tells.</summary>
    public bool IsFirstLeft { get; init; }

    /// <summary>Whether it counts only where its first is empty: never guessed by its contents.</summary>
    public bool IsSpare { get; init; }

    /// <summary>Heads that are this column's where the head has not the other column.</summary>
    public (string Column, string[] Heads) Without { get; init; } = ("", []);

    /// <summary>Whether pages show it only where the file has it.</summary>
    public bool IsMinor { get; init; }

    /// <summary>The column that must be in the head for this one to be; null: none.</summary>
    public string? Beside { get; init; }

    /// <summary>Its head in the reader's language.</summary>
    public string Head => Texts.Language == "en" ? English : French;

    /// <summary>The place of this column's head in a row: of those it may have, the first that is there and not taken; -1: none.</summary>
    /// <param name="row">The head.</param>
    /// <param name="taken">The places of other columns.</param>
    /// <param name="found">The columns that the head has.</param>
    public int PlaceIn(string[] row, IEnumerable<int>? taken = null, IEnumerable<string>? found = null)
    {
        var words = Array.ConvertAll(row, c => c.Length is > 0 and <= 80 ? Codes.Normalize(c) : "");
        string[] more = found?.Contains(Without.Column) == true ? [] : Without.Heads;
        return Heads.Prepend(English).Prepend(French).Append(Name).Concat(more).Select(Codes.Normalize)
            .Select(h => Array.FindIndex(words, w => w == h))
            .FirstOrDefault(place => place >= 0 && taken?.Contains(place) != true, -1);
    }
}

/// <summary>
/// Says of the rows of a block what they are: their values in their one form, a verdict, and what is wrong with them. Blocks come in
/// order.
/// </summary>
public delegate Task<IReadOnlyList<ImportRow>> JudgeRows(IReadOnlyList<ImportRow> block);

/// <summary>
/// What can be imported: its columns, how a row is judged, and how the good ones are written. A module registers each kind as a
/// service, and says in
/// SQL who may write it (<c>util.import_policies</c>).
/// </summary>
/// <param name="texts">The module's texts: <c>verdict.…</c>, <c>import.verdict.…</c> and <c>import.result.…</c> of what it says.</param>
public abstract class ImportKind(IStringLocalizer texts)
{
    /// <summary>Its name, in addresses and in <c>util.imports</c>.</summary>
    public abstract string Name { get; }

    /// <summary>All columns, in the template's order.</summary>
    public abstract IReadOnlyList<ImportColumn> Columns { get; }

    /// <summary>How much of a file is read.</summary>
    public abstract SheetLimits Limits { get; }

    /// <summary>What may become of a row, in the order in which people are told.</summary>
    public abstract IReadOnlyList<string> Verdicts { get; }

    /// <summary>
    /// Whether nothing is written as long as a row is wrong, and then only once the uploader has said so, with the rights that they
    /// have at that moment.
    /// If not, each row that is good is written at once.
    /// </summary>
    public abstract bool IsAllOrNothing { get; }

    /// <summary>The module's texts.</summary>
    public IStringLocalizer Words => texts;

    /// <summary>Reads what its columns depend on; before anything else that is asked of it.</summary>
    protected internal virtual Task Load(Session session) => Task.CompletedTask;

    /// <summary>The columns that a file with these options may have.</summary>
    public virtual IEnumerable<ImportColumn> ColumnsOf(JsonElement? options) => Columns;

    /// <summary>Options in their one form. Refuses with VALIDATION_FAILED.</summary>
    public virtual JsonElement? Normalized(JsonElement? options) => options;

    /// <summary>What is said of a row, with what depends on the reader's language filled in.</summary>
    public virtual RowError InWords(RowError error) => error;

    /// <summary>Refuses unless the caller may import with these options. What the kind's policies say need not be said again.</summary>
    protected internal virtual Task MayImport(Session session, JsonElement? options) => Task.CompletedTask;

    /// <summary>Why a file without a required column is refused.</summary>
    protected internal virtual Refusal Missing(ImportColumn column, bool isEmpty) => new(Reason.ColumnMissing, column.Head);

    /// <summary>Reads what judging needs, and returns what judges.</summary>
    protected internal abstract Task<JudgeRows> Judge(Session session, ImportSettings settings);

    /// <summary>Writes the good rows of <c>util.import_rows</c>; what was made, by word.</summary>
    /// <param name="session">The transaction of the whole file.</param>
    /// <param name="id">The import.</param>
    /// <param name="settings">How it is read.</param>
    /// <param name="tell">Told from time to time which share is done, from 0 to 1.</param>
    protected internal abstract Task<Dictionary<string, int>> Write(
        Session session, Guid id, ImportSettings settings, Func<double, Task> tell);
}
