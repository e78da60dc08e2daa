using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>A workbook as Excel 2003 wrote it in XML (SpreadsheetML), which programs still make and call .xls.</summary>
internal sealed class XmlSheet : ISheet
{
    private const int MaxSheets = 1000;

    private static readonly XNamespace Ss = "urn:schemas-microsoft-com:office:spreadsheet";

    private readonly SourceStream _source;
    private readonly SheetLimits _limits;

    public XmlSheet(SourceStream source, SheetLimits limits)
    {
        (_source, _limits) = (source, limits);
        using var xml = Reader();
        var names = new List<string>();
        while (xml.Read())
        {
            if (xml.IsStart("Worksheet"))
            {
                names.Add(names.Count == MaxSheets ? throw new Refusal(Reason.FileInvalid)
                    : xml.GetAttribute("Name", Ss.NamespaceName) ?? "");
            }
        }
        Names = names.Count > 0 ? names : throw new Refusal(Reason.FileInvalid);
    }

    public IReadOnlyList<string> Names { get; }

    public double Progress => (double)_source.Position / Math.Max(1, _source.Length);

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        using var xml = Reader();
        for (var at = -1; at < sheet;)
        {
            at += !xml.Read() ? throw new Refusal(Reason.FileInvalid) : xml.IsStart("Worksheet") ? 1 : 0;
        }
        var (merged, number) = (new MergedCells([]), 0);
        while (xml.Read() && !xml.IsEnd("Worksheet"))
        {
            if (xml.IsStart("Row"))
            {
                number = Place(xml, "Index") is { } place && place > number ? place : number + 1;
                if (number > SheetXml.MaxRow)
                {
                    throw new Refusal(Reason.FileInvalid);
                }
                var isHidden = xml.GetAttribute("Hidden", Ss.NamespaceName) == "1";
                yield return new SheetRow(number, merged.Filled(number, Row(xml, number, merged)), isHidden);
            }
        }
    }

    public void Dispose()
    {
        // The file is whoever's who opened it.
    }

    private XmlReader Reader() => SheetXml.Reader(new PartStream(_source.FromStart()));

    private static int? Place(XmlReader xml, string name) =>
        int.TryParse(xml.GetAttribute(name, Ss.NamespaceName), NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place > 0
            ? place : null;

    private string[] Row(XmlReader xml, int number, MergedCells merged)
    {
        var (cells, column, isEmpty) = (new List<string>(), 0, xml.IsEmptyElement);
        while (!isEmpty && xml.Read() && !xml.IsEnd("Row"))
        {
            if (!xml.IsStart("Cell"))
            {
                continue;
            }
            column = Place(xml, "Index") - 1 ?? column;
            var (across, down) = (Place(xml, "MergeAcross") ?? 0, Place(xml, "MergeDown") ?? 0);
            var text = Cell(xml);
            if (text.Length > 0 && column < _limits.Columns)
            {
                cells.AddRange(Enumerable.Repeat("", Math.Max(0, column + 1 - cells.Count)));
                cells[column] = text;
                if (down > 0)
                {
                    merged.Begin(column, number, number + down);
                }
            }
            column += 1 + across;
        }
        return [.. cells];
    }

    private string Cell(XmlReader xml)
    {
        if (xml.IsEmptyElement)
        {
            return "";
        }
        var (depth, type, text, isData) = (xml.Depth, "", "", false);
        while (xml.Read() && xml.Depth > depth)
        {
            if (xml.IsStart("Data"))
            {
                (isData, type) = (!xml.IsEmptyElement, xml.GetAttribute("Type", Ss.NamespaceName) ?? "");
            }
            isData = isData && !xml.IsEnd("Data");
            if (isData && xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace)
            {
                text += xml.Value[..Math.Min(xml.Value.Length, _limits.CellLength - text.Length)];
            }
        }
        return type switch
        {
            "Error" => "",
            "Boolean" => text == "1" ? "TRUE" : "FALSE",
            "Number" when double.TryParse(text, CultureInfo.InvariantCulture, out var number) => CellText.Number(number),
            "DateTime" => CellText.Iso(text),
            _ => CellText.Clean(text),
        };
    }
}
