using System.Text;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using DocumentFormat.OpenXml.Validation;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>Exports hold what was exported, run nothing, and need no memory to speak of.</summary>
public sealed class SheetExportTests
{
    [Theory]
    [InlineData(';'), InlineData(','), InlineData('\t')]
    public void Any_table_reads_back_from_CSV_with_its_formulas_made_harmless(
        char separator) => Prop.ForAll(Tables.Any().ToArbitrary(), table =>
    {
        var neutral = table.Select(row => row.Select(cell => IsFormula(cell) ? "'" + cell : cell));
        Tables.Read(Csv(separator, table)).ShouldBe(Tables.Said(neutral));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_table_reads_back_from_a_workbook() =>
        Prop.ForAll(Tables.Any().ToArbitrary(), table => Tables.Read(Xlsx("Été [2027]", table)).ShouldBe(Tables.Said(table)))
            .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0")]
    [InlineData("-2+3", "'-2+3")]
    [InlineData("-A1", "'-A1")]
    [InlineData("＝1", "'＝1")]
    [InlineData("  =1", "\"'  =1\"", "'  =1")]
    [InlineData("-", "'-")]
    [InlineData("-12.5", "-12.5")]
    [InlineData("+242 06 600 00 00", "+242 06 600 00 00")]
    [InlineData("+33 (0) 6 12", "+33 (0) 6 12")]
    [InlineData("a=b", "a=b")]
    [InlineData("a;b", "\"a;b\"")]
    [InlineData("dit \"oui\"", "\"dit \"\"oui\"\"\"")]
    public void A_cell_is_quoted_and_neutralised_as_it_needs(string cell, params string[] either) =>
        either.ShouldContain(Encoding.UTF8.GetString(Csv(';', [[cell]]))[1..^2]);

    [Fact]
    public void A_workbook_is_valid_with_a_bold_head_and_texts_that_never_run()
    {
        using var book = SpreadsheetDocument.Open(
            new MemoryStream(Xlsx("a/b'", [["Nom", "Formule"], ["\u0001\uFFFFA\r\nB", "=1+1"]])), isEditable: false);
        new OpenXmlValidator().Validate(book).Select(e => e.Description).ShouldBeEmpty();
        book.WorkbookPart!.Workbook.Sheets!.Elements<Sheet>().Single().Name!.Value.ShouldBe("ab");
        var cells = book.WorkbookPart.WorksheetParts.Single().Worksheet.Descendants<Cell>().ToList();
        cells.ShouldAllBe(c => c.CellFormula == null && c.DataType! == CellValues.InlineString);
        cells.Select(c => c.InnerText).ShouldBe(["Nom", "Formule", "A_x000D_\nB", "=1+1"]);
        cells.Select(c => IsBold(book.WorkbookPart, c)).ShouldBe([true, true, false, false]);
        Tables.Read(Xlsx("vide", [])).ShouldBe("");
    }

    [Fact]
    public async Task What_Excel_would_not_hold_is_refused()
    {
        (await Should.ThrowAsync<Refusal>(() => Write(Enumerable.Repeat<string[]>(["x"], XlsxExport.MaxRows + 1))))
            .Reason.ShouldBe(Reason.TooLarge);
        (await Should.ThrowAsync<Refusal>(() => Write([new string[16_385]]))).Reason.ShouldBe(Reason.TooLarge);
        (await Should.ThrowAsync<Refusal>(() => Write([[new string('x', 32_768)]]))).Reason.ShouldBe(Reason.TooLarge);
        await Write([[new string('x', 32_767)], new string[16_384]]);

        static Task Write(IEnumerable<string[]> rows) =>
            XlsxExport.Write(Stream.Null, "x", rows.ToAsyncEnumerable(), TestContext.Current.CancellationToken);
    }

    private static bool IsBold(WorkbookPart book, Cell cell)
    {
        var styles = book.WorkbookStylesPart!.Stylesheet;
        var format = styles.CellFormats!.Elements<DocumentFormat.OpenXml.Spreadsheet.CellFormat>().ElementAt((int)cell.StyleIndex!.Value);
        return styles.Fonts!.Elements<Font>().ElementAt((int)format.FontId!.Value).Bold is not null;
    }

    private static bool IsFormula(string cell)
    {
        if (cell.TrimStart('\'') is { Length: > 0 } bare && bare.Length < cell.Length)
        {
            // It keeps its own apostrophes: one more is taken off again.
            return bare[0] is '\t' or '\r' or '\n' || bare.TrimStart().FirstOrDefault() is '=' or '+' or '-' or '@';
        }
        var first = cell.TrimStart().FirstOrDefault();
        var rest = cell.Length > 1 ? cell[1..] : "";
        var isNumber = cell.Length > 1 && cell[0] is '+' or '-' && rest.TrimStart(' ', '\u202F').Length >= rest.Length - 1
            && rest.TrimStart(' ', '\u202F').TrimStart('(') is [>= '0' and <= '9', ..]
            && rest.All(c => char.IsAsciiDigit(c) || c is ' ' or '.' or ',' or '(' or ')' or '\u202F');
        return cell.Length > 0 && (cell[0] is '\t' or '\r' or '\n' || (first is '=' or '+' or '-' or '@' && !isNumber));
    }

    private static byte[] Csv(char separator, string[][] table)
    {
        using var to = new MemoryStream();
        CsvExport.Write(to, separator, table.ToAsyncEnumerable(), TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return to.ToArray();
    }

    private static byte[] Xlsx(string name, string[][] table)
    {
        using var to = new MemoryStream();
        XlsxExport.Write(to, name, table.ToAsyncEnumerable(), TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return to.ToArray();
    }
}
