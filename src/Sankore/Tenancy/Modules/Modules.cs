using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A row of the operator's list: a module with its category and its reach.</summary>
/// <param name="Plans">How many plans include it.</param>
/// <param name="Groups">How many groups have it by a live subscription.</param>
public sealed record ModuleLine(
    Guid Id, string Code, string Name, string? Description, string Icon, Guid CategoryId, string CategoryName, string CategoryColor,
    int CategoryOrder,
    string State, int Priority, DateTime UpdatedAt, long Plans, long Groups);

/// <summary>How many modules are in which state.</summary>
public sealed record ModuleCounts(long Total, long Active, long Inactive, long Building, long Categories);

/// <summary>
/// The catalogue's modules: what an administrator does with them (document 003, « Super Admin → Crée Modules/Catégories »).
/// </summary>
public sealed class Modules(Db db, IEnumerable<SankoreModule> program)
{
    /// <summary>The order in which the catalogue is shown: modules <c>m</c> by their categories <c>c</c>.</summary>
    internal const string InOrder =
        "order by c.sort_order, util.said(c.name, c.name_en) collate \"und-x-icu\", c.id, m.priority,"
        + " util.said(m.name, m.name_en) collate \"und-x-icu\", m.id";

    private const string Columns = """
        id, code, name, description, category_id, kind, sector, priority, status, is_built, icon, route, version, created_at, updated_at,
        name_en
        """;

