using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>
/// Reads mail that came from somewhere. Whoever may write to us may send anything: what is beyond the limits is not read.
/// </summary>
public static class ReceivedMail
{
    private const int MaxBytes = 10 * 1024 * 1024;
    private const int MaxDepth = 16;
    private const int MaxParts = 1000;
    private const int MaxFields = 10_000;

    /// <summary>A message; null: it is none, or too large (10 MB, 1000 parts, 10,000 header fields).</summary>
    public static MimeMessage? Read(byte[] mail)
    {
        if (mail.Length > MaxBytes)
        {
            return null;
        }
        try
        {
            return new Reader(new MemoryStream(mail, writable: false)).ParseMessage();
        }
        catch (Exception e) when (e is FormatException or EndOfStreamException)
        {
            return null;
        }
    }

    /// <summary>The text to show of a message: plain, else of HTML, else nothing.</summary>
    public static string BodyText(this MimeMessage message) => message.TextBody ?? message.HtmlBody ?? "";

    private sealed class Reader(Stream stream) : ExperimentalMimeParser(new ParserOptions { MaxMimeDepth = MaxDepth }, stream)
    {
        private int _parts;
        private int _fields;

        protected override void OnHeadersBegin(long beginOffset, int beginLineNumber, CancellationToken cancellationToken)
        {
            Check(++_parts <= MaxParts);
            base.OnHeadersBegin(beginOffset, beginLineNumber, cancellationToken);
        }

        protected override void OnHeaderRead(Header header, int beginLineNumber, CancellationToken cancellationToken)
        {
            Check(++_fields <= MaxFields);
            base.OnHeaderRead(header, beginLineNumber, cancellationToken);
        }

        private static void Check(bool isWithin)
        {
            if (!isWithin)
            {
                throw new FormatException("the message has more parts or fields than are read");
            }
        }
    }
}
