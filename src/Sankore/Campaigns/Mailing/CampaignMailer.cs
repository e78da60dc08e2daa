using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Localization;
using MimeKit;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>A message to one recipient.</summary>
/// <param name="Attempts">How often it was tried before.</param>
/// <param name="LastCode">What became of it when it was tried last; null: it was not, or nobody said.</param>
/// <param name="Phone">The recipient's telephone number.</param>
/// <param name="Fields">Values of the sender's own fields.</param>
public sealed record Message(
    Guid Id, string Email, string? Name, string? Organization, int Attempts, string? LastCode = null, string? Phone = null,
    JsonElement Fields = default)
{
    /// <summary>What stands before the subject; nothing, but for a try.</summary>
    public string SubjectPrefix { get; init; } = "";
}

/// <summary>A campaign made ready: its texts compiled, its attachments encoded, once for all its messages.</summary>
/// <param name="Id">Which.</param>
/// <param name="UserId">Whose.</param>
/// <param name="Name">What it is called.</param>
/// <param name="SenderName">Who it is from, for its texts.</param>
/// <param name="From">Who it is from, for mail programs.</param>
/// <param name="ReplyTo">Where answers go.</param>
/// <param name="Text">Its texts, to be filled in.</param>
/// <param name="Attachments">What it carries.</param>
/// <param name="Links">Signs the links of each message.</param>
/// <param name="Language">In which numbers and days are written.</param>
public sealed record PreparedCampaign(
    Guid Id,
    Guid UserId,
    string Name,
    string? SenderName,
    Mailbox From,
    Mailbox? ReplyTo,
    MessageText Text,
    IReadOnlyList<Attachment> Attachments,
    LinkSigner Links,
    CultureInfo Language);

