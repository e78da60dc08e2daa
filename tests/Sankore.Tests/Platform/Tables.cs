using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Files;

namespace Sankore.Tests.Platform;

/// <summary>Tables to write and read back, and what a reader makes of them.</summary>
internal static class Tables
{
    public static readonly SheetLimits Limits = new(50_000_000, 200_000, 100, 5_000, 600_000_000);

    // What Windows-1252 has, separators and quotes and what begins a formula among it.
    private static readonly string[] Western = [
        "a", "Z", "é", "Ç", "œ", "€", "7", "0", " ", "\"", ";", ",", "\t", "\n", "\r\n", "=", "+", "-", "@", "<", "&", "'", "_x0041_",
        "sep="];
    private static readonly string[] Anything = [.. Western, "漢", "😀", "\u202F", "n\u0303", "א", "ﷺ", "ͱ"];

    /// <summary>A head of two to six columns that no reader takes for anything else, and up to eight rows of those characters.</summary>
    public static Gen<string[][]> Any(bool western = false) =>
        from width in Gen.Choose(2, 6)
        from rows in Gen.Choose(0, 8)
        from cells in Gen.Elements(western ? Western : Anything).ListOf().Select(parts => string.Concat(parts.Take(12)))
            .ListOf(width * rows)
        select (string[][])[[.. Enumerable.Range(0, width).Select(i => i == 0 ? "École d’été" : "c" + i)], .. cells.Chunk(width)];

    /// <summary>What a reader says of a table: rows that say something, each to the last cell that does.</summary>
    public static string Said(IEnumerable<IEnumerable<string>> table) =>
        string.Join(
            '\n',
            table.Select((row, at) => (Cells: row.Select(c => c.ReplaceLineEndings("\n").Trim()).ToList(), Number: at + 1))
            .Where(r => r.Cells.Exists(c => c.Length > 0))
            .Select(r => $"{r.Number}: {string.Join("|", r.Cells.Take(r.Cells.FindLastIndex(c => c.Length > 0) + 1))}"));

    public static string Read(byte[] file, SheetLimits? limits = null)
    {
        using var sheet = SheetFile.Open(new MemoryStream(file), limits ?? Limits);
        return string.Join('\n', sheet.Rows().Select(r => $"{r.Number}: {string.Join("|", r.Cells)}"));
    }

    /// <summary>CSV as others write it.</summary>
    public static string Csv(string[][] table, char separator, string newline, bool quoted) =>
        string.Join(newline, table.Select(row => string.Join(separator,
        row.Select(
        c => quoted || c.IndexOfAny([separator, '"', '\n', '\r']) >= 0 ? $"\"{c.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : c))));

    public static byte[] Windows1252(string text)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        return Encoding.GetEncoding(1252).GetBytes(text);
    }

    /// <summary>A workbook of parts written by hand, with what it needs around its sheet.</summary>
    /// <param name="sheet">Inside <c>sheetData</c>.</param>
    /// <param name="more">Other parts, or these in other words.</param>
    public static byte[] Workbook(string sheet, params (string Path, string Xml)[] more)
    {
        const string Types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        var parts = new Dictionary<string, string>
        {
            ["_rels/.rels"] =
                $"<Relationships><Relationship Id=\"a\" Type=\"{Types}/officeDocument\" Target=\"/xl/workbook.xml\"/></Relationships>",
            ["xl/workbook.xml"] = $"<workbook xmlns:r=\"{Types}\"><sheets><sheet name=\"s\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>",
            ["xl/_rels/workbook.xml.rels"] =
            $"<Relationships><Relationship Id=\"a\" Type=\"{Types}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"b\" "
            + $"Type=\"{Types}/sharedStrings\" Target=\"sharedStrings.xml\"/><Relationship Id=\"c\" Type=\"{Types}/styles\" "
            + $"Target=\"styles.xml\"/></Relationships>",
            ["xl/worksheets/sheet1.xml"] = $"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
        };
        foreach (var (path, xml) in more)
        {
            parts[path] = xml;
        }
        return Zip([.. parts.Select(p => (p.Key, p.Value))]);
    }

    public static byte[] Zip(params (string Path, string Text)[] parts)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, text) in parts)
            {
                using var part = new StreamWriter(zip.CreateEntry(path).Open());
                part.Write(text);
            }
        }
        return file.ToArray();
    }
}
