using System.Text.Json;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;

namespace Sankore.Campaigns;

/// <summary>Sends a campaign to its own user, to look at: it is in no figures.</summary>
public sealed class CampaignTestJob(CampaignMailer mailer) : IJobHandler
{
    public const string Type = "campaign_test";

    /// <summary>What the job needs to know.</summary>
    /// <param name="Name">Of the user, who stands for a recipient.</param>
    /// <param name="SubjectPrefix">What the subject begins with.</param>
    public sealed record Payload(Guid Campaign, string Email, string Name, string SubjectPrefix);

    public string JobType => Type;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>()!;
        if (await mailer.Prepare(payload.Campaign, anyState: true, ct) is not { } campaign)
        {
            return;
        }
        var message = new Message(job.Id, payload.Email, payload.Name, null, 0) { SubjectPrefix = payload.SubjectPrefix };
        var result = await mailer.Send(campaign, message, MailKind.Transactional, _ => Task.CompletedTask, ct);
        switch (result.Outcome)
        {
            case SmtpOutcome.Accepted or SmtpOutcome.Unknown:
                return;
            case SmtpOutcome.Rejected when result.Fault is MailFault.Address or MailFault.Recipient or MailFault.Message:
                throw new FinalFailure(result.Reply);
            default:
                throw new IOException(result.Reply);
        }
    }
}