/// <summary>
/// Builds a campaign's messages and hands them over: to the mail server, or, where there is none, to the outbox as <c>.eml</c> files
/// named by their id.
/// </summary>
public sealed class CampaignMailer(
    Db db,
    MailOptions options,
    AppAddress address,
    SignedLinks links,
    Tracking tracking,
    IStringLocalizer<Strings> words,
    IServiceProvider services)
{
    private const int Kept = 20;

    private const string OneSql = """
        select c.id, c.user_id, c.name, c.subject, c.content, c.from_name, c.reply_to, p.display_name, p.email,
               c.track_opens, c.track_clicks, c.language, c.version
        from campaigns.email_campaigns c join public.profiles p on p.id = c.user_id where c.id = @id and (c.status = 'sending' or @anyState)
        """;

    private const string AttachmentsSql =
        "select file_name, content_type, content from campaigns.attachments where campaign_id = @id order by created_at, id";

    private sealed record Row(
        Guid Id,
        Guid UserId,
        string Name,
        string Subject,
        string Content,
        string? FromName,
        string? ReplyTo,
        string DisplayName,
        string Email,
        bool TrackOpens,
        bool TrackClicks,
        string Language,
        int Version);

    private sealed record File(string FileName, string ContentType, byte[] Content);

    private readonly SmtpPool? _server = services.GetService<SmtpPool>();
    private readonly Dictionary<(Guid Id, int Version), PreparedCampaign> _ready = [];

    /// <summary>Whether mails wait for their turn by the minute.</summary>
    public bool IsPaced => options.Smtp is { PerMinute: > 0 } or { PerDomainPerMinute: > 0 };

    /// <summary>How many messages are under way at once.</summary>
    public int Connections => options.Smtp?.Connections ?? 2;

    /// <summary>A campaign made ready; null: it is gone, or not being sent (any more).</summary>
    /// <param name="id">Which.</param>
    /// <param name="anyState">Whether it need not be one that is being sent.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<PreparedCampaign?> Prepare(Guid id, bool anyState, CancellationToken ct)
    {
        if (await db.Read(Caller.Service, session => session.Find<Row>(OneSql, new { id, anyState }), ct) is not { } row)
        {
            return null;
        }
        lock (_ready)
        {
            if (_ready.TryGetValue((id, row.Version), out var ready))
            {
                return ready;
            }
        }
        var files = await db.Read(Caller.Service, session => session.Query<File>(AttachmentsSql, new { id }), ct);
        var (text, urls) = Compile(row);
        await tracking.Keep(id, row.UserId, urls, ct);
        var sender = row.FromName ?? row.DisplayName;
        var attachments = files.Select(f => new Attachment(f.FileName, f.ContentType, f.Content));
        var mailing = new PreparedCampaign(id, row.UserId, row.Name, sender, Mailbox.Named(sender, options.From.Address),
            Mailbox.TryParse(row.ReplyTo ?? row.Email), text, [.. attachments], await links.Signer(ct),
            CultureInfo.GetCultureInfo(row.Language));
        lock (_ready)
        {
            if (_ready.Count >= Kept)
            {
                _ready.Clear();
            }
            _ready[(id, row.Version)] = mailing;
        }
        return mailing;
    }

    /// <summary>Sends a message when it is its turn.</summary>
    /// <param name="mailing">The campaign.</param>
    /// <param name="message">To whom.</param>
    /// <param name="kind">Whether it waits for its turn among many.</param>
    /// <param name="leaving">Called before the first byte leaves; what it throws is thrown, and nothing leaves.</param>
    /// <param name="ct">Calls it off, as long as it has not left.</param>
    public async Task<SmtpResult> Send(
        PreparedCampaign mailing, Message message, MailKind kind, Func<CancellationToken, Task> leaving, CancellationToken ct)
    {
        if (Mailbox.TryParse(message.Email) is not { } to)
        {
            await leaving(ct);
            return new SmtpResult(SmtpOutcome.Rejected, SmtpPhase.Recipient, 553, "5.1.3", "not an address");
        }
        using var built = Build(mailing, message, to);
        if (_server is not null)
        {
            return await _server.SendAsync(new Envelope(options.From, to), built, kind, leaving, ct);
        }
        await leaving(ct);
        await options.ToOutbox(message.Id, built, CancellationToken.None);
        return new SmtpResult(SmtpOutcome.Accepted, SmtpPhase.End, 0, null, "outbox");
    }

    private MimeMessage Build(PreparedCampaign mailing, Message message, Mailbox to)
    {
        var unsubscribe = address.Link($"/u/{mailing.Links.Sign(LinkPurpose.Unsubscribe, message.Id)}").ToString();
        var values = new MergeValues(
            message.Email, message.Name, message.Organization, mailing.Name, mailing.SenderName, unsubscribe, message.Phone,
            FieldValues.Words(message.Fields, mailing.Language));
        var (subject, html, text) = mailing.Text.Fill(values);
        var named = message.Name is { } name && !name.AsSpan().ContainsAny('\r', '\n', '\0') ? Mailbox.Named(name, to.Address) : to;
        return new MailMessage(mailing.From, named, message.SubjectPrefix + subject, text)
        {
            Html = TrackedHtml.Fill(html, message.Id, mailing.Links, address.Link),
            ReplyTo = mailing.ReplyTo,
            MessageId = $"{message.Id}@{options.From.Domain}",
            Attachments = mailing.Attachments,
            Headers =
            [
                ("List-Unsubscribe", $"<{unsubscribe}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                ("Precedence", "bulk"),
            ],
        }.Build(options.Signer);
    }

    /// <summary>In the campaign's language: whoever sends it is not there.</summary>
    private (MessageText Text, IReadOnlyList<string> Urls) Compile(Row row)
    {
        var before = CultureInfo.CurrentUICulture;
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(row.Language);
        try
        {
            IReadOnlyList<string> urls = [];
            var text = MessageText.Of(row.Subject, row.Content, words, html =>
            {
                (var tracked, urls) = TrackedHtml.Of(PictureAddresses.Whole(html, address), row.TrackClicks, row.TrackOpens);
                return tracked;
            });
            return (text, urls);
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }
}
