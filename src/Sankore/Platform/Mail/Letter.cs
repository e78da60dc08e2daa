using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace Sankore.Platform.Mail;

/// <summary>A file that travels with letters. It is encoded once, however many letters carry it.</summary>
public sealed class Attachment
{
    private readonly ArrayBufferWriter<byte> _part = new();

    /// <summary>Encodes the file.</summary>
    /// <param name="name">Its name, in any letters (RFC 2231).</param>
    /// <param name="type">Its media type, e.g. <c>application/pdf</c>.</param>
    /// <param name="content">What is in it.</param>
    /// <exception cref="ArgumentException">The type is none, or the name has a line break.</exception>
    public Attachment(string name, string type, ReadOnlySpan<byte> content)
    {
        if (!System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(type, out var parsed) || parsed.MediaType != type || type.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException("an attachment has a media type like application/pdf", nameof(type));
        }
        if (name.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            throw new ArgumentException("an attachment's name has no line breaks", nameof(name));
        }
        var writer = new MimeWriter(_part);
        writer.Raw($"Content-Type: {type}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment");
        writer.Parameter("filename", name);
        writer.Raw("\r\n\r\n"u8);
        writer.Base64Lines(content);
    }

    /// <summary>The part as it travels: headers and base64.</summary>
    public ReadOnlySpan<byte> Part => _part.WrittenSpan;
}

/// <summary>A mail from one to one, as text and perhaps as HTML. Writing it gives ASCII with CRLF (RFC 5322, RFC 2045), whatever its letters; only an address may need UTF-8 (<see cref="Mailbox.NeedsSmtpUtf8"/>).</summary>
/// <param name="From">Who it is from.</param>
/// <param name="To">Whom it is for.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Text">The plain text, with any kind of line break; it arrives with one at its end.</param>
public sealed record Letter(Mailbox From, Mailbox To, string Subject, string Text)
{
    private const int MaxHeaderName = 50;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>The fields that a letter writes itself, or that others along the way do.</summary>
    private static readonly HashSet<string> Own = new(StringComparer.OrdinalIgnoreCase)
    {
        "From", "Sender", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "DKIM-Signature", "Return-Path", "Received",
    };

    /// <summary>The same as HTML, for programs that show it; null: text only.</summary>
    public string? Html { get; init; }

    /// <summary>Where answers go, if not to <see cref="From"/>.</summary>
    public Mailbox? ReplyTo { get; init; }

    /// <summary>Identifies the letter, the same each time it is tried: <c>something@domain</c>, without angle brackets.</summary>
    public string MessageId { get; init; } = $"{Guid.CreateVersion7()}@{From.Domain}";

    /// <summary>When it was written.</summary>
    public DateTimeOffset Date { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>Files that go with it.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init; } = [];

    /// <summary>Further fields, e.g. List-Unsubscribe. ASCII values travel as they are, others as encoded words (RFC 2047).</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Writes the letter.</summary>
    /// <param name="to">Where to; what is written there is the whole message.</param>
    /// <param name="signer">Signs it, in front of all that is written (RFC 6376); null: unsigned.</param>
    /// <exception cref="ArgumentException">A header has a line break or a NUL, a name that is none or that the letter writes itself, or a word that no line takes.</exception>
    public void Write(IBufferWriter<byte> to, DkimSigner? signer = null)
    {
        CheckHeaders();
        if (signer is null)
        {
            WriteMessage(to);
            return;
        }
        var message = new ArrayBufferWriter<byte>(((Text.Length + (Html?.Length ?? 0)) * 5 / 4) + Attachments.Sum(a => a.Part.Length) + 2048);
        WriteMessage(message);
        signer.Sign(message.WrittenSpan, to);
        to.Write(message.WrittenSpan);
    }

    private void CheckHeaders()
    {
        if (MessageId.AsSpan().ContainsAnyExceptInRange('!', '~') || MessageId.AsSpan().ContainsAny('<', '>') || MessageId.Count(c => c == '@') != 1 || MessageId.Length > 200)
        {
            throw new ArgumentException("a Message-ID is something@domain");
        }
        if (Breaks(Subject) || Headers.Any(h => Breaks(h.Value)))
        {
            throw new ArgumentException("a header has no line breaks");
        }
        foreach (var (name, _) in Headers)
        {
            if (name.Length is 0 or > MaxHeaderName || name.AsSpan().ContainsAnyExcept(NameCharacters) || Own.Contains(name) || name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
            {
                throw new ArgumentException($"'{name}' is no further header");
            }
        }

        static bool Breaks(string value) => value.AsSpan().ContainsAny('\r', '\n', '\0');
    }

    private void WriteMessage(IBufferWriter<byte> to)
    {
        var writer = new MimeWriter(to);
        writer.Address("From", From);
        writer.Address("To", To);
        if (ReplyTo is not null)
        {
            writer.Address("Reply-To", ReplyTo);
        }
        writer.Text("Subject", Subject);
        writer.Raw($"Date: {Date.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture)} +0000\r\nMessage-ID: <{MessageId}>\r\n");
        foreach (var (name, value) in Headers)
        {
            writer.Structured(name, value);
        }
        writer.Raw("MIME-Version: 1.0\r\n"u8);
        if (Attachments.Count == 0)
        {
            WriteText(writer);
            return;
        }
        var boundary = Boundary();
        writer.Raw($"Content-Type: multipart/mixed;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n");
        WriteText(writer);
        foreach (var attachment in Attachments)
        {
            writer.Raw($"\r\n--{boundary}\r\n");
            writer.Raw(attachment.Part);
        }
        writer.Raw($"\r\n--{boundary}--\r\n");
    }

    private void WriteText(MimeWriter writer)
    {
        if (Html is null)
        {
            writer.TextPart("text/plain"u8, Text);
            return;
        }
        var boundary = Boundary();
        writer.Raw($"Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n");
        writer.TextPart("text/plain"u8, Text);
        writer.Raw($"\r\n--{boundary}\r\n");
        writer.TextPart("text/html"u8, Html);
        writer.Raw($"\r\n--{boundary}--\r\n");
    }

    /// <summary>In no text but by a guess at 128 bits.</summary>
    private static string Boundary() => $"=_{RandomNumberGenerator.GetHexString(32, lowercase: true)}";
}
