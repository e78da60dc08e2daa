using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Sankore.Tests.Support;

/// <summary>An authenticator app (RFC 6238: HMAC-SHA-1, 30 seconds, six digits).</summary>
public static class Totp
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The code of a shared key in base 32 for the time step of now, or of some steps from now.</summary>
    public static string Code(string sharedKey, int steps = 0) =>
        At(Decode(sharedKey), DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30 + steps);

    /// <summary>The code of a key for a time step.</summary>
    public static string At(byte[] key, long step)
    {
        var message = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(message, step);
#pragma warning disable CA5350 // The algorithm of RFC 6238.
        var hash = HMACSHA1.HashData(key, message);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 15)) & int.MaxValue;
        return (number % 1_000_000).ToString("000000", CultureInfo.InvariantCulture);
    }

    private static byte[] Decode(string base32)
    {
        var (bytes, buffer, bits) = (new List<byte>(), 0, 0);
        foreach (var letter in base32.ToUpperInvariant().Where(c => Alphabet.Contains(c)))
        {
            (buffer, bits) = (buffer << 5 | Alphabet.IndexOf(letter), bits + 5);
            if (bits >= 8)
            {
                bits -= 8;
                bytes.Add((byte)(buffer >> bits));
                buffer &= (1 << bits) - 1;
            }
        }
        return [.. bytes];
    }
}
