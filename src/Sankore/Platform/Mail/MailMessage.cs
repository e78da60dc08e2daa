using System.Buffers;
using System.Text;
using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>A file that travels with messages. It is encoded once, however many messages carry it.</summary>
public sealed class Attachment
{
    /// <summary>Encodes the file.</summary>
    /// <param name="name">Its name, in any letters (RFC 2231).</param>
    /// <param name="type">Its media type, e.g. <c>application/pdf</c>.</param>
    /// <param name="content">What is in it.</param>
    /// <exception cref="ArgumentException">The type is none, or the name has a line break.</exception>
    public Attachment(string name, string type, ReadOnlySpan<byte> content)
    {
        if (!System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(type, out var parsed) || parsed.MediaType != type
            || type.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException("an attachment has a media type like application/pdf", nameof(type));
        }
        if (name.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            throw new ArgumentException("an attachment's name has no line breaks", nameof(name));
        }
        using var part = new MimePart(ContentType.Parse(type))
        {
            Content = new MimeContent(new MemoryStream(content.ToArray())),
            ContentTransferEncoding = ContentEncoding.Base64,
        };
        part.ContentDisposition = new ContentDisposition(ContentDisposition.Attachment);
        part.Headers.First(h => h.Id == HeaderId.ContentDisposition)
            .SetRawValue(Encoding.ASCII.GetBytes($" attachment{HeaderText.Parameter("filename", name)}\r\n"));
        Part = new RenderedBody(part);
    }

    /// <summary>The part as it travels.</summary>
    internal RenderedBody Part { get; }
}

/// <summary>
/// A message from one to one, as text and perhaps as HTML. Building it gives ASCII with CRLF (RFC 5322, RFC 2045), whatever its letters;
/// only an address may need UTF-8 (<see cref="Mailbox.NeedsSmtpUtf8"/>).
/// </summary>
/// <param name="From">Who it is from.</param>
/// <param name="To">Whom it is for.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Text">The plain text, with any kind of line break; it arrives with one at its end.</param>
public sealed record MailMessage(Mailbox From, Mailbox To, string Subject, string Text)
{
    private const int MaxHeaderName = 50;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>The fields that a message writes itself, or that others along the way do.</summary>
    private static readonly HashSet<string> Own = new(StringComparer.OrdinalIgnoreCase)
    {
        "From", "Sender", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "Reply-To",
        "MIME-Version", "DKIM-Signature", "Return-Path", "Received",
    };

    /// <summary>The same as HTML, for programs that show it; null: text only.</summary>
    public string? Html { get; init; }

    /// <summary>Where answers go, if not to <see cref="From"/>.</summary>
    public Mailbox? ReplyTo { get; init; }

    /// <summary>Identifies the message, the same each time it is tried: <c>something@domain</c>, without angle brackets.</summary>
    public string MessageId { get; init; } = $"{Guid.CreateVersion7()}@{From.Domain}";

    /// <summary>When it was written.</summary>
    public DateTimeOffset Date { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>Files that go with it.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init; } = [];

    /// <summary>Further fields, e.g. List-Unsubscribe.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Builds the message, ready to be sent: nothing of it may be changed afterwards.</summary>
    /// <param name="signer">Signs it (RFC 6376); null: unsigned.</param>
    /// <exception cref="ArgumentException">
    /// A header has a line break or a NUL, or a name that is none or that the message writes itself.
    /// </exception>
    public MimeMessage Build(MailSigner? signer = null)
    {
        CheckHeaders();
        var message = new MimeMessage();
        message.Headers.Replace(Address(HeaderId.From, From));
        message.Headers.Replace(Address(HeaderId.To, To));
        if (ReplyTo is not null)
        {
            message.Headers.Replace(Address(HeaderId.ReplyTo, ReplyTo));
        }
        message.Headers.Replace(Raw(HeaderId.Subject, HeaderText.Text("Subject", Subject)));
        message.Date = Date.ToUniversalTime();
        message.Headers.Remove(HeaderId.MessageId);
        message.Headers.Add("Message-ID", $"<{MessageId}>");
        foreach (var (name, value) in Headers)
        {
            message.Headers.Add(name, value);
        }
        // Nothing but memory: it is not disposed, since that would take the attachments with it.
        var body = Body();
        body.Prepare(EncodingConstraint.SevenBit);
        message.Body = new RenderedBody(body);
        message.Prepare(EncodingConstraint.SevenBit);
        signer?.Sign(message);
        return message;
    }

    private static Header Address(HeaderId id, Mailbox mailbox) => Raw(id, HeaderText.Address(id.ToHeaderName(), mailbox));

    private static Header Raw(HeaderId id, string value)
    {
        var header = new Header(id, "");
        header.SetRawValue(Encoding.UTF8.GetBytes(value));
        return header;
    }

    private MimeEntity Body()
    {
        var text = Part("plain", Text);
        MimeEntity body = Html is null ? text : new MultipartAlternative { text, Part("html", Html) };
        if (Attachments.Count == 0)
        {
            return body;
        }
        var mixed = new Multipart("mixed") { body };
        foreach (var attachment in Attachments)
        {
            mixed.Add(attachment.Part);
        }
        return mixed;
    }

    private static TextPart Part(string subtype, string text)
    {
        var part = new TextPart(subtype);
        part.SetText(Encoding.UTF8, Lines(text));
        return part;
    }

    /// <summary>One kind of line break, and one at the end: a CR alone is one too.</summary>
    private static string Lines(string text)
    {
        var lines = text.Contains('\r', StringComparison.Ordinal)
            ? text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n') : text;
        return lines.Length == 0 || lines.EndsWith('\n') ? lines : lines + "\n";
    }

    private void CheckHeaders()
    {
        if (MessageId.AsSpan().ContainsAnyExceptInRange('!', '~') || MessageId.AsSpan().ContainsAny('<', '>')
            || MessageId.Count(c => c == '@') != 1 || MessageId.Length > 200)
        {
            throw new ArgumentException("a Message-ID is something@domain");
        }
        if (Breaks(Subject) || Headers.Any(h => Breaks(h.Value)))
        {
            throw new ArgumentException("a header has no line breaks");
        }
        if (Headers.Select(h => h.Name).FirstOrDefault(name => !IsFurther(name)) is { } wrong)
        {
            throw new ArgumentException($"'{wrong}' is no further header");
        }

        static bool Breaks(string value) => value.AsSpan().ContainsAny('\r', '\n', '\0');

        static bool IsFurther(string name) => name.Length is > 0 and <= MaxHeaderName && !name.AsSpan().ContainsAnyExcept(NameCharacters)
            && !Own.Contains(name) && !name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase);
    }
}
