using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Security;

namespace Sankore.Campaigns.Mailing;

/// <summary>What campaigns carry, over HTTP.</summary>
internal static class AttachmentsApi
{
    // The form around one file is small.
    private const int MaxRequestBytes = Attachments.MaxBytes + 64 * 1024;

    /// <summary>Maps the endpoints, each under the right that it needs.</summary>
    public static void Map(RouteGroupBuilder read, RouteGroupBuilder write)
    {
        read.MapGet("/{id:guid}/attachments", (Caller caller, Guid id, Attachments use, CancellationToken ct) => use.List(caller, id, ct));
        read.MapGet("/{id:guid}/attachments/{file:guid}", async (Caller caller, Guid id, Guid file, Attachments use, CancellationToken ct) =>
        {
            var found = await use.Find(caller, id, file, ct);
            return TypedResults.File(found.Content, found.ContentType, found.FileName);
        });
        write.MapPost("/{id:guid}/attachments", Add).Accepts<IFormFile>("multipart/form-data").Produces<AttachedFile>(StatusCodes.Status201Created)
            .WithMetadata(new RequestSizeLimitAttribute(MaxRequestBytes), new RequestTimeoutAttribute(Attachments.UploadMilliseconds));
        write.MapDelete("/{id:guid}/attachments/{file:guid}", async (Caller caller, Guid id, Guid file, Attachments use, CancellationToken ct) =>
        {
            await use.Remove(caller, id, file, ct);
            return TypedResults.NoContent();
        });
    }

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task<IResult> Add(HttpContext context, Caller caller, Guid id, Attachments use, CancellationToken ct)
    {
        if (!context.Request.HasFormContentType)
        {
            throw new Refusal(Reason.UnsupportedMediaType);
        }
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = MaxRequestBytes }, ct);
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge })
        {
            throw Attachments.TooLarge;
        }
        new Validation().That("file", form.Files["file"] is not null, "field.required").Check();
        var file = form.Files["file"]!;
        await using var stream = file.OpenReadStream();
        var added = await use.Add(caller, id, file.FileName, stream, ct);
        return TypedResults.Created($"/api/campaigns/{id}/attachments/{added.Id}", added);
    }
}
