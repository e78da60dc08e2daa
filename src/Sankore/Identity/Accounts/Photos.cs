using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>A person's own photo (document 004, <c>profiles.avatar_url</c>): for whoever sees the person, and is signed in.</summary>
public sealed class Photos(Db db)
{
    /// <summary>Gives the caller a photo. Refuses with VALIDATION_FAILED beside <c>file</c>, TOO_LARGE.</summary>
    /// <param name="caller">Whose.</param>
    /// <param name="file">The picture; null: none any more.</param>
    /// <param name="ct">Cancels.</param>
    public async Task Set(Caller caller, IFormFile? file, CancellationToken ct)
    {
        PictureFile? picture = null;
        if (file is not null)
        {
            await using var stream = file.OpenReadStream();
            picture = await PictureFile.Read(stream, PictureKind.Photo, ct);
        }
        await db.Run(caller, async session =>
        {
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
