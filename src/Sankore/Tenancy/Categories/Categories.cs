using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A category of modules (document 000, <c>business_categories</c>).</summary>
/// <param name="Color">One of the palette's eight names.</param>
/// <param name="SortOrder">Order of display, smallest first.</param>
/// <param name="NameEn">Its name in English; null: as in French.</param>
public sealed record Category(
    Guid Id, string Name, string Slug, string? Description, string Icon, string Color, int SortOrder, string Status, int Version,
    DateTime CreatedAt, DateTime UpdatedAt, long ModuleCount, string? NameEn) : IVersioned
{
    /// <summary>Its name in the reader's language.</summary>
    internal string Said => Texts.Language == "en" ? NameEn ?? Name : Name;
}

/// <summary>What an administrator writes of a category. What is left out has its default; the slug comes from the name.</summary>
public sealed record CategoryInput(
    string? Name, string? Slug, string? Description, string? Icon, string? Color, int? SortOrder, string? Status, int? Version,
    string? NameEn = null)
{
    public static readonly string[] Colors = ["green", "blue", "orange", "purple", "red", "teal", "gold", "slate"];

    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED, SLUG_INVALID.</summary>
    internal CategoryInput Normalized()
    {
        var input = this with
        {
            Name = Name?.Trim(),
            NameEn = Texts.Blank(NameEn),
            Slug = Inputs.Code(Slug, Name),
            Description = Texts.Blank(Description),
            Icon = Texts.Blank(Icon) ?? "grid",
            Color = Color ?? "green",
            SortOrder = SortOrder ?? 100,
            Status = Status ?? "active",
        };
        new Validation()
            .Required("name", input.Name, 120).Optional("nameEn", input.NameEn, 120).Optional("slug", Slug, 200)
            .Optional("description", input.Description, 500)
            .That("icon", Icons.All.Contains(input.Icon), "icon.unknown").OneOf("color", input.Color, Colors)
            .Between("sortOrder", input.SortOrder.Value, 0, 9999).OneOf("status", input.Status, ModuleInput.States).Check();
        return Inputs.IsCode(input.Slug) ? input : throw Refusal.At("slug", Reason.SlugInvalid);
    }
}

/// <summary>The catalogue's categories: what an administrator does with them.</summary>
public sealed class Categories(Db db)
{
    private const string Columns = """
        c.id, c.name, c.slug, c.description, c.icon, c.color, c.sort_order, c.status, c.version, c.created_at, c.updated_at,
        (select count(*) from tenancy.modules m where m.category_id = c.id) as module_count, c.name_en
        """;

    private const string Where =
        " from tenancy.business_categories c where util.finds(@Pattern::text, c.name, c.name_en, c.slug)";
    private const string OneSql = $"select {Columns} from tenancy.business_categories c where c.id = @id";

    private static readonly PagedSql Pages = new("select count(*)" + Where, "select " + Columns + Where,
        ("sortOrder", "c.sort_order, c.name collate \"und-x-icu\""), ("name", "c.name collate \"und-x-icu\""),
        ("slug", "c.slug"), ("updatedAt", "c.updated_at"));

    private const string InsertSql = $"""
        insert into tenancy.business_categories as c (id, name, slug, description, icon, color, sort_order, status, created_by, name_en)
        values (@id, @Name, @Slug, @Description, @Icon, @Color, @SortOrder, @Status, @userId, @NameEn)
        returning {Columns}
        """;

    private const string UpdateSql = $"""
        update tenancy.business_categories c
        set name = @Name, name_en = @NameEn, slug = @Slug, description = @Description, icon = @Icon, color = @Color,
          sort_order = @SortOrder, status = @Status
        where c.id = @id and c.version = @version
        returning {Columns}
        """;

    private const string DeleteSql = """
        delete from tenancy.business_categories where id = @id and (@version::int is null or version = @version)
        """;

    /// <summary>The categories that the caller sees, a page at a time.</summary>
    public Task<Paged<Category>> List(Caller caller, ListQuery query, CancellationToken ct) =>
        db.Read(caller, session => session.Page<Category>(query, Pages, new { query.Pattern, query.Limit, query.Offset }), ct);

    /// <summary>One category. Refuses with NOT_FOUND.</summary>
    public Task<Category> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<Category>(OneSql, new { id }), ct);

    /// <summary>
    /// Creates a category. Refuses with VALIDATION_FAILED, SLUG_INVALID, SLUG_TAKEN (naming the category that has it), FORBIDDEN.
    /// </summary>
    public Task<Category> Create(
        Caller caller, CategoryInput input, CancellationToken ct) => Explained(caller, input.Normalized(), category =>
        db.Run(caller, session => session.One<Category>(InsertSql, Values(category, Guid.CreateVersion7(), 0, caller)), ct), ct);

    /// <summary>Saves a category. Refuses with VALIDATION_FAILED, SLUG_INVALID, SLUG_TAKEN, NOT_FOUND, STALE, FORBIDDEN.</summary>
    public Task<Category> Update(
        Caller caller, Guid id, int version, CategoryInput input, CancellationToken ct) => Explained(caller, input.Normalized(), category =>
        db.Run(
            caller, async session => await session.Find<Category>(UpdateSql, Values(category, id, version, caller))
            ?? throw await WhyNot(session, id, version), ct), ct);

    /// <summary>
    /// Deletes a category that has no modules. Refuses with CATEGORY_IN_USE, NOT_FOUND, STALE (when a version is given), FORBIDDEN.
    /// </summary>
    public async Task Delete(Caller caller, Guid id, int? version, CancellationToken ct)
    {
        try
        {
            await db.Run(caller, async session =>
            {
                if (await session.Execute(DeleteSql, new { id, version }) == 0)
                {
                    throw await WhyNot(session, id, version);
                }
            }, ct);
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.CategoryUnknown)
        {
            // The same foreign key, from its other side.
            throw new Refusal(Reason.CategoryInUse);
        }
    }

    private static async Task<Refusal> WhyNot(Session session, Guid id, int? version)
    {
        var category = await session.One<Category>(OneSql, new { id });
        return Refusal.Untouched(category.Version, version, category.Name);
    }

    private async Task<Category> Explained(
        Caller caller, CategoryInput category, Func<CategoryInput, Task<Category>> save, CancellationToken ct)
    {
        try
        {
            return await save(category);
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.SlugTaken)
        {
            var name = await db.Read(caller, session =>
                session.Find<string>(
                    "select util.said(name, name_en) from tenancy.business_categories where slug = @Slug", new { category.Slug }), ct);
            throw new Refusal(Reason.SlugTaken, category.Slug!, name ?? category.Slug!)
            {
                Fields = new Dictionary<string, FieldError> { ["slug"] = new("SLUG_TAKEN.2", category.Slug!, name ?? category.Slug!) },
            };
        }
    }

    private static object Values(CategoryInput c, Guid id, int version, Caller caller) => new
    {
        id,
        version,
        userId = caller.UserId,
        c.Name,
        c.NameEn,
        c.Slug,
        c.Description,
        c.Icon,
        c.Color,
        c.SortOrder,
        c.Status,
    };
}
