using System.Text;
using System.Text.RegularExpressions;

namespace Sankore.Platform.Files;

/// <summary>Rows written as CSV, to any stream and of any number: nothing is kept but the row at hand.</summary>
public static partial class CsvExport
{
    public const string MediaType = "text/csv; charset=utf-8";

    private const int Block = 32 * 1024;

    /// <summary>The separator that Excel expects of a file: a semicolon where a comma is the decimal sign (French), else a comma.</summary>
    public static char Separator(string language) => language == "en" ? ',' : ';';

    /// <summary>
    /// Writes rows in UTF-8 with a mark, by RFC 4180, as Excel opens them by a double click. A cell that a spreadsheet would run as a
    /// formula (it begins with = + - @, their wide forms, a tab or a line's end) gets an apostrophe before it (OWASP, CSV injection); only
    /// after a sign, what is made of digits, spaces, dots, commas and parentheses stays as it is: a number or a phone (-12.5, +242 06 600
    /// 00 00), in which there is nothing to run. What comes in again loses it
    /// (<see cref="Unguarded"/>).
    /// </summary>
    /// <param name="to">Need not be sought in; stays open.</param>
    /// <param name="separator">Of cells: see <see cref="Separator"/>.</param>
    /// <param name="rows">The head first; cells that are null are empty.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task Write(Stream to, char separator, IAsyncEnumerable<IReadOnlyList<string?>> rows, CancellationToken ct)
    {
        await using var writer = new StreamWriter(to, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), Block, leaveOpen: true);
        var line = new StringBuilder();
        await foreach (var row in rows.WithCancellation(ct))
        {
            line.Clear().AppendJoin(separator, row.Select(cell => Cell(cell ?? "", separator))).Append("\r\n");
            await writer.WriteAsync(line, ct);
        }
    }

    /// <summary>A cell as it was before it was made harmless.</summary>
    public static string Unguarded(string cell) => cell is ['\'', ..] && Formula().IsMatch(cell) ? cell[1..] : cell;

    private static string Cell(string text, char separator)
    {
        var safe = Formula().IsMatch(text) && !Harmless().IsMatch(text) ? "'" + text : text;
        var isPlain = !safe.AsSpan().ContainsAny(separator, '"', '\n') && !safe.Contains('\r', StringComparison.Ordinal)
            && safe.AsSpan().Trim().Length == safe.Length;
        return isPlain ? safe : $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    // A spreadsheet passes over spaces before it looks. What begins with apostrophes already gets one more, so that it keeps its own.
    [GeneratedRegex(@"^'*(?:[\t\r\n]|\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])")]
    private static partial Regex Formula();

    [GeneratedRegex(@"^[+-][ \u00A0\u202F]?\(?[0-9][0-9 .,()\u00A0\u202F]*\z")]
    private static partial Regex Harmless();
}
