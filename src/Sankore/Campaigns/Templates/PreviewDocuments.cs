using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>The documents that a page's frame shows: a message, a sentence that there is none, or what is wrong with it.</summary>
internal static class PreviewDocuments
{
    private const string PreviewPolicy =
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; frame-ancestors 'self'";

    // Of a message that was sent only our library's pictures are loaded: another counts who has opened the message.
    private const string SentPolicy =
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: {0}; frame-ancestors 'self'";

    /// <summary>Answers with the document; what is wrong with a message's text is shown in its place.</summary>
    public static async Task<RazorComponentResult> Show(
        HttpContext context, Func<Task<FilledMessage?>> fill, bool isSent = false)
    {
        FilledMessage? message = null;
        Refusal? refused = null;
        try
        {
            message = await fill();
        }
        catch (Refusal refusal)
        {
            refused = refusal;
        }
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = !isSent ? PreviewPolicy : SentPolicy.Replace(
            "{0}", context.RequestServices.GetRequiredService<AppAddress>().Link("/i/").ToString(), StringComparison.Ordinal);
        headers.XFrameOptions = "SAMEORIGIN";
        headers.CacheControl = "no-store";
        var content = new Dictionary<string, object?> { ["Message"] = message, ["Refusal"] = refused };
        return new RazorComponentResult<PreviewDocument>(content)
        {
            StatusCode = refused is null || refused.Reason == Reason.Invalid ? StatusCodes.Status200OK : refused.Reason.Status,
        };
    }
}
