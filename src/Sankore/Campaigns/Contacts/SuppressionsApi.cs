using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>The suppression list over HTTP.</summary>
internal static class SuppressionsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/suppressions", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapPost("", Add).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/{id:guid}", Remove).RequireModule(Code, ModuleRight.Delete);
    }

    private static Task<Paged<Suppression>> List(
        Caller caller, [AsParameters] ListQuery query, string? reason, Suppressions suppressions, CancellationToken ct) =>
        suppressions.List(caller, query, reason, ct);

    private static async Task<Created<Suppression>> Add(
        Caller caller, SuppressionInput input, Suppressions suppressions, CancellationToken ct) =>
        TypedResults.Created("/api/campaigns/suppressions", await suppressions.Add(caller, input, ct));

    private static async Task Remove(Caller caller, Guid id, Suppressions suppressions, CancellationToken ct) =>
        await suppressions.Remove(caller, id, ct);
}
