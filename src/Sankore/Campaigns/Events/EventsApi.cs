using System.Text.Json;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>What mail servers and providers tell over HTTP: anonymous, and signed in each one's way.</summary>
internal static class EventsApi
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapApi("/api/campaigns", "campaigns").MapPost("/events/{provider}", Take).AllowAnonymous();

    /// <summary>
    /// Takes what a provider tells. Refuses with NOT_FOUND (a provider that is not configured), SIGNATURE_INVALID, BAD_REQUEST (no JSON),
    /// TOO_LARGE (over 1 MB).
    /// </summary>
    private static async Task<EventsTaken> Take(
        HttpRequest request, string provider, DeliverySources sources, DeliveryEvents events, TimeProvider time, CancellationToken ct)
    {
        var read = Reader(provider, sources) ?? throw new Refusal(Reason.NotFound);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, ct);
        return await events.Take(provider, read(request.Headers, body.ToArray(), time.GetUtcNow()), ct);
    }

    /// <summary>How a provider's request is read once its signature is right; null: it is not configured.</summary>
    private static Func<IHeaderDictionary, byte[], DateTimeOffset, IReadOnlyList<DeliveryEvent?>>? Reader(
        string provider, DeliverySources sources) => provider switch
        {
            "generic" when sources.Generic is { } key => (headers, body, now) => GenericEvents.Read(key, headers, body, now),
            "mailgun" when sources.Mailgun is { } key => (_, body, _) => MailgunEvents.Read(key, body),
            "sendgrid" when sources.SendGrid is { } key => (headers, body, _) => SendGridEvents.Read(key, headers, body),
            _ => null,
        };

    /// <summary>The members of a list, or the one object that stands for it. Refuses with BAD_REQUEST.</summary>
    internal static IEnumerable<JsonElement> Objects(byte[] body)
    {
        using var document = JsonDocument.Parse(body);
        var root = document.RootElement.Clone();
        var objects = root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : new[] { root };
        return objects.All(o => o.ValueKind == JsonValueKind.Object) ? objects : throw new Refusal(Reason.BadRequest);
    }

    /// <summary>A member as text, down a path; null where there is none or it is neither text nor number.</summary>
    internal static string? Said(this JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return null;
            }
        }
        return element.ValueKind switch
        {
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Number => element.GetRawText(),
            _ => null,
        };
    }

    /// <summary>Seconds since 1970, with their fraction, as a time; null for what is none.</summary>
    internal static Moment? Moment(string? seconds) =>
        double.TryParse(seconds, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? Platform.Text.Moment.OfUnixSeconds(number) : null;
}
