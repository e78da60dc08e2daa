using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>What campaigns carry, over HTTP.</summary>
internal static class AttachmentsApi
{
    // The form around one file is small.
    private const int MaxRequestBytes = Attachments.MaxBytes + 64 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/{id:guid}/attachments", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapGet("/{file:guid}", Download).RequireModule(Code);
        api.MapPost("", Add).RequireModule(Code, ModuleRight.Write)
            .Accepts<IFormFile>("multipart/form-data").Produces<AttachedFile>(StatusCodes.Status201Created)
            .WithMetadata(new RequestSizeLimitAttribute(MaxRequestBytes), new RequestTimeoutAttribute(RequestForms.UploadMilliseconds));
        api.MapDelete("/{file:guid}", Remove).RequireModule(Code, ModuleRight.Write);
    }

    private static Task<IReadOnlyList<AttachedFile>> List(Caller caller, Guid id, Attachments attachments, CancellationToken ct) =>
        attachments.List(caller, id, ct);

    private static async Task<FileContentHttpResult> Download(
        Caller caller, Guid id, Guid file, Attachments attachments, CancellationToken ct)
    {
        var found = await attachments.Find(caller, id, file, ct);
        return TypedResults.File(found.Content, found.ContentType, found.FileName);
    }

    private static Task Remove(Caller caller, Guid id, Guid file, Attachments attachments, CancellationToken ct) =>
        attachments.Remove(caller, id, file, ct);

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task<IResult> Add(HttpContext context, Caller caller, Guid id, Attachments attachments, CancellationToken ct)
    {
        var form = await context.Request.ReadForm(MaxRequestBytes, ct, Attachments.TooLarge);
        new Validation().That("file", form.Files["file"] is not null, "field.required").Check();
        var file = form.Files["file"]!;
        await using var stream = file.OpenReadStream();
        var added = await attachments.Add(caller, id, file.FileName, stream, ct);
        return TypedResults.Created($"/api/campaigns/{id}/attachments/{added.Id}", added);
    }
}
