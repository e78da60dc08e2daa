using System.Globalization;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>What became of a campaign's messages and links, over HTTP.</summary>
internal static class RecipientsApi
{
    private static readonly string[] ExportHead =
    [
        "contacts.email", "contacts.organization", "recipients.status", "recipients.code", "recipients.error", "recipients.sent",
        "recipients.delivered", "recipients.opened", "recipients.clicked", "recipients.unsubscribed", "recipients.complained",
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/{id:guid}", "campaigns");
        api.MapGet("/recipients", List).RequireModule(Code);
        api.MapGet("/recipients/export", Export).RequireModule(Code, ModuleRight.Export);
        api.MapGet("/links", Links).RequireModule(Code);
    }

    private static Task<Paged<Recipient>> List(
        Caller caller, Guid id, [AsParameters] ListQuery query, string? status, Recipients recipients, CancellationToken ct) =>
        recipients.List(caller, id, query, status, ct);

    private static async Task<IResult> Export(Caller caller, Guid id, string? q, string? status, string? format,
        Recipients recipients, IStringLocalizer<Strings> strings, HttpContext context)
    {
        var rows = await recipients.All(caller, id, q, status, context.RequestAborted);
        return Exports.File(format, "recipients", [.. ExportHead.Select(key => strings[key].Value)], rows, Cells);
    }

    private static Task<IReadOnlyList<CampaignLink>> Links(Caller caller, Guid id, Recipients recipients, CancellationToken ct) =>
        recipients.Links(caller, id, ct);

    // States by their names, as the API has them; times on the clocks of the pages.
    private static string?[] Cells(Recipient r) =>
    [
        r.Email, r.Organization, r.Status, r.Code, r.Error, Time(r.SentAt), Time(r.DeliveredAt), Time(r.OpenedAt), Time(r.ClickedAt),
        Time(r.UnsubscribedAt), Time(r.ComplainedAt),
    ];

    private static string? Time(DateTime? at) =>
        at is { } utc ? Days.Local(utc).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : null;
}
