using System.Globalization;
using System.Security.Cryptography;
using Sankore.Platform.Mail;

namespace Sankore.Campaigns.Events;

/// <summary>
/// What a mail server writes back: that a message could not be delivered, or was (RFC 3464), or that its recipient calls it unwanted (RFC 5965). Which message it is about is read from the
/// Message-ID of what comes back of it.
/// </summary>
public static class MailReport
{
    /// <summary>What a report says; null: it is no report, or not of a message of ours. Empty: it says nothing that matters, such as that it was passed on.</summary>
    public static IReadOnlyList<DeliveryEvent>? Read(ReadOnlyMemory<byte> mail)
    {
        var root = MimePart.Read(mail);
        if (root.Type != "multipart/report" || Original(root) is not { } message)
        {
            return null;
        }
        var name = Convert.ToHexStringLower(SHA256.HashData(mail.Span));
        DateTimeOffset? at = DateTimeOffset.TryParse(root.Header("Date").Split('(')[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;
        if (root.Parts.FirstOrDefault(p => p.Type is "message/delivery-status" or "message/global-delivery-status") is { } status)
        {
            return [.. Groups(status).Skip(1).Select((fields, n) => OfStatus($"{name}:{n}", message, at, fields)).OfType<DeliveryEvent>()];
        }
        return root.Parts.FirstOrDefault(p => p.Type == "message/feedback-report") is { } feedback ? [.. Groups(feedback).Take(1).Select(fields => OfFeedback(name, message, at, fields)).OfType<DeliveryEvent>()] : null;
    }

    private static DeliveryEvent? OfStatus(string id, Guid message, DateTimeOffset? at, Dictionary<string, string> fields)
    {
        var kind = Value(fields, "Action").Split(' ', ';', '(')[0].ToLowerInvariant() switch
        {
            "failed" => "bounced",
            "delayed" => "deferred",
            "delivered" => "delivered",
            // Relayed and expanded: nobody will say more.
            _ => null,
        };
        var code = Value(fields, "Status").Split(' ', '(')[0];
        return kind is null ? null : DeliveryEvent.Of(id, message, kind, at, code, Value(fields, "Diagnostic-Code"));
    }

    private static DeliveryEvent? OfFeedback(string id, Guid message, DateTimeOffset? at, Dictionary<string, string> fields)
    {
        var kind = Value(fields, "Feedback-Type").ToLowerInvariant() switch
        {
            "abuse" or "fraud" or "virus" or "other" => "complained",
            "opt-out" => "unsubscribed",
            _ => null,
        };
        return kind is null ? null : DeliveryEvent.Of(id, message, kind, at, null, Value(fields, "User-Agent"));
    }

    private static Guid? Original(MimePart root) => root.Parts.Select(part => part.Type switch
    {
        "message/rfc822" or "message/global" => DeliveryEvent.MessageOf(part.Parts is [var inner, ..] ? inner.Header("Message-ID") : null),
        "text/rfc822-headers" or "message/global-headers" => DeliveryEvent.MessageOf(MimePart.Read(part.Content()).Header("Message-ID")),
        _ => null,
    }).FirstOrDefault(id => id is not null);

    /// <summary>Groups of fields with empty lines between them (RFC 3464, 2.1): the message's, then each recipient's.</summary>
    private static IEnumerable<Dictionary<string, string>> Groups(MimePart part) => part.Text().ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
        .Select(group => MimePart.Read(System.Text.Encoding.UTF8.GetBytes(group.TrimStart('\n') + "\n\n")).Fields.DistinctBy(f => f.Name.ToUpperInvariant()).ToDictionary(f => f.Name, f => f.Value, StringComparer.OrdinalIgnoreCase))
        .Where(group => group.Count > 0);

    private static string Value(Dictionary<string, string> fields, string name) => fields.TryGetValue(name, out var value) ? value.Trim() : "";
}
