using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>How a campaign does (document 001, « campaign_analytics »).</summary>
/// <param name="Total">Messages in all.</param>
/// <param name="Pending">Not yet sent.</param>
/// <param name="Sending">On their way at this moment.</param>
/// <param name="Sent">Accepted by the mail server, without a word of delivery.</param>
/// <param name="Delivered">A delivery event said so.</param>
/// <param name="Failed">Never accepted; among them those whose outcome is unknown, and those suppressed on the way.</param>
/// <param name="Bounced">Refused for good, or sent back.</param>
/// <param name="Deferred">Among the pending, those that the mail server put off.</param>
/// <param name="Unknown">Among the failed, those that may have arrived.</param>
/// <param name="Suppressed">Among the failed, those whose recipient left meanwhile.</param>
/// <param name="SuccessRate">Percent of the messages tried that were accepted; null: none was.</param>
/// <param name="RatePerMinute">Of the last one to two minutes; null: it is not sending.</param>
/// <param name="SecondsLeft">At that rate.</param>
/// <param name="Written">Into the outbox, for want of a mail server: they have reached nobody.</param>
public sealed record CampaignLine(
    Guid Id, string Name, string Subject, string Status, DateTime CreatedAt, DateTime? ScheduledAt, DateTime? StartedAt,
    DateTime? FinishedAt, int Total, int Pending, int Sending, int Sent,
    int Delivered, int Failed, int Bounced, int Deferred, int Unknown, int Suppressed, int Opened, int Clicked, int Unsubscribed,
    int Complained, decimal? SuccessRate, int? RatePerMinute, int? SecondsLeft, int Written)
{
    /// <summary>Those whose outcome is known, or known to be unknown.</summary>
    public int Done => Total - Pending - Sending;

    /// <summary>Those that the mail server took.</summary>
    public int Accepted => Sent + Delivered;

    /// <summary>Those that nobody took.</summary>
    public int Refused => Failed + Bounced;
}

/// <summary>A person's campaigns: what is written, and to whom.</summary>
public sealed class EmailCampaigns(Db db, IStringLocalizer<Strings> words)
{
    private const string Columns = """
        id, name, subject, content, status, template_id, from_name, reply_to, audience::text,
        track_opens, track_clicks, scheduled_at, time_zone, started_at, finished_at, failure,
        server_reply, resumes_at, version, created_at, updated_at, design::text
        """;

    private const string LineColumns = """
        campaign_id as id, campaign_name as name, subject, campaign_status as status,
        created_at, scheduled_at, started_at, finished_at, total_emails as total, pending_emails as pending,
        sending_emails as sending, sent_emails as sent, delivered_emails as delivered, failed_emails as failed,
        bounced_emails as bounced, deferred_emails as deferred, unknown_emails as unknown, suppressed_emails as suppressed,
        opened, clicked, unsubscribed, complained, success_rate, rate_per_minute, seconds_left, written_emails as written
        """;

