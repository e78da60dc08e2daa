using System.Text.RegularExpressions;
using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Operations;

/// <summary>A mail that was written to the outbox.</summary>
public sealed record OutboxMail(Guid Id, string To, string Subject, DateTime WrittenAt);

/// <summary>A mail with its text, but for what its links carry.</summary>
public sealed record OutboxMailText(OutboxMail Mail, string Text);

/// <summary>The <c>.eml</c> files that stand in for sent mail until SMTP is configured.</summary>
public sealed partial class Outbox(MailOptions options)
{
    private const int MaxListed = 200;

    /// <summary>The newest mails, at most 200.</summary>
    public IReadOnlyList<OutboxMail> List() => !Directory.Exists(options.Outbox) ? []
        : [.. new DirectoryInfo(options.Outbox).EnumerateFiles("*.eml")
            .OrderByDescending(f => f.LastWriteTimeUtc).Take(MaxListed).Select(f => Read(f).Mail)];

    /// <summary>One mail, or null.</summary>
    public OutboxMailText? Find(Guid id) =>
        new FileInfo(Path.Combine(options.Outbox, $"{id}.eml")) is { Exists: true } file ? Read(file) : null;

    private static OutboxMailText Read(FileInfo file)
    {
        using var message = ReceivedMail.Read(File.ReadAllBytes(file.FullName));
        var id = Guid.TryParse(Path.GetFileNameWithoutExtension(file.Name), out var named) ? named : Guid.Empty;
        var mail = new OutboxMail(id, To(message), message?.Subject ?? "", file.LastWriteTimeUtc);
        return new OutboxMailText(mail, Secrets().Replace(message?.BodyText() ?? "", "$1…"));
    }

    // What stands behind the question mark of a link is for whom the mail is for: whoever may read the outbox may not be them.
    [GeneratedRegex(@"(https?://[^\s?]+\?)\S+")]
    private static partial Regex Secrets();

    private static string To(MimeMessage? message) =>
        message?.To.Mailboxes.FirstOrDefault() is not { } to ? ""
            : string.IsNullOrEmpty(to.Name) ? to.Address : $"{to.Name} <{to.Address}>";
}