    private const string ListSql = $"""
        select {Columns} from tenancy.modules where util.finds(@Pattern::text, name, code)
        """;
    private const string CountSql = """
        select count(*) from tenancy.modules where util.finds(@Pattern::text, name, code)
        """;

    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("priority", "priority"), ("name", "name collate \"und-x-icu\""), ("code", "code"), ("status", "status"),
        ("updatedAt", "updated_at"));

    private const string OneSql = $"select {Columns} from tenancy.modules where id = @id";

    private const string InsertSql = $"""
        insert into tenancy.modules (id, code, name, description, category_id, kind, sector, priority, status, is_built, icon, route,
            created_by, name_en)
        values (@id, @Code, @Name, @Description, @CategoryId, @Kind, @Sector, @Priority, @Status, @IsBuilt, @Icon, @Route, @userId, @NameEn)
        returning {Columns}
        """;

    private const string UpdateSql = $"""
        update tenancy.modules
        set code = @Code, name = @Name, name_en = @NameEn, description = @Description, category_id = @CategoryId, kind = @Kind,
          sector = @Sector, priority = @Priority,
            status = @Status, is_built = @IsBuilt, icon = @Icon, route = @Route
        where id = @id and version = @version
        returning {Columns}
        """;

    private const string StatusSql = $"""
        update tenancy.modules set status = @status where id = @id and version = @version returning {Columns}
        """;

    private const string DeleteSql = "delete from tenancy.modules where id = @id and (@version::int is null or version = @version)";

    private const string LinesSql = $"""
        select m.id, m.code, util.said(m.name, m.name_en) as name, m.description, m.icon, m.category_id,
          util.said(c.name, c.name_en) as category_name, c.color as category_color,
          c.sort_order as category_order,
               case when m.is_built then m.status else 'building' end as state, m.priority, m.updated_at,
               coalesce(r.plans, 0) as plans, coalesce(r.groups, 0) as groups
        from tenancy.modules m
        join tenancy.business_categories c on c.id = m.category_id
        left join (
          select i.module_id, count(*) as plans, sum(s.groups)::bigint as groups
          from tenancy.included_modules i
          left join (select plan_id, count(*) as groups from tenancy.live_subscriptions group by plan_id) s on s.plan_id = i.plan_id
          group by i.module_id) r on r.module_id = m.id
        where util.finds(@Pattern::text, m.name, m.name_en, m.code)
          and (@state::text is null or (case when m.is_built then m.status else 'building' end) = @state)
          and (@categoryId::uuid is null or m.category_id = @categoryId)
        {InOrder}
        limit @Limit offset @Offset
        """;

    private const string CountsSql = """
        select count(*) as total, count(*) filter (where is_built and status = 'active') as active,
          count(*) filter (where is_built and status = 'inactive') as inactive,
               count(*) filter (where not is_built) as building, (select count(*) from tenancy.business_categories) as categories
        from tenancy.modules
        """;

    /// <summary>The modules that the caller sees, a page at a time.</summary>
    public Task<Paged<Module>> List(Caller caller, ListQuery query, CancellationToken ct) =>
        db.Read(caller, session => session.Page<Module>(query, Pages, new { query.Pattern, query.Limit, query.Offset }), ct);

    /// <summary>
    /// The operator's list, with counts by state; <paramref name="state"/> is <c>active</c>, <c>inactive</c>, <c>building</c> or null.
    /// </summary>
    public Task<(IReadOnlyList<ModuleLine> Lines, ModuleCounts Counts)> Lines(
        Caller caller, ListQuery query, string? state, Guid? categoryId, CancellationToken ct) =>
        db.Read(caller, async session =>
        {
            await using var grid =
                await session.Queries(CountsSql + ";" + LinesSql, new { query.Pattern, state, categoryId, query.Limit, query.Offset });
            var counts = await grid.ReadFirstAsync<ModuleCounts>();
            IReadOnlyList<ModuleLine> lines = [.. await grid.ReadAsync<ModuleLine>()];
            return (lines, counts);
        }, ct);

    /// <summary>One module. Refuses with NOT_FOUND.</summary>
    public Task<Module> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<Module>(OneSql, new { id }), ct);

    /// <summary>
    /// Creates a module. Refuses with VALIDATION_FAILED, CODE_INVALID, CODE_TAKEN (naming the module that has it), CATEGORY_UNKNOWN,
    /// FORBIDDEN.
    /// </summary>
    public Task<Module> Create(
        Caller caller, ModuleInput input, CancellationToken ct) => Explained(caller, input.Normalized(Home), module =>
        db.Run(caller, session => session.One<Module>(InsertSql, Values(module, Guid.CreateVersion7(), 0, caller)), ct), ct);

    /// <summary>
    /// Saves a module. Refuses with VALIDATION_FAILED, CODE_INVALID, CODE_TAKEN, CATEGORY_UNKNOWN, NOT_FOUND, STALE, FORBIDDEN.
    /// </summary>
    /// <param name="caller">Who saves.</param>
    /// <param name="id">Which module.</param>
    /// <param name="version">The version that the change is based on.</param>
    /// <param name="input">All its fields: what is left out has its default.</param>
    /// <param name="ct">Cancels.</param>
    public Task<Module> Update(
        Caller caller, Guid id, int version, ModuleInput input, CancellationToken ct) => Explained(caller, input.Normalized(Home), module =>
        db.Run(caller, session => Changed(session, id, version, UpdateSql, Values(module, id, version, caller)), ct), ct);

    /// <summary>Activates or deactivates a module. Refuses with VALIDATION_FAILED, NOT_FOUND, STALE, FORBIDDEN.</summary>
    public Task<Module> SetStatus(Caller caller, Guid id, int version, string status, CancellationToken ct)
    {
        new Validation().OneOf("status", status, ModuleInput.States).Check();
        return db.Run(caller, session => Changed(session, id, version, StatusSql, new { id, version, status }), ct);
    }

    /// <summary>Deletes a module and its links to plans. Refuses with NOT_FOUND, STALE (when a version is given), FORBIDDEN.</summary>
    public Task Delete(Caller caller, Guid id, int? version, CancellationToken ct) => db.Run(caller, async session =>
    {
        if (await session.Execute(DeleteSql, new { id, version }) == 0)
        {
            throw await WhyNot(session, id, version);
        }
    }, ct);

    private static async Task<Module> Changed(Session session, Guid id, int version, string sql, object values) =>
        await session.Find<Module>(sql, values) ?? throw await WhyNot(session, id, version);

    /// <summary>Nothing was touched: the module is not there, is somebody else's to change, or has changed meanwhile.</summary>
    private static async Task<Refusal> WhyNot(Session session, Guid id, int? version)
    {
        var module = await session.One<Module>(OneSql, new { id });
        return Refusal.Untouched(module.Version, version, module.Name);
    }

    private async Task<Module> Explained(Caller caller, ModuleInput module, Func<ModuleInput, Task<Module>> save, CancellationToken ct)
    {
        try
        {
            return await Inputs.At("categoryId", Reason.CategoryUnknown, () => save(module));
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.CodeTaken)
        {
            var name = await db.Read(caller, session => session.Find<string>(
                "select util.said(name, name_en) from tenancy.modules where code = @Code", new { module.Code }), ct);
            throw new Refusal(Reason.CodeTaken, module.Code!, name ?? module.Code!)
            {
                Fields = new Dictionary<string, FieldError> { ["code"] = new("CODE_TAKEN.2", module.Code!, name ?? module.Code!) },
            };
        }
    }

    private string? Home(string code) => program.Select(m => m.Homes.GetValueOrDefault(code)).FirstOrDefault(home => home is not null);

    private static object Values(ModuleInput m, Guid id, int version, Caller caller) => new
    {
        id,
        version,
        userId = caller.UserId,
        m.Code,
        m.Name,
        m.NameEn,
        m.Description,
        m.CategoryId,
        m.Kind,
        m.Sector,
        m.Priority,
        m.Status,
        m.IsBuilt,
        m.Icon,
        m.Route,
    };
}
