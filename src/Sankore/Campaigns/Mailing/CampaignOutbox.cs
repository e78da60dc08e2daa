using MimeKit;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>A message of a campaign that was written as a file instead of being sent.</summary>
/// <param name="Subject">Null: its file is not here (any more).</param>
/// <param name="IsTry">Whether it was sent to the author alone, to look at.</param>
public sealed record OutboxMessage(Guid Id, Guid CampaignId, string Campaign, string To, DateTime At, bool IsTry, string? Subject = null);

/// <summary>A message read from its file.</summary>
/// <param name="Files">The names of what it carries.</param>
/// <param name="Raw">The file.</param>
public sealed record OutboxContent(OutboxMessage Message, FilledMessage Filled, IReadOnlyList<string> Files, byte[] Raw);

/// <summary>
/// What a person's campaigns would have sent, for as long as there is no mail server. The database says whose a message is; the file only
/// what is in it.
/// </summary>
public sealed class CampaignOutbox(Db db, MailOptions options)
{
    // A subject stands within the first lines, before all that is heavy.
    private const int HeadBytes = 64 * 1024;

    private const string Own = """
        from (select e.id, e.campaign_id, e.recipient_email, e.sent_at as at, false as is_try
              from campaigns.emails_sent e where e.user_id = (select auth.uid()) and e.sent_at is not null
              union all
              select t.id, t.campaign_id, t.recipient_email, t.created_at, true
              from campaigns.tries t where t.user_id = (select auth.uid())) m
        join campaigns.email_campaigns c on c.id = m.campaign_id
        where util.finds(@Pattern::text, m.recipient_email, c.name)
        """;

    private const string Columns = "m.id, m.campaign_id, c.name as campaign, m.recipient_email as \"to\", m.at, m.is_try";
    private const string CountSql = $"select count(*) {Own}";
    private const string ListSql = $"select {Columns} {Own} order by m.at desc, m.id desc limit @Limit offset @Offset";
    private const string OneSql = $"select {Columns} {Own} and m.id = @id";

    private sealed record Row(Guid Id, Guid CampaignId, string Campaign, string To, DateTime At, bool IsTry)
    {
        public OutboxMessage ToView(string? subject) => new(Id, CampaignId, Campaign, To, At, IsTry, subject);
    }

    /// <summary>Whether messages are written here: there is no mail server.</summary>
    public bool IsInUse => options.Smtp is null;

    /// <summary>The caller's messages, the latest first; none where there is a mail server.</summary>
    public async Task<Paged<OutboxMessage>> List(Caller caller, ListQuery query, CancellationToken ct)
    {
        if (!IsInUse)
        {
            return new Paged<OutboxMessage>([], 0, 1, query.Limit);
        }
        var args = new { query.Pattern, query.Limit, query.Offset };
        var page = await db.Read(caller, session => session.Page<Row>(query, CountSql + ";" + ListSql, args), ct);
        return page.Select(row => row.ToView(Subject(row.Id)));
    }

    /// <summary>One of the caller's messages. Refuses with NOT_FOUND, also where its file is not here.</summary>
    public async Task<OutboxContent> Find(Caller caller, Guid id, CancellationToken ct)
    {
        var row = await db.Read(caller, session => session.One<Row>(OneSql, new { id, Pattern = (string?)null }), ct);
        if (!IsInUse || !File.Exists(PathOf(id)))
        {
            throw new Refusal(Reason.NotFound);
        }
        var raw = await File.ReadAllBytesAsync(PathOf(id), ct);
        using var message = ReceivedMail.Read(raw) ?? throw new Refusal(Reason.NotFound);
        var subject = message.Subject ?? "";
        var files = message.Attachments.OfType<MimePart>().Select(p => p.FileName ?? "").Where(name => name.Length > 0);
        var filled = new FilledMessage(subject, message.HtmlBody ?? "", message.TextBody ?? "");
        return new OutboxContent(row.ToView(subject), filled, [.. files], raw);
    }

    private string? Subject(Guid id)
    {
        if (!File.Exists(PathOf(id)))
        {
            return null;
        }
        using var file = File.OpenRead(PathOf(id));
        var head = new byte[Math.Min(HeadBytes, file.Length)];
        using var message = ReceivedMail.Read(head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)]);
        return message?.Subject ?? "";
    }

    private string PathOf(Guid id) => Path.Combine(options.Outbox, $"{id}.eml");
}
