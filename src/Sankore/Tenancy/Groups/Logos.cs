using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>
/// Logos of groups and schools: of the head of their people's pages and of their messages; a school without one has its group's. For the
/// group's administrators and the operator.
/// </summary>
public sealed class Logos(Db db)
{
    private const string GroupSql = "select tenancy.set_group_logo(@id, @logo)";
    private const string SchoolSql = "update tenancy.schools set logo_id = @logo where id = @id";

    /// <summary>
    /// Gives a group its logo. Refuses with VALIDATION_FAILED beside <c>file</c>, TOO_LARGE, NOT_FOUND, FORBIDDEN.
    /// </summary>
    /// <param name="caller">Its administrator, or the operator.</param>
    /// <param name="id">The group.</param>
    /// <param name="file">The picture; null: none any more.</param>
    /// <param name="ct">Cancels.</param>
    public async Task OfGroup(Caller caller, Guid id, IFormFile? file, CancellationToken ct)
    {
        var picture = await Read(file, ct);
        await db.Run(caller, async session =>
        {
            await Groups.MayManage(session, id);
            await session.Execute(GroupSql, new { id, logo = await Kept(session, file, picture) });
        }, ct);
    }

    /// <summary>Gives a school its logo. Refuses as <see cref="OfGroup"/> does.</summary>
    public async Task OfSchool(Caller caller, Guid id, IFormFile? file, CancellationToken ct)
    {
        var picture = await Read(file, ct);
        await db.Run(caller, async session =>
        {
            var group = await session.Find<Guid?>("select school_group_id from tenancy.schools where id = @id", new { id });
            await Groups.MayManage(session, group ?? throw new Refusal(Reason.NotFound));
            await session.ExecuteOne(SchoolSql, new { id, logo = await Kept(session, file, picture) });
        }, ct);
    }

    internal static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api", "network");
        api.MapPut("/groups/{id:guid}/logo", PutGroup).ForPeople().TakesPicture();
        api.MapDelete("/groups/{id:guid}/logo", DeleteGroup).ForPeople();
        api.MapPut("/schools/{id:guid}/logo", PutSchool).ForPeople().TakesPicture();
        api.MapDelete("/schools/{id:guid}/logo", DeleteSchool).ForPeople();
    }

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task PutGroup(HttpContext context, Caller caller, Guid id, Logos logos, CancellationToken ct) =>
        await logos.OfGroup(caller, id, await context.Request.ReadPicture(ct), ct);

    private static Task DeleteGroup(Caller caller, Guid id, Logos logos, CancellationToken ct) => logos.OfGroup(caller, id, null, ct);

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task PutSchool(HttpContext context, Caller caller, Guid id, Logos logos, CancellationToken ct) =>
        await logos.OfSchool(caller, id, await context.Request.ReadPicture(ct), ct);

    private static Task DeleteSchool(Caller caller, Guid id, Logos logos, CancellationToken ct) => logos.OfSchool(caller, id, null, ct);

    private static async Task<PictureFile?> Read(IFormFile? file, CancellationToken ct)
    {
        if (file is null)
        {
            return null;
        }
        await using var stream = file.OpenReadStream();
        return await PictureFile.Read(stream, PictureKind.Logo, ct);
    }

    private static async Task<Guid?> Kept(Session session, IFormFile? file, PictureFile? picture) =>
        picture is null ? null : await Pictures.AddLogo(session, file!.FileName, picture);
}
