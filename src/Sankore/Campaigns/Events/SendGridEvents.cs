using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// SendGrid's signed event webhook: a list of events, and an ECDSA signature (P-256, SHA-256, in DER) of timestamp and body. What is
/// repeated counts once: its age is not asked.
/// </summary>
internal static class SendGridEvents
{
    private const string SignatureHeader = "X-Twilio-Email-Event-Webhook-Signature", TimeHeader = "X-Twilio-Email-Event-Webhook-Timestamp";

    /// <summary>The events of a request. Refuses with SIGNATURE_INVALID, BAD_REQUEST.</summary>
    public static IReadOnlyList<DeliveryEvent?> Read(byte[] publicKey, IHeaderDictionary headers, byte[] body) =>
        IsSigned(publicKey, headers[SignatureHeader].ToString(), headers[TimeHeader].ToString(), body)
            ? [.. EventsApi.Objects(body).SelectMany(Of)] : throw new Refusal(Reason.SignatureInvalid);

    private static bool IsSigned(byte[] publicKey, string signature, string time, byte[] body)
    {
        var bytes = new byte[signature.Length];
        if (signature.Length == 0 || !Convert.TryFromBase64String(signature, bytes, out var length))
        {
            return false;
        }
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        return key.VerifyData(
            [.. Encoding.UTF8.GetBytes(time), .. body], bytes.AsSpan(0, length), HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence);
    }

    private static IEnumerable<DeliveryEvent?> Of(JsonElement said)
    {
        var (told, reason) = (said.Said("event"), said.Said("reason"));
        var kind = told switch
        {
            "delivered" => "delivered",
            "bounce" or "dropped" => "bounced",
            "deferred" => "deferred",
            "spamreport" => "complained",
            "open" => "opened",
            "click" => "clicked",
            "unsubscribe" or "group_unsubscribe" => "unsubscribed",
            _ => null,
        };
        if (kind is null || DeliveryEvent.MessageOf(said.Said("smtp-id")) is not { } message)
        {
            return [null];
        }
        var (id, at) = (said.Said("sg_event_id"), EventsApi.Moment(said.Said("timestamp")));
        // « blocked » is a refusal of the moment. What SendGrid itself drops it has a reason for: a person's wish is no bounce.
        var wish = told != "dropped" ? null : reason switch
        {
            "Unsubscribed Address" => "unsubscribed",
            "Spam Reporting Address" => "complained",
            _ => null,
        };
        var isMailbox = told == "dropped" ? reason is "Bounced Address" or "Invalid" : said.Said("type") != "blocked";
        var bounce = DeliveryEvent.Of(id, message, kind, at, said.Said("status"), reason ?? said.Said("response"), isMailbox);
        return wish is null ? [bounce] : [bounce, DeliveryEvent.Of(id is null ? null : $"{id}:{wish}", message, wish, at, null, reason)];
    }
}
