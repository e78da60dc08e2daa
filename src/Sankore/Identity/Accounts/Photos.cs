using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>A person's own photo (document 004, <c>profiles.avatar_url</c>): for whoever sees the person.</summary>
public sealed class Photos(Db db)
{
    /// <summary>Gives the caller a photo. Refuses with VALIDATION_FAILED beside <c>file</c>, TOO_LARGE.</summary>
    /// <param name="caller">Whose.</param>
    /// <param name="file">The picture; null: none any more.</param>
    /// <param name="ct">Cancels.</param>
    public async Task Set(Caller caller, IFormFile? file, CancellationToken ct)
    {
        var picture = file is null ? null : await PictureFile.Read(file, PictureKind.Photo, ct);
        await db.Run(caller, async session =>
        {
            // Of two photos at once one is the first, and gone.
            await session.Execute("select from public.profiles where id = (select auth.uid()) for no key update");
            var address = await Pictures.ReplacePhoto(session, picture);
            await session.Execute(
                "update public.profiles set avatar_url = @address, updated_at = now() where id = (select auth.uid())", new { address });
        }, ct);
    }

    internal static void Map(IEndpointRouteBuilder routes)
    {
        var own = routes.MapApi("/api/auth/photo", "auth").ForPeople();
        own.MapPut("", Put).TakesPicture();
        own.MapDelete("", Delete);
    }

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task Put(HttpContext context, Caller caller, Photos photos, CancellationToken ct) =>
        await photos.Set(caller, await context.Request.ReadPicture(ct), ct);

    private static Task Delete(Caller caller, Photos photos, CancellationToken ct) => photos.Set(caller, null, ct);
}
