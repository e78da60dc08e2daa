using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>What somebody who leaves is shown.</summary>
/// <param name="Sender">Who writes.</param>
/// <param name="Address">The address that is written to, masked.</param>
/// <param name="Suppression">What ends it: <c>unsubscribed</c>, <c>complained</c>; null where any of the person's addresses is still
/// written to.</param>
/// <param name="IsTry">Whether the message was sent by its author to themselves: its link does nothing.</param>
public sealed record Subscription(string Sender, string Address, string? Suppression, bool IsTry)
{
    /// <summary>Whether they have left.</summary>
    public bool HasLeft => Suppression is "unsubscribed" or "complained";

    /// <summary>Whether they may come back here: what they complained of stays.</summary>
    public bool MayReturn => Suppression is "unsubscribed";
}

/// <summary>
/// Leaving, and coming back, by the link that every message has (RFC 8058). The link is all the proof there is, so that it needs no
/// session.
/// </summary>
public sealed class Unsubscriptions(Db db, SignedLinks links, ProgressFeed progress)
{
    private const string OneSql = """
        select w.sender, coalesce(w.address, '') as address, l.reason as suppression, w.is_try
        from campaigns.written(@message) w
        cross join lateral (
          select case when bool_and(s.email_key is not null) then min(s.reason) end as reason
          from (select distinct util.address_key(a) as email_key from unnest(w.addresses) a) k
          left join campaigns.suppressions s on s.user_id = w.user_id and s.email_key = k.email_key
            and s.reason in ('complained', 'unsubscribed')) l
        """;

    private const string ReturnSql = "select campaigns.resubscribe(@message)";

    /// <summary>What a link is about. Refuses with NOT_FOUND, the same for a link that is forged and one whose message is gone.</summary>
    public async Task<Subscription> Find(string token, CancellationToken ct)
    {
        var message = await Message(token, ct);
        return await db.Read(Caller.Service, session => Find(session, message), ct);
    }

    /// <summary>
    /// Leaves: the sender's campaigns do not write to the address again. Done twice it is done once. Refuses with NOT_FOUND.
    /// </summary>
    public async Task Leave(string token, CancellationToken ct)
    {
        var message = await Message(token, ct);
        var taken = await db.Run(Caller.Service, async session =>
        {
            var found = await Find(session, message);
            return found.HasLeft || found.IsTry ? null : await DeliveryEvents.Take(session, "sankore",
                [DeliveryEvent.Of($"leave:{message}:{Guid.CreateVersion7()}", message, "unsubscribed", null, null, null)]);
        }, ct);
        progress.Changed(taken?.Changed ?? []);
    }

    /// <summary>Comes back: takes the person's own unsubscription off the list, and nothing else. Refuses with NOT_FOUND.</summary>
    public async Task Return(string token, CancellationToken ct)
    {
        var message = await Message(token, ct);
        var campaign = await db.Run(Caller.Service, async session =>
        {
            await Find(session, message);
            return await session.Value<Guid?>(ReturnSql, new { message });
        }, ct);
        progress.Changed(campaign is { } id ? [id] : []);
    }

    /// <summary>Enough of an address to know it again, for whoever has it: <c>a•••@exemple.cg</c>.</summary>
    internal static string Masked(string address) => address.IndexOf('@', StringComparison.Ordinal) is > 0 and var at
        ? $"{address[..(char.IsHighSurrogate(address[0]) ? 2 : 1)]}•••{address[at..]}" : "•••";

    private async Task<Guid> Message(string token, CancellationToken ct) =>
        (await links.Read(LinkPurpose.Unsubscribe, token, ct) ?? throw new Refusal(Reason.NotFound)).Message;

    private static async Task<Subscription> Find(Session session, Guid message)
    {
        var found = await session.One<Subscription>(OneSql, new { message });
        return found.Address.Length == 0 ? found : found with { Address = Masked(found.Address) };
    }
}
