using System.Globalization;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>Rows as files to keep: written while they are read, of any number.</summary>
internal static class Exports
{
    /// <summary>A download. Refuses with VALIDATION_FAILED for a format that is none.</summary>
    /// <param name="format"><c>csv</c> (the default) or <c>xlsx</c>.</param>
    /// <param name="name">The file's, without its ending.</param>
    /// <param name="head">The names of the columns.</param>
    /// <param name="rows">What is exported.</param>
    /// <param name="cells">A row's cells.</param>
    public static IResult File<T>(
        string? format, string name, IReadOnlyList<string?> head, IAsyncEnumerable<T> rows, Func<T, IReadOnlyList<string?>> cells)
    {
        new Validation().OneOf("format", format ?? "csv", ["csv", "xlsx"]).Check();
        var separator = CsvExport.Separator(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName);
        var table = rows.Select(cells).Prepend(head);
        return format == "xlsx"
            ? Results.Stream(to => XlsxExport.Write(to, name, table, CancellationToken.None), XlsxExport.MediaType, $"{name}.xlsx")
            : Results.Stream(to => CsvExport.Write(to, separator, table, CancellationToken.None), CsvExport.MediaType, $"{name}.csv");
    }
}
