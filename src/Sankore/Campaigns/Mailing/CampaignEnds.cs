using Sankore.Platform.Data;
using Sankore.Platform.Mail;

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
            failure = case when l.any then null else 'NOTHING_SENT' end, server_reply = null, resumes_at = null
        from campaigns.campaign_counts k, lateral (select k.sent + k.written + k.delivered + k.bounced + k.unknown > 0 as any) l
        where c.id = any (@ids) and k.campaign_id = c.id and c.status = 'sending' and k.total > 0 and k.pending = 0 and k.sending = 0
        returning c.id
        """;

    private const string RefusedSql = """
        update campaigns.email_campaigns c set status = 'paused', failure = 'MODULE_REFUSED', server_reply = null,
          resumes_at = null
        where c.id = any (@ids) and c.status = 'sending'
          and c.user_id not in (
            select tenancy.with_module(
              array(select o.user_id from campaigns.email_campaigns o where o.id = any (@ids)), 'campagnes', 'write'))
        returning c.id
        """;

    /// <summary>Whether the server took any message of a campaign.</summary>
    public const string HasArrivedSql = """
        select coalesce((select sent + written + delivered > 0 from campaigns.campaign_counts where campaign_id = @Campaign), false)
        """;

    // Told once, not by every batch. What concerns us is for a person to mend.
    private const string PauseSql = """
        update campaigns.email_campaigns set status = 'paused', failure = @failure, server_reply = left(@words, 500), resumes_at = null
        where id = @id and status = 'sending'
        """;
    private const string WaitSql = """
        update campaigns.email_campaigns set server_reply = left(@words, 500), resumes_at = now() + @wait::interval
        where id = @id and status = 'sending'
          and (server_reply is null or (@wait::interval is not null and coalesce(resumes_at <= now(), true)))
        """;
    private const string WellSql = """
        update campaigns.email_campaigns set server_reply = null, resumes_at = null
        where id = @id and status = 'sending' and server_reply is not null
        """;

    // A limit of the hour is over by then; one of the day costs a question each time.
    private static readonly TimeSpan LimitWait = TimeSpan.FromMinutes(15);

    /// <summary>
    /// What the server said that concerns the whole campaign: it is paused for what a person has to mend, waits for what passes, and goes
    /// on as if nothing had been once the server takes messages again.
    /// </summary>
    public static Task<int> Answered(this Session session, Guid id, ServerReply? said, bool hasArrived)
    {
        var words = said?.Words;
        var failure = said?.Phase switch
        {
            SmtpPhase.Connect or SmtpPhase.SignIn => "MAIL_SIGN_IN",
            SmtpPhase.Sender => "MAIL_SENDER",
            SmtpPhase.Recipient => "MAIL_REFUSED",
            _ => "MAIL_CONTENT",
        };
        return said?.Fault switch
        {
            MailFault.Sender or MailFault.Message => session.Execute(PauseSql, new { id, failure, words }),
            MailFault.Limit => session.Execute(WaitSql, new { id, words, wait = (TimeSpan?)LimitWait }),
            MailFault.Connection => session.Execute(WaitSql, new { id, words, wait = (TimeSpan?)null }),
            _ => hasArrived ? session.Execute(WellSql, new { id }) : Task.FromResult(0),
        };
    }

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
