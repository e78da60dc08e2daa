using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Platform.Imports;

/// <summary>What an import gives away as files, in the reader's language: its report, and the template of its kind.</summary>
public sealed class ImportReport(FileImports imports, Problems problems, IStringLocalizer<Strings> texts)
{
    /// <summary>
    /// Every row with its number, the columns that were read, its verdict, and what is wrong with it. Refuses with NOT_FOUND,
    /// VALIDATION_FAILED.
    /// </summary>
    /// <param name="caller">Who uploaded the file.</param>
    /// <param name="id">Which import.</param>
    /// <param name="of">The kinds that it may be of.</param>
    /// <param name="verdict">Only rows with this one.</param>
    /// <param name="format"><c>csv</c> or <c>xlsx</c>.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<IResult> File(Caller caller, Guid id, string[] of, string? verdict, string? format, CancellationToken ct)
    {
        var import = await imports.Find(caller, id, of, ct);
        // Refused before anything is written.
        await imports.Rows(caller, id, of, verdict, 0, 1, ct);
        var kind = imports.Kind(import.Kind);
        var columns = ColumnsOf(kind, import);
        string[] head = [texts["import.line"], .. columns.Select(c => c.Head), texts["import.verdict"], texts["import.mistakes"]];
        return Exports.File(format, "import", head, imports.Report(caller, id, of, verdict, ct), row =>
            [row.Number.ToString(CultureInfo.InvariantCulture), .. columns.Select(c => row[c.Name]), kind.Words["verdict." + row.Verdict],
                InWords(kind, row)]);
    }

    /// <summary>A file to fill in: heads, and an example.</summary>
    public async Task<byte[]> Template(Caller caller, ImportKind kind, JsonElement? options, CancellationToken ct)
    {
        await imports.Load(caller, kind, ct);
        var columns = kind.ColumnsOf(options).Where(c => !c.IsMinor).ToList();
        string[][] rows = [[.. columns.Select(c => c.Head)], [.. columns.Select(c => c.Example)]];
        using var file = new MemoryStream();
        await XlsxExport.Write(file, kind.Name, rows.ToAsyncEnumerable(), ct);
        return file.ToArray();
    }

    /// <summary>The columns that an import reads.</summary>
    public static IReadOnlyList<ImportColumn> ColumnsOf(ImportKind kind, ImportView import) =>
        [.. kind.ColumnsOf(import.Settings.Options).Where(c => import.Settings.Columns.ContainsKey(c.Name))];

    private string InWords(ImportKind kind, ImportRow row) => string.Join("; ", row.Errors.Select(e => Sentence(kind, e)));

    private string Sentence(ImportKind kind, RowError error)
    {
        var message = problems.Message(new FieldError(error.Key, error.Args));
        return kind.ColumnsOf(null).FirstOrDefault(c => c.Name == error.Column) is { } column ? $"{column.Head}: {message}" : message;
    }
}
