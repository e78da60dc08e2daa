using ExcelDataReader.Exceptions;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// A row of a file: its number as people see it (the first is 1), and its cells as text, trimmed; a row ends with its last cell that says
/// something.
/// </summary>
/// <param name="IsHidden">Whether the program that wrote the file does not show it, for a filter or by hand.</param>
public sealed record SheetRow(int Number, string[] Cells, bool IsHidden = false);

/// <summary>How much of a file is read.</summary>
/// <param name="Bytes">The largest file; larger ones are refused.</param>
/// <param name="Rows">The most rows that are not blank, without the head; more are refused.</param>
/// <param name="Columns">Columns after these are left out.</param>
/// <param name="CellLength">Characters of a cell after these are cut: more than whoever reads allows a field, so that they see it is too
/// long.</param>
/// <param name="UncompressedBytes">The most that an .xlsx may unpack to; more is refused before anything is unpacked.</param>
public sealed record SheetLimits(long Bytes, int Rows, int Columns, int CellLength, long UncompressedBytes);

/// <summary>
/// A file of rows, told by what it holds and not by its name, and read as a stream: Excel (.xlsx, .xls), LibreOffice (.ods, .fods), CSV,
/// a table in HTML or XML that some programs call .xls, or the cards of a telephone (.vcf). Of a workbook one sheet is read at a time.
/// The value of merged cells is each of their rows'. Texts are as they stand, numbers without exponents and as their mask shows them, dates
/// ISO (2027-12-31, 2027-12-31T08:30:00, 08:30:00), truths TRUE and FALSE; a formula is the value that was saved with it, an error is
/// empty. Lines inside a cell end with a line feed.
/// </summary>
public sealed class SheetFile : IDisposable
{
    private static ReadOnlySpan<byte> Zip => [0x50, 0x4B];

    private static ReadOnlySpan<byte> Compound => [0xD0, 0xCF, 0x11, 0xE0];

    private readonly SourceStream _source;
    private readonly SheetLimits _limits;
    private readonly ISheet _sheet;

    private SheetFile(SourceStream source, SheetLimits limits)
    {
        (_source, _limits) = (source, limits);
        _sheet = Guarded(() => Read(source, limits));
    }

    /// <summary>
    /// Opens a file. Refuses with FILE_INVALID (it is no table), FILE_PROTECTED (it wants a password), TOO_LARGE (more bytes, packed or
    /// unpacked, than the limits allow); whatever a disk says rises.
    /// </summary>
    /// <param name="stream">Can be sought in; is read from its start, and stays open.</param>
    /// <param name="limits">How much is read.</param>
    public static SheetFile Open(Stream stream, SheetLimits limits) =>
        stream.Length > limits.Bytes ? throw new Refusal(Reason.TooLarge) : new SheetFile(new SourceStream(stream), limits);

    /// <summary>
    /// The names of its visible sheets, in their order, or of the first one where all are hidden; a CSV has one without a name.
    /// </summary>
    public IReadOnlyList<string> Sheets => _sheet.Names;

    /// <summary>Whether an export may have guarded its cells (<see cref="CsvExport.Unguarded"/>).</summary>
    public bool MayBeGuarded => _sheet is CsvSheet;

    /// <summary>How much of the sheet at hand has been read, from 0 to 1; not exact, and never smaller than before.</summary>
    public double Progress => Math.Clamp(_sheet.Progress, 0, 1);

    /// <summary>
    /// The rows of a sheet, in the file's order, blank ones left out; the first is the head. Each sheet can be asked for once, when no
    /// other is being read. Refuses with FILE_INVALID, TOO_LARGE as it goes on.
    /// </summary>
    /// <param name="sheet">Its place in <see cref="Sheets"/>.</param>
    public IEnumerable<SheetRow> Rows(int sheet = 0)
    {
        using var rows = _sheet.Rows(sheet).GetEnumerator();
        var count = 0;
        while (Guarded(rows.MoveNext))
        {
            var cells = rows.Current.Cells;
            var width = Array.FindLastIndex(cells, c => c.Length > 0) + 1;
            if (width > 0)
            {
                yield return ++count > _limits.Rows + 1 ? throw new Refusal(Reason.TooLarge) : width == cells.Length ? rows.Current
                    : rows.Current with { Cells = cells[..width] };
            }
        }
    }

    /// <summary>Lets the file go; its stream stays open.</summary>
    public void Dispose() => _sheet.Dispose();

    private static ISheet Read(SourceStream source, SheetLimits limits)
    {
        Span<byte> start = stackalloc byte[4];
        var length = source.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        source.Position = 0;
        if (start[..length].StartsWith(Zip))
        {
            var zip = ZipGuard.Open(source, limits);
            return zip.GetEntry("content.xml") is { } content && zip.GetEntry("xl/workbook.xml") is null
                ? new OdsSheet(content.Open, content.Length, zip, limits) : new XlsxSheet(zip, limits);
        }
        return start[..length].StartsWith(Compound) ? new XlsSheet(source, limits) : OfText(source, limits);
    }

    private static ISheet OfText(SourceStream source, SheetLimits limits)
    {
        var encoding = TextFile.EncodingOf(source);
        string start;
        using (var text = TextFile.Open(source, encoding))
        {
            var sample = new char[4096];
            start = new string(sample, 0, text.ReadBlock(sample)).TrimStart();
        }
        return start switch
        {
            _ when start.StartsWith("BEGIN:VCARD", StringComparison.OrdinalIgnoreCase) => new CardSheet(source, encoding, limits),
            ['<', ..] when start.Contains("urn:oasis:names:tc:opendocument", StringComparison.Ordinal) =>
                new OdsSheet(() => source.FromStart(), source.Length, null, limits),
            ['<', ..] when start.Contains("urn:schemas-microsoft-com:office:spreadsheet", StringComparison.Ordinal) =>
                new XmlSheet(source, limits),
            ['<', ..] => new HtmlSheet(source, encoding, limits),
            _ => new CsvSheet(source, encoding, limits),
        };
    }

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidPasswordException)
        {
            throw new Refusal(Reason.FileProtected);
        }
        catch (Exception e) when (e is not Refusal and not OutOfMemoryException && !_source.HasFailed)
        {
            // Whatever a reader makes of a broken file: it is no table.
            throw new Refusal(Reason.FileInvalid);
        }
    }
}

/// <summary>A sheet of one format.</summary>
internal interface ISheet : IDisposable
{
    IReadOnlyList<string> Names { get; }

    double Progress { get; }

    IEnumerable<SheetRow> Rows(int sheet);
}
