namespace Sankore.Platform.Mail;

/// <summary>Base64 and quoted-printable (RFC 2045, 6.7 and 6.8) as others write them: what is no code is passed over or kept, never refused.</summary>
internal static class TransferCode
{
    /// <summary>The bytes of base64; other characters between are passed over, and so is what is left over at the end.</summary>
    public static byte[] Base64(ReadOnlySpan<byte> code)
    {
        var clean = new byte[code.Length + 3];
        var length = 0;
        foreach (var b in code)
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'+' or (byte)'/')
            {
                clean[length++] = b;
            }
        }
        length -= length % 4 == 1 ? 1 : 0;
        while (length % 4 != 0)
        {
            clean[length++] = (byte)'=';
        }
        var bytes = new byte[length / 4 * 3];
        System.Buffers.Text.Base64.DecodeFromUtf8(Canonical(clean.AsSpan(0, length)), bytes, out _, out var written);
        return bytes[..written];
    }

    /// <summary>The bytes of quoted-printable; an equals sign that begins no escape stays.</summary>
    public static byte[] QuotedPrintable(ReadOnlySpan<byte> code, bool underscoreIsSpace = false)
    {
        var bytes = new byte[code.Length];
        var length = 0;
        for (var i = 0; i < code.Length; i++)
        {
            var rest = code[(i + 1)..];
            if (code[i] != '=')
            {
                bytes[length++] = underscoreIsSpace && code[i] == '_' ? (byte)' ' : code[i];
            }
            else if (rest.Length >= 2 && char.IsAsciiHexDigit((char)rest[0]) && char.IsAsciiHexDigit((char)rest[1]))
            {
                bytes[length++] = (byte)((Nibble(rest[0]) << 4) | Nibble(rest[1]));
                i += 2;
            }
            else if (SoftBreak(rest) is > 0 and var skipped)
            {
                i += skipped;
            }
            else
            {
                bytes[length++] = code[i];
            }
        }
        return bytes[..length];
    }

    /// <summary>The bits that the last character of base64 has to spare are nobody's.</summary>
    private static Span<byte> Canonical(Span<byte> code)
    {
        var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8;
        if (code is [.., (byte)'=', (byte)'='])
        {
            code[^3] = alphabet[alphabet.IndexOf(code[^3]) & 0x30];
        }
        else if (code is [.., (byte)'='])
        {
            code[^2] = alphabet[alphabet.IndexOf(code[^2]) & 0x3c];
        }
        return code;
    }

    /// <summary>How long the white space and line break after an equals sign are; 0: there is none.</summary>
    private static int SoftBreak(ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOfAnyExcept(" \t\r"u8);
        return end < 0 ? rest.Length : rest[end] == '\n' ? end + 1 : 0;
    }

    private static int Nibble(byte hex) => hex <= '9' ? hex - '0' : (hex | 0x20) - 'a' + 10;
}
