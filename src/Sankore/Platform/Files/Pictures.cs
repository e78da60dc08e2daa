using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Platform.Files;

/// <summary>A picture that somebody brought.</summary>
/// <param name="Name">Its file's.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Size">In bytes.</param>
public sealed record Picture(Guid Id, string Name, int Width, int Height, long Size, DateTime CreatedAt)
{
    /// <summary>Where it is loaded from, on this site.</summary>
    public string Address => Pictures.AddressOf(Id);
}

/// <summary>
/// Pictures: of messages (each person's library), logos of groups and schools, photos of people. A picture never changes, and its address
/// cannot be guessed: it is loaded by whoever has it, a photo only by who sees the person.
/// </summary>
public sealed class Pictures(Db db)
{
    private const string Columns = "p.id, p.name, p.width, p.height, length(p.content)::bigint as size, p.created_at";

    // A picture that is there already is that one: a double click brings one.
    private const string InsertSql = """
        insert into util.pictures (id, owner_id, kind, name, media_type, width, height, content, small, source)
        values (@id, (select auth.uid()), @kind, @name, @MediaType, @Width, @Height, @Content, @Small, @Source)
        on conflict do nothing
        """;

    // Photos are read as the caller, whose policies say whose they see.
    private const string LoadSql = "select media_type, content, true as is_public from util.picture(@id, @isSmall)";
    private const string LoadPhotoSql = """
         union all select media_type, case when @isSmall then small else content end, false from util.pictures
        where id = @id and kind = 'photo'
        """;

    private const string BroughtSql = $"""
        select {Columns} from util.pictures p where p.owner_id = (select auth.uid()) and p.kind = @kind and p.source = @source
        """;

    private const string ReplaceSql =
        "delete from util.pictures where owner_id = (select auth.uid()) and kind = 'photo' and id is distinct from @id";

    private static readonly PagedSql Pages = new(
        "select count(*) from util.pictures p" + Where, $"select {Columns} from util.pictures p" + Where,
        ("createdAt", "p.created_at"), ("name", "p.name collate \"und-x-icu\""));

    private const string Where =
        " where p.owner_id = (select auth.uid()) and p.kind = 'message' and util.finds(@Pattern::text, p.name)";

    private sealed record Loaded(string MediaType, byte[] Content, bool IsPublic);

    /// <summary>The address of a picture.</summary>
    public static string AddressOf(Guid id) => $"/i/{id}";

    /// <summary>The caller's pictures for messages, a page at a time, the last first.</summary>
    public Task<Paged<Picture>> List(Caller caller, ListQuery query, CancellationToken ct) => db.Read(caller, session =>
        session.Page<Picture>(
            string.IsNullOrEmpty(query.Sort) ? query with { Sort = "-createdAt" } : query, Pages,
            new { query.Pattern, query.Limit, query.Offset }), ct);

    /// <summary>
    /// Brings a picture for messages. Refuses with VALIDATION_FAILED beside <c>file</c>, TOO_LARGE, PICTURES_FULL.
    /// </summary>
    /// <param name="caller">Whose.</param>
    /// <param name="file">What was sent.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<Picture> Add(Caller caller, IFormFile file, CancellationToken ct)
    {
        var picture = await PictureFile.Read(file, PictureKind.Message, ct);
        return await db.Run(caller, async session =>
        {
            await Insert(session, PictureKind.Message, file.FileName, picture);
            return await Brought(session, PictureKind.Message, picture) ?? throw new Refusal(Reason.Conflict);
        }, ct);
    }

    /// <summary>
    /// Keeps the caller's photo in place of the one before; null: none any more. One at a time for a person: whoever calls it has locked
    /// the person's row.
    /// </summary>
    /// <returns>Its address; null: there is none.</returns>
    public static async Task<string?> ReplacePhoto(Session session, PictureFile? picture)
    {
        Guid? id = null;
        if (picture is not null)
        {
            await Insert(session, PictureKind.Photo, "photo", picture);
            id = (await Brought(session, PictureKind.Photo, picture))!.Id;
        }
        await session.Execute(ReplaceSql, new { id });
        return id is { } kept ? AddressOf(kept) : null;
    }

    internal static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/i/{id:guid}", ["GET", "HEAD"], Large).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/i/{id:guid}/small", ["GET", "HEAD"], Small).AllowAnonymous().ExcludeFromDescription();
    }

    private static Task<IResult> Large(HttpContext context, Guid id, Caller caller, Pictures pictures, CancellationToken ct) =>
        pictures.Load(context, caller, id, false, ct);

    private static Task<IResult> Small(HttpContext context, Guid id, Caller caller, Pictures pictures, CancellationToken ct) =>
        pictures.Load(context, caller, id, true, ct);

    /// <summary>A picture's bytes. Refuses with NOT_FOUND, also a photo for who is not signed in.</summary>
    private async Task<IResult> Load(HttpContext context, Caller caller, Guid id, bool isSmall, CancellationToken ct)
    {
        var sql = caller.UserId is null ? LoadSql : LoadSql + LoadPhotoSql;
        var found = await db.Read(caller, session => session.One<Loaded>(sql, new { id, isSmall }), ct);
        // A face is not kept for long on a computer that others use too.
        context.Response.Headers.CacheControl = found.IsPublic ? "public, max-age=86400, immutable" : "private, max-age=600";
        // A mail program or a page of another site that shows a message shows its pictures.
        context.Response.Headers["Cross-Origin-Resource-Policy"] = found.IsPublic ? "cross-origin" : "same-origin";
        return TypedResults.Bytes(found.Content, found.MediaType);
    }

    private static Task<int> Insert(Session session, PictureKind kind, string? fileName, PictureFile p) => session.Execute(
        InsertSql,
        new
        {
            id = Guid.CreateVersion7(),
            kind = kind.Name,
            name = NameOf(kind, fileName),
            p.MediaType,
            p.Width,
            p.Height,
            p.Content,
            p.Small,
            p.Source,
        });

    /// <summary>What a picture is called: its file's name, or what it is.</summary>
    public static string NameOf(PictureKind kind, string? fileName) =>
        FileNames.Of(fileName) is { Length: > 0 } said ? Text.Texts.Cut(said, FileNames.MaxLength) : kind.Name;

    private static Task<Picture?> Brought(Session session, PictureKind kind, PictureFile picture) =>
        session.Find<Picture>(BroughtSql, new { kind = kind.Name, source = picture.Source });
}
