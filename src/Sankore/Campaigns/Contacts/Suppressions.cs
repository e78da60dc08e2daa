using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>An address that no campaign of the user writes to.</summary>
/// <param name="Reason"><c>unsubscribed</c>, <c>bounced</c>, <c>complained</c> or <c>manual</c>.</param>
/// <param name="Campaign">The campaign that it came of, where one is known.</param>
/// <param name="Detail">What the mail server said, or the user.</param>
public sealed record Suppression(Guid Id, string Email, string Reason, string? Campaign, string? Detail, DateTime CreatedAt);

/// <summary>An address that the user will not write to.</summary>
public sealed record SuppressionInput(string? Email, string? Detail);

/// <summary>A person's suppression list. The database keeps campaigns to it (<c>campaigns.refuse_suppressed</c>).</summary>
public sealed class Suppressions(Db db)
{
    /// <summary>Why an address may be on the list.</summary>
    public static readonly string[] Reasons = ["unsubscribed", "bounced", "complained", "manual"];

    private const string Found = """
        from campaigns.suppressions s left join campaigns.email_campaigns c on c.user_id = s.user_id and c.id = s.campaign_id
        where s.user_id = (select auth.uid()) and util.finds(@Pattern::text, s.email)
          and (@reason::text is null or s.reason = @reason)
        """;

    private const string ListSql = $"""
        select * from (select s.id, s.email, s.reason, c.name as campaign, s.detail, s.created_at {Found}) listed
        """;
    private const string CountSql = $"select count(*) {Found}";

    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("createdAt", "created_at"), ("email", "email"), ("reason", "reason"));

    private const string OneSql = """
        select id, email, reason, null::text as campaign, detail, created_at from campaigns.suppressions where id = @id
        """;

    private const string DeleteSql = $"""
        with gone as (
          delete from campaigns.suppressions s where s.id = any (@ids::uuid[]) returning 'suppressions' as kind, to_jsonb(s) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>What was taken off comes back as put there by the user: that a server sent something back, only the server says.</summary>
    internal const string RestoreSql = """
        with back as (
          insert into campaigns.suppressions (id, email, reason, detail, created_at) select r.id, r.email, 'manual', r.detail, r.created_at
          from util.deleted_rows d, jsonb_populate_record(null::campaigns.suppressions, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'suppressions'
          on conflict do nothing returning id)
        select count(*)::int from back
        """;

    /// <summary>The list, a page at a time.</summary>
    public Task<Paged<Suppression>> List(Caller caller, ListQuery query, string? reason, CancellationToken ct) =>
        db.Read(caller, session => session.Page<Suppression>(query, Pages, new { query.Pattern, reason, query.Limit, query.Offset }), ct);

    /// <summary>Puts an address on the list. Refuses with VALIDATION_FAILED, SUPPRESSION_EXISTS.</summary>
    public Task<Suppression> Add(Caller caller, SuppressionInput input, CancellationToken ct)
    {
        var (email, detail) = (Addresses.Normalize(input.Email), Texts.Blank(input.Detail));
        new Validation().That("email", Mail.IsAddress(email), "EMAIL_INVALID").Optional("detail", detail, 500).Check();
        return db.Run(caller, async session =>
        {
            var id = Guid.CreateVersion7();
            await session.Execute(
                "insert into campaigns.suppressions (id, email, reason, detail) values (@id, @email, 'manual', @detail)",
                new { id, email, detail });
            return await session.One<Suppression>(OneSql, new { id });
        }, ct);
    }

    /// <summary>
    /// Takes an address off the list that bounced or that the user put there. Refuses with NOT_FOUND, and SUPPRESSION_KEPT for whoever
    /// unsubscribed or complained.
    /// </summary>
    public Task<Deleted> Remove(Caller caller, Guid id, CancellationToken ct) =>
        db.Run(caller, session => DeletedRows.DeleteOne(session, DeleteSql, id), ct);
}
