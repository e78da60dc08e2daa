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
        return events.Count > 0 && events.TrueForAll(e => IsSigned(key, e)) ? [.. events.SelectMany(Of)]
            : throw new Refusal(Reason.SignatureInvalid);
    }

    private static bool IsSigned(byte[] key, JsonElement said) =>
        (said.Said("signature", "timestamp"), said.Said("signature", "token"), said.Said("signature", "signature"))
            is ({ Length: > 0 } time, { Length: > 0 } token, { } signature)
        && GenericEvents.IsMac(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(time + token)), signature);

    private static IEnumerable<DeliveryEvent?> Of(JsonElement said)
    {
        if (!said.TryGetProperty("event-data", out var data)
            || DeliveryEvent.MessageOf(data.Said("message", "headers", "message-id")) is not { } message)
        {
            return [null];
        }
        var (reason, isFailure) = (data.Said("reason"), data.Said("event") == "failed");
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
        var (id, at) = (data.Said("id"), EventsApi.Moment(data.Said("timestamp")));
        // What Mailgun itself does not send: its own lists say why, and a person's wish is no bounce.
        var wish = !isFailure ? null : reason switch
        {
            "suppress-unsubscribe" => "unsubscribed",
            "suppress-complaint" => "complained",
            _ => null,
        };
        return kind is null ? [null]
            : wish is null ? [DeliveryEvent.Of(id, message, kind, at, code, detail, reason is "bounce" or "suppress-bounce" or null)]
            : [
                DeliveryEvent.Of(id, message, kind, at, code, detail),
                DeliveryEvent.Of(id is null ? null : $"{id}:{wish}", message, wish, at, null, detail)];
    }
}
