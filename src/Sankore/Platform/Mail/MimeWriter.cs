using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>Header fields and bodies as they travel (RFC 5322, 2045, 2047, 2231): ASCII, CRLF, no line above 998 bytes and, where it can be helped, none above 78.</summary>
internal readonly ref struct MimeWriter(IBufferWriter<byte> to)
{
    private const int MaxLine = 78;
    private const int MaxHardLine = 998;
    private const int MaxEncodedWord = 75;
    private const string WordStart = "=?utf-8?";

    // What may stand as it is in an encoded word of any header (RFC 2047, 5.3).
    private static readonly SearchValues<byte> WordSafe = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"u8);
    private static readonly SearchValues<byte> Printable = SearchValues.Create([(byte)'\t', (byte)'\r', (byte)'\n', .. Enumerable.Range(' ', '~' - ' ' + 1).Select(b => (byte)b)]);
    private static readonly SearchValues<byte> Literal = SearchValues.Create([(byte)'\t', .. Enumerable.Range(' ', '~' - ' ' + 1).Select(b => (byte)b).Where(b => b != '=')]);
    private static readonly SearchValues<char> Phrase = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ");
    private static readonly SearchValues<byte> ParameterSafe = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{}~"u8);

    /// <summary>ASCII, as it is.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => to.Write(bytes);

    /// <summary>Text in UTF-8, as it is.</summary>
    public void Raw(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, to);

    /// <summary>A field whose value is text for people, such as a subject.</summary>
    public void Text(string name, string value)
    {
        Raw(name);
        Raw(": "u8);
        Value(value, name.Length + 2, longestWord: MaxLine - name.Length - 2);
        Raw("\r\n"u8);
    }

    /// <summary>A field whose value has a form of its own, such as List-Unsubscribe: ASCII stays as it is and is folded at its spaces.</summary>
    /// <exception cref="ArgumentException">A word of it is longer than a line may be.</exception>
    public void Structured(string name, string value)
    {
        Raw(name);
        Raw(": "u8);
        Value(value, name.Length + 2, longestWord: int.MaxValue);
        Raw("\r\n"u8);
    }

    /// <summary>A field with one address.</summary>
    public void Address(string name, Mailbox mailbox)
    {
        Raw(name);
        Raw(": "u8);
        var column = name.Length + 2;
        if (mailbox.Name.Length > 0)
        {
            column = DisplayName(mailbox.Name, column);
            Raw(column + mailbox.Address.Length + 3 > MaxLine ? "\r\n <"u8 : " <"u8);
            Raw(mailbox.Address);
            Raw(">"u8);
        }
        else
        {
            Raw(mailbox.Address);
        }
        Raw("\r\n"u8);
    }

    /// <summary>A parameter of a field, each on a line of its own; other letters than ASCII, or a long value, in the form of RFC 2231.</summary>
    public void Parameter(string name, string value)
    {
        if (value.Length is > 0 and < 60 && !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && !value.AsSpan().ContainsAny("\"\\%?"))
        {
            Raw($";\r\n {name}=\"{value}\"");
            return;
        }
        var piece = new StringBuilder("utf-8''");
        var number = 0;
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in value.EnumerateRunes())
        {
            if (piece.Length > 48)
            {
                Raw($";\r\n {name}*{number++}*={piece}");
                piece.Clear();
            }
            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                _ = ParameterSafe.Contains(b) ? piece.Append((char)b) : piece.Append('%').Append(b.ToString("X2", null));
            }
        }
        Raw(number == 0 ? $";\r\n {name}*={piece}" : $";\r\n {name}*{number}*={piece}");
    }

    /// <summary>A part of text with its headers: seven bits where that will do, else what is shorter of quoted-printable and base64. It ends with a line break, whether the text does or not.</summary>
    public void TextPart(ReadOnlySpan<byte> type, string text)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length) + text.Length + 2);
        try
        {
            ReadOnlySpan<byte> body = bytes.AsSpan(0, Lines(text, bytes));
            var (longest, escaped) = Measure(body);
            Raw("Content-Type: "u8);
            Raw(type);
            Raw("; charset=utf-8\r\nContent-Transfer-Encoding: "u8);
            if (escaped == 0 && longest <= MaxLine)
            {
                Raw("7bit\r\n\r\n"u8);
                Raw(body);
            }
            else if (escaped <= body.Length / 5)
            {
                Raw("quoted-printable\r\n\r\n"u8);
                QuotedPrintable(body);
            }
            else
            {
                Raw("base64\r\n\r\n"u8);
                Base64Lines(body);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Base64 in lines of 76.</summary>
    public void Base64Lines(ReadOnlySpan<byte> bytes)
    {
        const int bytesPerLine = 57;
        while (bytes.Length > 0)
        {
            var line = bytes[..Math.Min(bytesPerLine, bytes.Length)];
            var span = to.GetSpan(bytesPerLine / 3 * 4 + 2);
            Base64.EncodeToUtf8(line, span, out _, out var written);
            "\r\n"u8.CopyTo(span[written..]);
            to.Advance(written + 2);
            bytes = bytes[line.Length..];
        }
    }

    /// <summary>A value, folded at its spaces when it is plain ASCII, else as encoded words.</summary>
    private void Value(string value, int column, int longestWord)
    {
        var plain = !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && value is not [' ', ..] and not [.., ' '] && !value.Contains("  ", StringComparison.Ordinal);
        if (!plain || (longestWord < int.MaxValue && (value.Contains("=?", StringComparison.Ordinal) || LongestWord(value) > longestWord)))
        {
            EncodedWords(value, column);
            return;
        }
        foreach (var range in value.AsSpan().Split(' '))
        {
            var word = value.AsSpan(range);
            if (word.Length > MaxHardLine - column)
            {
                throw new ArgumentException("a word of a header is longer than a line may be");
            }
            if (range.Start.Value > 0)
            {
                var fold = column + 1 + word.Length > MaxLine;
                Raw(fold ? "\r\n "u8 : " "u8);
                column = fold ? 1 : column + 1;
            }
            Raw(word);
            column += word.Length;
        }
    }

    private static int LongestWord(string value)
    {
        var longest = 0;
        foreach (var range in value.AsSpan().Split(' '))
        {
            longest = Math.Max(longest, value.AsSpan(range).Length);
        }
        return longest;
    }

    /// <summary>The column after it.</summary>
    private int DisplayName(string name, int column)
    {
        if (name.Length > MaxLine - column - 2 || name.AsSpan().ContainsAnyExceptInRange(' ', '~') || name.Contains("=?", StringComparison.Ordinal) || name.Contains("  ", StringComparison.Ordinal))
        {
            return EncodedWords(name, column);
        }
        if (!name.AsSpan().ContainsAnyExcept(Phrase))
        {
            Raw(name);
            return column + name.Length;
        }
        var quoted = $"\"{name.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        Raw(quoted);
        return column + quoted.Length;
    }

    /// <summary>Encoded words of UTF-8, each whole in itself, one a line; the column after the last.</summary>
    private int EncodedWords(ReadOnlySpan<char> text, int column)
    {
        Span<byte> utf8 = stackalloc byte[256];
        do
        {
            var room = Math.Min(MaxEncodedWord, MaxLine - column) - WordStart.Length - 4;
            var (taken, bytes, asQ) = TakeWord(text, utf8, room);
            Raw(WordStart);
            column += WordStart.Length + 4 + (asQ ? WriteQ(utf8[..bytes]) : WriteB(utf8[..bytes]));
            Raw("?="u8);
            text = text[taken..];
            if (text.Length > 0)
            {
                Raw("\r\n "u8);
                column = 1;
            }
        }
        while (text.Length > 0);
        return column;
    }

    /// <summary>As many characters as fit a word's room, in whichever encoding takes more of them.</summary>
    private static (int Taken, int Bytes, bool AsQ) TakeWord(ReadOnlySpan<char> text, Span<byte> utf8, int room)
    {
        var (taken, bytes, quoted) = (0, 0, 0);
        var (takenQ, bytesQ, takenB, bytesB) = (0, 0, 0, 0);
        Span<byte> encoded = stackalloc byte[4];
        while (taken < text.Length && (bytes < room || taken == 0))
        {
            _ = Rune.DecodeFromUtf16(text[taken..], out var rune, out var used);
            var length = rune.EncodeToUtf8(encoded);
            encoded[..length].CopyTo(utf8[bytes..]);
            taken += used;
            bytes += length;
            quoted += rune.Value == ' ' || (rune.IsAscii && WordSafe.Contains((byte)rune.Value)) ? 1 : 3 * length;
            if (quoted <= room)
            {
                (takenQ, bytesQ) = (taken, bytes);
            }
            if ((bytes + 2) / 3 * 4 <= room)
            {
                (takenB, bytesB) = (taken, bytes);
            }
        }
        return takenQ >= takenB ? (takenQ, bytesQ, true) : (takenB, bytesB, false);
    }

    private int WriteQ(ReadOnlySpan<byte> bytes)
    {
        Raw("Q?"u8);
        var length = 0;
        foreach (var b in bytes)
        {
            if (b == ' ' || WordSafe.Contains(b))
            {
                Byte(b == ' ' ? (byte)'_' : b);
                length++;
            }
            else
            {
                Escape(b, to.GetSpan(3));
                to.Advance(3);
                length += 3;
            }
        }
        return length;
    }

    private int WriteB(ReadOnlySpan<byte> bytes)
    {
        Raw("B?"u8);
        var span = to.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        Base64.EncodeToUtf8(bytes, span, out _, out var written);
        to.Advance(written);
        return written;
    }

    /// <summary>The text in UTF-8 with CRLF for every kind of line break, and one at the end.</summary>
    private static int Lines(ReadOnlySpan<char> text, Span<byte> to)
    {
        var length = 0;
        while (text.Length > 0)
        {
            var end = text.IndexOfAny('\r', '\n');
            length += Encoding.UTF8.GetBytes(end < 0 ? text : text[..end], to[length..]);
            "\r\n"u8.CopyTo(to[length..]);
            length += 2;
            text = end < 0 ? [] : text[(text[end..] is ['\r', '\n', ..] ? end + 2 : end + 1)..];
        }
        return length;
    }

    /// <summary>The longest line, and how many bytes need an escape.</summary>
    private static (int Longest, int Escaped) Measure(ReadOnlySpan<byte> body)
    {
        var (longest, escaped) = (0, 0);
        for (var rest = body; rest.Length > 0;)
        {
            var end = rest.IndexOf((byte)'\n');
            longest = Math.Max(longest, end - 1);
            rest = rest[(end + 1)..];
        }
        for (var rest = body; rest.IndexOfAnyExcept(Printable) is >= 0 and var next; rest = rest[(next + 1)..])
        {
            escaped++;
        }
        return (longest, escaped);
    }

    /// <summary>RFC 2045, 6.7: lines of at most 76, no space at the end of a line, and none that begins like a mailbox file's next message.</summary>
    private void QuotedPrintable(ReadOnlySpan<byte> body)
    {
        const int maxLine = 76;
        var line = to.GetSpan(MaxLine + 1);
        var column = 0;
        while (body.Length > 0)
        {
            if (body[0] == '\r')
            {
                line = EndLine(line, column, "\r\n"u8);
                column = 0;
                body = body[2..];
                continue;
            }
            var run = column == 0 && body.StartsWith("From "u8) ? 0 : body.IndexOfAnyExcept(Literal);
            run -= run > 0 && body[run] == '\r' && body[run - 1] is (byte)' ' or (byte)'\t' ? 1 : 0;
            // What ends a line of the text may stand where another would have to leave room for the soft break.
            var width = run == 0 ? 3 : run;
            var room = maxLine - column - (body[Math.Max(run, 1)] == '\r' && column + width <= maxLine ? 0 : 1);
            if (room < (run == 0 ? 3 : 1))
            {
                line = EndLine(line, column, "=\r\n"u8);
                column = 0;
                continue;
            }
            if (run == 0)
            {
                Escape(body[0], line[column..]);
                column += 3;
                body = body[1..];
                continue;
            }
            run = Math.Min(run, room);
            body[..run].CopyTo(line[column..]);
            column += run;
            body = body[run..];
        }
    }

    /// <summary>Room for the next line.</summary>
    private Span<byte> EndLine(Span<byte> line, int length, ReadOnlySpan<byte> with)
    {
        with.CopyTo(line[length..]);
        to.Advance(length + with.Length);
        return to.GetSpan(MaxLine + 1);
    }

    private static void Escape(byte b, Span<byte> at)
    {
        at[0] = (byte)'=';
        at[1] = "0123456789ABCDEF"u8[b >> 4];
        at[2] = "0123456789ABCDEF"u8[b & 15];
    }

    private void Byte(byte b)
    {
        to.GetSpan(1)[0] = b;
        to.Advance(1);
    }
}
