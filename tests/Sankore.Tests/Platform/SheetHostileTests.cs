using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>Files made to do harm, or broken on their way: rows or a refusal, never anything else, and never much memory.</summary>
public sealed class SheetHostileTests
{
    [Fact]
    public void A_sheet_of_more_than_four_gigabytes_is_refused_before_it_is_unpacked()
    {
        using var bomb = new MemoryStream();
        using (var zip = new ZipArchive(bomb, ZipArchiveMode.Create, leaveOpen: true))
        {
            Write(zip, "xl/workbook.xml", "<workbook/>");
            using var sheet = zip.CreateEntry("xl/worksheets/sheet1.xml", CompressionLevel.Fastest).Open();
            var rows = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("<row><c><v>1</v></c></row>", 40_000)));
            for (var written = 0L; written <= uint.MaxValue; written += rows.Length)
            {
                sheet.Write(rows);
            }
        }
        bomb.Length.ShouldBeLessThan(200_000_000);
        Refused(bomb, Tables.Limits with { Bytes = bomb.Length }).ShouldBe(Reason.TooLarge);
        Refused(bomb, Tables.Limits with { Bytes = bomb.Length, UncompressedBytes = long.MaxValue / 2 }).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(1_000u), InlineData(0u), InlineData(uint.MaxValue), InlineData(uint.MaxValue - 1)]
    public void A_size_that_lies_unpacks_no_more_than_it_says(uint claimed)
    {
        var file = Tables.Workbook(string.Concat(Enumerable.Repeat("<row><c><v>1</v></c></row>", 100_000)));
        // Of each part of the directory, the size that it has unpacked.
        for (var at = file.AsSpan().IndexOf("PK\u0001\u0002"u8); at < file.Length - 46 && file.AsSpan(at).StartsWith("PK\u0001\u0002"u8);)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at + 24), claimed);
            at += 46 + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at + 28))
                + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at + 30));
        }
        Refused(new MemoryStream(file)).ShouldBeOneOf(Reason.FileInvalid, Reason.TooLarge);
    }

    [Fact]
    public void What_unpacks_to_much_for_its_size_or_has_too_many_parts_is_refused()
    {
        Refused(new MemoryStream(Tables.Workbook(new string(' ', 20_000_000)))).ShouldBe(Reason.TooLarge);
        Refused(new MemoryStream(Tables.Zip([.. Enumerable.Range(0, 6_000).Select(i => ($"{i}", ""))]))).ShouldBe(Reason.TooLarge);
        Refused(new MemoryStream(Tables.Workbook("", ("xl/_rels/workbook.xml.rels", $"<Relationships>{Noise(5_000_000)}</Relationships>"))))
            .ShouldBe(Reason.TooLarge);
    }

    [Fact]
    public void Texts_without_an_end_and_rows_of_nothing_but_cells_are_not_kept()
    {
        var noise = Noise(8_000_000);
        string[] sheets = [$"<row><c><v>{noise}</v></c></row>", $"<row><c t='{noise}'/></row>"];
        foreach (var sheet in sheets)
        {
            Refused(new MemoryStream(Tables.Workbook(sheet))).ShouldBe(Reason.FileInvalid);
        }
        var cells = Tables.Workbook(
            $"<row>{string.Concat(Enumerable.Range(0, 400_000).Select(i => $"<c r='A1'><v>{i * 7919L % 1_000_003}</v></c>"))}</row>");
        Tables.Read(cells).ShouldBe($"1: {399_999 * 7919L % 1_000_003}");
        var runs = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"<r><t>{i * 7919L % 1_000_003}</t></r>"));
        Tables.Read(Tables.Workbook($"<row><c t='inlineStr'><is>{runs}</is></c></row>"))
            .Length.ShouldBe("1: ".Length + Tables.Limits.CellLength);
    }

    [Fact]
    public void Rows_beyond_any_sheet_and_elements_without_number_are_refused()
    {
        Refused(new MemoryStream(Encoding.UTF8.GetBytes(
            "<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">"
            + "<Worksheet ss:Name=\"x\"><Table><Row ss:Index=\"2147483647\"><Cell><Data ss:Type=\"String\">x</Data></Cell></Row></Table>"
            + "</Worksheet></Workbook>"))).ShouldBe(Reason.FileInvalid);
        var page = new StringBuilder("<table><tr><td>x</table>").Insert(0, "<p></p>", 600_000);
        Refused(new MemoryStream(Encoding.UTF8.GetBytes(page.ToString()))).ShouldBe(Reason.TooLarge);
    }

    [Fact]
    public void Shared_texts_are_kept_to_a_bound() =>
        Refused(new MemoryStream(Tables.Workbook("", ("xl/sharedStrings.xml", $"<sst>{string.Concat(Enumerable.Range(0, 400_000)
            .Select(i => $"<si><t>{i * 7919L % 10_000_019:D120}</t></si>"))}</sst>")))).ShouldBe(Reason.TooLarge);

    [Theory]
    [InlineData("rows.xlsx"), InlineData("rows.xls"), InlineData("rows.csv")]
    public async Task A_file_cut_short_anywhere_or_with_bytes_changed_gives_rows_or_a_refusal(string name)
    {
        var file = Sample(name);
        Tables.Read(file).ShouldStartWith("1: Nom|Ville\n2: École 1|Étampes");
        var random = new Random(20270101);
        var broken = Enumerable.Range(0, 20).Select(i => file[..(file.Length * i / 20)]).Concat(Enumerable.Range(0, 400).Select(round =>
        {
            var changed = (byte[])file.Clone();
            for (var flips = 1 + round % 20; flips > 0; flips--)
            {
                // As often at the start, where formats say how they go on, as anywhere.
                changed[random.Next(flips % 2 == 0 ? changed.Length : Math.Min(2_048, changed.Length))] = (byte)random.Next(256);
            }
            return changed;
        }));
        foreach (var bytes in broken)
        {
            var reason = await Task.Run(() => Refused(new MemoryStream(bytes))).WaitAsync(TimeSpan.FromMinutes(1));
            (reason is null || reason == Reason.FileInvalid || reason == Reason.FileProtected || reason == Reason.TooLarge)
                .ShouldBeTrue(reason?.Code);
        }
    }

    [Fact]
    public void Pictures_and_noise_are_no_tables()
    {
        var random = new Random(20270102);
        for (var length = 64; length < 100_000; length = length * 3 / 2)
        {
            var noise = new byte[length];
            random.NextBytes(noise);
            Refused(new MemoryStream(noise)).ShouldBe(Reason.FileInvalid);
            Refused(new MemoryStream([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, .. noise]))
                .ShouldBe(Reason.FileInvalid);
            Refused(new MemoryStream([0x50, 0x4B, 3, 4, .. noise])).ShouldBe(Reason.FileInvalid);
            Refused(new MemoryStream([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, .. noise])).ShouldBe(Reason.FileInvalid);
        }
    }

    public static TheoryData<string> Offices =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "tests/Sankore.Tests/Campaigns/Files")).Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Offices))]
    public void A_file_of_an_office_broken_anywhere_gives_rows_or_a_refusal(string name)
    {
        var file = File.ReadAllBytes(Path.Combine(Repository.Root, "tests/Sankore.Tests/Campaigns/Files", name));
        var random = new Random(name.Length);
        for (var i = 0; i < Effort.Of(20, 400); i++)
        {
            byte[] broken = [.. file.AsSpan(0, i % 4 == 0 ? random.Next(file.Length) : file.Length)];
            for (var n = random.Next(6); n >= 0 && broken.Length > 0; n--)
            {
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            }
            Refused(new MemoryStream(broken));
        }
    }

    [Fact]
    public void What_says_it_has_a_million_rows_or_cells_in_the_new_formats_is_bounded()
    {
        string Ods(string rows) => "<office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'"
            + " xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'>"
            + $"<table:table table:name='a'>{rows}</table:table></office:document>";
        const string cell = "<table:table-cell><text:p>a</text:p></table:table-cell>";
        var limits = Tables.Limits with { Rows = 1000 };
        Read($"<table:table-row table:number-rows-repeated='1048576'>{cell}</table:table-row>").ShouldBe(Reason.TooLarge);
        Read("<table:table-row table:number-rows-repeated='1048576'><table:table-cell/></table:table-row>").ShouldBeNull();
        Read($"<table:table-row>{cell.Replace("cell>", "cell table:number-columns-repeated='16384'>", StringComparison.Ordinal)}".Replace(
            "</table:table-cell table:number-columns-repeated='16384'>", "</table:table-cell>", StringComparison.Ordinal)
            + "</table:table-row>").ShouldBeNull();
        var deep = string.Concat(Enumerable.Repeat("<div>", 50_000)) + "<table><tr><td>a</td></tr></table>";
        Refused(new MemoryStream(Encoding.UTF8.GetBytes(deep))).ShouldBe(Reason.FileInvalid);
        var card = $"BEGIN:VCARD\nPHOTO:{new string('a', 5_000_000)}\nEMAIL:a@b.cg\nEND:VCARD\n";
        Refused(new MemoryStream(Encoding.UTF8.GetBytes(card))).ShouldBeNull();

        Reason? Read(string rows) => Refused(new MemoryStream(Encoding.UTF8.GetBytes(Ods(rows))), limits);
    }

    [Fact]
    public void A_file_that_wants_a_password_is_refused_as_such()
    {
        // The first records after the workbook's own make room for the one that names a cipher (2F) and its salt.
        var file = Sample("rows.xls");
        byte[] cipher = [0x2F, 0, 54, 0, 1, 0, 1, 0, 1, 0, .. Enumerable.Repeat((byte)7, 48), 0x5C, 0, 70, 0];
        cipher.CopyTo(file.AsSpan(file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xE1, 0, 2, 0, 0xB0, 4, 0xC1])));
        Refused(new MemoryStream(file)).ShouldBe(Reason.FileProtected);
        Refused(new MemoryStream(Compound("EncryptionInfo", "EncryptedPackage"))).ShouldBe(Reason.FileProtected);
        Refused(new MemoryStream(Compound("WordDocument", "1Table"))).ShouldBe(Reason.FileInvalid);
    }

    private static Reason? Refused(Stream file, SheetLimits? limits = null)
    {
        try
        {
            using var sheet = SheetFile.Open(file, limits ?? Tables.Limits);
            foreach (var _ in sheet.Rows())
            {
            }
            return null;
        }
        catch (Refusal refusal)
        {
            return refusal.Reason;
        }
    }

    private static void Write(ZipArchive zip, string path, string text)
    {
        using var part = new StreamWriter(zip.CreateEntry(path).Open());
        part.Write(text);
    }

    private static string Noise(int length)
    {
        var random = new Random(20270103);
        return string.Create(length, random, (chars, from) => from.GetItems("abcdefghijklmnopqrstuvwxyz0123456789", chars));
    }

    /// <summary>A compound document (MS-CFB) of empty streams, as a workbook with a password stands in one.</summary>
    private static byte[] Compound(params string[] streams)
    {
        const uint Free = 0xFFFFFFFF, End = 0xFFFFFFFE, Fat = 0xFFFFFFFD;
        using var file = new MemoryStream();
        using var to = new BinaryWriter(file);
        to.Write([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, .. new byte[16], 0x3E, 0, 3, 0, 0xFE, 0xFF, 9, 0, 6, 0, .. new byte[6]]);
        foreach (var field in (
            uint[])[0, 1, 1, 0, 4096, End, 0, End, 0, 0, .. Enumerable.Repeat(Free, 108), Fat, End, .. Enumerable.Repeat(Free, 126)])
        {
            to.Write(field);
        }
        foreach (var (name, type) in streams.Select(s => (s, (byte)2)).Prepend(("Root Entry", (byte)5)))
        {
            to.Write(
                [.. Encoding.Unicode.GetBytes(name.PadRight(32, '\0')), (byte)(name.Length * 2 + 2), 0, type, 1,
                .. Enumerable.Repeat((byte)0xFF, 12), .. new byte[36], 0xFE, 0xFF, 0xFF, 0xFF, .. new byte[8]]);
        }
        to.Write(new byte[512 - 128 * (streams.Length + 1)]);
        return file.ToArray();
    }

    private static byte[] Sample(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Platform", "Samples", name));
}
