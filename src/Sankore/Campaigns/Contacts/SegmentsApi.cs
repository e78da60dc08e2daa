using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Segments over HTTP.</summary>
internal static class SegmentsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/segments", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapGet("/{id:guid}", Find).RequireModule(Code);
        api.MapPost("", Create).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/{id:guid}", Update).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);
    }

    private static Task<IReadOnlyList<Segment>> List(Caller caller, Segments segments, CancellationToken ct) => segments.List(caller, ct);

    private static Task<Segment> Find(Caller caller, Guid id, Segments segments, CancellationToken ct) => segments.Find(caller, id, ct);

    private static async Task<Created<Segment>> Create(Caller caller, SegmentInput input, Segments segments, CancellationToken ct)
    {
        var segment = await segments.Create(caller, input, ct);
        return TypedResults.Created($"/api/campaigns/segments/{segment.Id}", segment);
    }

    private static Task<Segment> Update(
        Caller caller, Guid id, IfMatch match, SegmentInput input, Segments segments, CancellationToken ct) =>
        segments.Update(caller, id, match.Or(input.Version), input, ct);

    private static async Task Delete(Caller caller, Guid id, bool? anyway, Segments segments, CancellationToken ct) =>
        await segments.Delete(caller, id, anyway ?? false, ct);
}
