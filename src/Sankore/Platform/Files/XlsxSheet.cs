using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// A workbook (.xlsx), a sheet read once and row by row. By hand, because libraries read a sheet twice, and keep whatever a row says it
/// has: a file of 1 MB can say a hundred million cells.
/// </summary>
internal sealed partial class XlsxSheet : ISheet
{
    private const int MaxColumn = 16_384;
    private const long MaxShared = 100 * 1024 * 1024;
    // What a text weighs apart from its characters.
    private const int TextWeight = 32;

    private readonly SheetLimits _limits;
    private readonly ZipArchive _zip;
    private readonly XlsxParts _parts;
    private readonly List<string> _shared = [];
    private readonly List<string> _cells = [];
    private readonly StringBuilder _text = new();
    private PartStream? _sheet;
    private long _length;

    public XlsxSheet(ZipArchive zip, SheetLimits limits)
    {
        (_limits, _zip) = (limits, zip);
        _parts = new XlsxParts(_zip);
        if (_parts.SharedStrings is { } shared)
        {
            Share(shared);
        }
    }

    public IReadOnlyList<string> Names => [.. _parts.Sheets.Select(s => s.Name)];

    public double Progress => _sheet is null ? 0 : (double)_sheet.Position / Math.Max(1, _length);

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        _sheet?.Dispose();
        (_sheet, _length) = (new PartStream(_parts.Sheets[sheet].Part.Open()), _parts.Sheets[sheet].Part.Length);
        using var xml = SheetXml.Reader(_sheet);
        while (xml.Read() && !xml.IsStart("sheetData"))
        {
        }
        if (xml.EOF)
        {
            throw new Refusal(Reason.FileInvalid);
        }
        var merged = MergedCells.Of(_parts.Sheets[sheet].Part);
        var number = 0;
        var isEmpty = xml.IsEmptyElement;
        while (!isEmpty && xml.Read() && !xml.IsEnd("sheetData"))
        {
            if (xml.IsStart("row"))
            {
                // Some programs say 0, and mean the next.
                number = xml.GetAttribute("r") is { Length: > 0 } said
                    && int.Parse(said, NumberStyles.None, CultureInfo.InvariantCulture) is var place && place > number ? place : number + 1;
                var isHidden = xml.GetAttribute("hidden") is "1" or "true";
                yield return number > SheetXml.MaxRow ? throw new Refusal(Reason.FileInvalid)
                    : new SheetRow(number, merged.Filled(number, Row(xml)), isHidden);
            }
        }
    }

    public void Dispose()
    {
        _sheet?.Dispose();
        _zip.Dispose();
    }

    private void Share(ZipArchiveEntry shared)
    {
        using var xml = SheetXml.Reader(new PartStream(shared.Open()));
        for (var weight = 0L; xml.Read();)
        {
            if (xml.IsStart("si"))
            {
                var text = Text(xml, "si");
                weight += TextWeight + 2 * text.Length;
                _shared.Add(weight > MaxShared ? throw new Refusal(Reason.TooLarge) : text);
            }
        }
    }

    private string[] Row(XmlReader xml)
    {
        _cells.Clear();
        var (column, isEmpty) = (-1, xml.IsEmptyElement);
        while (!isEmpty && xml.Read() && !xml.IsEnd("row"))
        {
            if (xml.IsStart("c"))
            {
                column = xml.GetAttribute("r") is { Length: > 0 } place && ColumnOf(place) is >= 0 and var said ? said : column + 1;
                Put(column < MaxColumn ? column : throw new Refusal(Reason.FileInvalid), Cell(xml));
            }
        }
        return [.. _cells];
    }

    private void Put(int column, string text)
    {
        if (column >= _limits.Columns || text.Length == 0)
        {
            return;
        }
        while (_cells.Count <= column)
        {
            _cells.Add("");
        }
        _cells[column] = text;
    }

    private string Cell(XmlReader xml)
    {
        var type = xml.GetAttribute("t");
        var format = int.TryParse(xml.GetAttribute("s"), NumberStyles.None, CultureInfo.InvariantCulture, out var style)
            && style < _parts.Formats.Count ? _parts.Formats[style] : CellFormat.Plain;
        var (text, isEmpty) = ("", xml.IsEmptyElement);
        while (!isEmpty && xml.Read() && !xml.IsEnd("c"))
        {
            text = xml.IsStart("v") ? Text(xml, "v") : xml.IsStart("is") ? Text(xml, "is") : text;
        }
        return Shown(type, text, format);
    }

    private string Shown(string? type, string text, CellFormat format) => type switch
    {
        "s" when text.Length > 0 => _shared[int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)],
        "b" => text == "1" ? "TRUE" : text == "0" ? "FALSE" : text,
        "e" => "",
        "d" => CellText.Iso(text),
        "str" or "inlineStr" or "s" => text,
        _ =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? format.Show(number, _parts.Epoch) : text,
    };

    /// <summary>The text of an element: of its runs, without how they are pronounced.</summary>
    private string Text(XmlReader xml, string element)
    {
        _text.Clear();
        var (isText, isSpoken, isEmpty) = (element == "v", false, xml.IsEmptyElement);
        while (!isEmpty && xml.Read() && !xml.IsEnd(element))
        {
            var isStart = xml.NodeType == XmlNodeType.Element && !xml.IsEmptyElement;
            isSpoken = xml.LocalName == "rPh" ? isStart : isSpoken;
            isText = xml.LocalName == "t" ? isStart && !isSpoken : isText;
            if (isText
                && xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace)
            {
                _text.Append(xml.Value.AsSpan(0, Math.Min(xml.Value.Length, _limits.CellLength - _text.Length)));
            }
        }
        var text = _text.ToString();
        return CellText.Clean(text.Contains("_x", StringComparison.Ordinal) ? Escapes().Replace(text, m => Unescaped(m)) : text);
    }

    private static string Unescaped(Match escape) =>
        (char)int.Parse(escape.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture) is var c && char.IsSurrogate(c)
            ? escape.Value : c.ToString();

    internal static int ColumnOf(string place)
    {
        var column = 0;
        foreach (var c in place.AsSpan().TrimEnd("0123456789"))
        {
            column = char.IsAsciiLetter(c) && column < MaxColumn ? column * 26 + (c & 31) : throw new Refusal(Reason.FileInvalid);
        }
        return column - 1;
    }

    // What XML cannot say (a carriage return, control characters) is written so.
    [GeneratedRegex("_x([0-9A-Fa-f]{4})_")]
    private static partial Regex Escapes();
}