    private const string Found =
        "from campaigns.email_campaigns c where c.user_id = (select auth.uid()) and util.finds(@Pattern::text, c.name, c.subject)"
        + " and (@status::text is null or c.status = @status)";
    private const string CountSql = $"select count(*) {Found}";
    private const string ListSql = $"""
        select *
        from (select {LineColumns} from campaigns.campaign_analytics a
          where a.user_id = (select auth.uid()) and util.finds(@Pattern::text, campaign_name, subject)
          and (@status::text is null or campaign_status = @status)) listed
        """;

    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("createdAt", "created_at"), ("name", "name collate \"und-x-icu\""), ("status", "status"), ("startedAt", "started_at"),
        ("total", "total"));

    private const string LineSql = $"select {LineColumns} from campaigns.campaign_analytics where campaign_id = @id";
    private const string ActiveSql = $"""
        select {LineColumns} from campaigns.campaign_analytics
        where user_id = (select auth.uid()) and campaigns.is_under_way(campaign_status)
        order by coalesce(started_at, scheduled_at) desc, campaign_id limit 10
        """;

    private const string OneSql = $"select {Columns} from campaigns.email_campaigns where id = @id";

    private const string InsertSql = """
        insert into campaigns.email_campaigns (id, name, subject, content, template_id,
            from_name, reply_to, audience, track_opens, track_clicks, language, design)
        values (@id, @Name, @Subject, @Content, @TemplateId, @FromName, @ReplyTo, @audience::jsonb, @TrackOpens, @TrackClicks, @Language,
          @design::jsonb)
        """;

    private const string UpdateSql = """
        update campaigns.email_campaigns
        set name = @Name, subject = @Subject, content = @Content, template_id = @TemplateId,
          from_name = @FromName, reply_to = @ReplyTo, audience = @audience::jsonb, track_opens = @TrackOpens, track_clicks = @TrackClicks,
            language = @Language, design = @design::jsonb
        where id = @id and version = @version and status = 'draft'
        """;

    private const string DuplicateSql = """
        with copy as (
          insert into campaigns.email_campaigns (id, name, subject, content, template_id,
              from_name, reply_to, audience, track_opens, track_clicks, time_zone, language, design)
          select @copy, left(@name, 120), subject, content, template_id,
            from_name, reply_to, audience, track_opens, track_clicks, time_zone, language, design
          from campaigns.email_campaigns where id = @id
          returning id)
        insert into campaigns.attachments (campaign_id, file_name, content_type, content) select copy.id, a.file_name, a.content_type,
          a.content from copy, campaigns.attachments a where a.campaign_id = @id
        """;

    // With its files. One whose messages have left cannot come back: what is known of them goes with it.
    private const string DeleteSql = $"""
        with gone as (
          delete from campaigns.email_campaigns c where c.id = @id and not campaigns.is_under_way(c.status)
          returning 'campaigns' as kind, to_jsonb(c) || jsonb_build_object('attachments', (
              select coalesce(jsonb_agg(to_jsonb(a)), '[]') from campaigns.attachments a
              where a.user_id = c.user_id and a.campaign_id = c.id)) as content,
            exists (select from campaigns.emails_sent e where e.user_id = c.user_id and e.campaign_id = c.id) as has_messages),
        kept as ({DeletedRows.KeepSql} where not has_messages)
        select case when has_messages then null else @act::uuid end as act, 1 as count from gone
        """;

    /// <summary>Deleted campaigns that had no messages yet come back, with their files.</summary>
    internal const string RestoreSql = """
        with kept as (
          select r.*, d.content as kept from util.deleted_rows d, jsonb_populate_record(null::campaigns.email_campaigns, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'campaigns'),
        back as (
          insert into campaigns.email_campaigns (id, name, subject, content, template_id, from_name, reply_to, audience, track_opens,
              track_clicks, time_zone, language, version, created_at, design)
          select k.id, k.name, k.subject, k.content, t.id, k.from_name, k.reply_to, k.audience, k.track_opens, k.track_clicks, k.time_zone,
            k.language, k.version, k.created_at, k.design
          from kept k left join campaigns.email_templates t on t.user_id = (select auth.uid()) and t.id = k.template_id
          on conflict do nothing returning id)
        select count(*)::int from back;
        insert into campaigns.attachments (id, campaign_id, file_name, content_type, content, created_at)
        select a.id, a.campaign_id, a.file_name, a.content_type, a.content, a.created_at
        from util.deleted_rows d, jsonb_populate_recordset(null::campaigns.attachments, d.content -> 'attachments') a
        where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'campaigns'
          and exists (select from campaigns.email_campaigns c where c.user_id = d.user_id and c.id = a.campaign_id and c.status = 'draft')
        on conflict do nothing
        """;

    private const string AudienceSql = """
        select count(*)::int as contacts,
          count(*) filter (where exists (
            select 1 from campaigns.suppressions s where s.user_id = k.user_id and s.email_key = k.email_key))::int as suppressed
        from campaigns.matching(auth.uid(), campaigns.audience_filter((select auth.uid()), @audience::jsonb)) k
        """;

    /// <summary>Whether an audience has anybody who is written to.</summary>
    internal const string AnybodySql = """
        select exists (
          select 1 from campaigns.matching(auth.uid(), campaigns.audience_filter((select auth.uid()), @audience::jsonb)) k
          where not exists (select 1 from campaigns.suppressions s where s.user_id = k.user_id and s.email_key = k.email_key))
        """;

    // Those that are settled have their messages already.
    private const string UsersSql = """
        select c.name from campaigns.email_campaigns c
        where c.user_id = (select auth.uid())
          and (c.status in ('draft', 'scheduled') or (campaigns.is_under_way(c.status)
            and not exists (select from campaigns.emails_sent e where e.user_id = c.user_id and e.campaign_id = c.id)))
          and (c.audience ->> 'segmentId' = @id::text or c.audience -> 'organizationIds' ? @id::text
            or exists (select from campaigns.segments s where s.user_id = c.user_id and s.id::text = c.audience ->> 'segmentId'
                       and s.filter -> 'organizationIds' ? @id::text))
        order by c.status desc, c.created_at desc limit 10
        """;

    /// <summary>The caller's campaigns that wait to be sent to a segment or an organisation, scheduled ones first; at most ten.</summary>
    internal static Task<IReadOnlyList<string>> UsersOf(Session session, Guid id) => session.Query<string>(UsersSql, new { id });

    /// <summary>Refuses with AUDIENCE_IN_USE where such campaigns are there.</summary>
    internal static async Task RefuseInUse(Session session, Guid id)
    {
        if (await UsersOf(session, id) is { Count: > 0 } users)
        {
            throw new Refusal(Reason.AudienceInUse, string.Join(", ", users));
        }
    }

    internal sealed record Row(
        Guid Id, string Name, string Subject, string Content, string Status, Guid? TemplateId, string? FromName, string? ReplyTo,
        string Audience, bool TrackOpens, bool TrackClicks,
        DateTime? ScheduledAt, string TimeZone, DateTime? StartedAt, DateTime? FinishedAt, string? Failure, string? ServerReply,
        DateTime? ResumesAt, int Version, DateTime CreatedAt, DateTime UpdatedAt, string? Design)
    {
        public Campaign ToView() => new(
            Id, Name, Subject, Content, Status, TemplateId, FromName, ReplyTo, Campaigns.Audience.Of(Audience), TrackOpens, TrackClicks,
            ScheduledAt, TimeZone, StartedAt, FinishedAt, Failure, ServerReply, ResumesAt,
            Version, CreatedAt, UpdatedAt, MessageDesign.Of(Design));
    }

    /// <summary>
    /// The caller's campaigns with their figures, a page at a time; <paramref name="status"/> is one of <see cref="CampaignStates"/>, or
    /// null.
    /// </summary>
    public Task<Paged<CampaignLine>> List(Caller caller, ListQuery query, string? status, CancellationToken ct) =>
        db.Read(caller, session => session.Page<CampaignLine>(query, Pages, new { query.Pattern, status, query.Limit, query.Offset }), ct);

    /// <summary>The caller's campaigns that are scheduled, being sent or paused: the latest ten.</summary>
    public Task<IReadOnlyList<CampaignLine>> Active(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<CampaignLine>(ActiveSql), ct);

    /// <summary>One campaign. Refuses with NOT_FOUND.</summary>
    public Task<Campaign> Find(Caller caller, Guid id, CancellationToken ct) => db.Read(caller, session => One(session, id), ct);

    /// <summary>One campaign's figures. Refuses with NOT_FOUND.</summary>
    public Task<CampaignLine> Line(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<CampaignLine>(LineSql, new { id }), ct);

    /// <summary>
    /// Whom an audience has now: contacts in all, and how many of them are on the suppression list. Refuses with VALIDATION_FAILED.
    /// </summary>
    public Task<AudienceCount> Count(Caller caller, Audience audience, CancellationToken ct)
    {
        new Validation().OneOf("kind", audience.Kind, Audience.Kinds).Check();
        return db.Read(caller, session => session.One<AudienceCount>(AudienceSql, new { audience = audience.Normalized().ToJson() }), ct);
    }

    /// <summary>Begins a draft. Refuses with VALIDATION_FAILED, NOT_FOUND (a template of somebody else's).</summary>
    public Task<Campaign> Create(Caller caller, CampaignInput input, CancellationToken ct)
    {
        var campaign = input.Normalized();
        return db.Run(caller, async session =>
        {
            var id = Guid.CreateVersion7();
            await session.Execute(InsertSql, Values(id, 0, await Written(session, campaign)));
            return await One(session, id);
        }, ct);
    }

    /// <summary>Saves a draft. Refuses with VALIDATION_FAILED, NOT_FOUND, STALE, CAMPAIGN_SETTLED.</summary>
    public Task<Campaign> Update(Caller caller, Guid id, int version, CampaignInput input, CancellationToken ct)
    {
        var campaign = input.Normalized();
        return db.Run(caller, async session =>
        {
            if (await session.Execute(UpdateSql, Values(id, version, await Written(session, campaign))) == 0)
            {
                var found = await One(session, id);
                throw found.Status != "draft" ? new Refusal(Reason.CampaignSettled) : Refusal.Untouched(found.Version, version, found.Name);
            }
            return await One(session, id);
        }, ct);
    }

    /// <summary>
    /// Saves what a draft says, and leaves the rest of it. Refuses with VALIDATION_FAILED, NOT_FOUND, STALE, CAMPAIGN_SETTLED.
    /// </summary>
    public async Task<Campaign> Update(Caller caller, Guid id, int version, MessageInput input, CancellationToken ct)
    {
        var c = await Find(caller, id, ct);
        return await Update(caller, id, version, new CampaignInput(
            c.Name, input.Subject, null, c.TemplateId, c.FromName, c.ReplyTo, c.Audience, c.TrackOpens, c.TrackClicks, version,
            input.Design ?? MessageDesign.Empty), ct);
    }

    /// <summary>A new draft that says the same to the same, with the same attachments. Refuses with NOT_FOUND.</summary>
    /// <param name="caller">Whose.</param>
    /// <param name="id">Of which campaign.</param>
    /// <param name="name">The draft's name.</param>
    /// <param name="ct">Cancels.</param>
    public Task<Campaign> Duplicate(Caller caller, Guid id, string name, CancellationToken ct) => db.Run(caller, async session =>
    {
        await One(session, id);
        var copy = Guid.CreateVersion7();
        await session.Execute(DuplicateSql, new { id, copy, name });
        return await One(session, copy);
    }, ct);

    /// <summary>
    /// Deletes a campaign with all that is known of its messages; one that has none yet can be brought back, as a draft. Refuses with
    /// NOT_FOUND, and with CAMPAIGN_STATE while it is scheduled or under way.
    /// </summary>
    public Task<Deleted> Delete(Caller caller, Guid id, CancellationToken ct)
    {
        var act = Guid.CreateVersion7();
        return db.Run(caller, async session =>
        {
            if (await session.Find<Deleted>(DeleteSql, new { act, id }) is { } deleted)
            {
                return deleted;
            }
            await One(session, id);
            throw new Refusal(Reason.CampaignState);
        }, ct);
    }

    /// <summary>What a design becomes, and whether that can be sent. Refuses with VALIDATION_FAILED.</summary>
    private async Task<CampaignInput> Written(Session session, CampaignInput campaign)
    {
        if (campaign.Design is not { } design)
        {
            return campaign;
        }
        var content = await DesignMail.Of(session, design, campaign.Subject, words);
        new Validation().Draft(campaign.Subject, content).Check();
        return campaign with { Content = content };
    }

    internal static async Task<Campaign> One(Session session, Guid id) => (await session.One<Row>(OneSql, new { id })).ToView();

    private static object Values(Guid id, int version, CampaignInput c) => new
    {
        id,
        version,
        c.Name,
        c.Subject,
        c.Content,
        c.TemplateId,
        c.FromName,
        // Of whoever writes it, for the words that are added.
        Texts.Language,
        c.ReplyTo,
        audience = c.Audience!.ToJson(),
        c.TrackOpens,
        c.TrackClicks,
        design = c.Design?.ToJson(),
    };
}

/// <summary>Whom an audience has.</summary>
/// <param name="Contacts">All whom it finds.</param>
/// <param name="Suppressed">Those of them who are not written to.</param>
public sealed record AudienceCount(int Contacts, int Suppressed)
{
    /// <summary>Those who are written to.</summary>
    public int Recipients => Contacts - Suppressed;
}
