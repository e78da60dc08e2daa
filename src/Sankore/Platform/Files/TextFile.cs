using System.Buffers;
using System.Text;

namespace Sankore.Platform.Files;

/// <summary>
/// The text of a file that nobody says the encoding of: UTF-8 or UTF-16 with a mark; UTF-16 without one, by its zeros; UTF-8 if most of it
/// is, its other lines in Windows-1252; else Windows-1252, as French Excel saves it, or Mac Roman, as Excel for Mac does, by what makes
/// letters of it.
/// </summary>
internal static class TextFile
{
    private const int Sample = 64 * 1024;

    // The letters of French in Mac Roman, where Windows-1252 has signs.
    private static readonly SearchValues<byte> MacLetters =
        SearchValues.Create(0x83, 0x84, 0x85, 0x86, 0x88, 0x89, 0x8A, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x91, 0x94, 0x95, 0x99, 0x9A, 0x9D,
            0x9E, 0x9F);

    static TextFile() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Opens it for reading, from its start; a mark in it comes before the encoding.</summary>
    public static StreamReader Open(SourceStream source, Encoding encoding) =>
        new(source.FromStart(), encoding, detectEncodingFromByteOrderMarks: true, Sample, leaveOpen: true);

    /// <summary>How its text is written. Reads the whole file: to be asked once.</summary>
    public static Encoding EncodingOf(SourceStream source)
    {
        source.Position = 0;
        var start = new byte[Sample];
        var length = source.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (Utf16Of(start.AsSpan(0, length)) is { } utf16)
        {
            return utf16;
        }
        var (total, odd, letters, mac) = Counts(source);
        // A few lines of another program in a file of UTF-8 do not make the rest of it something else.
        return odd == 0 || odd * 4 < total
            ? Encoding.GetEncoding("utf-8", EncoderFallback.ReplacementFallback, new Fallback1252())
            : Encoding.GetEncoding(mac > letters ? 10000 : 1252);
    }

    /// <summary>
    /// UTF-16 without a mark: nearly all that people write has a zero in every second byte.
    /// </summary>
    private static Encoding? Utf16Of(ReadOnlySpan<byte> start)
    {
        var (even, odd) = (0, 0);
        for (var i = 0; i + 1 < start.Length; i += 2)
        {
            even += start[i] == 0 ? 1 : 0;
            odd += start[i + 1] == 0 ? 1 : 0;
        }
        var pairs = start.Length / 2;
        return pairs < 2 || start is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] ? null
            : odd > pairs * 6 / 10 && even < pairs / 10 ? Encoding.Unicode
            : even > pairs * 6 / 10 && odd < pairs / 10 ? Encoding.BigEndianUnicode : null;
    }

    /// <summary>
    /// How many sequences beyond ASCII there are, how many of them are no UTF-8, and how many of those bytes would be letters in
    /// Windows-1252, or in Mac Roman.
    /// </summary>
    private static (long Total, long Odd, long Letters, long Mac) Counts(SourceStream source)
    {
        var (total, odd, letters, mac) = (0L, 0L, 0L, 0L);
        source.Position = 0;
        var bytes = new byte[Sample];
        var kept = 0;
        for (int read; (read = source.Read(bytes.AsSpan(kept))) > 0 || kept > 0;)
        {
            var left = (ReadOnlySpan<byte>)bytes.AsSpan(0, kept + read);
            while (left.IndexOfAnyExceptInRange((byte)0, (byte)0x7F) is >= 0 and var at)
            {
                left = left[at..];
                var status = Rune.DecodeFromUtf8(left, out _, out var length);
                if (status == OperationStatus.NeedMoreData && read > 0)
                {
                    break;
                }
                total++;
                if (status != OperationStatus.Done)
                {
                    odd++;
                    letters += left[0] >= 0xC0 ? 1 : 0;
                    mac += MacLetters.Contains(left[0]) ? 1 : 0;
                    length = 1;
                }
                left = left[length..];
            }
            kept = read > 0 && !left.IsEmpty && left[0] > 0x7F ? left.Length : 0;
            left[^kept..].CopyTo(bytes);
            if (read == 0)
            {
                break;
            }
        }
        return (total, odd, letters, mac);
    }

    private sealed class Fallback1252 : DecoderFallback
    {
        public override int MaxCharCount => 4;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer();

        private sealed class Buffer : DecoderFallbackBuffer
        {
            private string _text = "";
            private int _at;

            public override int Remaining => _text.Length - _at;

            public override bool Fallback(byte[] bytesUnknown, int index)
            {
                (_text, _at) = (Encoding.GetEncoding(1252).GetString(bytesUnknown), 0);
                return _text.Length > 0;
            }

            public override char GetNextChar() => _at < _text.Length ? _text[_at++] : '\0';

            public override bool MovePrevious() => _at > 0 && _at-- > 0;

            public override void Reset() => (_text, _at) = ("", 0);
        }
    }
}
