using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>A person's pictures for messages, over HTTP.</summary>
internal static class PicturesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/pictures", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapPost("", Add).RequireModule(Code, ModuleRight.Write).TakesPicture().Produces<Picture>(StatusCodes.Status201Created);
        api.MapDelete("/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);
    }

    private static Task<Paged<Picture>> List(
        Caller caller, [AsParameters] ListQuery query, Pictures pictures, CancellationToken ct) => pictures.List(caller, query, ct);

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task<IResult> Add(HttpContext context, Caller caller, Pictures pictures, CancellationToken ct)
    {
        var picture = await pictures.Add(caller, await context.Request.ReadPicture(ct), ct);
        return TypedResults.Created(picture.Address, picture);
    }

    private static Task<Deleted> Delete(Caller caller, Guid id, MessagePictures pictures, CancellationToken ct) =>
        pictures.Delete(caller, id, ct);
}
