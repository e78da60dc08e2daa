using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// Begins a campaign, or goes on with it: at its time it becomes <c>sending</c>; its audience, without those who have left, becomes
/// messages; and every batch of messages that waits becomes a job. Run twice it makes no message twice.
/// </summary>
public sealed class CampaignStartJob(Db db, ProgressFeed progress) : IJobHandler
{
    public const string Type = "campaign_start";

    internal const int Priority = 60;

    // Of a job: few enough that several connections share a small campaign, many enough that jobs cost a large one little.
    private const int Batches = 64, SmallestBatch = 20, LargestBatch = 500;

    // By the database's clock. A campaign that was rescheduled has another job.
    private const string DueSql = """
        update campaigns.email_campaigns set status = 'sending', started_at = now()
        where id = @Campaign and status = 'scheduled' and scheduled_at <= now()
        """;

    private const string MessagesSql = """
        insert into campaigns.emails_sent (user_id, campaign_id, contact_id, recipient_email, recipient_organization, batch)
        select c.user_id, c.id, k.id, k.email, k.organization_name,
          (row_number() over (order by k.id) - 1) / greatest(@SmallestBatch, least(@LargestBatch, count(*) over () / @Batches))
        from campaigns.email_campaigns c
        cross join lateral campaigns.matching(c.user_id, campaigns.audience_filter(c.user_id, c.audience)) k
        where c.id = @Campaign and c.status = 'sending'
          and not exists (select 1 from campaigns.emails_sent e where e.user_id = c.user_id and e.campaign_id = c.id)
          and not exists (select 1 from campaigns.suppressions s where s.user_id = c.user_id and s.email_key = k.email_key)
        on conflict on constraint emails_sent_campaign_id_email_key_unique do nothing
        """;

    private const string NobodySql = """
        update campaigns.email_campaigns c set status = 'failed', failure = 'AUDIENCE_EMPTY', finished_at = now()
        where c.id = @Campaign and c.status = 'sending' and (select total from campaigns.campaign_counts k where k.campaign_id = c.id) = 0
        """;

    private const string BatchesSql = """
        select distinct e.batch from campaigns.emails_sent e
        join campaigns.email_campaigns c on c.id = e.campaign_id and c.user_id = e.user_id
        where c.id = @Campaign and c.status = 'sending' and e.status in ('pending', 'sending') order by e.batch
        """;

    /// <summary>What the job needs to know.</summary>
    public sealed record Payload(Guid Campaign);

    public string JobType => Type;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>()!;
        await db.Run(Caller.Service, async session =>
        {
            await session.Execute(DueSql, new { payload.Campaign });
            await session.PauseRefused([payload.Campaign]);
            await session.Execute(MessagesSql, new { payload.Campaign, Batches, SmallestBatch, LargestBatch });
            await session.Execute(NobodySql, new { payload.Campaign });
            var batches = await session.Query<int>(BatchesSql, new { payload.Campaign });
            CampaignBatchJob.Payload[] payloads = [.. batches.Select(batch => new CampaignBatchJob.Payload(payload.Campaign, batch))];
            await session.EnqueueAll(CampaignBatchJob.Type, payloads, CampaignBatchJob.Priority);
            // One that was paused may have nothing left to send.
            await session.Finish([payload.Campaign]);
        }, ct);
        progress.Changed([payload.Campaign]);
    }
}
