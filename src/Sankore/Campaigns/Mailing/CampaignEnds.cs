using Sankore.Platform.Data;

namespace Sankore.Campaigns;

/// <summary>
/// How the server ends or stops campaigns: each in one statement with its state test inside, which gives those that it changed.
/// </summary>
internal static class CampaignEnds
{
    // Messages in the hand of a job that nobody holds any more, who could say what became of them. The batches are a range, so that the
    // index is used for one as for all.
    private const string LostSql = """
        with lost as (
          update campaigns.emails_sent e set status = 'failed', error_code = 'OUTCOME_UNKNOWN'
          from campaigns.email_campaigns c
          where c.id = any (@ids) and e.user_id = c.user_id and e.campaign_id = c.id and e.status = 'sending'
            and e.batch between coalesce(@batch::int, 0) and coalesce(@batch::int, 2147483647)
            and not exists (select 1 from util.job_queue j
                            where j.id = e.job_id and j.attempts = e.job_attempt and j.status = 'running' and j.locked_until > now())
          returning e.campaign_id)
        select distinct campaign_id from lost
        """;

    // One of which nothing left has failed.
    private const string FinishSql = """
        update campaigns.email_campaigns c
        set status = case when l.any then 'sent' else 'failed' end, finished_at = now(),
            failure = case when l.any then null else 'NOTHING_SENT' end
        from campaigns.campaign_counts k, lateral (select k.sent + k.delivered + k.bounced + k.unknown > 0 as any) l
        where c.id = any (@ids) and k.campaign_id = c.id and c.status = 'sending' and k.total > 0 and k.pending = 0 and k.sending = 0
        returning c.id
        """;

    private const string RefusedSql = """
        update campaigns.email_campaigns c set status = 'paused', failure = 'MODULE_REFUSED'
        where c.id = any (@ids) and c.status = 'sending'
          and c.user_id not in (
            select tenancy.with_module(
              array(select o.user_id from campaigns.email_campaigns o where o.id = any (@ids)), 'campagnes', 'write'))
        returning c.id
        """;

    /// <summary>Messages that a dead node had in hand, of one batch or of all, are of unknown outcome: nobody sends them again.</summary>
    public static Task<IReadOnlyList<Guid>> GiveUpLost(this Session session, Guid[] ids, int? batch = null) =>
        Changed(session, LostSql, ids, batch);

    /// <summary>Campaigns of which nothing is left to send are finished.</summary>
    public static Task<IReadOnlyList<Guid>> Finish(this Session session, Guid[] ids) => Changed(session, FinishSql, ids);

    /// <summary>
    /// Campaigns of people who may not send any more (their plan, place or assignment has ended) are paused: nothing more leaves.
    /// </summary>
    public static Task<IReadOnlyList<Guid>> PauseRefused(this Session session, Guid[] ids) => Changed(session, RefusedSql, ids);

    private static async Task<IReadOnlyList<Guid>> Changed(Session session, string sql, Guid[] ids, int? batch = null) =>
        ids.Length == 0 ? [] : await session.Query<Guid>(sql, new { ids, batch });
}
