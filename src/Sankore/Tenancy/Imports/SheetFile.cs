using System.Globalization;
using System.Text;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using ExcelDataReader;
using Sankore.Platform.Security;

namespace Sankore.Tenancy.Imports;

/// <summary>A row of a file: its number as people see it, and its cells as text.</summary>
public sealed record SheetRow(int Number, string[] Cells);

/// <summary>Files of rows: Excel (.xlsx, .xls) and CSV, whatever its separator and whether it is in UTF-8 or as French Excel saves it.</summary>
public static class SheetFile
{
    /// <summary>The largest file, in bytes.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    /// <summary>The most rows, without the head.</summary>
    public const int MaxRows = 10_000;

    private const int MaxColumns = 50;
    private const int MaxCell = 1_000;

    static SheetFile() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>The rows of a file's first sheet, blank ones left out; the first is the head. Refuses with FILE_INVALID, TOO_LARGE.</summary>
    public static IReadOnlyList<SheetRow> Read(byte[] file)
    {
        if (file.Length > MaxBytes)
        {
            throw new Refusal(Reason.TooLarge);
        }
        try
        {
            var rows = (IsExcel(file) ? Excel(file) : Csv(file)).Where(r => r.Cells.Any(c => c.Length > 0)).Take(MaxRows + 2).ToList();
            return rows.Count > MaxRows + 1 ? throw new Refusal(Reason.TooLarge) : rows;
        }
        catch (Exception e) when (e is not Refusal and not OutOfMemoryException)
        {
            // Whatever a reader makes of a broken file: it is no table.
            throw new Refusal(Reason.FileInvalid);
        }
    }

    /// <summary>A workbook of one sheet: a head, and rows below it.</summary>
    public static byte[] Write(string name, IEnumerable<IReadOnlyList<string>> rows)
    {
        using var stream = new MemoryStream();
        using (var workbook = SpreadsheetDocument.Create(stream, SpreadsheetDocumentType.Workbook))
        {
            var book = workbook.AddWorkbookPart();
            var sheet = book.AddNewPart<WorksheetPart>();
            sheet.Worksheet = new Worksheet(new SheetData(rows.Select(row => new Row(row.Select(cell =>
                new Cell { DataType = CellValues.InlineString, InlineString = new InlineString(new Text(cell)) })))));
            book.Workbook = new Workbook(new Sheets(new Sheet { Id = book.GetIdOfPart(sheet), SheetId = 1, Name = name }));
        }
        return stream.ToArray();
    }

    // The first bytes of a zip (xlsx) and of a compound document (xls).
    private static bool IsExcel(byte[] file) => file is [0x50, 0x4B, 0x03, 0x04, ..] or [0xD0, 0xCF, 0x11, 0xE0, ..];

    private static IEnumerable<SheetRow> Excel(byte[] file)
    {
        using var reader = ExcelReaderFactory.CreateReader(new MemoryStream(file));
        foreach (var row in Rows(reader))
        {
            yield return row;
        }
    }

    private static IEnumerable<SheetRow> Csv(byte[] file)
    {
        var text = Decode(file);
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new Refusal(Reason.FileInvalid);
        }
        using var reader = ExcelReaderFactory.CreateCsvReader(new MemoryStream(Encoding.UTF8.GetBytes(text)), new ExcelReaderConfiguration { FallbackEncoding = Encoding.UTF8, AutodetectSeparators = [';', ',', '\t'] });
        foreach (var row in Rows(reader))
        {
            yield return row;
        }
    }

    private static IEnumerable<SheetRow> Rows(IExcelDataReader reader)
    {
        for (var number = 1; reader.Read(); number++)
        {
            yield return new SheetRow(number, [.. Enumerable.Range(0, Math.Min(reader.FieldCount, MaxColumns)).Select(i => Text(reader.GetValue(i)))]);
        }
    }

    private static string Decode(byte[] file)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(file).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            return Encoding.GetEncoding(1252).GetString(file);
        }
    }

    private static string Text(object? value)
    {
        var text = value switch
        {
            null => "",
            DateTime date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            double number => number.ToString("0.############", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
        return text.Length > MaxCell ? text[..MaxCell] : text.Trim();
    }
}
