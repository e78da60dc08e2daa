using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>Routes and pages that take a picture as the <c>file</c> of a form.</summary>
public static class PictureForms
{
    /// <summary>The largest form: around one file it is small.</summary>
    public const int MaxRequestBytes = PictureFile.MaxBytes + 64 * 1024;

    /// <summary>Lets a route take a picture.</summary>
    public static RouteHandlerBuilder TakesPicture(this RouteHandlerBuilder route) => route
        .Accepts<IFormFile>("multipart/form-data")
        .WithMetadata(new RequestSizeLimitAttribute(MaxRequestBytes), new RequestTimeoutAttribute(RequestForms.UploadMilliseconds));

    /// <summary>
    /// The request's <c>file</c>. Refuses with VALIDATION_FAILED where there is none, UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, BAD_REQUEST.
    /// </summary>
    public static async Task<IFormFile> ReadPicture(this HttpRequest request, CancellationToken ct) =>
        (await request.ReadForm(MaxRequestBytes, ct, PictureFile.TooLarge)).Picture();

    /// <summary>The form's <c>file</c>. Refuses with VALIDATION_FAILED where none was chosen.</summary>
    public static IFormFile Picture(this IFormCollection form) =>
        form.Chosen("file") is [var file, ..] ? file : throw new Refusal(Reason.Invalid)
        {
            Fields = new Dictionary<string, FieldError> { ["file"] = new("field.required") },
        };
}
