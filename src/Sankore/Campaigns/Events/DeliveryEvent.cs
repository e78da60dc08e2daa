using System.Security.Cryptography;
using System.Text;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>What somebody said of a message after it had left.</summary>
/// <param name="Id">The teller's own name for it, at most 200 characters: what is told twice counts once.</param>
/// <param name="Message">Of which message.</param>
/// <param name="Kind">One of <see cref="Kinds"/>.</param>
/// <param name="At">When, in UTC.</param>
/// <param name="Code">An enhanced status code (RFC 3463) or the like.</param>
/// <param name="Detail">What the mail server said.</param>
/// <param name="Suppresses">Whether the address is not to be written to again.</param>
public sealed record DeliveryEvent(string Id, Guid Message, string Kind, DateTime At, string? Code, string? Detail, bool Suppresses)
{
    /// <summary>The kinds there are. <c>bounced</c> is for good; <c>deferred</c> is kept and changes nothing.</summary>
    public static readonly string[] Kinds = ["delivered", "bounced", "deferred", "complained", "opened", "clicked", "unsubscribed"];

    /// <summary>An event in its one form.</summary>
    /// <param name="id">The teller's name for it; null: it is named by what it says.</param>
    /// <param name="message">Of which message.</param>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="at">When; null: nobody said, so now.</param>
    /// <param name="code">The status code.</param>
    /// <param name="detail">What was said; cut to 500 characters, without control characters.</param>
    /// <param name="isMailbox">Of a bounce: the teller itself says that there is no such mailbox, if status and words do not.</param>
    public static DeliveryEvent Of(
        string? id, Guid message, string kind, Moment? at, string? code, string? detail, bool isMailbox = false) => new(
        Named(id is { Length: > 0 } ? id : $"{kind}:{message}:{((DateTimeOffset?)at)?.ToUnixTimeMilliseconds()}"), message, kind,
        at?.Utc ?? DateTime.UtcNow, Clean(code, 60), Clean(detail, 500),
        kind is "complained" or "unsubscribed" || (kind == "bounced" && MailFaults.OfBounce(code, detail, isMailbox) == MailFault.Address));

    /// <summary>The message of a Message-ID as we write them, with or without its angle brackets; null: not one of ours.</summary>
    public static Guid? MessageOf(string? messageId) =>
        messageId?.Trim().TrimStart('<').Split('@') is [var id, ..] && Guid.TryParseExact(id, "D", out var message) ? message : null;

    private static string Named(string id) =>
        id.Length <= 200 && !id.Any(char.IsControl) ? id : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private static string? Clean(string? text, int max) => string.IsNullOrWhiteSpace(text) ? null
        : new string([.. text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)]).Trim() is var clean
        ? clean[..Math.Min(clean.Length, max)] : null;
}

/// <summary>What became of events that were told.</summary>
/// <param name="Accepted">Of messages that there are, told before or not.</param>
/// <param name="Ignored">Of messages that there are not, or of a kind that nobody knows.</param>
public sealed record EventsTaken(int Accepted, int Ignored);

/// <summary>
/// Takes events, from whoever tells them, in any order and as often as they come (<c>campaigns.take_events</c>), and tells open pages.
/// </summary>
public sealed class DeliveryEvents(Db db, ProgressFeed progress)
{
    private const string TakeSql = """
        select accepted, campaigns::text[]
        from campaigns.take_events(@provider, @ids::text[], @messages::uuid[], @kinds::text[], @ats::timestamptz[], @codes::text[],
          @details::text[], @suppresses::boolean[])
        """;

    // What was said of messages that had not quite left, once they have.
    private const string WaitingSql = """
        select campaigns.publish_campaigns(s.changed) from (
          select array_agg(c) as changed from campaigns.settle_events(array(
            select distinct d.message_id from campaigns.delivery_events d
            join campaigns.emails_sent e on e.user_id = d.user_id and e.id = d.message_id
            where not d.settled and e.status not in ('pending', 'sending') limit 1000)) c) s
        where s.changed is not null
        """;

    internal static RecurringWork Waiting { get; } =
        new("campaigns: apply events that arrived before their message", TimeSpan.FromSeconds(10), WaitingSql);

    internal sealed record Taken(int Accepted, string[] Campaigns)
    {
        /// <summary>The campaigns whose figures changed.</summary>
        public IEnumerable<Guid> Changed => Campaigns.Select(Guid.Parse);
    }

    /// <summary>Takes events of one teller in one statement.</summary>
    /// <param name="provider"><c>generic</c>, <c>mailgun</c>, <c>sendgrid</c>, <c>report</c> (a mail of a mail server) or <c>sankore</c>
    /// (our own links).</param>
    /// <param name="events">What was told; null stands for what could not be understood.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<EventsTaken> Take(string provider, IReadOnlyList<DeliveryEvent?> events, CancellationToken ct)
    {
        var known = events.OfType<DeliveryEvent>().ToList();
        if (known.Count == 0)
        {
            return new EventsTaken(0, events.Count);
        }
        var taken = await db.Run(Caller.Service, session => Take(session, provider, known), ct);
        progress.Changed(taken.Changed);
        return new EventsTaken(taken.Accepted, events.Count - taken.Accepted);
    }

    /// <summary>Takes events within a unit of work, whose end is to be told to <see cref="ProgressFeed"/>.</summary>
    internal static Task<Taken> Take(Session session, string provider, IReadOnlyList<DeliveryEvent> known) =>
        session.One<Taken>(TakeSql, new
        {
            provider,
            ids = known.Select(e => e.Id).ToArray(),
            messages = known.Select(e => e.Message).ToArray(),
            kinds = known.Select(e => e.Kind).ToArray(),
            ats = known.Select(e => e.At).ToArray(),
            codes = known.Select(e => e.Code).ToArray(),
            details = known.Select(e => e.Detail).ToArray(),
            suppresses = known.Select(e => e.Suppresses).ToArray(),
        });
}
