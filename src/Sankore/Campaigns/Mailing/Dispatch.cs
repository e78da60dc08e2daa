using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Ui;

namespace Sankore.Campaigns;

/// <summary>
/// Has campaigns sent: at once or at a time, paused, resumed, called off. Each is one statement with its state test inside, so that of two
/// clicks one wins.
/// </summary>
public sealed class Dispatch(Db db, TimeProvider time, IStringLocalizer<Strings> strings, IStringLocalizer<UiStrings> ui)
{
    private sealed record Self(string Email, string Name);

    private const string SendSql = """
        update campaigns.email_campaigns set status = 'sending', started_at = now() where id = @id and status in ('draft', 'scheduled')
        """;

    private const string ScheduleSql = """
        update campaigns.email_campaigns set status = 'scheduled', scheduled_at = @at, time_zone = @zone
        where id = @id and status in ('draft', 'scheduled')
        """;

    private const string UnscheduleSql = """
        update campaigns.email_campaigns set status = 'draft', scheduled_at = null where id = @id and status = 'scheduled'
        """;
    private const string PauseSql = """
        update campaigns.email_campaigns set status = 'paused', server_reply = null, resumes_at = null where id = @id and status = 'sending'
        """;
    private const string ResumeSql = """
        update campaigns.email_campaigns set status = 'sending', failure = null, server_reply = null, resumes_at = null
        where id = @id and status = 'paused'
        """;
    private const string CancelSql = """
        update campaigns.email_campaigns
        set status = 'cancelled', failure = null, server_reply = null, resumes_at = null,
            finished_at = case when started_at is not null then now() end
        where id = @id and campaigns.may_become(status, 'cancelled')
        """;

    private const string TrySql = "insert into campaigns.tries (id, campaign_id, recipient_email) values (@job, @id, @Email)";

    /// <summary>
    /// Sends a draft, or a scheduled campaign now. Refuses with NOT_FOUND, CAMPAIGN_STATE, CAMPAIGN_INCOMPLETE, CAMPAIGN_PLACEHOLDERS,
    /// CAMPAIGN_FIELDS,
    /// AUDIENCE_EMPTY.
    /// </summary>
    public Task<Campaign> Send(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        await Ready(session, id);
        await Change(session, id, SendSql, new { id });
        await session.Enqueue(CampaignStartJob.Type, new CampaignStartJob.Payload(id), CampaignStartJob.Priority);
        return await EmailCampaigns.One(session, id);
    }, ct);

    /// <summary>Sends a campaign to the caller alone, to look at. Refuses with NOT_FOUND, CAMPAIGN_INCOMPLETE.</summary>
    public Task Try(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        Complete(await EmailCampaigns.One(session, id));
        var self = await session.One<Self>("select email, display_name as name from public.profiles where id = (select auth.uid())");
        var job = await session.Enqueue(
            CampaignTestJob.Type, new CampaignTestJob.Payload(id, self.Email, self.Name, strings["test.mark"]), priority: 10);
        await session.Execute(TrySql, new { job, id, self.Email });
    }, ct);

    /// <summary>
    /// Has a campaign sent at a time; said again, at another. Refuses with VALIDATION_FAILED, NOT_FOUND, CAMPAIGN_STATE,
    /// CAMPAIGN_INCOMPLETE, CAMPAIGN_PLACEHOLDERS, CAMPAIGN_FIELDS, AUDIENCE_EMPTY.
    /// </summary>
    public Task<Campaign> Schedule(Caller caller, Guid id, ScheduleInput input, CancellationToken ct)
    {
        var (at, zone) = input.Normalized(time.GetUtcNow());
        return db.Run(caller, async session =>
        {
            await Ready(session, id);
            await Change(session, id, ScheduleSql, new { id, at = at.UtcDateTime, zone });
            await session.Enqueue(CampaignStartJob.Type, new CampaignStartJob.Payload(id), CampaignStartJob.Priority, at);
            return await EmailCampaigns.One(session, id);
        }, ct);
    }

    /// <summary>Makes a scheduled campaign a draft again. Refuses with NOT_FOUND, CAMPAIGN_STATE.</summary>
    public Task<Campaign> Unschedule(Caller caller, Guid id, CancellationToken ct) => Move(caller, id, UnscheduleSql, ct);

    /// <summary>Pauses a campaign: what is on its way arrives, nothing more leaves. Refuses with NOT_FOUND, CAMPAIGN_STATE.</summary>
    public Task<Campaign> Pause(Caller caller, Guid id, CancellationToken ct) => Move(caller, id, PauseSql, ct);

    /// <summary>Goes on with a paused campaign, to those who have not been written to. Refuses with NOT_FOUND, CAMPAIGN_STATE.</summary>
    public Task<Campaign> Resume(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        await Change(session, id, ResumeSql, new { id });
        await session.Enqueue(CampaignStartJob.Type, new CampaignStartJob.Payload(id), CampaignStartJob.Priority);
        return await EmailCampaigns.One(session, id);
    }, ct);

    /// <summary>Calls a campaign off, for good. Refuses with NOT_FOUND, CAMPAIGN_STATE.</summary>
    public Task<Campaign> Cancel(Caller caller, Guid id, CancellationToken ct) => Move(caller, id, CancelSql, ct);

    private Task<Campaign> Move(Caller caller, Guid id, string sql, CancellationToken ct) => db.Run(caller, async session =>
    {
        await Change(session, id, sql, new { id });
        return await EmailCampaigns.One(session, id);
    }, ct);

    /// <summary>A campaign that is sent says something, to somebody.</summary>
    private async Task Ready(Session session, Guid id)
    {
        var campaign = await EmailCampaigns.One(session, id);
        Complete(campaign);
        if (DesignMail.Placeholders(campaign.Subject, campaign.Design) is { Count: > 0 } left)
        {
            throw new Refusal(Reason.CampaignPlaceholders, string.Join(", ", left.Select(p => ui["quoted", p].Value)));
        }
        if (await ContactFields.Unknown(session, campaign.Subject, campaign.Content) is { Count: > 0 } unknown)
        {
            throw new Refusal(Reason.CampaignFields, string.Join(", ", unknown));
        }
        if (!await session.Value<bool>(EmailCampaigns.AnybodySql, new { audience = campaign.Audience.ToJson() }))
        {
            throw new Refusal(Reason.AudienceEmpty);
        }
    }

    private static void Complete(Campaign campaign)
    {
        var missing = new[] { ("subject", campaign.Subject), ("content", campaign.Content) }.Where(f => string.IsNullOrWhiteSpace(f.Item2))
            .ToDictionary(f => f.Item1, _ => new FieldError("field.required"));
        if (missing.Count > 0)
        {
            throw new Refusal(Reason.CampaignIncomplete) { Fields = missing };
        }
    }

    private static async Task Change(Session session, Guid id, string sql, object args)
    {
        if (await session.Execute(sql, args) == 0)
        {
            await EmailCampaigns.One(session, id);
            throw new Refusal(Reason.CampaignState);
        }
    }
}
