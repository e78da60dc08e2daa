using System.Globalization;
using System.IO.Compression;
using System.Xml;
using System.Xml.Linq;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>The parts of a workbook that its rows need, in whichever of the two families of names it was written.</summary>
internal sealed class XlsxParts
{
    // Of a part that is read whole, and of the styles: far more than any workbook has.
    private const long MaxIndex = 4 * 1024 * 1024;
    private const long MaxStyles = 32 * 1024 * 1024;

    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Finds them. Refuses with FILE_INVALID where there is no workbook, or nothing in it.</summary>
    public XlsxParts(ZipArchive zip)
    {
        foreach (var entry in zip.Entries)
        {
            _entries.TryAdd(entry.FullName.Replace('\\', '/'), entry);
        }
        var path = Targets("", "").FirstOrDefault(t => IsOf(t.Type, "officeDocument")).Path ?? "xl/workbook.xml";
        var book = Load(path) is { Name.LocalName: "workbook" } found ? found : throw new Refusal(Reason.FileInvalid);
        var parts = Targets(path[..(path.LastIndexOf('/') + 1)], path[(path.LastIndexOf('/') + 1)..]).ToList();
        var places = parts.Where(p => IsOf(p.Type, "worksheet")).ToLookup(p => p.Id, p => p.Path);
        var sheets = (from e in book.Descendants().Where(e => e.Name.LocalName == "sheet")
                      let id = e.Attributes().FirstOrDefault(a => a.Name.LocalName == "id" && a.Name.Namespace != XNamespace.None)?.Value
                      let part = places[id].Select(Entry).FirstOrDefault()
                      where part is not null
                      let isVisible = e.Attribute("state") is not { Value: not "visible" }
                      select (IsVisible: isVisible, Sheet: ((string?)e.Attribute("name") ?? "", part)))
                      .ToList();
        Sheets = [.. (sheets.Exists(s => s.IsVisible) ? sheets.Where(s => s.IsVisible) : sheets.Take(1)).Select(s => s.Sheet)];
        if (Sheets.Count == 0)
        {
            throw new Refusal(Reason.FileInvalid);
        }
        SharedStrings = parts.Where(p => IsOf(p.Type, "sharedStrings")).Select(p => Entry(p.Path)).FirstOrDefault();
        Epoch = book.Descendants().FirstOrDefault(e => e.Name.LocalName == "workbookPr")?.Attribute("date1904")?.Value is "1" or "true"
            ? 1462 : 0;
        Formats = parts.Where(p => IsOf(p.Type, "styles")).Select(p => Entry(p.Path)).FirstOrDefault() is { } styles ? FormatsOf(styles)
            : [];
    }

    /// <summary>The visible sheets in their order, or the first one where all are hidden.</summary>
    public IReadOnlyList<(string Name, ZipArchiveEntry Part)> Sheets { get; }

    /// <summary>The texts that cells name by their place; null: there are none.</summary>
    public ZipArchiveEntry? SharedStrings { get; }

    /// <summary>Days between 1900 and the day that the workbook counts from.</summary>
    public int Epoch { get; }

    /// <summary>How cells show their numbers, by their style.</summary>
    public IReadOnlyList<CellFormat> Formats { get; }

    private static bool IsOf(string? type, string kind) => type?.EndsWith("/" + kind, StringComparison.Ordinal) == true;

    private ZipArchiveEntry? Entry(string path) => _entries.GetValueOrDefault(path);

    private IEnumerable<(string? Id, string? Type, string Path)> Targets(string folder, string part) =>
        Load($"{folder}_rels/{part}.rels")?.Elements()
            .Select(e => ((string?)e.Attribute("Id"), (string?)e.Attribute("Type"), Absolute(folder, (string?)e.Attribute("Target") ?? "")))
            ?? [];

    private static string Absolute(string folder, string target) =>
        Uri.UnescapeDataString(new Uri(new Uri("zip:///" + folder), target).AbsolutePath).TrimStart('/');

    private XElement? Load(string path)
    {
        if (Entry(path) is not { } entry)
        {
            return null;
        }
        using var xml = SheetXml.Reader(new PartStream(entry.Length > MaxIndex ? throw new Refusal(Reason.TooLarge) : entry.Open()));
        return XElement.Load(xml);
    }

    private static List<CellFormat> FormatsOf(ZipArchiveEntry styles)
    {
        using var xml = SheetXml.Reader(new PartStream(styles.Length > MaxStyles ? throw new Refusal(Reason.TooLarge) : styles.Open()));
        var named = new Dictionary<int, CellFormat>();
        var formats = new List<CellFormat>();
        var isCells = false;
        while (xml.Read())
        {
            isCells = xml.LocalName == "cellXfs" ? xml.NodeType == XmlNodeType.Element : isCells;
            if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "numFmt"
                && xml.GetAttribute("formatCode") is { Length: < 1_000 } code)
            {
                named[Number(xml.GetAttribute("numFmtId"))] = new CellFormat(code);
            }
            else if (isCells && xml.NodeType == XmlNodeType.Element && xml.LocalName == "xf")
            {
                var id = Number(xml.GetAttribute("numFmtId"));
                formats.Add(named.GetValueOrDefault(id) ?? CellFormat.BuiltIn(id));
            }
        }
        return formats;
    }

    private static int Number(string? written) =>
        int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
