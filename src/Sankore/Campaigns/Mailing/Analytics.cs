using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>Messages accepted in a span of time.</summary>
/// <param name="From">Its beginning, in UTC.</param>
public sealed record SentInTime(DateTime From, long Sent);

/// <summary>A campaign's messages to one domain or organisation.</summary>
/// <param name="Name">Null: to those of no organisation.</param>
/// <param name="Accepted">Taken by the mail server, delivered ones among them.</param>
/// <param name="Refused">Bounced or failed.</param>
public sealed record SentTo(string? Name, long Total, long Accepted, long Refused);

/// <summary>How a campaign went, in more than one number.</summary>
/// <param name="SpanMinutes">How long each span of <paramref name="OverTime"/> is.</param>
/// <param name="OverTime">At most 30 spans, without gaps.</param>
/// <param name="Domains">The ten with the most messages.</param>
/// <param name="Organizations">The ten with the most messages.</param>
/// <param name="OrganizationCount">How many organisations it is for.</param>
/// <param name="OrganizationsReached">Those of which at least one message was accepted.</param>
public sealed record CampaignDetails(
    int SpanMinutes, IReadOnlyList<SentInTime> OverTime, IReadOnlyList<SentTo> Domains, IReadOnlyList<SentTo> Organizations,
    long OrganizationCount, long OrganizationsReached);

/// <summary>A message to a contact.</summary>
public sealed record ContactMessage(
    Guid Id, Guid CampaignId, string Campaign, string Status, string? Code, DateTime? SentAt, DateTime? OpenedAt, DateTime? ClickedAt);

/// <summary>What a contact has received (document 001, « contact_analytics »).</summary>
/// <param name="Received">Messages that the mail server took.</param>
/// <param name="Bounced">Refused for good, or sent back.</param>
/// <param name="DeliveryRate">Percent of those received that did not come back; null: there are none.</param>
/// <param name="Messages">The latest, at most ten.</param>
public sealed record ContactAnalytics(
    long Received, long Bounced, DateTime? LastSentAt, decimal? DeliveryRate, IReadOnlyList<ContactMessage> Messages);

/// <summary>Figures of campaigns and contacts (document 001, « Analytique »).</summary>
public sealed class Analytics(Db db)
{
    private const int MaxSpans = 30;
    private static readonly int[] Spans = [1, 2, 5, 15, 60, 180, 720, 1440, 10080, 43200];

    private const string MinutesSql = """
        select minute as "from", sent::bigint from campaigns.campaign_minutes where campaign_id = @id and sent > 0 order by minute
        """;

    // The messages are read once for both tables.
    private const string GroupsSql = """
        select by_domain, name, total, accepted, refused, groups, reached from (
          select g.*, row_number() over (partition by by_domain order by total desc, name) as place, count(name) over kind as groups,
            count(name) filter (where accepted > 0) over kind as reached
          from (
            select grouping(recipient_domain) = 0 as by_domain, case
              when grouping(recipient_domain) = 0 then recipient_domain else recipient_organization end as name,
                   count(*) as total, count(*) filter (
                     where status in ('sent', 'delivered') and error_code is distinct from 'NOT_SENT') as accepted,
                     count(*) filter (where status in ('bounced', 'failed')) as refused
            from campaigns.emails_sent where user_id = (select auth.uid()) and campaign_id = @id
            group by grouping sets ((recipient_domain), (recipient_organization))) g
          window kind as (partition by by_domain)) placed
        where place <= 10 order by place
        """;

    private const string ContactSql = """
        select emails_received, bounced_emails, last_sent_at, delivery_rate from campaigns.contact_analytics where contact_id = @id
        """;

    private const string MessagesSql = """
        select e.id, e.campaign_id, c.name as campaign, e.status, e.error_code as code, e.sent_at, e.opened_at, e.clicked_at
        from campaigns.emails_sent e join campaigns.email_campaigns c on c.user_id = e.user_id and c.id = e.campaign_id
        where e.user_id = (select auth.uid()) and e.contact_id = @id order by coalesce(e.sent_at, e.created_at) desc, e.id limit 10
        """;

    private sealed record Received(long EmailsReceived, long BouncedEmails, DateTime? LastSentAt, decimal? DeliveryRate);

    private sealed record Group(bool ByDomain, string? Name, long Total, long Accepted, long Refused, long Groups, long Reached)
    {
        public SentTo ToView() => new(Name, Total, Accepted, Refused);
    }

    /// <summary>A campaign's details; a campaign that the caller does not see has none.</summary>
    public Task<CampaignDetails> Of(Caller caller, Guid id, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries($"{MinutesSql};{GroupsSql}", new { id });
        var minutes = (await grid.ReadAsync<SentInTime>()).ToList();
        var groups = (await grid.ReadAsync<Group>()).ToLookup(g => g.ByDomain);
        var organizations = groups[false].FirstOrDefault();
        var (span, overTime) = Spread(minutes);
        return new CampaignDetails(
            span, overTime, [.. groups[true].Select(g => g.ToView())], [.. groups[false].Select(g => g.ToView())], organizations?.Groups
            ?? 0, organizations?.Reached ?? 0);
    }, ct);

    /// <summary>What a contact has received. Refuses with NOT_FOUND.</summary>
    public Task<ContactAnalytics> OfContact(Caller caller, Guid id, CancellationToken ct) => db.Read(caller, async session =>
    {
        var figures = await session.One<Received>(ContactSql, new { id });
        return new ContactAnalytics(
            figures.EmailsReceived, figures.BouncedEmails, figures.LastSentAt, figures.DeliveryRate,
            await session.Query<ContactMessage>(MessagesSql, new { id }));
    }, ct);

    /// <summary>
    /// Minutes in spans of the shortest length that needs no more than 30 of them; spans in which nothing was sent are there too.
    /// </summary>
    internal static (int SpanMinutes, IReadOnlyList<SentInTime> OverTime) Spread(IReadOnlyList<SentInTime> minutes)
    {
        if (minutes.Count == 0)
        {
            return (1, []);
        }
        var (first, last) = (minutes[0].From, minutes[^1].From);
        var span = Spans.FirstOrDefault(s => Count(s) <= MaxSpans, Spans[^1]);
        var sums = minutes.GroupBy(m => Start(m.From, span)).ToDictionary(g => g.Key, g => g.Sum(m => m.Sent));
        return (
            span,
            [.. Enumerable.Range(0, Math.Min(Count(span), MaxSpans * 4)).Select(i => Start(first, span).AddMinutes(i * span))
            .Select(from => new SentInTime(from, sums.GetValueOrDefault(from)))]);

        int Count(int length) => (int)((Start(last, length) - Start(first, length)).TotalMinutes / length) + 1;
        static DateTime Start(DateTime moment, int length) =>
            new(moment.Ticks - moment.Ticks % (TimeSpan.TicksPerMinute * length), DateTimeKind.Utc);
    }
}
