using System.Globalization;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>Workbooks read back in every dialect that they are written in.</summary>
public sealed class SheetExcelTests
{
    private const string Strict = "http://purl.oclc.org/ooxml/officeDocument/relationships";

    [Fact]
    public void Any_table_reads_back_from_each_dialect_of_another_writer()
    {
        Func<SharedStringTable, string, Cell>[] dialects =
        [
            (_, text) => new Cell(new InlineString(new Text(text))) { DataType = CellValues.InlineString },
            (_, text) => new Cell(
                new InlineString(
                Characters(text).Select(t => new Run(new RunProperties(new Bold()), new Text(t))))) { DataType = CellValues.InlineString },
            (_, text) => new Cell(new CellFormula("A1&\"x\""), new CellValue(text)) { DataType = CellValues.String },
            (shared, text) => Shared(shared, new SharedStringItem(new Text(text))),
            (shared, text) => Shared(
                shared,
                new SharedStringItem(
                    new Run(new Text(Characters(text).FirstOrDefault(""))),
                    new Run(new RunProperties(new Italic()), new Text(string.Concat(Characters(text).Skip(1)))),
                    new PhoneticRun(new Text("lu")) { BaseTextStartIndex = 0, EndingBaseIndex = 1 })),
        ];
        foreach (var (dialect, isPlaced) in dialects.SelectMany(d => new[] { (d, true), (d, false) }))
        {
            Prop.ForAll(
                Tables.Any().ToArbitrary(),
                table => Tables.Read(Book(table, dialect, isPlaced)).ShouldBe(Tables.Said(table.Select(r => r.Select(Unescaped)))))
                .QuickCheckThrowOnFailure();
        }
    }

