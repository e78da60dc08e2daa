using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Sankore.Platform.Data;

namespace Sankore.Platform.Mail;

/// <summary>Signs messages for a domain (RFC 6376, RFC 8301): rsa-sha256 over relaxed headers and body. Any number of threads may sign at once.</summary>
public sealed class DkimSigner
{
    private const int MinKeyBits = 1024;
    private const int MaxLine = 76;

    // Named once more than they occur, so that nobody adds another one (RFC 6376, 8.15).
    private static readonly string[] Sealed = ["from", "reply-to", "subject", "to", "cc"];
    private static readonly HashSet<string> Signed = new(StringComparer.OrdinalIgnoreCase)
    {
        "from", "reply-to", "subject", "to", "cc", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "list-id",
    };

    private readonly ConcurrentBag<RSA> _keys = [];
    private readonly RSAParameters _key;
    private readonly string _domain;
    private readonly string _selector;

    /// <summary>Takes the key.</summary>
    /// <param name="domain">The domain that answers for the mail.</param>
    /// <param name="selector">Which of its keys this is.</param>
    /// <param name="pem">The private key, PKCS#1 or PKCS#8.</param>
    /// <exception cref="OperatorException">The key is no RSA key, or shorter than 1024 bits.</exception>
    public DkimSigner(string domain, string selector, string pem)
    {
        (_domain, _selector) = (domain, selector);
        using var key = RSA.Create();
        try
        {
            key.ImportFromPem(pem);
            _key = key.ExportParameters(includePrivateParameters: true);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new OperatorException("The DKIM key is not an RSA private key in PEM: make one with openssl genrsa -out dkim.pem 2048.", e);
        }
        if (key.KeySize < MinKeyBits)
        {
            throw new OperatorException($"The DKIM key has {key.KeySize} bits, and receivers want {MinKeyBits} or more (RFC 8301): make one with openssl genrsa -out dkim.pem 2048.");
        }
        Record = $"{selector}._domainkey.{domain} TXT v=DKIM1; k=rsa; p={Convert.ToBase64String(key.ExportSubjectPublicKeyInfo())}";
    }

    /// <summary>What the operator publishes: the name, <c>TXT</c>, and the text of the record.</summary>
    public string Record { get; }

