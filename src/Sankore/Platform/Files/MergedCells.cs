using System.IO.Compression;
using System.Text;

namespace Sankore.Platform.Files;

/// <summary>Cells that a sheet shows as one: what its first row says counts for the others, where they say anything else at all.</summary>
internal sealed class MergedCells
{
    private const int MaxMerges = 100_000;

    private readonly Dictionary<int, List<(int Column, int Last)>> _starts = [];
    private readonly Dictionary<int, (int Last, string Text)> _open = [];

    /// <param name="merges">The column of each, from 0, and its first and last row, from 1.</param>
    public MergedCells(IEnumerable<(int Column, int First, int Last)> merges)
    {
        foreach (var (column, first, last) in merges.Where(m => m.Last > m.First).Take(MaxMerges))
        {
            Begin(column, first, last);
        }
    }

    /// <summary>Those of a part of a workbook, which names them behind its rows.</summary>
    public static MergedCells Of(ZipArchiveEntry part)
    {
        using var stream = part.Open();
        return new MergedCells(Named(stream));
    }

    /// <summary>Notes cells that are met on the way.</summary>
    public void Begin(int column, int first, int last) =>
        (_starts.TryGetValue(first, out var known) ? known : _starts[first] = []).Add((column, last));

    /// <summary>A row with what the cells above it say for it; one that says nothing itself stays so.</summary>
    public string[] Filled(int number, string[] cells)
    {
        var isBlank = Array.TrueForAll(cells, c => c.Length == 0);
        foreach (var (column, (last, text)) in _open)
        {
            if (number > last)
            {
                _open.Remove(column);
            }
            else if (!isBlank && (column >= cells.Length || cells[column].Length == 0))
            {
                Array.Resize(ref cells, Math.Max(cells.Length, column + 1));
                cells[column] = text;
            }
        }
        foreach (var (column, last) in _starts.GetValueOrDefault(number, []))
        {
            if (column < cells.Length && cells[column] is { Length: > 0 } text)
            {
                _open[column] = (last, text);
            }
        }
        return cells.Any(c => c is null) ? Array.ConvertAll(cells, c => c ?? "") : cells;
    }

    private static IEnumerable<(int Column, int First, int Last)> Named(Stream part)
    {
        var buffer = new byte[64 * 1024];
        var kept = 0;
        for (int read; (read = part.Read(buffer, kept, buffer.Length - kept)) > 0;)
        {
            var length = kept + read;
            var at = 0;
            while (buffer.AsSpan(at, length - at).IndexOf("mergeCell "u8) is >= 0 and var found && at + found + 100 < length)
            {
                at += found + 10;
                if (Range(Encoding.ASCII.GetString(buffer, at, 90)) is { } range)
                {
                    yield return range;
                }
            }
            // The end of what was read may be the beginning of one; of the last, nothing comes after it but the end of the part.
            kept = Math.Min(length - at, 120);
            Array.Copy(buffer, length - kept, buffer, 0, kept);
        }
        var rest = Encoding.ASCII.GetString(buffer, 0, kept);
        for (var at = 0; (at = rest.IndexOf("mergeCell ", at, StringComparison.Ordinal)) >= 0; at += 10)
        {
            if (Range(rest[(at + 10)..]) is { } range)
            {
                yield return range;
            }
        }
    }

    /// <summary>What <c>ref="A2:A4"</c> says.</summary>
    private static (int Column, int First, int Last)? Range(string attributes)
    {
        var (start, end) = (attributes.IndexOf("ref=\"", StringComparison.Ordinal) + 5, attributes.IndexOf('>', StringComparison.Ordinal));
        if (start < 5 || (end >= 0 && end < start) || attributes[start..].Split('"')[0].Split(':') is not [var from, var to])
        {
            return null;
        }
        return RowOf(from) is { } first && RowOf(to) is { } last ? (XlsxSheet.ColumnOf(from), first, last) : null;
    }

    private static int? RowOf(string place) =>
        int.TryParse(place.AsSpan().TrimStart("ABCDEFGHIJKLMNOPQRSTUVWXYZ$"), out var row) ? row : null;
}
