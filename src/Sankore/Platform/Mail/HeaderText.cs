using System.Text;
using System.Text.RegularExpressions;

namespace Sankore.Platform.Mail;

/// <summary>What header fields say: encoded words (RFC 2047) and parameters (RFC 2231), as others write them; what makes no sense stays as it is.</summary>
internal static partial class HeaderText
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The value with its encoded words decoded; white space between two of them is dropped, and a character may be split over them.</summary>
    public static string Decode(string value)
    {
        var decoded = new StringBuilder();
        var (at, bytes, charset) = (0, new List<byte>(), "");
        foreach (Match word in EncodedWord().Matches(value))
        {
            var between = value.AsSpan(at, word.Index - at);
            if (!(bytes.Count > 0 && between.IsWhiteSpace() && word.Groups[1].Value.Equals(charset, StringComparison.OrdinalIgnoreCase)))
            {
                decoded.Append(Charset(charset).GetString([.. bytes]));
                decoded.Append(at > 0 && between.IsWhiteSpace() ? "" : between);
                bytes.Clear();
            }
            charset = word.Groups[1].Value;
            var code = Encoding.ASCII.GetBytes(word.Groups[3].Value);
            bytes.AddRange(word.Groups[2].Value is "B" or "b" ? TransferCode.Base64(code) : TransferCode.QuotedPrintable(code, underscoreIsSpace: true));
            at = word.Index + word.Length;
        }
        return decoded.Append(Charset(charset).GetString([.. bytes])).Append(value.AsSpan(at)).ToString();
    }

    /// <summary>What stands before the parameters, in small letters and without comments.</summary>
    public static string First(string value) => value.Split(';', '(')[0].Trim().ToLowerInvariant();

    /// <summary>A parameter, put together from its pieces and decoded; nothing when there is none.</summary>
    public static string Parameter(string value, string name)
    {
        var pieces = new SortedDictionary<int, (string Value, bool Encoded)>();
        foreach (Match match in ParameterPiece().Matches(value))
        {
            if (match.Groups["name"].Value.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                var quoted = match.Groups["quoted"];
                var text = quoted.Success ? Escaped().Replace(quoted.Value, "$1") : match.Groups["token"].Value.Trim();
                var number = match.Groups["number"].Success ? int.Parse(match.Groups["number"].Value, System.Globalization.CultureInfo.InvariantCulture) : 0;
                if (match.Groups["star"].Success || !pieces.ContainsKey(number))
                {
                    pieces[number] = (text, match.Groups["star"].Success);
                }
            }
        }
        return pieces.Count == 0 ? "" : pieces.Values.First().Encoded ? Percent(pieces.Values) : Decode(string.Concat(pieces.Values.Select(p => p.Value)));
    }

    /// <summary>An encoding by its name; an unknown one is taken for Latin letters, none for UTF-8.</summary>
    public static Encoding Charset(string name)
    {
        try
        {
            return name is "" or "us-ascii" or "utf-8" or "UTF-8" ? Encoding.UTF8 : CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return Encoding.Latin1;
        }
    }

    /// <summary>Bytes that a header should not have: UTF-8 (RFC 6532), or else Latin letters.</summary>
    public static string Utf8OrLatin(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }

    /// <summary>RFC 2231, 4: <c>charset'language'text</c>, the text with percent signs in the pieces that say so.</summary>
    private static string Percent(IEnumerable<(string Value, bool Encoded)> pieces)
    {
        var charset = "";
        var bytes = new List<byte>();
        var first = true;
        foreach (var (value, encoded) in pieces)
        {
            var text = value;
            if (first && text.Split('\'', 3) is [var given, _, var rest])
            {
                (charset, text) = (given, rest);
            }
            first = false;
            var utf8 = Encoding.UTF8.GetBytes(text);
            bytes.AddRange(encoded ? TransferCode.QuotedPrintable([.. utf8.Select(b => b == '%' ? (byte)'=' : b)]) : utf8);
        }
        return Charset(charset).GetString([.. bytes]);
    }

    [GeneratedRegex(@"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?\s]*)\?=")]
    private static partial Regex EncodedWord();

    [GeneratedRegex(@";\s*(?<name>[^\s=*;""]+)(?:\*(?<number>[0-9]{1,3}))?(?<star>\*)?\s*=\s*(?:""(?<quoted>(?:[^""\\]|\\.)*)""|(?<token>[^;""]*))")]
    private static partial Regex ParameterPiece();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex Escaped();
}
