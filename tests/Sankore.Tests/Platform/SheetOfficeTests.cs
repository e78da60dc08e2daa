using System.Diagnostics;
using System.Text;
using Sankore.Platform.Files;

namespace Sankore.Tests.Platform;

/// <summary>What LibreOffice writes is read, and what is written LibreOffice reads.</summary>
public sealed class SheetOfficeTests : IDisposable
{
    // Columns as texts: what looks like a number stays as it was written.
    private const string AsTexts = "CSV:59,34,76,1,1/2/2/2/3/2/4/2/5/2/6/2,0,true,false";

    private static readonly string[] Words = [
        "é", "Ça", "œ", "€", "007", "1E5", " x", "\"", ";", ",", "\n", "=1+1", "-", "@", "<b>", "&amp;", "'", "2027-12-31", "_x0041_",
        "VRAI"];

    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-office-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("xlsx", "xlsx")]
    [InlineData("xls", "xls")]
    [InlineData("csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false", "csv")]
    [InlineData("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false", "csv")]
    [InlineData("csv:Text - txt - csv (StarCalc):59,34,1,1,,0,false,true,false", "csv")]
    [InlineData("csv:Text - txt - csv (StarCalc):9,34,65535,1,,0,false,true,false", "csv")]
    public async Task A_table_that_LibreOffice_saved_reads_back(string filter, string extension)
    {
        var random = new Random(20270101);
        var table = Enumerable.Range(0, 300)
            .Select(
            row => Enumerable.Range(0, 6)
            .Select(column => row == 0 ? "Tête é" + column : string.Concat(random.GetItems(Words, random.Next(5)))).ToArray()).ToArray();
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "table.csv"), Tables.Csv(table, ';', "\n", quoted: true), TestContext.Current.CancellationToken);

        var file = await Convert("table.csv", AsTexts, filter, extension);

        Tables.Read(file).ShouldBe(Tables.Said(table));
    }

    [Fact]
    public async Task LibreOffice_reads_a_workbook_that_was_exported()
    {
        string[][] table = [["Nom", "Remarque"], ["École d’Étampes", "=1+1"], ["+242 06", "a\nb \"c\""], ["007", "_x0041_ 😀"]];
        await using (var file = File.Create(Path.Combine(_folder, "export.xlsx")))
        {
            await XlsxExport.Write(file, "Été", table.ToAsyncEnumerable(), TestContext.Current.CancellationToken);
        }

        var csv = await Convert("export.xlsx", null, "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,true,true,false", "csv");

        Encoding.UTF8.GetString(csv).ShouldBe(Tables.Csv(table, ';', "\n", quoted: true) + "\n");
    }

    private async Task<byte[]> Convert(string name, string? reading, string filter, string extension)
    {
        Assert.SkipUnless(
            IsInstalled, "LibreOffice is not installed: install the package libreoffice-calc to see what it writes read back.");
        var to = Path.Combine(_folder, "to");
        string[] how = [
            $"-env:UserInstallation=file://{_folder}/profile", "--headless", .. reading is null ? (string[])[]
            : ["--infilter=" + reading], "--convert-to", filter, "--outdir", to, Path.Combine(_folder, name)];
        using var office =
            Process.Start(new ProcessStartInfo("soffice", how) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Task.WhenAll(
            office.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            office.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).WaitAsync(TimeSpan.FromMinutes(5));
        await office.Ended();
        var file = Path.Combine(to, Path.ChangeExtension(name, extension));
        File.Exists(file).ShouldBeTrue(string.Join('\n', said));
        return await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
    }

    private static bool IsInstalled =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "soffice")));
}
