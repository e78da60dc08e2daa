using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>
/// A part of a message, or the whole of its body, in the bytes that travel: encoded once, then signed, measured, sent and written as
/// often as need be. What is in it never changes, so that several messages may share one, as they do their attachments.
/// </summary>
internal sealed class RenderedBody : MimeEntity
{
    /// <summary>How everything is written: CRLF, and lines of 78 characters where it can be helped.</summary>
    public static readonly FormatOptions Format = new() { NewLineFormat = NewLineFormat.Dos };

    private readonly byte[] _bytes;
    private readonly int _length;

    /// <summary>Writes an entity down.</summary>
    /// <exception cref="ArgumentException">It has a CR or LF alone: servers do not agree where the message would end.</exception>
    public RenderedBody(MimeEntity entity) : base(entity.ContentType)
    {
        foreach (var header in entity.Headers.Where(h => h.Id != HeaderId.ContentType))
        {
            Headers.Add(header.Clone());
        }
        using var written = new MemoryStream(16 * 1024);
        entity.WriteTo(Format, written, contentOnly: true);
        if (written.Length > 0 && !written.GetBuffer().AsSpan(0, (int)written.Length).EndsWith("\r\n"u8))
        {
            written.Write("\r\n"u8);
        }
        (_bytes, _length) = (written.GetBuffer(), (int)written.Length);
        if (HasBareLineBreak(Bytes))
        {
            throw new ArgumentException("a message has its line breaks as CRLF", nameof(entity));
        }
    }

    /// <summary>What is in it, as it travels.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>
    /// Takes the bytes on their way to the mail server, instead of their being written at once: whoever sends sees how far they have
    /// come.
    /// </summary>
    public Func<Stream, byte[], int, CancellationToken, Task>? Sending { get; set; }

    public override void Prepare(EncodingConstraint constraint, int maxLineLength = 78)
    {
        // It is in seven bits and short lines already.
    }

    public override void WriteTo(FormatOptions options, Stream stream, bool contentOnly, CancellationToken cancellationToken = default)
    {
        base.WriteTo(options, stream, contentOnly, cancellationToken);
        stream.Write(_bytes, 0, _length);
    }

    public override async Task WriteToAsync(
        FormatOptions options, Stream stream, bool contentOnly, CancellationToken cancellationToken = default)
    {
        await base.WriteToAsync(options, stream, contentOnly, cancellationToken);
        await (Sending?.Invoke(stream, _bytes, _length, cancellationToken) ?? stream.WriteAsync(_bytes, 0, _length, cancellationToken));
    }

    private static bool HasBareLineBreak(ReadOnlySpan<byte> bytes)
    {
        for (int at; (at = bytes.IndexOfAny((byte)'\r', (byte)'\n')) >= 0; bytes = bytes[(at + 2)..])
        {
            if (!bytes[at..].StartsWith("\r\n"u8))
            {
                return true;
            }
        }
        return false;
    }
}
