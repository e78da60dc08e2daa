using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>
/// Events in our own form, for a mail server's own scripts: <c>{messageId | id, event, at, code, detail, eventId}</c> or a list of such,
/// signed by
/// <c>X-Sankore-Signature: t=UNIX,v1=HEX</c>, an HMAC-SHA256 of <c>UNIX.BODY</c>, and not older than five minutes.
/// </summary>
internal static class GenericEvents
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>The events of a request. Refuses with SIGNATURE_INVALID, BAD_REQUEST.</summary>
    public static IReadOnlyList<DeliveryEvent?> Read(byte[] key, IHeaderDictionary headers, byte[] body, DateTimeOffset now) =>
        IsSigned(key, headers["X-Sankore-Signature"].ToString(), body, now) ? [.. EventsApi.Objects(body).Select(Of)]
            : throw new Refusal(Reason.SignatureInvalid);

    private static bool IsSigned(byte[] key, string header, byte[] body, DateTimeOffset now)
    {
        var parts = header.Split(',', StringSplitOptions.TrimEntries).Select(p => p.Split('=', 2)).Where(p => p.Length == 2)
            .ToLookup(p => p[0], p => p[1]);
        var time = parts["t"].FirstOrDefault() ?? "";
        byte[] signed = [.. Encoding.UTF8.GetBytes(time), (byte)'.', .. body];
        return long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && Math.Abs(now.ToUnixTimeSeconds() - (double)seconds) <= Tolerance.TotalSeconds
            && parts["v1"].Any(given => IsMac(HMACSHA256.HashData(key, signed), given));
    }

    /// <summary>Whether a text is the code in hexadecimal digits, compared in constant time.</summary>
    internal static bool IsMac(byte[] mac, string given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(mac)), Encoding.UTF8.GetBytes(given));

    private static DeliveryEvent? Of(JsonElement said)
    {
        var message = DeliveryEvent.MessageOf(said.Said("messageId") ?? said.Said("id"));
        var kind = said.Said("event");
        return message is { } id && DeliveryEvent.Kinds.Contains(kind)
            ? DeliveryEvent.Of(said.Said("eventId"), id, kind!, Moment.Parse(said.Said("at")), said.Said("code"),
                said.Said("detail"), isMailbox: true) : null;
    }
}
