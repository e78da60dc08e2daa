using System.Globalization;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns.Events;

/// <summary>What became of a campaign's messages and links, over HTTP.</summary>
internal static class RecipientsApi
{
    /// <summary>Maps the endpoints, each under the right that it needs.</summary>
    public static void Map(RouteGroupBuilder read, RouteGroupBuilder export)
    {
        read.MapGet("/{id:guid}/recipients", (Caller caller, Guid id, [AsParameters] ListQuery query, string? status, Recipients use, CancellationToken ct) => use.List(caller, id, query, status, ct));
        read.MapGet("/{id:guid}/links", (Caller caller, Guid id, Recipients use, CancellationToken ct) => use.Links(caller, id, ct));
        export.MapGet("/{id:guid}/recipients/export", async (Caller caller, Guid id, string? q, string? status, string? format, Recipients use, IStringLocalizer<Strings> strings, CancellationToken ct) =>
            Exports.File(format, "recipients", Head(strings), await use.All(caller, id, q, status, ct), Cells));
    }

    private static string?[] Head(IStringLocalizer<Strings> strings) =>
        [.. new[] { "contacts.email", "contacts.organization", "recipients.status", "recipients.code", "recipients.error", "recipients.sent", "recipients.delivered", "recipients.opened", "recipients.clicked", "recipients.unsubscribed", "recipients.complained" }
            .Select(key => strings[key].Value)];

    // States by their names, as the API has them; times on the clocks of the pages.
    private static string?[] Cells(Recipient r) =>
        [r.Email, r.Organization, r.Status, r.Code, r.Error, Time(r.SentAt), Time(r.DeliveredAt), Time(r.OpenedAt), Time(r.ClickedAt), Time(r.UnsubscribedAt), Time(r.ComplainedAt)];

    private static string? Time(DateTime? at) => at?.Add(Days.Offset).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
