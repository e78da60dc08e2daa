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
    private const string SetSql = """
        select tenancy.set_logo(@group, @school, @id, @name, @MediaType, @Width, @Height, @Content, @Small, @Source)
        """;

    /// <summary>Refuses with NOT_FOUND, FORBIDDEN whoever may not give a group its logo: before a file is read.</summary>
    public Task MayGive(Caller caller, Guid group, CancellationToken ct) =>
        db.Read(caller, session => Groups.MayManage(session, group), ct);

    /// <summary>The same of a school; its group.</summary>
    public Task<Guid> MayGiveSchool(Caller caller, Guid school, CancellationToken ct) => db.Read(caller, async session =>
    {
        var group = await session.Find<Guid?>("select school_group_id from tenancy.schools where id = @school", new { school })
            ?? throw new Refusal(Reason.NotFound);
        await Groups.MayManage(session, group);
        return group;
    }, ct);

    /// <summary>
    /// Gives a group its logo. Refuses with VALIDATION_FAILED beside <c>file</c>, TOO_LARGE, NOT_FOUND, FORBIDDEN.
    /// </summary>
    /// <param name="caller">Its administrator, or the operator.</param>
    /// <param name="id">The group.</param>
    /// <param name="file">The picture; null: none any more.</param>
    /// <param name="ct">Cancels.</param>
    public async Task OfGroup(Caller caller, Guid id, IFormFile? file, CancellationToken ct)
    {
        await MayGive(caller, id, ct);
        await Set(caller, id, null, file, ct);
    }

    /// <summary>Gives a school its logo. Refuses as <see cref="OfGroup"/> does.</summary>
    public async Task OfSchool(Caller caller, Guid id, IFormFile? file, CancellationToken ct) =>
        await Set(caller, await MayGiveSchool(caller, id, ct), id, file, ct);

    private async Task Set(Caller caller, Guid group, Guid? school, IFormFile? file, CancellationToken ct)
    {
        var p = file is null ? null : await PictureFile.Read(file, PictureKind.Logo, ct);
        var (id, name) = (p is null ? (Guid?)null : Guid.CreateVersion7(), Pictures.NameOf(PictureKind.Logo, file?.FileName));
        await db.Run(caller, session => session.Execute(
            SetSql,
            new { group, school, id, name, p?.MediaType, p?.Width, p?.Height, p?.Content, p?.Small, p?.Source }), ct);
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
    private static async Task PutGroup(HttpContext context, Caller caller, Guid id, Logos logos, CancellationToken ct)
    {
        await logos.MayGive(caller, id, ct);
        await logos.OfGroup(caller, id, await context.Request.ReadPicture(ct), ct);
    }

    private static Task DeleteGroup(Caller caller, Guid id, Logos logos, CancellationToken ct) => logos.OfGroup(caller, id, null, ct);

    /// <summary>Takes a form with a <c>file</c>.</summary>
    private static async Task PutSchool(HttpContext context, Caller caller, Guid id, Logos logos, CancellationToken ct)
    {
        await logos.MayGiveSchool(caller, id, ct);
        await logos.OfSchool(caller, id, await context.Request.ReadPicture(ct), ct);
    }

    private static Task DeleteSchool(Caller caller, Guid id, Logos logos, CancellationToken ct) => logos.OfSchool(caller, id, null, ct);
}
