using System.Security.Cryptography;
using MimeKit;
using Sankore.Platform.Mail;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>
/// What a mail server writes back: that a message could not be delivered, or was (RFC 3464), or that its recipient calls it unwanted (RFC
/// 5965). Which message it is about is read from the Message-ID of what comes back of it.
/// </summary>
public static class MailReport
{
    /// <summary>
    /// What a report says; null: it is no report, or not of a message of ours. Empty: it says nothing that matters, such as that it was
    /// passed on.
    /// </summary>
    public static IReadOnlyList<DeliveryEvent>? Read(byte[] mail)
    {
        using var read = ReceivedMail.Read(mail);
        if (read?.Body is not Multipart report || !report.ContentType.IsMimeType("multipart", "report")
            || Original(report) is not { } message)
        {
            return null;
        }
        var name = Convert.ToHexStringLower(SHA256.HashData(mail));
        var at = read.Headers.Contains(HeaderId.Date) ? Moment.Of(read.Date) : null;
        if (report.OfType<MessageDeliveryStatus>().FirstOrDefault() is { } status)
        {
            // The first group is the message's, the others are each recipient's.
            var recipients = status.StatusGroups.Skip(1);
            return [.. recipients.Select((fields, n) => OfStatus($"{name}:{n}", message, at, fields)).OfType<DeliveryEvent>()];
        }
        var feedback = report.OfType<MessageFeedbackReport>().FirstOrDefault();
        return feedback is null ? null : OfFeedback(name, message, at, feedback.Fields);
    }

    private static DeliveryEvent? OfStatus(string id, Guid message, Moment? at, HeaderList fields)
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

    private static IReadOnlyList<DeliveryEvent> OfFeedback(string id, Guid message, Moment? at, HeaderList fields)
    {
        var kind = Value(fields, "Feedback-Type").ToLowerInvariant() switch
        {
            "abuse" or "fraud" or "virus" or "other" => "complained",
            "opt-out" => "unsubscribed",
            _ => null,
        };
        return kind is null ? [] : [DeliveryEvent.Of(id, message, kind, at, null, Value(fields, "User-Agent"))];
    }

    /// <summary>Our message, of which all or the headers come back.</summary>
    private static Guid? Original(Multipart report) => report.OfType<MessagePart>()
        .Select(part => DeliveryEvent.MessageOf(part.Message?.Headers[HeaderId.MessageId])).FirstOrDefault(id => id is not null);

    private static string Value(HeaderList fields, string name) => fields[name]?.Trim() ?? "";
}
