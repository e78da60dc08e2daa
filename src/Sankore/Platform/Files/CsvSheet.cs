using System.Text;
using System.Text.RegularExpressions;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// A CSV file: separated by commas, semicolons, tabs or bars, whichever most of the first rows agree on, or as a first line <c>sep=;</c>
/// says.
/// </summary>
internal sealed partial class CsvSheet : ISheet
{
    private const int Sample = 64 * 1024;
    private const int SampleRows = 40;

    private const char None = '\u001F';

    private static readonly char[] Separators = [';', ',', '\t', '|'];

    private readonly SourceStream _source;
    private readonly SheetLimits _limits;
    private readonly StreamReader _reader;
    private readonly char _separator;
    private readonly bool _namesSeparator;

    public CsvSheet(SourceStream source, Encoding encoding, SheetLimits limits)
    {
        (_source, _limits) = (source, limits);
        using (var first = TextFile.Open(source, encoding))
        {
            var sample = new char[Sample];
            var length = first.ReadBlock(sample);
            var text = new string(sample, 0, length);
            (_separator, _namesSeparator) = !IsText(text) ? throw new Refusal(Reason.FileInvalid) : NamedSeparator(text) is { } named
                ? (named, true) : (SeparatorOf(text, limits), false);
        }
        _reader = TextFile.Open(source, encoding);
    }

    public IReadOnlyList<string> Names => [""];

    public double Progress => _source.Length == 0 ? 1 : (double)_source.Position / _source.Length;

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        var parser = new CsvParser(_reader, _separator, _limits);
        if (_namesSeparator)
        {
            // Excel shows no such row, and counts none.
            parser.Next();
        }
        for (var number = 1; parser.Next() is { } cells; number++)
        {
            yield return new SheetRow(number, cells);
        }
        if (parser.IsOpen)
        {
            // Everything after a quote that nobody closed would be one cell, and lost.
            throw new Refusal(Reason.FileInvalid);
        }
    }

    public void Dispose() => _reader.Dispose();

    /// <summary>Whether the start is one of a text, and not of a page or of anything binary.</summary>
    private static bool IsText(string start)
    {
        var text = start.AsSpan().TrimStart();
        var page = text.Length > 1 && text[0] == '<' && (text[1] is '!' or '?' || char.IsAsciiLetter(text[1]));
        return !page && !text.StartsWith("%PDF-")
            && !start.Any(c => c < ' ' && c is not ('\t' or '\n' or '\v' or '\f' or '\r' or '\u001A'));
    }

    /// <summary>What a first line <c>sep=;</c> says.</summary>
    private static char? NamedSeparator(string sample)
    {
        var end = sample.AsSpan().IndexOfAny('\r', '\n');
        var line = sample.AsSpan(0, end < 0 ? sample.Length : end).Trim('"');
        return line.Length == 5 && line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) ? line[4] : null;
    }

    /// <summary>
    /// The separator by which most of the first rows have the same number of cells: titles and empty lines have one, and what stands
    /// between addresses alone, as in a mail, separates no cells.
    /// </summary>
    private static char SeparatorOf(string sample, SheetLimits limits) => Separators.Prepend(None).MaxBy(separator =>
    {
        using var text = new StringReader(sample);
        var parser = new CsvParser(text, separator, limits);
        var widths = new List<int>();
        var (rows, wide, lists, addresses) = (0, 0, 0, 0);
        while (widths.Count < SampleRows && parser.Next() is { } row)
        {
            widths.Add(row.Length);
            var (said, written) = (row.Count(c => c.Length > 0), row.Count(c => Address().IsMatch(c)));
            rows += said > 0 ? 1 : 0;
            wide += said > 1 ? 1 : 0;
            lists += said > 1 && said == written ? 1 : 0;
            addresses += written;
        }
        // Below a title of one cell only addresses tell that commas separate cells, and do not stand in them.
        return lists * 2 > wide || (widths.FirstOrDefault(w => w > 0) == 1 && addresses == 0)
            ? (0, 0)
            : widths.Where(w => w > 1).GroupBy(w => w).Select(g => (g.Count() / (double)rows, g.Key)).DefaultIfEmpty((0, 0)).Max();
    });

    // One alone, or with its name.
    [GeneratedRegex(@"\A[^\s<>]+@[^\s<>]+\z|<[^\s<>]+@[^\s<>]+>")]
    private static partial Regex Address();
}
