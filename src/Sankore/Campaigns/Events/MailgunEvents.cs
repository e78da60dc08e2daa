using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// Mailgun's webhooks: one event each, with <c>signature {timestamp, token, signature}</c>, an HMAC-SHA256 of timestamp and token. The
/// signature says nothing of the event, and what is repeated counts once: its age is not asked.
/// </summary>
internal static class MailgunEvents
{
    /// <summary>The events of a request. Refuses with SIGNATURE_INVALID, BAD_REQUEST.</summary>
    public static IReadOnlyList<DeliveryEvent?> Read(byte[] key, byte[] body)
    {
        var events = EventsApi.Objects(body).ToList();
        return events.Count > 0 && events.TrueForAll(e => IsSigned(key, e)) ? [.. events.Select(Of)]
            : throw new Refusal(Reason.SignatureInvalid);
    }

    private static bool IsSigned(byte[] key, JsonElement said) =>
        (said.Said("signature", "timestamp"), said.Said("signature", "token"), said.Said("signature", "signature"))
            is ({ Length: > 0 } time, { Length: > 0 } token, { } signature)
        && GenericEvents.IsMac(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(time + token)), signature);

    private static DeliveryEvent? Of(JsonElement said)
    {
        if (!said.TryGetProperty("event-data", out var data)
            || DeliveryEvent.MessageOf(data.Said("message", "headers", "message-id")) is not { } message)
        {
            return null;
        }
        var kind = (data.Said("event"), data.Said("severity")) switch
        {
            ("delivered" or "opened" or "clicked" or "unsubscribed" or "complained", _) => data.Said("event"),
            ("failed", "temporary") => "deferred",
            ("failed", _) => "bounced",
            _ => null,
        };
        var code = data.Said("delivery-status", "enhanced-code") is { Length: > 0 } enhanced ? enhanced
            : data.Said("delivery-status", "code");
        var detail = data.Said("delivery-status", "message") is { Length: > 0 } text ? text : data.Said("delivery-status", "description");
        return kind is null ? null
            : DeliveryEvent.Of(data.Said("id"), message, kind, EventsApi.Moment(data.Said("timestamp")), code, detail);
    }
}
