using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>The messages that wait in the outbox while no mail server is configured, over HTTP.</summary>
internal static class OutboxApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/outbox", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapGet("/{id:guid}", Download).RequireModule(Code).Produces(StatusCodes.Status200OK, contentType: "message/rfc822");

        routes.MapGet("/campaigns/outbox/{id:guid}/preview", Preview).RequireModule(Code).ExcludeFromDescription();
        routes.MapGet("/campaigns/outbox/{id:guid}/eml", Download).RequireModule(Code).ExcludeFromDescription();
    }

    private static Task<Paged<OutboxMessage>> List(
        Caller caller, [AsParameters] ListQuery query, CampaignOutbox outbox, CancellationToken ct) =>
        outbox.List(caller, query, ct);

    private static async Task<IResult> Download(Caller caller, Guid id, CampaignOutbox outbox, CancellationToken ct) =>
        TypedResults.File((await outbox.Find(caller, id, ct)).Raw, "message/rfc822", $"{id}.eml");

    private static Task<RazorComponentResult> Preview(
        HttpContext context, Caller caller, Guid id, CampaignOutbox outbox, CancellationToken ct) =>
        PreviewDocuments.Show(context, async () => (await outbox.Find(caller, id, ct)).Filled, isSent: true);
}
