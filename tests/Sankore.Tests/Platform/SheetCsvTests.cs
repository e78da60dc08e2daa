using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>CSV reads back whoever wrote it, and however.</summary>
public sealed class SheetCsvTests
{
    private static readonly char[] Separators = [';', ',', '\t'];
    private static readonly string[] Newlines = ["\r\n", "\n", "\r"];
    private static readonly Encoding[] Encodings =
        [new UTF8Encoding(false), new UTF8Encoding(true), new UnicodeEncoding(false, true), new UnicodeEncoding(true, true)];

    [Fact]
    public void Any_table_reads_back_in_each_separator_line_end_and_encoding()
    {
        var manners =
            from separator in Separators
            from newline in Newlines
            from quoted in new[] { true, false }
            select (separator, newline, quoted);
        foreach (var (separator, newline, quoted) in manners)
        {
            Prop.ForAll(Tables.Any().ToArbitrary(), table =>
            {
                var text = Tables.Csv(table, separator, newline, quoted);
                foreach (var encoding in Encodings)
                {
                    Tables.Read([.. encoding.GetPreamble(), .. encoding.GetBytes(text)]).ShouldBe(Tables.Said(table));
                }
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort.Of(25, 100)));
        }
    }

    [Fact]
    public void Any_table_of_western_characters_reads_back_from_what_French_Excel_saves() =>
        Prop.ForAll(
            Tables.Any(western: true).ToArbitrary(),
            table => Tables.Read(Tables.Windows1252(Tables.Csv(table, ';', "\r\n", quoted: false))).ShouldBe(Tables.Said(table)))
            .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("Nom\nA\nB", "1: Nom\n2: A\n3: B")]
    [InlineData("Nom\n12, rue A\n13, rue B", "1: Nom\n2: 12, rue A\n3: 13, rue B")]
    [InlineData("Nom;Prix\nA;1,5\nB;2,5", "1: Nom|Prix\n2: A|1,5\n3: B|2,5")]
    [InlineData("Nom,Adresse\nA,\"1; 2; 3\"", "1: Nom|Adresse\n2: A|1; 2; 3")]
    [InlineData("sep=;\r\nNom;Ville\r\nA;B", "1: Nom|Ville\n2: A|B")]
    [InlineData("SEP=|\nNom|Ville\nA|B,C;D", "1: Nom|Ville\n2: A|B,C;D")]
    [InlineData("Nom;Ville\n\n;\nA;B\n", "1: Nom|Ville\n4: A|B")]
    [InlineData("Nom;Taille\nA;5\" 6\n\"B\" bis;6", "1: Nom|Taille\n2: A|5\" 6\n3: B bis|6")]
    [InlineData(" Nom ;Ville\u00A0\n a;b", "1: Nom|Ville\n2: a|b")]
    [InlineData("", "")]
    public void What_people_send_is_read_as_they_see_it(string text, string rows) =>
        Tables.Read(Encoding.UTF8.GetBytes(text)).ShouldBe(rows);

    [Theory]
    [InlineData("Nom;Ville\n\"A;B\nC;D\n")]
    [InlineData("Nom;Ville\nA\0;B\n")]
    [InlineData("<!DOCTYPE html><p>Nom</p>")]
    [InlineData("\r\n  <html><body></body></html>")]
    [InlineData("<?xml version=\"1.0\"?><a/>")]
    [InlineData("%PDF-1.7\n1 0 obj")]
    [InlineData("\u0001\u0002\u0003")]
    public void What_is_no_table_is_refused(string text) =>
        Should.Throw<Refusal>(() => Tables.Read(Encoding.UTF8.GetBytes(text))).Reason.ShouldBe(Reason.FileInvalid);

    [Fact]
    public void More_than_the_limits_is_refused_or_cut_as_they_say()
    {
        var limits = new SheetLimits(Bytes: 100, Rows: 2, Columns: 2, CellLength: 3, UncompressedBytes: 0);
        Tables.Read("abcdef;b;c\n1;2;3\n\n\n4;5;6"u8.ToArray(), limits).ShouldBe("1: abc|b\n2: 1|2\n5: 4|5");
        Should.Throw<Refusal>(() => Tables.Read("a;b\n1;2\n3;4\n5;6"u8.ToArray(), limits)).Reason.ShouldBe(Reason.TooLarge);
        Should.Throw<Refusal>(() => Tables.Read(new byte[101], limits)).Reason.ShouldBe(Reason.TooLarge);
    }

    [Fact]
    public void Of_a_line_without_an_end_no_more_is_kept_than_the_limits_allow()
    {
        var file = new byte[50_000_000];
        Array.Fill(file, (byte)';');
        var before = GC.GetAllocatedBytesForCurrentThread();
        Tables.Read(file).ShouldBe("");
        Array.Fill(file, (byte)'x');
        Tables.Read(file).Length.ShouldBe(5_000 + "1: ".Length);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(10_000_000);
    }

    [Fact]
    public void Progress_goes_from_nothing_to_all()
    {
        using var sheet =
            SheetFile.Open(new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a;b\n", 100_000)))), Tables.Limits);
        var seen = sheet.Rows().Select(_ => sheet.Progress).ToList();
        seen.ShouldBe(seen.Order());
        seen[0].ShouldBeLessThan(0.5);
        seen[^1].ShouldBe(1);
    }

    [Fact]
    public void A_disk_that_fails_is_no_broken_file()
    {
        using var disk = new FailingDisk();
        Should.Throw<IOException>(() => SheetFile.Open(disk, Tables.Limits));
    }

    private sealed class FailingDisk() : MemoryStream(new byte[1_000])
    {
        public override int Read(Span<byte> buffer) => throw new IOException("The disk is gone.");
    }
}
