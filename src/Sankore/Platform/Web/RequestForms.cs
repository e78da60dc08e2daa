using Microsoft.AspNetCore.Http.Features;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>Forms that programs send, with their files.</summary>
public static class RequestForms
{
    /// <summary>How long a form's files may take: the largest on a bad line.</summary>
    public const int UploadMilliseconds = 10 * 60 * 1000;

    /// <summary>
    /// Reads the request's form. Refuses with UNSUPPORTED_MEDIA_TYPE for what is no form, TOO_LARGE, BAD_REQUEST for one that is broken or
    /// was cut off.
    /// </summary>
    /// <param name="request">What was sent.</param>
    /// <param name="maxBytes">The most that is read.</param>
    /// <param name="ct">Cancels.</param>
    /// <param name="tooLarge">What is said of more; null: TOO_LARGE, and no field.</param>
    public static async Task<IFormCollection> ReadForm(
        this HttpRequest request, long maxBytes, CancellationToken ct, Refusal? tooLarge = null)
    {
        if (!request.HasFormContentType)
        {
            throw new Refusal(Reason.UnsupportedMediaType);
        }
        try
        {
            return await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = maxBytes }, ct);
        }
        catch (Exception e) when (IsTooLarge(e))
        {
            throw tooLarge ?? new Refusal(Reason.TooLarge);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new Refusal(Reason.BadRequest);
        }
    }

    /// <summary>The files that were chosen in a field: one in which none was comes as a file without a name.</summary>
    public static List<IFormFile> Chosen(this IFormCollection form, string field) =>
        [.. form.Files.GetFiles(field).Where(f => f.FileName.Length > 0)];

    /// <summary>Whether a form could not be read because it is larger than allowed: the framework says of each limit that it is
    /// one.</summary>
    public static bool IsTooLarge(Exception? e) =>
        e is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }
        || e is InvalidDataException && e.Message.Contains("limit", StringComparison.OrdinalIgnoreCase);
}
