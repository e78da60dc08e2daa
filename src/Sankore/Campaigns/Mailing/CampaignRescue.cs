using Sankore.Platform.Data;
using Sankore.Platform.Jobs;

namespace Sankore.Campaigns;

/// <summary>A campaign that is not over.</summary>
/// <param name="IsDue">Whether its time has come.</param>
/// <param name="MaySend">Whether its user may send: asked of those that are being sent.</param>
/// <param name="HasStartJob">Whether a live job will begin it.</param>
/// <param name="Total">Messages in all.</param>
/// <param name="Pending">Not yet sent.</param>
/// <param name="Sending">Written down as leaving; by whom alive, only the ledger's table says.</param>
internal sealed record UnfinishedCampaign(
    Guid Id,
    string Status,
    bool IsDue,
    bool MaySend,
    bool HasStartJob,
    int Total,
    int Pending,
    int Sending);

/// <summary>What unfinished campaigns need; each statement that does it tests the state again.</summary>
internal sealed record RescuePlan(
    Guid[] GiveUpLost,
    Guid[] Pause,
    IReadOnlyList<CampaignStartJob.Payload> Starts,
    IReadOnlyList<CampaignBatchJob.Payload> Batches,
    Guid[] Finish);

/// <summary>
/// Sees to it that no campaign waits for ever, whatever became of its jobs: what was in a dead node's hand is given up, who may not send
/// any more is paused, what waits has a job, and what is through is finished. Only what has no live job is given one, and a job sends only
/// what is still pending when it leaves: nothing is sent twice.
/// </summary>
internal static class CampaignRescue
{
    /// <summary>What recurs, on every node; one at a time does it.</summary>
    public static RecurringWork Work { get; } = new("campaigns: recover stalled campaigns", TimeSpan.FromMinutes(1), Run);

    private const string TurnSql = "select pg_try_advisory_xact_lock(7205759403792793711)";

    // A start job of a time that the campaign was scheduled at before is none; one that failed pauses no longer than an hour.
    private const string UnfinishedSql = """
        select c.id, c.status, coalesce(c.scheduled_at <= now(), false) as is_due,
               c.status = 'sending' and c.user_id in (select tenancy.with_module(
                 array(select s.user_id from campaigns.email_campaigns s where s.status = 'sending'), 'campagnes', 'write')) as may_send,
               exists (select 1 from util.live_jobs j
                       where j.job_type = 'campaign_start' and j.payload ->> 'Campaign' = c.id::text
                         and j.run_at <= now() + interval '1 hour') as has_start_job,
               k.total, k.pending, k.sending
        from campaigns.email_campaigns c
        join campaigns.campaign_counts k on k.campaign_id = c.id
        where c.status in ('scheduled', 'sending') or (c.status in ('paused', 'cancelled') and k.sending > 0)
        """;

    // Batches that have pending messages and no live job.
    private const string WaitingSql = """
        select e.campaign_id as campaign, e.batch
        from campaigns.emails_sent e
        join campaigns.email_campaigns c on c.user_id = e.user_id and c.id = e.campaign_id
        where c.status = 'sending' and e.status = 'pending'
        except
        select (j.payload ->> 'Campaign')::uuid, (j.payload ->> 'Batch')::integer from util.live_jobs j where j.job_type = 'campaign_batch'
        order by campaign, batch
        """;

    private const string PublishSql = "select campaigns.publish_all(@changed)";

    /// <summary>Looks after all campaigns, if nobody else is at it.</summary>
    public static async Task Run(Session session)
    {
        if (!await session.Value<bool>(TurnSql))
        {
            return;
        }
        var plan = await Look(session);
        var lost = await session.GiveUpLost(plan.GiveUpLost);
        var paused = await session.PauseRefused(plan.Pause);
        await session.EnqueueAll(CampaignStartJob.Type, plan.Starts, CampaignStartJob.Priority);
        await session.EnqueueAll(CampaignBatchJob.Type, plan.Batches, CampaignBatchJob.Priority);
        var finished = await session.Finish(plan.Finish);
        if (lost.Concat(paused).Concat(finished).Distinct().Order().ToArray() is { Length: > 0 } changed)
        {
            await session.Execute(PublishSql, new { changed });
        }
    }

    private static async Task<RescuePlan> Look(Session session)
    {
        await using var grid = await session.Queries(UnfinishedSql + ";" + WaitingSql);
        return Judge([.. await grid.ReadAsync<UnfinishedCampaign>()], [.. await grid.ReadAsync<CampaignBatchJob.Payload>()]);
    }

    /// <summary>What campaigns need.</summary>
    /// <param name="campaigns">Those that are not over.</param>
    /// <param name="waiting">Batches that have pending messages and no live job.</param>
    internal static RescuePlan Judge(IReadOnlyList<UnfinishedCampaign> campaigns, IReadOnlyList<CampaignBatchJob.Payload> waiting)
    {
        var sent = campaigns.Where(c => c.Status == "sending").ToList();
        var allowed = sent.FindAll(c => c.MaySend);
        var allowedIds = allowed.Select(c => c.Id).ToHashSet();
        var unbegun = campaigns.Where(c => c.Status == "scheduled" && c.IsDue).Concat(allowed.Where(c => c.Total == 0));
        return new RescuePlan(
            [.. campaigns.Where(c => c.Sending > 0).Select(c => c.Id)],
            [.. sent.Except(allowed).Select(c => c.Id)],
            [.. unbegun.Where(c => !c.HasStartJob).Select(c => new CampaignStartJob.Payload(c.Id))],
            [.. waiting.Where(w => allowedIds.Contains(w.Campaign))],
            // What was in hand may just have been given up.
            [.. allowed.Where(c => c.Total > 0 && c.Pending == 0).Select(c => c.Id)]);
    }
}