    /// <summary>Writes the DKIM-Signature field that goes in front of a message.</summary>
    /// <param name="message">The whole message, with CRLF.</param>
    /// <param name="to">Where the field is written.</param>
    public void Sign(ReadOnlySpan<byte> message, IBufferWriter<byte> to)
    {
        var end = message.IndexOf("\r\n\r\n"u8);
        var fields = Fields(end < 0 ? message : message[..(end + 2)]);
        var scratch = ArrayPool<byte>.Shared.Rent(message.Length + 1024);
        try
        {
            var bodyHash = Convert.ToBase64String(SHA256.HashData(RelaxedBody(end < 0 ? [] : message[(end + 4)..], scratch)));
            var names = Names(fields);
            var field = $"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={_domain};\r\n s={_selector};\r\n h={Folded(names)};\r\n bh={bodyHash};\r\n b=";
            var length = RelaxedHeaders(message, fields, names, scratch);
            length += RelaxedField(Encoding.ASCII.GetBytes(field), scratch.AsSpan(length));
            var signature = Convert.ToBase64String(Signature(scratch.AsSpan(0, length)));
            Encoding.ASCII.GetBytes(field, to);
            for (var i = 0; i < signature.Length; i += MaxLine - 3)
            {
                Encoding.ASCII.GetBytes(i == 0 ? "" : "\r\n ", to);
                Encoding.ASCII.GetBytes(signature.AsSpan(i, Math.Min(MaxLine - 3, signature.Length - i)), to);
            }
            to.Write("\r\n"u8);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>One key serves one thread at a time; as many are made as threads sign at once.</summary>
    private byte[] Signature(ReadOnlySpan<byte> data)
    {
        if (!_keys.TryTake(out var key))
        {
            key = RSA.Create(_key);
        }
        try
        {
            return key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        finally
        {
            _keys.Add(key);
        }
    }

    /// <summary>The fields to sign, in the order they stand in.</summary>
    private static List<(string Name, Range At)> Fields(ReadOnlySpan<byte> headers)
    {
        var fields = new List<(string, Range)>();
        var start = 0;
        while (start < headers.Length)
        {
            var end = start;
            do
            {
                var line = headers[end..].IndexOf("\r\n"u8);
                end = line < 0 ? headers.Length : end + line + 2;
            }
            while (end < headers.Length && headers[end] is (byte)' ' or (byte)'\t');
            var colon = headers[start..end].IndexOf((byte)':');
            if (colon > 0 && Encoding.ASCII.GetString(headers.Slice(start, colon)).ToLowerInvariant() is var name && Signed.Contains(name))
            {
                fields.Add((name, start..end));
            }
            start = end;
        }
        return fields;
    }

    private static List<string> Names(List<(string Name, Range At)> fields) => [.. fields.Select(f => f.Name), .. Sealed];

    private static string Folded(List<string> names)
    {
        var folded = new StringBuilder();
        var column = 3;
        foreach (var name in names)
        {
            var first = folded.Length == 0;
            if (column + name.Length + 1 > MaxLine)
            {
                folded.Append(":\r\n ").Append(name);
                column = 1 + name.Length;
                continue;
            }
            folded.Append(first ? "" : ":").Append(name);
            column += name.Length + 1;
        }
        return folded.ToString();
    }

    /// <summary>The signed fields, from the last of each name upwards (RFC 6376, 5.4.2); a name without a field left adds nothing.</summary>
    private static int RelaxedHeaders(ReadOnlySpan<byte> message, List<(string Name, Range At)> fields, List<string> names, Span<byte> to)
    {
        var left = new List<(string Name, Range At)>(fields);
        var length = 0;
        foreach (var name in names)
        {
            var last = left.FindLastIndex(f => f.Name == name);
            if (last >= 0)
            {
                length += RelaxedField(message[left[last].At], to[length..]);
                "\r\n"u8.CopyTo(to[length..]);
                length += 2;
                left.RemoveAt(last);
            }
        }
        return length;
    }

    /// <summary>RFC 6376, 3.4.2, without the line break at its end.</summary>
    private static int RelaxedField(ReadOnlySpan<byte> field, Span<byte> to)
    {
        var colon = field.IndexOf((byte)':');
        Ascii.ToLower(field[..colon], to, out var length);
        to[length++] = (byte)':';
        var space = false;
        var start = length;
        foreach (var b in field[(colon + 1)..])
        {
            if (b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            {
                space = true;
                continue;
            }
            if (space && length > start)
            {
                to[length++] = (byte)' ';
            }
            space = false;
            to[length++] = b;
        }
        return length;
    }

    /// <summary>RFC 6376, 3.4.4.</summary>
    /// <param name="body">The body.</param>
    /// <param name="to">Room for another one.</param>
    private static ReadOnlySpan<byte> RelaxedBody(ReadOnlySpan<byte> body, Span<byte> to)
    {
        while (body.EndsWith("\r\n\r\n"u8))
        {
            body = body[..^2];
        }
        // Most are relaxed as they are.
        return body.Length > 2 && body.EndsWith("\r\n"u8) && !body.Contains((byte)'\t') && body.IndexOf("  "u8) < 0 && body.IndexOf(" \r\n"u8) < 0 ? body : to[..Relax(body, to)];
    }

    private static int Relax(ReadOnlySpan<byte> body, Span<byte> to)
    {
        var (length, kept) = (0, 0);
        while (body.Length > 0)
        {
            var next = body.IndexOfAny((byte)' ', (byte)'\t', (byte)'\r');
            var run = next < 0 ? body : body[..next];
            run.CopyTo(to[length..]);
            length += run.Length;
            kept = run.Length > 0 ? length : kept;
            body = body[run.Length..];
            if (body is [(byte)'\r', (byte)'\n', ..])
            {
                // Spaces before it go.
                while (length > 0 && to[length - 1] == ' ')
                {
                    length--;
                }
                "\r\n"u8.CopyTo(to[length..]);
                length += 2;
                body = body[2..];
            }
            else if (body.Length > 0)
            {
                var spaces = body.IndexOfAnyExcept((byte)' ', (byte)'\t');
                to[length++] = body[0] == '\r' ? (byte)'\r' : (byte)' ';
                body = body[(body[0] == '\r' ? 1 : spaces < 0 ? body.Length : spaces)..];
            }
        }
        // Empty lines at the end go; what is left ends with one line break.
        if (kept == 0)
        {
            return 0;
        }
        "\r\n"u8.CopyTo(to[kept..]);
        return kept + 2;
    }
}
