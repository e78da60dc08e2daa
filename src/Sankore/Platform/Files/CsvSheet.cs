using System.Text;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// A CSV file: separated by commas, semicolons or tabs, whichever the first rows agree on, or as a first line <c>sep=;</c> says; in UTF-8,
/// in UTF-16 with a mark (Excel's « Unicode text »), or else in Windows-1252, as French Excel saves it.
/// </summary>
internal sealed class CsvSheet : ISheet
{
    private const int Sample = 64 * 1024;
    private const int SampleRows = 20;

    private static readonly char[] Separators = [';', ',', '\t'];

    private readonly SourceStream _source;
    private readonly SheetLimits _limits;
    private readonly StreamReader _reader;
    private readonly char _separator;
    private readonly bool _namesSeparator;

    static CsvSheet() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public CsvSheet(SourceStream source, SheetLimits limits)
    {
        (_source, _limits) = (source, limits);
        var encoding = EncodingOf(source);
        source.Position = 0;
        using (var first = new StreamReader(source, encoding, detectEncodingFromByteOrderMarks: true, leaveOpen: true))
        {
            var sample = new char[Sample];
            var length = first.ReadBlock(sample);
            var text = new string(sample, 0, length);
            (_separator, _namesSeparator) = !IsText(text) ? throw new Refusal(Reason.FileInvalid) : NamedSeparator(text) is { } named
                ? (named, true) : (SeparatorOf(text, limits), false);
        }
        source.Position = 0;
        _reader = new StreamReader(source, encoding, detectEncodingFromByteOrderMarks: true, Sample, leaveOpen: true);
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

    /// <summary>UTF-8 if all of the file is; a mark at its start, which readers see themselves, comes before that.</summary>
    private static Encoding EncodingOf(SourceStream source)
    {
        Span<byte> bytes = new byte[Sample];
        var chars = new char[Sample + 1];
        var decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
        try
        {
            for (int read; (read = source.Read(bytes)) > 0;)
            {
                decoder.GetChars(bytes[..read], chars, flush: false);
            }
            decoder.GetChars([], chars, flush: true);
            return Encoding.UTF8;
        }
        catch (DecoderFallbackException)
        {
            return Encoding.GetEncoding(1252);
        }
    }

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

    /// <summary>The separator by which most of the first rows have as many cells as the first.</summary>
    private static char SeparatorOf(string sample, SheetLimits limits) => Separators.MaxBy(separator =>
    {
        using var text = new StringReader(sample);
        var parser = new CsvParser(text, separator, limits);
        var widths = new List<int>();
        while (widths.Count < SampleRows && parser.Next() is { } cells)
        {
            widths.Add(cells.Length);
        }
        return widths.Count == 0 || widths[0] == 1 ? (0, 0) : (widths.Count(w => w == widths[0]), widths[0]);
    });
}
