using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy.Plans;

/// <summary>A plan that groups subscribe to (documents 002 and 003, <c>subscription_plans</c>).</summary>
/// <param name="MonthlyPrice">Minor units of <paramref name="Currency"/>.</param>
/// <param name="YearlyPrice">Minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217; XAF has no minor unit.</param>
/// <param name="Modules">Modules that the caller sees in it.</param>
/// <param name="Groups">Groups that the caller sees living on it.</param>
public sealed record Plan(Guid Id, string Name, string Slug, string? Description, long MonthlyPrice, long YearlyPrice, string Currency, int SortOrder, string Status, int Version, long Modules, long Groups);

/// <summary>A module as a plan has it.</summary>
public sealed record PlanModule(Guid Id, string Code, string Name, string? Description, string Icon, string State, int Priority, Guid CategoryId, string CategoryName, string CategoryColor, int CategoryOrder, long? MonthlyPrice);

/// <summary>Plans, to read (editing them is the entitlement chain's issue).</summary>
public sealed class Plans(Db db)
{
    private const string Columns = """
        p.id, p.name, p.slug, p.description, p.monthly_price, p.yearly_price, p.currency::text, p.sort_order, p.status, p.version,
        (select count(*) from tenancy.included_modules i join tenancy.modules m on m.id = i.module_id where i.plan_id = p.id) as modules,
        (select count(*) from tenancy.subscriptions s where s.plan_id = p.id and s.status in ('trialing', 'active', 'past_due')) as groups
        """;

    private const string Where = " from tenancy.subscription_plans p where (@Pattern::text is null or p.name ilike @Pattern)";

    private const string ModulesSql = """
        select m.id, m.code, m.name, m.description, m.icon, case when m.is_built then m.status else 'building' end as state, m.priority,
               c.id as category_id, c.name as category_name, c.color as category_color, c.sort_order as category_order, pm.monthly_price
        from tenancy.included_modules i
        join tenancy.modules m on m.id = i.module_id
        join tenancy.business_categories c on c.id = m.category_id
        left join tenancy.plan_modules pm on pm.plan_id = i.plan_id and pm.module_id = m.id
        where i.plan_id = @id
        order by c.sort_order, c.name collate "und-x-icu", c.id, m.priority, m.name collate "und-x-icu", m.id
        """;

    /// <summary>The plans that the caller sees, a page at a time.</summary>
    public Task<Paged<Plan>> List(Caller caller, ListQuery query, CancellationToken ct) => db.Read(caller, async session =>
    {
        var order = query.OrderBy(("sortOrder", "p.sort_order"), ("name", "p.name collate \"und-x-icu\""), ("price", "p.monthly_price"));
        await using var grid = await session.Queries("select count(*)" + Where + ";" + "select " + Columns + Where + order, new { query.Pattern, query.Limit, query.Offset });
        var total = await grid.ReadFirstAsync<long>();
        return new Paged<Plan>([.. await grid.ReadAsync<Plan>()], total, query.Number, query.Limit);
    }, ct);

    /// <summary>One plan with its modules. Refuses with NOT_FOUND for a plan that is not the caller's to see.</summary>
    public Task<(Plan Plan, IReadOnlyList<PlanModule> Modules)> Find(Caller caller, Guid id, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries($"select {Columns} from tenancy.subscription_plans p where p.id = @id;" + ModulesSql, new { id });
        var plan = await grid.ReadFirstOrDefaultAsync<Plan>() ?? throw new Refusal(Reason.NotFound);
        IReadOnlyList<PlanModule> modules = [.. await grid.ReadAsync<PlanModule>()];
        return (plan, modules);
    }, ct);

    /// <summary>The first plan that the caller lives on; null for whoever has none.</summary>
    public Task<Guid?> Own(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Value<Guid?>("select (tenancy.my_plan_ids())[1]"), ct);
}
