using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Platform.Imports;

/// <summary>A file on this node's disk, and what its first rows suggest.</summary>
internal static class ImportFile
{
    private const int MaxSheets = 20;
    private const int PreviewRows = 12;
    private const int PreviewLength = 200;
    private const int GuessRows = 1000;

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
            .Select((name, i) => Sheet(name, [.. sheet.Rows(i).Take(GuessRows).Select(r => r.Cells)], columns))];
    }

    /// <summary>
    /// What the first rows of a sheet suggest: the words of its head first; where a column's contents can be told, the head counts only
    /// if some are below
    /// it, and without a head the column that has the most of them is it. A first row with such contents is no head.
    /// </summary>
    internal static ImportSheet Sheet(string name, IReadOnlyList<string[]> rows, IReadOnlyList<ImportColumn> columns)
    {
        var head = rows.Count > 0 ? rows[0] : [];
        var hasHeader = !columns.Any(c => c.Holds is { } holds && head.Any(holds));
        var found = new Dictionary<string, int>();
        foreach (var column in columns.Where(_ => hasHeader))
        {
            Take(column, Array.FindIndex(head, cell => column.Is(cell)));
        }
        foreach (var column in columns.Where(c => c.Holds is not null && !found.ContainsKey(c.Name)))
        {
            Take(
                column,
                Enumerable.Range(0, Width()).Where(c => !found.ContainsValue(c)).OrderByDescending(c => Held(column, c))
                .FirstOrDefault(-1));
        }
        foreach (var column in columns.Where(c => c.IsFirstLeft && !found.ContainsKey(c.Name)))
        {
            Take(column, Enumerable.Range(0, Width()).Where(c => !found.ContainsValue(c)).FirstOrDefault(-1));
        }
        return new ImportSheet(name, [.. rows.Take(PreviewRows).Select(cells => Array.ConvertAll(cells, Shortened))], hasHeader, found);

        int Width() => rows.Select(r => r.Length).DefaultIfEmpty().Max();
        int Held(ImportColumn column, int place) => rows.Count(r => place < r.Length && column.Holds!(r[place]));
        void Take(ImportColumn column, int place)
        {
            if (place >= 0 && !found.ContainsValue(place) && (column.Holds is null || Held(column, place) > 0))
            {
                found[column.Name] = place;
            }
        }
    }

    private static string Shortened(string cell) => cell.Length <= PreviewLength ? cell : string.Concat(cell.AsSpan(0, PreviewLength), "…");
}
