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
            ? [.. EventsApi.Objects(body).Select(Of)] : throw new Refusal(Reason.SignatureInvalid);

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

    private static DeliveryEvent? Of(JsonElement said)
    {
        var kind = said.Said("event") switch
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
        // « blocked » is a refusal of the moment; what SendGrid itself drops says something of the address only where it bounced before.
        var spares = said.Said("type") == "blocked" || (said.Said("event") == "dropped" && said.Said("reason") != "Bounced Address");
        return kind is not null && DeliveryEvent.MessageOf(said.Said("smtp-id")) is { } message
            ? DeliveryEvent.Of(
                said.Said("sg_event_id"), message, kind, EventsApi.Moment(said.Said("timestamp")), said.Said("status"), said.Said("reason")
                ?? said.Said("response"), spares)
            : null;
    }
}
