using System.Buffers;
using System.Text.Json;
using MimeKit;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;

namespace Sankore.Platform.Jobs;

/// <summary>A mail of plain text to one person.</summary>
public sealed record Mail(string To, string Subject, string Text)
{
    // What a mailbox may have around an address or quoted in it: spaces of every kind, control characters, brackets.
    private static readonly SearchValues<char> Outside = SearchValues.Create(
        [.. Enumerable.Range(0, 0x10000).Select(c => (char)c).Where(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '<' or '>')]);

    /// <summary>Whether a text is one address, and nothing but that.</summary>
    public static bool IsAddress(string? text) =>
        text is { Length: <= 254 } && !text.AsSpan().ContainsAny(Outside) && Mailbox.TryParse(text) is not null;
}

/// <summary>Every transactional mail of the platform goes this way: a job in the transaction that wants it sent.</summary>
public static class Mailer
{
    internal const string JobType = "email_send";

    /// <summary>Sends a mail if, and only if, the transaction commits. Transactional mail comes before bulk.</summary>
    public static Task SendMail(this Session session, Mail mail) => session.Enqueue(JobType, mail, priority: 10);

    /// <summary>Sends many mails, each to one person, if the transaction commits.</summary>
    public static Task SendMails(this Session session, IReadOnlyList<Mail> mails) =>
        session.EnqueueAll(JobType, mails, priority: 20);
}

/// <summary>
/// Sends a job's mail: through the mail server, or, where there is none, as an <c>.eml</c> file of the outbox named by the job, so that a
/// job run twice writes one file. The job's id is in the Message-ID, the same at every attempt.
/// </summary>
public sealed class MailJob(MailOptions options, SmtpPool? server, TimeProvider time, ILogger<MailJob> log) : IJobHandler
{
    public string JobType => Mailer.JobType;

    public int AtOnce => server is null ? 1 : 4;

    public async Task Run(Job job, CancellationToken ct)
    {
        var mail = job.Payload.Deserialize<Mail>() ?? throw new FinalFailure("no mail in the job");
        var to = Recipient(mail);
        using var message = Build(mail, to, job.Id);
        await (server is null ? options.ToOutbox(job.Id, message, ct)
            : ToServer(server, job.Id, new Envelope(options.From, to), message, ct));
    }

    private MimeMessage Build(Mail mail, Mailbox to, Guid jobId)
    {
        try
        {
            return new MailMessage(options.From, to, mail.Subject, mail.Text)
            {
                MessageId = $"{jobId}@{options.From.Domain}",
                Date = time.GetUtcNow(),
            }.Build(options.Signer);
        }
        catch (ArgumentException e)
        {
            throw new FinalFailure(e.Message, e);
        }
    }

    private static Mailbox Recipient(Mail mail) =>
        Mail.IsAddress(mail.To) ? Mailbox.Parse(mail.To) : throw new FinalFailure("not one address");

    /// <summary>Throws what is to be tried again; what may have been delivered is not.</summary>
    private async Task ToServer(SmtpPool pool, Guid jobId, Envelope envelope, MimeMessage message, CancellationToken ct)
    {
        var result = await pool.SendAsync(envelope, message, MailKind.Transactional, leaving: null, ct);
        switch (result.Outcome)
        {
            case SmtpOutcome.Accepted:
                return;
            case SmtpOutcome.Unknown:
                log.MailOutcomeUnknown(jobId);
                return;
            case SmtpOutcome.Rejected when result.Fault is MailFault.Address or MailFault.Recipient or MailFault.Message:
                throw new FinalFailure(result.Reply);
            default:
                // What concerns us is mended, and a limit is over some time.
                throw new IOException(result.Reply);
        }
    }
}
