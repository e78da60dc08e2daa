using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Support;

/// <summary>What a mail says, decoded.</summary>
public static class ReadMail
{
    public static MimeMessage Of(byte[] mail) => ReceivedMail.Read(mail).ShouldNotBeNull();

    /// <summary>A mail in a file of the outbox, or of smtp-sink.</summary>
    public static MimeMessage In(string path) => Of(File.ReadAllBytes(path));

    /// <summary>A message as it travels.</summary>
    public static byte[] Bytes(this MimeMessage message)
    {
        using var written = new MemoryStream();
        message.WriteTo(new FormatOptions { NewLineFormat = NewLineFormat.Dos }, written);
        return written.ToArray();
    }

    /// <summary>A field; nothing where there is none.</summary>
    public static string Header(this MimeMessage message, string name) => message.Headers[name] ?? "";

    /// <summary>What is in a part, out of its transfer encoding.</summary>
    public static byte[] Decoded(this MimePart part)
    {
        using var content = new MemoryStream();
        part.Content!.DecodeTo(content);
        return content.ToArray();
    }

    public static string Html(this MimeMessage message) => message.BodyParts.OfType<TextPart>().Single(p => p.IsHtml).Text;

    public static string Plain(this MimeMessage message) => message.BodyParts.OfType<TextPart>().Single(p => p.IsPlain).Text;
}
