using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Platform.Imports;

/// <summary>A file on this node's disk, and what its first rows suggest.</summary>
internal static class ImportFile
{
    private const int MaxSheets = 20;
    private const int GuessRows = 1000;
    private const long GuessLength = 8 * 1024 * 1024;

    /// <summary>An empty file that goes when it is closed.</summary>
    public static FileStream Temporary() => new(
        Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 65536,
        FileOptions.DeleteOnClose | FileOptions.Asynchronous);

    /// <summary>A file that cannot be sought in, as one that can. Refuses with TOO_LARGE as soon as it is.</summary>
    public static async Task<FileStream> Kept(Stream from, long maxBytes, CancellationToken ct)
    {
        var file = Temporary();
        try
        {
            var buffer = new byte[65536];
            for (int read; (read = await from.ReadAsync(buffer, ct)) > 0;)
            {
                await file.WriteAsync(file.Length + read <= maxBytes ? buffer.AsMemory(0, read) : throw new Refusal(Reason.TooLarge), ct);
            }
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    /// <summary>The beginnings of its sheets. Refuses with FILE_INVALID, FILE_PROTECTED, TOO_LARGE.</summary>
    public static List<ImportSheet> Sheets(Stream file, SheetLimits limits, IReadOnlyList<ImportColumn> columns)
    {
        using var sheet = SheetFile.Open(file, limits);
        return [
            .. sheet.Sheets.Take(MaxSheets)
            .Select((name, i) => SheetGuess.Of(name, [.. Beginning(sheet.Rows(i))
                .Select(r => sheet.MayBeGuarded ? r with { Cells = Array.ConvertAll(r.Cells, CsvExport.Unguarded) } : r)], columns))];
    }

    private static IEnumerable<SheetRow> Beginning(IEnumerable<SheetRow> rows)
    {
        var kept = 0L;
        return rows.Take(GuessRows).TakeWhile(row => (kept += row.Cells.Sum(c => (long)c.Length)) < GuessLength);
    }
}
