using System.Text.Json;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;

namespace Sankore.Campaigns.Mailing;

/// <summary>Sends a campaign to its own user, to look at: it is in no figures.</summary>
public sealed class CampaignTestJob(CampaignMailer mailer) : IJobHandler
{
    /// <summary>The job's type.</summary>
    public const string Type = "campaign_test";

    /// <summary>What the job needs to know.</summary>
    /// <param name="Name">Of the user, who stands for a recipient.</param>
    /// <param name="Mark">What the subject begins with.</param>
    public sealed record Order(Guid Campaign, string Email, string Name, string Mark);

    /// <inheritdoc/>
    public string JobType => Type;

    /// <inheritdoc/>
    public async Task Run(Job job, CancellationToken ct)
    {
        var order = job.Payload.Deserialize<Order>()!;
        if (await mailer.Prepare(order.Campaign, anyState: true, ct) is not { } campaign)
        {
            return;
        }
        var message = new Message(job.Id, order.Email, order.Name, null, 0) { Mark = order.Mark };
        var result = await mailer.Send(campaign, message, MailKind.Transactional, _ => Task.CompletedTask, ct);
        switch (result.Outcome)
        {
            case SmtpOutcome.Accepted or SmtpOutcome.Unknown:
                return;
            case SmtpOutcome.Rejected:
                throw new FinalFailure(result.Text);
            default:
                throw new IOException(result.Text);
        }
    }
}
