using System.Buffers;
using System.Text.RegularExpressions;
using System.Xml;
using Sankore.Platform.Security;
using SpreadCheetah;
using SpreadCheetah.Styling;
using SpreadCheetah.Worksheets;

namespace Sankore.Platform.Files;

/// <summary>
/// Rows written as a workbook (.xlsx) of one sheet by SpreadCheetah, forwards only, to any stream and of any number: nothing is kept but
/// the row at hand.
/// </summary>
public static partial class XlsxExport
{
    public const string MediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// <summary>The most rows that Excel shows, with the head.</summary>
    public const int MaxRows = 1_048_576;

    private const int MaxColumns = 16_384;
    private const int MaxCell = 32_767;
    private const int MaxName = 31;
    private const int Block = 32 * 1024;

    private static readonly SearchValues<char> NotInNames = SearchValues.Create("[]:*?/\\");

    private static readonly SpreadCheetahOptions Options = new()
    {
        BufferSize = Block,
        CompressionLevel = SpreadCheetahCompressionLevel.Fastest,
        DefaultDateTimeFormat = null,
        DocumentProperties = null,
        PreserveStringWhitespace = true,
        WriteCellReferenceAttributes = true,
    };

    /// <summary>
    /// Writes rows as texts, the first bold, columns as wide as their heads. A text in a workbook is never run, whatever it begins with:
    /// nothing is put before it. Characters that XML cannot hold are left out. Refuses with TOO_LARGE where Excel would not hold it: more
    /// than 1,048,576 rows, 16,384 columns, or 32,767 characters in a cell.
    /// </summary>
    /// <param name="to">Need not be sought in; stays open.</param>
    /// <param name="name">The sheet's name; what a name may not have is left out.</param>
    /// <param name="rows">The head first; cells that are null are empty.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task Write(Stream to, string name, IAsyncEnumerable<IReadOnlyList<string?>> rows, CancellationToken ct)
    {
        using var packed = new Packed();
        await using (var book = await Spreadsheet.CreateNewAsync(packed, Options, ct))
        {
            var (head, text, number) = (Style(book, isHead: true), Style(book, isHead: false), 0);
            await foreach (var row in rows.WithCancellation(ct))
            {
                if (number == MaxRows || row.Count > MaxColumns)
                {
                    throw new Refusal(Reason.TooLarge);
                }
                if (++number == 1)
                {
                    await book.StartWorksheetAsync(Name(name), Widths(row), ct);
                }
                await book.AddRowAsync(row.Select(cell => Cell(cell, number == 1 ? head : text)).ToArray(), ct);
                await packed.Send(to, Block, ct);
            }
            if (number == 0)
            {
                await book.StartWorksheetAsync(Name(name), token: ct);
            }
            await book.FinishAsync(ct);
        }
        await packed.Send(to, 0, ct);
    }

    private static StyleId Style(Spreadsheet book, bool isHead)
    {
        var style = new Style { Format = NumberFormat.Standard(StandardNumberFormat.Text) };
        style.Font.Bold = isHead;
        return book.AddStyle(style);
    }

    private static WorksheetOptions Widths(IReadOnlyList<string?> head)
    {
        var options = new WorksheetOptions();
        for (var i = 0; i < head.Count; i++)
        {
            options.Column(i + 1).Width = Math.Clamp((head[i]?.Length ?? 0) + 4, 14, 50);
        }
        return options;
    }

    private static StyledCell Cell(string? text, StyleId style) => text is null or "" ? default : new StyledCell(Escaped(text), style);

    private static string Name(string name)
    {
        var clean = new string([.. name.Where(c => !NotInNames.Contains(c) && XmlConvert.IsXmlChar(c)).Take(MaxName)]).Trim('\'', ' ');
        return clean.Length == 0 ? "1" : clean;
    }

    /// <summary>A carriage return, which XML would lose, and what reads like an escape of it, by Excel's escapes.</summary>
    private static string Escaped(string cell)
    {
        if (cell.Length > MaxCell)
        {
            throw new Refusal(Reason.TooLarge);
        }
        var text = cell.Contains("_x", StringComparison.Ordinal) ? Escapes().Replace(cell, "_x005F_") : cell;
        return Illegal().Replace(text, "").Replace("\r", "_x000D_", StringComparison.Ordinal);
    }

    /// <summary>
    /// What is packed and not yet sent. A zip is written synchronously, which the server's answers refuse: only what leaves here is not.
    /// </summary>
    private sealed class Packed : MemoryStream
    {
        public override bool CanSeek => false;

        /// <summary>Sends what there is, if it is more than so many bytes.</summary>
        public async ValueTask Send(Stream to, int more, CancellationToken ct)
        {
            if (Length > more)
            {
                await to.WriteAsync(GetBuffer().AsMemory(0, (int)Length), ct);
                SetLength(0);
            }
        }
    }

    [GeneratedRegex("_(?=x[0-9A-Fa-f]{4}_)")]
    private static partial Regex Escapes();

    // Control characters, halves of characters, and two that are none.
    [GeneratedRegex(@"[\x00-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]")]
    private static partial Regex Illegal();
}
