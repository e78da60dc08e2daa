using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>Messages that have left, and what is told of them.</summary>
internal static class Delivered
{
    public const string Email = Cast.HeadOnPremium;

    /// <summary>A campaign that was sent, with one message in each of these states; the messages in that order.</summary>
    public static async Task<(Guid Campaign, Guid[] Messages)> Sent(this World world, params string[] states)
    {
        var (user, campaign, word) = (await world.IdOf(Email), Guid.CreateVersion7(), Catalogue.Word());
        var messages = states.Select(_ => Guid.CreateVersion7()).ToArray();
        await world.Execute("""
            insert into campaigns.email_campaigns (id, user_id, name, subject, content, status, from_name)
            values (@campaign, @user, @word, 'Objet', 'Texte', 'sent', 'École Bantou');
            insert into campaigns.emails_sent (id, user_id, campaign_id, recipient_email, status, error_code, sent_at)
            select m, @user, @campaign, @word || '.' || n || '@exemple.cg', split_part(s, ' ', 1), nullif(split_part(s, ' ', 2), ''), case
              when s = 'sent' then now() end
            from unnest(@messages, @states) with ordinality t (m, s, n)
            """, new { campaign, user, word, messages, states });
        return (campaign, messages);
    }

    /// <summary>A message as one line: state, code, which times it has, and why its address is not written to.</summary>
    public static Task<string> Line(this World world, Guid message) => world.Sql<string>("""
        select concat_ws(' ', e.status, e.error_code, case when delivered_at is not null then 'D' end, case
            when opened_at is not null then 'O' end, case when clicked_at is not null then 'C' end,
          case when unsubscribed_at is not null then 'U' end, case when complained_at is not null then 'P' end, '|' || s.reason)
        from campaigns.emails_sent e left join campaigns.suppressions s on s.user_id = e.user_id and s.email = e.recipient_email
        where e.id = @message
        """, new { message });

    /// <summary>A request in our own form, signed as its description says.</summary>
    public static Task<HttpResponseMessage> Tell(
        this HttpClient client, object body, string key = EventsWorld.GenericKey, DateTimeOffset? at = null, string? signature = null)
    {
        var text = body as string ?? JsonSerializer.Serialize(body);
        var time = (at ?? DateTimeOffset.UtcNow).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var mac = Convert.ToHexString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{time}.{text}")))
            .ToLowerInvariant();
        var content = new StringContent(text, Encoding.UTF8, "application/json");
        content.Headers.Add("X-Sankore-Signature", signature ?? $"t={time},v1={mac}");
        return client.Ask(HttpMethod.Post, "/api/campaigns/events/generic", content);
    }
}
