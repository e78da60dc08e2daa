using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Security;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// Rows written as a workbook (.xlsx) of one sheet, forwards only, to any stream and of any number: nothing is kept but the row at hand. By hand, because
/// the Open XML library wants to read what it has written, and keeps a whole sheet unpacked until it closes.
/// </summary>
public static partial class XlsxExport
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// <summary>The most rows that Excel shows, with the head.</summary>
    public const int MaxRows = 1_048_576;

    private const int MaxColumns = 16_384;
    private const int MaxCell = 32_767;
    private const int MaxName = 31;
    private const int Block = 32 * 1024;
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Package = "http://schemas.openxmlformats.org/package/2006";
    private const string Kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";

    private static readonly SearchValues<char> NotInNames = SearchValues.Create("[]:*?/\\");

    private static readonly (string Path, string Xml)[] Frame =
    [
        ("[Content_Types].xml", $"""
            <Types xmlns="{Package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{Kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{Kind}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="{Kind}.styles+xml"/></Types>
            """),
        ("_rels/.rels", $"""
            <Relationships xmlns="{Package}/relationships"><Relationship Id="rId1" Type="{Relationships}/officeDocument" Target="xl/workbook.xml"/></Relationships>
            """),
        ("xl/_rels/workbook.xml.rels", $"""
            <Relationships xmlns="{Package}/relationships"><Relationship Id="rId1" Type="{Relationships}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{Relationships}/styles" Target="styles.xml"/></Relationships>
            """),
        ("xl/styles.xml", $"""
            <styleSheet xmlns="{Main}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/></cellXfs></styleSheet>
            """),
    ];

    /// <summary>
    /// Writes rows as texts, the first bold, columns as wide as their heads. A text in a workbook is never run, whatever it begins with: nothing is put before
    /// it. Characters that XML cannot hold are left out. Refuses with TOO_LARGE where Excel would not hold it: more than 1,048,576 rows, 16,384 columns, or
    /// 32,767 characters in a cell.
    /// </summary>
    /// <param name="to">Need not be sought in; stays open.</param>
    /// <param name="name">The sheet's name; what a name may not have is left out.</param>
    /// <param name="rows">The head first; cells that are null are empty.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task Write(Stream to, string name, IAsyncEnumerable<IReadOnlyList<string?>> rows, CancellationToken ct)
    {
        using var packed = new Packed();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, xml) in Frame.Append(("xl/workbook.xml", Workbook(name))))
            {
                using var part = Part(zip, path);
                part.Write(xml);
            }
            await using var sheet = Part(zip, "xl/worksheets/sheet1.xml");
            sheet.Write($"<worksheet xmlns=\"{Main}\">");
            var (text, number) = (new StringBuilder(), 0);
            await foreach (var row in rows.WithCancellation(ct))
            {
                number = number < MaxRows && row.Count <= MaxColumns ? number + 1 : throw new Refusal(Reason.TooLarge);
                Row(number == 1 ? Columns(text.Clear(), row) : text.Clear(), number, row);
                sheet.Write(text);
                await packed.Send(to, Block, ct);
            }
            sheet.Write(number == 0 ? "<sheetData/></worksheet>" : "</sheetData></worksheet>");
        }
        await packed.Send(to, 0, ct);
    }

    private static StreamWriter Part(ZipArchive zip, string path)
    {
        var writer = new StreamWriter(zip.CreateEntry(path, CompressionLevel.Fastest).Open(), new UTF8Encoding(false), Block);
        writer.Write("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n");
        return writer;
    }

    private static StringBuilder Columns(StringBuilder text, IReadOnlyList<string?> head)
    {
        for (var i = 0; i < head.Count; i++)
        {
            var width = Math.Clamp((head[i]?.Length ?? 0) + 4, 14, 50);
            text.Append(i == 0 ? "<cols>" : "").Append(CultureInfo.InvariantCulture, $"<col min=\"{i + 1}\" max=\"{i + 1}\" width=\"{width}\" customWidth=\"1\"/>").Append(i == head.Count - 1 ? "</cols>" : "");
        }
        return text.Append("<sheetData>");
    }

    private static void Row(StringBuilder text, int number, IReadOnlyList<string?> cells)
    {
        text.Append(CultureInfo.InvariantCulture, $"<row r=\"{number}\">");
        for (var i = 0; i < cells.Count; i++)
        {
            if (cells[i] is { Length: > 0 } cell)
            {
                text.Append("<c r=\"");
                Letters(text, i);
                text.Append(CultureInfo.InvariantCulture, $"{number}\" s=\"{(number == 1 ? 1 : 0)}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">").Append(Escaped(cell)).Append("</t></is></c>");
            }
        }
        text.Append("</row>");
    }

    private static void Letters(StringBuilder text, int column)
    {
        if (column >= 26)
        {
            Letters(text, column / 26 - 1);
        }
        text.Append((char)('A' + column % 26));
    }

    private static string Workbook(string name)
    {
        var clean = new string([.. name.Where(c => !NotInNames.Contains(c) && XmlConvert.IsXmlChar(c)).Take(MaxName)]).Trim('\'', ' ');
        return $"""
            <workbook xmlns="{Main}" xmlns:r="{Relationships}"><sheets><sheet name="{SecurityElement.Escape(clean.Length == 0 ? "1" : clean)}" sheetId="1" r:id="rId1"/></sheets></workbook>
            """;
    }

    /// <summary>As XML says it; a carriage return, which XML would lose, and what reads like an escape of it, by Excel's escapes.</summary>
    private static string Escaped(string cell)
    {
        if (cell.Length > MaxCell)
        {
            throw new Refusal(Reason.TooLarge);
        }
        var text = cell.Contains("_x", StringComparison.Ordinal) ? Escapes().Replace(cell, "_x005F_") : cell;
        return SecurityElement.Escape(Illegal().Replace(text, "")).Replace("\r", "_x000D_", StringComparison.Ordinal);
    }

    /// <summary>What is packed and not yet sent. A zip is written synchronously, which the server's answers refuse: only what leaves here is not.</summary>
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
