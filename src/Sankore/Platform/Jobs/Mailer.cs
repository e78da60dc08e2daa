using System.Net.Mail;
using System.Text;
using System.Text.Json;
using Sankore.Platform.Data;

namespace Sankore.Platform.Jobs;

/// <summary>Where mail goes, and in whose name.</summary>
/// <param name="Outbox">The folder of <c>.eml</c> files.</param>
/// <param name="From">The sender's address.</param>
public sealed record MailOptions(string Outbox, string From);

/// <summary>A mail of plain text to one person.</summary>
public sealed record Mail(string To, string Subject, string Text)
{
    /// <summary>Whether a text is one address, and nothing but that.</summary>
    public static bool IsAddress(string? text) =>
        text is { Length: <= 254 } && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) && MailAddress.TryCreate(text, out var address) && address.Address == text;
}

/// <summary>Every mail of the platform goes this way: a job in the transaction that wants it sent.</summary>
public static class Mailer
{
    internal const string JobType = "email_send";

    /// <summary>Sends a mail if, and only if, the transaction commits. Transactional mail comes before bulk.</summary>
    public static Task SendMail(this Session session, Mail mail) => session.Enqueue(JobType, mail, priority: 10);

    /// <summary>Sends many mails, each to one person, if the transaction commits.</summary>
    public static Task SendMails(this Session session, IReadOnlyList<Mail> mails) => mails.Count == 0 ? Task.CompletedTask : session.EnqueueAll(JobType, mails, priority: 20);
}

/// <summary>Writes mails as <c>.eml</c> files into the outbox folder, named by their job, so that a job run twice writes one file.</summary>
public sealed class OutboxJob(MailOptions options) : IJobHandler
{
    /// <inheritdoc/>
    public string JobType => Mailer.JobType;

    /// <inheritdoc/>
    public async Task Run(Job job, CancellationToken ct)
    {
        var mail = job.Payload.Deserialize<Mail>() ?? throw new JsonException("no mail in the job");
        if (!Mail.IsAddress(mail.To))
        {
            throw new FormatException("not one address");
        }
        var draft = Directory.CreateDirectory(Path.Combine(options.Outbox, $".{job.Id}")).FullName;
        try
        {
            using var message = new MailMessage(new MailAddress(options.From), new MailAddress(mail.To))
            {
                Subject = mail.Subject,
                Body = mail.Text,
                SubjectEncoding = Encoding.UTF8,
                BodyEncoding = Encoding.UTF8,
                HeadersEncoding = Encoding.UTF8,
            };
            message.Headers.Add("Message-ID", $"<{job.Id}@{new MailAddress(options.From).Host}>");
            using var client = new SmtpClient { DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory, PickupDirectoryLocation = draft };
            await client.SendMailAsync(message, ct);
            File.Move(Directory.GetFiles(draft).Single(), Path.Combine(options.Outbox, $"{job.Id}.eml"), overwrite: true);
        }
        finally
        {
            Directory.Delete(draft, recursive: true);
        }
    }
}
