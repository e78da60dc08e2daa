using System.Runtime.CompilerServices;
using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>What was said of a message.</summary>
/// <param name="Provider">Who said it: a provider, <c>report</c> (a mail of a mail server), or <c>sankore</c> (our own links).</param>
public sealed record RecipientEvent(string Provider, string Kind, DateTime At, string? Code, string? Detail);

/// <summary>One message of a campaign and what became of it.</summary>
/// <param name="Code">Why it failed or bounced, in short.</param>
/// <param name="Error">What the mail server said.</param>
/// <param name="Events">What was said of it afterwards, in the order of time.</param>
public sealed record Recipient(
    Guid Id, string Email, string? Organization, string Status, string? Code, string? Error, DateTime? SentAt, DateTime? DeliveredAt,
    DateTime? OpenedAt, DateTime? ClickedAt,
    DateTime? UnsubscribedAt, DateTime? ComplainedAt, IReadOnlyList<RecipientEvent> Events);

/// <summary>A link of a campaign whose clicks are counted.</summary>
/// <param name="Clicks">How often it was followed.</param>
/// <param name="People">By how many of the recipients.</param>
public sealed record CampaignLink(int Number, string Url, int Clicks, int People, DateTime? LastClickedAt);

/// <summary>The messages of a person's campaign, one by one.</summary>
public sealed class Recipients(Db db)
{
    private const int BlockRows = 2_000;

    /// <summary>The states of a message.</summary>
    public static readonly string[] States = ["pending", "sending", "sent", "delivered", "failed", "bounced"];

    private const string Columns = """
        e.id, e.recipient_email as email, e.recipient_organization as organization, e.status, e.error_code as code, e.error,
        e.sent_at, e.delivered_at, e.opened_at, e.clicked_at, e.unsubscribed_at, e.complained_at,
        coalesce((
          select jsonb_agg(
            jsonb_build_object('provider', d.provider, 'kind', d.kind, 'at', d.at, 'code', d.code, 'detail', d.detail)
            order by d.at, d.created_at, d.event_id)
          from campaigns.delivery_events d where d.user_id = e.user_id and d.message_id = e.id), '[]')::text as events
        """;

    // Organisations are fewer than those who are of them (offset: each is looked at once), and most addresses are their own key.
    private const string Found = """
        from campaigns.emails_sent e
        where e.user_id = (select auth.uid()) and e.campaign_id = @campaign and (@status::text is null or e.status = @status)
          and (@Pattern::text is null or e.email_key like (select util.fold(@Pattern::text))
            or (e.email_key ~ '[^ -~]' and util.finds(@Pattern::text, e.email_key))
            or e.recipient_organization in (
              select o.name
              from (select distinct m.recipient_organization as name from campaigns.emails_sent m
                    where m.user_id = (select auth.uid()) and m.campaign_id = @campaign offset 0) o
              where util.finds(@Pattern::text, o.name)))
        """;

    private const string CampaignSql = "select name from campaigns.email_campaigns where id = @campaign";
    private const string CountSql = $"select count(*) {Found}";
    private const string ListSql = $"select {Columns} {Found}";
    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("email", "e.email_key"), ("organization", "recipient_organization"), ("status", "e.status"),
        ("sentAt", "sent_at"), ("deliveredAt", "delivered_at"), ("openedAt", "opened_at"));

    private const string BlockSql = $"{ListSql} and e.id > @after order by e.id limit @limit";
    private const string LinksSql = """
        select number, url, clicks, people, last_clicked_at from campaigns.campaign_links
        where user_id = (select auth.uid()) and campaign_id = @campaign order by number
        """;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private sealed record Row(
        Guid Id, string Email, string? Organization, string Status, string? Code, string? Error, DateTime? SentAt, DateTime? DeliveredAt,
        DateTime? OpenedAt, DateTime? ClickedAt,
        DateTime? UnsubscribedAt, DateTime? ComplainedAt, string Events)
    {
        public Recipient ToView() => new(
            Id, Email, Organization, Status, Code, Error, SentAt, DeliveredAt, OpenedAt, ClickedAt, UnsubscribedAt, ComplainedAt,
            JsonSerializer.Deserialize<List<RecipientEvent>>(Events, Json)!);
    }

    /// <summary>A campaign's messages, a page at a time. Refuses with NOT_FOUND, VALIDATION_FAILED (a state that is none).</summary>
    /// <param name="caller">Whose campaign.</param>
    /// <param name="campaign">Which.</param>
    /// <param name="query">The page, its order, and words of address or organisation.</param>
    /// <param name="status">One of <see cref="States"/>; null: any.</param>
    /// <param name="ct">Cancels.</param>
    public Task<Paged<Recipient>> List(Caller caller, Guid campaign, ListQuery query, string? status, CancellationToken ct)
    {
        Check(status);
        return db.Read(caller, async session =>
        {
            await session.One<string>(CampaignSql, new { campaign });
            return (await session.Page<Row>(query, Pages, new { campaign, status, query.Pattern, query.Limit, query.Offset }))
                .Select(r => r.ToView());
        }, ct);
    }

    /// <summary>All messages of a campaign that are asked for, read in blocks. Refuses at once with NOT_FOUND, VALIDATION_FAILED.</summary>
    public async Task<IAsyncEnumerable<Recipient>> All(Caller caller, Guid campaign, string? q, string? status, CancellationToken ct)
    {
        Check(status);
        await db.Read(caller, session => session.One<string>(CampaignSql, new { campaign }), ct);
        return Blocks(caller, campaign, new ListQuery { Q = q }.Pattern, status, ct);
    }

    /// <summary>
    /// Where a campaign's links lead, and how often they were followed; none where nobody watches. Refuses with NOT_FOUND.
    /// </summary>
    public Task<IReadOnlyList<CampaignLink>> Links(Caller caller, Guid campaign, CancellationToken ct) => db.Read(caller, async session =>
    {
        await session.One<string>(CampaignSql, new { campaign });
        return await session.Query<CampaignLink>(LinksSql, new { campaign });
    }, ct);

    private async IAsyncEnumerable<Recipient> Blocks(
        Caller caller, Guid campaign, string? pattern, string? status, [EnumeratorCancellation] CancellationToken ct)
    {
        var after = Guid.Empty;
        for (IReadOnlyList<Row>? block = null; block is null || block.Count == BlockRows; after = block is [.., var last] ? last.Id : after)
        {
            block = await db.Read(
                caller, session => session.Query<Row>(BlockSql, new { campaign, status, Pattern = pattern, after, limit = BlockRows }), ct);
            foreach (var row in block)
            {
                yield return row.ToView();
            }
        }
    }

    private static void Check(string? status) =>
        new Validation().OneOf("status", string.IsNullOrEmpty(status) ? States[0] : status, States).Check();
}
