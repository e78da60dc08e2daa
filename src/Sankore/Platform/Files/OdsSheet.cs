using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// A spreadsheet of LibreOffice (OpenDocument: .ods, or .fods, which is not packed), read once for its sheets and once for each that is
/// read.
/// </summary>
internal sealed class OdsSheet : ISheet
{
    private const int MaxSheets = 1000;

    private readonly Func<Stream> _open;
    private readonly long _length;
    private readonly ZipArchive? _zip;
    private readonly SheetLimits _limits;
    private readonly List<(string Name, int Place)> _sheets = [];
    private PartStream? _part;

    /// <param name="open">Opens the content, from its start.</param>
    /// <param name="length">Its size.</param>
    /// <param name="zip">What it lies in; null: nothing.</param>
    /// <param name="limits">How much is read.</param>
    public OdsSheet(Func<Stream> open, long length, ZipArchive? zip, SheetLimits limits)
    {
        (_open, _length, _zip, _limits) = (open, length, zip, limits);
        var (hidden, all, style) = (new HashSet<string>(), new List<(string Name, string? Style)>(), "");
        using var xml = SheetXml.Reader(new PartStream(_open()));
        while (xml.Read())
        {
            if (xml.NodeType != XmlNodeType.Element)
            {
                continue;
            }
            style = xml.LocalName == "style" ? Said(xml, "name") ?? "" : style;
            if (xml.LocalName == "table-properties" && Said(xml, "display") == "false")
            {
                hidden.Add(style);
            }
            else if (xml.LocalName == "table" && xml.Prefix == "table")
            {
                Check(all.Count < MaxSheets && hidden.Count < MaxSheets);
                all.Add((Said(xml, "name") ?? "", Said(xml, "style-name")));
            }
        }
        _sheets.AddRange(all.Select((s, place) => (s.Name, s.Style, Place: place)).Where(s => s.Style is null || !hidden.Contains(s.Style))
            .Select(s => (s.Name, s.Place)));
        if (_sheets.Count == 0)
        {
            _sheets.Add(all.Count > 0 ? (all[0].Name, 0) : throw new Refusal(Reason.FileInvalid));
        }
    }

    public IReadOnlyList<string> Names => [.. _sheets.Select(s => s.Name)];

    public double Progress => _part is null || _length == 0 ? 0 : (double)_part.Position / _length;

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        _part?.Dispose();
        _part = new PartStream(_open());
        using var xml = SheetXml.Reader(_part);
        for (var place = -1; place < _sheets[sheet].Place;)
        {
            place += !xml.Read() ? throw new Refusal(Reason.FileInvalid) : xml.IsStart("table") && xml.Prefix == "table" ? 1 : 0;
        }
        var (merged, number, isEmpty) = (new MergedCells([]), 1, xml.IsEmptyElement);
        while (!isEmpty && xml.Read() && !xml.IsEnd("table"))
        {
            if (!xml.IsStart("table-row"))
            {
                continue;
            }
            var times = Times(xml, "number-rows-repeated");
            var isHidden = Said(xml, "visibility") is "collapse" or "filter";
            var cells = Row(xml, number, merged);
            // Blank rows are passed over, however many a file says there are.
            for (var i = 0; i < times && cells.Length > 0; i++)
            {
                yield return new SheetRow(number + i, merged.Filled(number + i, [.. cells]), isHidden);
            }
            number += times;
            Check(cells.Length == 0 || number <= SheetXml.MaxRow + 1);
        }
    }

    public void Dispose()
    {
        _part?.Dispose();
        _zip?.Dispose();
    }

    private static void Check(bool isWithin)
    {
        if (!isWithin)
        {
            throw new Refusal(Reason.FileInvalid);
        }
    }

    private static string? Said(XmlReader xml, string name)
    {
        string? said = null;
        for (var more = xml.MoveToFirstAttribute(); more; more = xml.MoveToNextAttribute())
        {
            said = xml.LocalName == name ? xml.Value : said;
        }
        xml.MoveToElement();
        return said;
    }

    private static int Times(XmlReader xml, string name) =>
        int.TryParse(Said(xml, name), NumberStyles.None, CultureInfo.InvariantCulture, out var times)
            ? Math.Clamp(times, 1, SheetXml.MaxRow) : 1;

    private string[] Row(XmlReader xml, int number, MergedCells merged)
    {
        var (cells, column, isEmpty) = (new List<string>(), 0, xml.IsEmptyElement);
        while (!isEmpty && xml.Read() && !xml.IsEnd("table-row"))
        {
            if (!xml.IsStart("table-cell") && !xml.IsStart("covered-table-cell"))
            {
                continue;
            }
            var (times, down) = (Times(xml, "number-columns-repeated"), Times(xml, "number-rows-spanned"));
            var text = Cell(xml);
            if (text.Length > 0)
            {
                cells.AddRange(Enumerable.Repeat("", Math.Max(0, Math.Min(column, _limits.Columns) - cells.Count)));
                cells.AddRange(Enumerable.Repeat(text, Math.Max(0, Math.Min(times, _limits.Columns - cells.Count))));
                if (down > 1 && column < _limits.Columns)
                {
                    merged.Begin(column, number, number + down - 1);
                }
            }
            column = Math.Min(column + times, SheetXml.MaxRow);
        }
        return [.. cells];
    }

    private string Cell(XmlReader xml)
    {
        var (type, value) = (Said(xml, "value-type"), Said(xml, "value"));
        var (date, time, truth) = (Said(xml, "date-value"), Said(xml, "time-value"), Said(xml, "boolean-value"));
        var shown = CellText.Clean(Shown(xml));
        return type switch
        {
            "date" when date is not null => CellText.Iso(date),
            "time" when time is not null => CellText.Time(XmlConvert.ToTimeSpan(time)),
            "boolean" when truth is not null => truth == "true" ? "TRUE" : "FALSE",
            // A telephone number is shown with zeros and blanks that its value has not.
            "float" when value is not null && shown is not (['0' or '+', _, ..])
                && double.TryParse(value, CultureInfo.InvariantCulture, out var number) => CellText.Number(number),
            _ => shown,
        };
    }

    /// <summary>The paragraphs of a cell, without the notes beside them.</summary>
    private string Shown(XmlReader xml)
    {
        if (xml.IsEmptyElement)
        {
            return "";
        }
        var (text, depth, note) = (new StringBuilder(), xml.Depth, int.MaxValue);
        while (xml.Read() && xml.Depth > depth)
        {
            note = xml.NodeType == XmlNodeType.Element && xml.LocalName == "annotation" ? Math.Min(note, xml.Depth)
                : xml.NodeType == XmlNodeType.EndElement && xml.Depth == note ? int.MaxValue : note;
            if (xml.Depth >= note || text.Length >= _limits.CellLength)
            {
                continue;
            }
            switch (xml.NodeType, xml.LocalName)
            {
                case (XmlNodeType.Text or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace or XmlNodeType.CDATA, _):
                    text.Append(xml.Value.AsSpan(0, Math.Min(xml.Value.Length, _limits.CellLength - text.Length)));
                    break;
                case (XmlNodeType.Element, "p") when text.Length > 0:
                case (XmlNodeType.Element, "line-break"):
                    text.Append('\n');
                    break;
                case (XmlNodeType.Element, "s"):
                    text.Append(' ', Math.Min(Times(xml, "c"), 100));
                    break;
                case (XmlNodeType.Element, "tab"):
                    text.Append('\t');
                    break;
                default:
                    break;
            }
        }
        return text.ToString();
    }
}