    [Fact]
    public void Any_number_reads_back_without_an_exponent() => Prop.ForAll<double>(number =>
    {
        if (double.IsFinite(number) && Math.Abs(number) is 0 or (> 1e-9 and < 1e27))
        {
            var shown = Value($"<v>{number.ToString("R", CultureInfo.InvariantCulture)}</v>");
            shown.ShouldNotContain("E");
            double.Parse(shown, CultureInfo.InvariantCulture).ShouldBe(number, Math.Abs(number) * 1e-14);
        }
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("", "<v>0.10000000000000001</v>", "0.1")]
    [InlineData("", "<v>2.4206600000000003E+11</v>", "242066000000")]
    [InlineData("", "<v>1.5E-7</v>", "0.00000015")]
    [InlineData("", "<v>1E+30</v>", "1000000000000000000000000000000")]
    [InlineData("", "<v>-0</v>", "0")]
    [InlineData("", "<f>1/0</f><v>12</v>", "12")]
    [InlineData("t='str'", "<f>A1</f><v>a &amp; b</v>", "a & b")]
    [InlineData("t='e'", "<f>1/0</f><v>#DIV/0!</v>", "")]
    [InlineData("t='b'", "<v>1</v>", "TRUE")]
    [InlineData("t='b'", "<v>0</v>", "FALSE")]
    [InlineData("t='d'", "<v>2027-12-31T00:00:00</v>", "2027-12-31")]
    [InlineData("t='s'", "<v>1</v>", "b")]
    [InlineData("t='s'", "<v/>", "")]
    [InlineData("t='inlineStr'", "<is><t>a_x000D_\nb_x0009_c_x005F_x0041_ _xD83D_</t></is>", "a\nb\tc_x0041_ _xD83D_")]
    [InlineData("s='0'", "<v>46752</v>", "46752")]
    [InlineData("s='1'", "<v>46752</v>", "2027-12-31")]
    [InlineData("s='1'", "<v>59</v>", "1900-02-28")]
    [InlineData("s='1'", "<v>61</v>", "1900-03-01")]
    [InlineData("s='1'", "<v>-5</v>", "-5")]
    [InlineData("s='1'", "<v>9999999999</v>", "9999999999")]
    [InlineData("s='2'", "<v>46752.354166666664</v>", "2027-12-31T08:30:00")]
    [InlineData("s='2'", "<v>0.35416666666666669</v>", "08:30:00")]
    [InlineData("s='3'", "<v>1.2604166666666667</v>", "30:15:00")]
    [InlineData("s='4'", "<v>612345678</v>", "06 12 34 56 78")]
    [InlineData("s='5'", "<v>242</v>", "00242")]
    [InlineData("s='6'", "<v>1234.5</v>", "1234.5")]
    [InlineData("s='7'", "<v>0.5</v>", "0.5")]
    [InlineData("s='99'", "<v>7</v>", "7")]
    public void A_cell_shows_what_people_see(string attributes, string inside, string shown) => Value(inside, attributes).ShouldBe(shown);

    [Fact]
    public void Rows_and_cells_are_where_they_say_and_gaps_are_empty() =>
        Tables.Read(Tables.Workbook(
            "<row r='2'><c r='C2'><v>1</v></c><c><v>2</v></c></row><row/><row r='7'><c r='B7'/><c r='A7'><v>3</v></c></row><row><c "
            + "r='CZ8'><v>4</v></c></row>"), Tables.Limits with { Columns = 3 }).ShouldBe("2: ||1\n7: 3");

    [Fact]
    public void Years_counted_from_1904_and_the_strict_dialect_with_prefixes_read_the_same() => Tables.Read(Tables.Workbook("",
        ("_rels/.rels", $"<Relationships><Relationship Id='a' Type='{Strict}/officeDocument' Target='xl/workbook.xml'/></Relationships>"),
        ("xl/workbook.xml",
        $"<x:workbook xmlns:x='urn:x' xmlns:r='{Strict}'><x:workbookPr date1904='1'/><x:sheets><x:sheet name='h' state='hidden' "
        + $"r:id='h'/><x:sheet name='s' r:id='a'/></x:sheets></x:workbook>"),
        ("xl/_rels/workbook.xml.rels",
        $"<Relationships><Relationship Id='a' Type='{Strict}/worksheet' Target='/xl/worksheets/sheet1.xml'/><Relationship Id='h' "
        + $"Type='{Strict}/worksheet' Target='worksheets/hidden.xml'/><Relationship Id='c' Type='{Strict}/styles' "
        + $"Target='styles.xml'/></Relationships>"),
        ("xl/worksheets/hidden.xml", "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"),
        ("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>"),
        ("xl/worksheets/sheet1.xml",
        "<x:worksheet xmlns:x='urn:x'><x:sheetData><x:row><x:c s='1'><x:v>45290</x:v></x:c></x:row></x:sheetData></x:worksheet>")))
        .ShouldBe("1: 2027-12-31");

    [Fact]
    public void What_is_no_workbook_is_refused()
    {
        string[] sheets = [
            "<row r='1048577'/>", "<row r='x'/>", "<row><c r='XFE1'><v>1</v></c></row>", "<row><c r='é1'/></row>",
            "<row><c t='s'><v>5</v></c></row>", "<row><c><v>&#1;</v></c></row>", "<row>", "<row><c><v>&a;</v></c></row>"];
        byte[][] files = [
            .. sheets.Select(s => Tables.Workbook(s)), Tables.Zip(("a.txt", "a")),
            Tables.Zip(("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<document/>")),
            Tables.Workbook("", ("xl/worksheets/sheet1.xml", "<worksheet/>")),
            Tables.Workbook("", ("xl/worksheets/sheet1.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><worksheet><sheetData/></worksheet>")),
            [0x50, 0x4B, 3, 4, 1, 2, 3], [0x50, 0x4B], [0xD0, 0xCF, 0x11, 0xE0, 0, 0], Word()];
        foreach (var file in files)
        {
            Should.Throw<Refusal>(() => Tables.Read(file)).Reason.ShouldBe(Reason.FileInvalid);
        }
    }

    private static string Value(string inside, string attributes = "")
    {
        var read = Tables.Read(
            Tables.Workbook($"<row r='1'><c r='A1' t='inlineStr'><is><t>x</t></is></c><c r='B1' {attributes}>{inside}</c></row>",
            ("xl/sharedStrings.xml", "<sst><si><t>a</t></si><si><t>b</t></si></sst>"),
            ("xl/styles.xml",
            "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='dd/mm/yyyy hh:mm'/><numFmt numFmtId='165' "
            + "formatCode='[h]:mm'/><numFmt numFmtId='166' formatCode='0#&quot; &quot;##&quot; &quot;##&quot; &quot;##&quot; "
            + "&quot;##'/><numFmt numFmtId='167' formatCode='00000'/><numFmt numFmtId='168' formatCode='#,##0.00\\ "
            + "&quot;dhs&quot;;[Red]-#,##0.00'/></numFmts><cellStyleXfs><xf numFmtId='9'/></cellStyleXfs><cellXfs><xf numFmtId='0'/><xf "
            + "numFmtId='14'/><xf numFmtId='164'/><xf numFmtId='165'/><xf numFmtId='166'/><xf numFmtId='167'/><xf numFmtId='168'/><xf "
            + "numFmtId='9'/></cellXfs></styleSheet>")));
        return read == "1: x" ? "" : read["1: x|".Length..];
    }

    // As people see them: neither half of one nor half of a line's end stands in a run alone.
    private static IEnumerable<string> Characters(string text)
    {
        for (var all = StringInfo.GetTextElementEnumerator(text); all.MoveNext();)
        {
            yield return all.GetTextElement();
        }
    }

    // A text that reads like an escape is one, unless its writer says otherwise.
    private static string Unescaped(string text) => text.Replace("_x0041_", "A", StringComparison.Ordinal);

    private static Cell Shared(SharedStringTable table, SharedStringItem item)
    {
        table.Append(item);
        return new Cell(new CellValue(table.ChildElements.Count - 1)) { DataType = CellValues.SharedString };
    }

    private static byte[] Book(string[][] table, Func<SharedStringTable, string, Cell> dialect, bool isPlaced)
    {
        using var file = new MemoryStream();
        using (var document = SpreadsheetDocument.Create(file, SpreadsheetDocumentType.Workbook))
        {
            var book = document.AddWorkbookPart();
            var shared = book.AddNewPart<SharedStringTablePart>().SharedStringTable = new SharedStringTable();
            var sheet = book.AddNewPart<WorksheetPart>();
            sheet.Worksheet = new Worksheet(new SheetData(table.Select((row, y) => Placed(new Row(
                row.Select((text, x) => text.Length == 0 && isPlaced ? null : Placed(dialect(shared, text), x, y, isPlaced))
                .OfType<Cell>()), y, isPlaced))));
            book.Workbook = new Workbook(new Sheets(new Sheet { Id = book.GetIdOfPart(sheet), SheetId = 1, Name = "s" }));
        }
        return file.ToArray();
    }

    private static Row Placed(Row row, int y, bool isPlaced)
    {
        row.RowIndex = isPlaced ? (uint)y + 1 : null;
        return row;
    }

    private static Cell Placed(Cell cell, int x, int y, bool isPlaced)
    {
        if (isPlaced)
        {
            cell.CellReference = $"{(char)('A' + x)}{y + 1}";
        }
        return cell;
    }

    private static byte[] Word()
    {
        using var file = new MemoryStream();
        using (var document = WordprocessingDocument.Create(file, WordprocessingDocumentType.Document))
        {
            document.AddMainDocumentPart()
                .Document = new DocumentFormat.OpenXml.Wordprocessing.Document(new DocumentFormat.OpenXml.Wordprocessing.Body());
        }
        return file.ToArray();
    }
}
