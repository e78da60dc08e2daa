using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ExcelDataReader;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// A workbook of Excel 97 to 2003 (.xls), which has at most 65,536 rows; or a protected .xlsx, which stands in a compound document as well.
/// </summary>
internal sealed class XlsSheet : ISheet
{
    private const int MaxColumns = 256;

    private readonly SheetLimits _limits;
    private readonly IExcelDataReader _reader;
    private readonly Dictionary<string, CellFormat> _formats = [];
    private readonly List<string> _names = [];
    private readonly bool _allHidden;
    private int _read;

    static XlsSheet() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public XlsSheet(SourceStream source, SheetLimits limits)
    {
        _limits = limits;
        Check(source);
        _reader = ExcelReaderFactory.CreateBinaryReader(source, new ExcelReaderConfiguration { LeaveOpen = true });
        var first = _reader.Name;
        do
        {
            if (_reader.VisibleState == "visible")
            {
                _names.Add(_reader.Name);
            }
        }
        while (_reader.NextResult());
        _allHidden = _names.Count == 0;
        if (_allHidden)
        {
            _names.Add(first);
        }
    }

    public IReadOnlyList<string> Names => _names;

    public double Progress => _reader.RowCount == 0 ? 1 : (double)_read / _reader.RowCount;

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        Turn(sheet);
        var merged = new MergedCells((_reader.MergeCells ?? []).Select(m => (m.FromColumn, m.FromRow + 1, m.ToRow + 1)));
        while (_reader.Read())
        {
            var cells = new string[Math.Min(_reader.FieldCount, _limits.Columns)];
            for (var i = 0; i < cells.Length; i++)
            {
                var text = Text(_reader.GetValue(i), i);
                cells[i] = CellText.Clean(text.Length > _limits.CellLength ? text[.._limits.CellLength] : text);
            }
            yield return new SheetRow(++_read, merged.Filled(_read, cells), _reader.RowHeight == 0);
        }
    }

    public void Dispose() => _reader.Dispose();

    /// <summary>Goes to a visible sheet, and before its first row.</summary>
    private void Turn(int sheet)
    {
        _reader.Reset();
        _read = 0;
        for (var seen = _allHidden || _reader.VisibleState == "visible" ? 0 : -1; seen < sheet;)
        {
            seen += _reader.NextResult() ? _reader.VisibleState == "visible" ? 1 : 0 : throw new Refusal(Reason.FileInvalid);
        }
        if (_reader.FieldCount > MaxColumns)
        {
            // The reader clears as many cells for each row, and a broken file can say 65,536 of both.
            throw new Refusal(Reason.FileInvalid);
        }
    }

    private string Text(object? value, int column) => value switch
    {
        null => "",
        DateTime date => CellText.Date(date),
        TimeSpan time => CellText.Time(time),
        bool truth => truth ? "TRUE" : "FALSE",
        double or int => Format(_reader.GetNumberFormatString(column)).Show(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private CellFormat Format(string? code)
    {
        // What is left of numbers once dates and times are read.
        if (code is null || code.Length > 200)
        {
            return CellFormat.Plain;
        }
        return _formats.TryGetValue(code, out var known) ? known : _formats[code] = new CellFormat(code);
    }

    /// <summary>
    /// Sectors have one of two sizes, whatever a broken header says; and where a package is encrypted there is no workbook to read.
    /// </summary>
    private static void Check(SourceStream source)
    {
        Span<byte> header = stackalloc byte[34];
        source.Position = 0;
        source.ReadExactly(header);
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[30..]) is not (9 or 12)
            || BinaryPrimitives.ReadUInt16LittleEndian(header[32..]) != 6)
        {
            throw new Refusal(Reason.FileInvalid);
        }
        var names = Encoding.Unicode.GetBytes("EncryptedPackage");
        Span<byte> bytes = new byte[64 * 1024];
        var kept = 0;
        source.Position = 0;
        for (int read; (read = source.Read(bytes[kept..])) > 0;)
        {
            var block = bytes[..(kept + read)];
            if (block.IndexOf(names) >= 0)
            {
                throw new Refusal(Reason.FileProtected);
            }
            kept = Math.Min(names.Length - 1, block.Length);
            block[^kept..].CopyTo(bytes);
        }
        source.Position = 0;
    }
}
