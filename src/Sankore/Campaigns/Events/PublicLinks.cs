using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// The links of messages: for whoever has the mail, without a session, a cookie or a form's token, which nobody could have.
/// </summary>
internal static class PublicLinks
{
    private static readonly byte[] Gif = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==");

    // The page of /u/… answers GET alone; what changes something is a POST.
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/u/{token}", Unsubscribe).AllowAnonymous().WithOrder(-1).ExcludeFromDescription();
        routes.MapMethods("/c/{token}", ["GET", "HEAD"], Click).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/o/{token}.gif", ["GET", "HEAD"], Open).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>
    /// One click of a mail program (RFC 8058, 3.1: a form, in either encoding, answered without a redirect), or a button of the page, which
    /// is shown again. Refuses with NOT_FOUND, BAD_REQUEST.
    /// </summary>
    private static async Task<IResult> Unsubscribe(
        HttpContext context, string token, Unsubscriptions unsubscriptions, IStringLocalizer<Strings> strings, CancellationToken ct)
    {
        var form = await Form(context.Request, ct);
        context.Response.Headers.CacheControl = "no-store";
        switch ((form["List-Unsubscribe"].ToString(), form["act"].ToString()))
        {
            case ("One-Click", _):
                await unsubscriptions.Leave(token, ct);
                return TypedResults.Text(strings["leave.done"], "text/plain; charset=utf-8");
            case (_, "leave"):
                await unsubscriptions.Leave(token, ct);
                break;
            case (_, "return"):
                await unsubscriptions.Return(token, ct);
                break;
            default:
                throw new Refusal(Reason.BadRequest);
        }
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"/u/{token}";
        return TypedResults.Empty;
    }

    /// <summary>
    /// Leads on to where a link goes, and counts that it did; HEAD, which programs ask, does not count. Refuses with NOT_FOUND.
    /// </summary>
    private static async Task<IResult> Click(HttpContext context, string token, Tracking tracking, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(await tracking.Click(token, HttpMethods.IsGet(context.Request.Method), ct));
    }

    /// <summary>A picture of one transparent point, and that it was loaded. Refuses with NOT_FOUND.</summary>
    private static async Task<IResult> Open(HttpContext context, string token, Tracking tracking, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store, private";
        await tracking.Open(token, HttpMethods.IsGet(context.Request.Method), ct);
        return TypedResults.Bytes(Gif, "image/gif");
    }

    private static async Task<IFormCollection> Form(HttpRequest request, CancellationToken ct)
    {
        try
        {
            return request.HasFormContentType ? await request.ReadFormAsync(ct) : FormCollection.Empty;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return FormCollection.Empty;
        }
    }
}
