using System.Buffers;
using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>
/// The values of fields with text of people in them (RFC 5322, 2047, 2231). MimeKit writes longer encoded words than the 75 characters that
/// are allowed, and cuts characters beyond 16 bits in long names of files.
/// </summary>
internal static class HeaderText
{
    private const int MaxLine = 78;

    // In base64 and with what stands around them they fit a line, the name of a field included.
    private const int BytesPerWord = 42;

    private static readonly SearchValues<char> Phrase =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ");

    private static readonly SearchValues<byte> ParameterSafe =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{}~"u8);

    /// <summary>Text such as a subject: folded at its spaces when it is plain ASCII, else as encoded words.</summary>
    /// <param name="field">The name of the field, which stands before it.</param>
    /// <param name="text">The text.</param>
    public static string Text(string field, string text)
    {
        var words = text.Split(' ');
        if (!IsPlain(text) || text is [' ', ..] or [.., ' '] || words.Any(w => w.Length > MaxLine - field.Length - 2))
        {
            return $" {EncodedWords(text)}\r\n";
        }
        var (folded, column) = (new StringBuilder(), field.Length + 1);
        foreach (var word in words)
        {
            var isFolded = column + 1 + word.Length > MaxLine;
            folded.Append(isFolded ? "\r\n " : " ").Append(word);
            column = (isFolded ? 1 : column + 1) + word.Length;
        }
        return folded.Append("\r\n").ToString();
    }

    /// <summary>An address with its name.</summary>
    /// <param name="field">The name of the field, which stands before it.</param>
    /// <param name="mailbox">The address.</param>
    public static string Address(string field, Mailbox mailbox)
    {
        if (mailbox.Name.Length == 0)
        {
            return $" {mailbox.Address}\r\n";
        }
        var name = mailbox.Name;
        var shown = !IsPlain(name) || name.Length > MaxLine - field.Length - 4 ? EncodedWords(name)
            : !name.AsSpan().ContainsAnyExcept(Phrase) ? name
            : $"\"{name.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        var line = shown.LastIndexOf('\n');
        var column = line < 0 ? field.Length + 2 + shown.Length : shown.Length - line - 1;
        return $" {shown}{(column + mailbox.Address.Length + 3 > MaxLine ? "\r\n " : " ")}<{mailbox.Address}>\r\n";
    }

    /// <summary>A parameter on a line of its own; other letters than ASCII, or a long value, in the form of RFC 2231.</summary>
    public static string Parameter(string name, string value)
    {
        if (value.Length is > 0 and < 60 && !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && !value.AsSpan().ContainsAny("\"\\%?"))
        {
            return $";\r\n {name}=\"{value}\"";
        }
        var (pieces, piece) = (new List<string>(), new StringBuilder("utf-8''"));
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in value.EnumerateRunes())
        {
            if (piece.Length > 48)
            {
                pieces.Add(piece.ToString());
                piece.Clear();
            }
            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                _ = ParameterSafe.Contains(b) ? piece.Append((char)b) : piece.Append('%').Append(b.ToString("X2", null));
            }
        }
        pieces.Add(piece.ToString());
        return string.Concat(pieces.Select((p, n) => pieces.Count == 1 ? $";\r\n {name}*={p}" : $";\r\n {name}*{n}*={p}"));
    }

    /// <summary>Nothing in it would be read as something else, or be lost where lines are folded.</summary>
    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~')
        && !text.Contains("  ", StringComparison.Ordinal) && !text.Contains("=?", StringComparison.Ordinal);

    /// <summary>Encoded words of UTF-8, each whole in itself, one a line.</summary>
    private static string EncodedWords(string text)
    {
        var (words, bytes, length) = (new List<string>(), new byte[BytesPerWord], 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (length + rune.Utf8SequenceLength > BytesPerWord)
            {
                words.Add(Word(bytes.AsSpan(0, length)));
                length = 0;
            }
            length += rune.EncodeToUtf8(bytes.AsSpan(length));
        }
        words.Add(Word(bytes.AsSpan(0, length)));
        return string.Join("\r\n ", words);

        static string Word(ReadOnlySpan<byte> bytes) => $"=?utf-8?B?{Convert.ToBase64String(bytes)}?=";
    }
}
