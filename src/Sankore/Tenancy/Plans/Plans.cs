using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A module of a plan that is not built yet.</summary>
public sealed record ComingModule(string Name, string? Description, string Category, string Color);

/// <summary>Plans and what they include (document 002, « Attribution du Module à un Plan »).</summary>
public sealed class Plans(Db db)
{
    private const string Columns = """
        p.id, p.name, p.slug, p.description, p.monthly_price, p.yearly_price, p.currency::text, p.sort_order, p.status, p.version,
        (select count(*) from tenancy.included_modules i join tenancy.modules m on m.id = i.module_id where i.plan_id = p.id) as modules,
        (select count(*) from tenancy.live_subscriptions s where s.plan_id = p.id) as groups, p.name_en
        """;

    private const string Where = " from tenancy.subscription_plans p where util.finds(@Pattern::text, p.name, p.name_en)";
    private const string OneSql = $"select {Columns} from tenancy.subscription_plans p where p.id = @id";

    private const string ModulesSql = $"""
        select m.id, m.code, util.said(m.name, m.name_en) as name, m.description, m.icon,
               case when m.is_built then m.status else 'building' end as state, m.priority,
               c.id as category_id, util.said(c.name, c.name_en) as category_name, c.color as category_color,
               c.sort_order as category_order, pm.monthly_price, pm.yearly_price
        from tenancy.included_modules i
        join tenancy.modules m on m.id = i.module_id
        join tenancy.business_categories c on c.id = m.category_id
        left join tenancy.plan_modules pm on pm.plan_id = i.plan_id and pm.module_id = m.id
        where i.plan_id = @id
        {Modules.InOrder}
        """;

    private const string LinesSql = $"""
        select m.id, m.code, util.said(m.name, m.name_en) as name, case
          when m.is_built then m.status else 'building' end as state, c.id as category_id, util.said(c.name, c.name_en) as category_name,
          c.color as category_color,
               exists (select 1 from tenancy.plan_categories pc where pc.plan_id = @id and pc.category_id = c.id) as category_included,
                 pm.included, pm.monthly_price, pm.yearly_price
        from tenancy.modules m
        join tenancy.business_categories c on c.id = m.category_id
        left join tenancy.plan_modules pm on pm.plan_id = @id and pm.module_id = m.id
        {Modules.InOrder}
        """;

    private static readonly PagedSql Pages = new("select count(*)" + Where, "select " + Columns + Where,
        ("sortOrder", "p.sort_order"), ("name", "p.name collate \"und-x-icu\""), ("price", "p.monthly_price"));

    private const string InsertSql = """
        insert into tenancy.subscription_plans (id, name, slug, description, monthly_price, yearly_price, currency, sort_order, status,
          name_en)
        values (@id, @Name, @Slug, @Description, @MonthlyPrice, @YearlyPrice, @Currency, @SortOrder, @Status, @NameEn)
        """;

    private const string UpdateSql = """
        update tenancy.subscription_plans
        set name = @Name, name_en = @NameEn, slug = @Slug, description = @Description, monthly_price = @MonthlyPrice,
          yearly_price = @YearlyPrice, currency = @Currency, sort_order = @SortOrder, status = @Status
        where id = @id and version = @version
        """;

    // One statement, so that schools are worked out from the plan as it will be. Rows that stay as they are are not touched.
    private const string ContentSql = """
        with given
          as (select *
            from jsonb_to_recordset(@modules::jsonb)
            as g ("ModuleId" uuid, "Included" boolean, "MonthlyPrice" bigint, "YearlyPrice" bigint)),
        unsaid
          as (delete from tenancy.plan_modules pm
            where pm.plan_id = @id and not exists (select 1 from given g where g."ModuleId" = pm.module_id)),
        said as (
          insert into tenancy.plan_modules as pm (id, plan_id, module_id, included, monthly_price, yearly_price)
          select gen_random_uuid(), @id, g."ModuleId", coalesce(g."Included", true), g."MonthlyPrice", g."YearlyPrice" from given g
          on conflict on constraint plan_modules_plan_id_module_id_unique do update
            set included = excluded.included, monthly_price = excluded.monthly_price, yearly_price = excluded.yearly_price
            where (pm.included, pm.monthly_price, pm.yearly_price)
            is distinct from (excluded.included, excluded.monthly_price, excluded.yearly_price)),
        left_out as (delete from tenancy.plan_categories pc where pc.plan_id = @id and pc.category_id <> all (@categoryIds)),
        taken_in as (
          insert into tenancy.plan_categories (id, plan_id, category_id) select gen_random_uuid(), @id, c from unnest(@categoryIds) c
          on conflict on constraint plan_categories_plan_id_category_id_unique do nothing)
        select 1
        """;

    private const string DeleteSql = """
        delete from tenancy.subscription_plans where id = @id and (@version::int is null or version = @version)
        """;

    private const string PreviewSql = """
        select count(*) as groups,
               (select count(*) from tenancy.schools c join tenancy.live_subscriptions x on x.school_group_id = c.school_group_id
                   where x.plan_id = @id and c.status = 'active') as schools,
               (select count(distinct m.user_id) from tenancy.current_memberships m
                   join tenancy.live_subscriptions x on x.school_group_id = m.school_group_id where x.plan_id = @id) as people
        from tenancy.live_subscriptions s where s.plan_id = @id;
        with given as (select * from jsonb_to_recordset(@modules::jsonb) as g ("ModuleId" uuid, "Included" boolean))
        select util.said(m.name, m.name_en) as name,
               exists (select 1 from tenancy.available_modules a where a.plan_id = @id and a.module_id = m.id) as before,
               m.status = 'active' and m.is_built and c.status = 'active'
                 and coalesce((select coalesce(g."Included", true) from given g where g."ModuleId" = m.id),
                   m.category_id = any (@categoryIds)) as after
        from tenancy.modules m
        join tenancy.business_categories c on c.id = m.category_id
        order by c.sort_order, m.priority, m.name
        """;

    private sealed record Counts(long Groups, long Schools, long People);

    private sealed record Difference(string Name, bool Before, bool After);

    /// <summary>The plans that the caller sees, a page at a time.</summary>
    public Task<Paged<Plan>> List(Caller caller, ListQuery query, CancellationToken ct) =>
        db.Read(caller, session => session.Page<Plan>(query, Pages, new { query.Pattern, query.Limit, query.Offset }), ct);

    /// <summary>One plan with its modules. Refuses with NOT_FOUND for a plan that is not the caller's to see.</summary>
    public Task<(Plan Plan, IReadOnlyList<PlanModule> Modules)> Find(
        Caller caller, Guid id, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(OneSql + ";" + ModulesSql, new { id });
        var plan = await grid.One<Plan>();
        IReadOnlyList<PlanModule> modules = [.. await grid.ReadAsync<PlanModule>()];
        return (plan, modules);
    }, ct);

    /// <summary>The first plan that the caller lives on; null for whoever has none.</summary>
    public Task<Guid?> Own(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Value<Guid?>("select (tenancy.my_plan_ids())[1]"), ct);

    /// <summary>What the caller's plan has and is not built yet, in the catalogue's order.</summary>
    public Task<IReadOnlyList<ComingModule>> Coming(Caller caller, CancellationToken ct) =>
        db.Read(caller, session =>
            session.Query<ComingModule>("select name, description, category, color from tenancy.my_coming_modules()"), ct);

    /// <summary>The whole catalogue, and what a plan says of each module: what the editor shows. Without a plan, nothing is said.</summary>
    public Task<IReadOnlyList<PlanLine>> Lines(Caller caller, Guid? id, CancellationToken ct) =>
        db.Read(caller, session => session.Query<PlanLine>(LinesSql, new { id }), ct);

    /// <summary>
    /// Creates a plan with its modules and categories, in one transaction. Refuses with VALIDATION_FAILED, SLUG_INVALID, PLAN_SLUG_TAKEN,
    /// MODULE_UNKNOWN, CATEGORY_UNKNOWN, FORBIDDEN.
    /// </summary>
    public Task<Plan> Create(Caller caller, PlanInput input, CancellationToken ct)
    {
        var (plan, id) = (input.Normalized(), Guid.CreateVersion7());
        return Inputs.At("slug", Reason.PlanSlugTaken, () => db.Run(caller, async session =>
        {
            await session.Execute(InsertSql, Values(plan, id, 0));
            await session.Execute(ContentSql, Content(plan, id));
            return await session.One<Plan>(OneSql, new { id });
        }, ct));
    }

    /// <summary>
    /// Saves a plan with its modules and categories in one transaction (document 002, <c>upsert_plan_with_modules</c>): the lists given are
    /// all that it has. Refuses with VALIDATION_FAILED, SLUG_INVALID, PLAN_SLUG_TAKEN, MODULE_UNKNOWN, CATEGORY_UNKNOWN, NOT_FOUND, STALE,
    /// FORBIDDEN.
    /// </summary>
    public Task<Plan> Update(Caller caller, Guid id, int version, PlanInput input, CancellationToken ct)
    {
        var plan = input.Normalized();
        return Inputs.At("slug", Reason.PlanSlugTaken, () => db.Run(caller, async session =>
        {
            if (await session.Execute(UpdateSql, Values(plan, id, version)) == 0)
            {
                throw await WhyNot(session, id, version);
            }
            await session.Execute(ContentSql, Content(plan, id));
            return await session.One<Plan>(OneSql, new { id });
        }, ct));
    }

    /// <summary>Who would be affected by saving a plan like this. Refuses with VALIDATION_FAILED, SLUG_INVALID.</summary>
    public Task<PlanPreview> Preview(Caller caller, Guid id, PlanInput input, CancellationToken ct)
    {
        var plan = input.Normalized();
        return db.Read(caller, async session =>
        {
            await using var grid = await session.Queries(PreviewSql, Content(plan, id));
            var counts = await grid.ReadFirstAsync<Counts>();
            var modules = (await grid.ReadAsync<Difference>()).ToList();
            return new PlanPreview(
                counts.Groups, counts.Schools, counts.People, [.. modules.Where(m => m.After && !m.Before).Select(m => m.Name)],
                [.. modules.Where(m => m.Before && !m.After).Select(m => m.Name)]);
        }, ct);
    }

    /// <summary>
    /// Deletes a plan that no subscription, live or past, names. Refuses with IN_USE, NOT_FOUND, STALE (when a version is given),
    /// FORBIDDEN.
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
        catch (Refusal refusal) when (refusal.Reason == Reason.PlanUnknown)
        {
            // The same foreign key, from its other side.
            throw new Refusal(Reason.InUse);
        }
    }

    private static async Task<Refusal> WhyNot(Session session, Guid id, int? version)
    {
        var plan = await session.One<Plan>(OneSql, new { id });
        return Refusal.Untouched(plan.Version, version, plan.Name);
    }

    private static object Values(PlanInput p, Guid id, int version) =>
        new { id, version, p.Name, p.NameEn, p.Slug, p.Description, p.MonthlyPrice, p.YearlyPrice, p.Currency, p.SortOrder, p.Status };

    private static object Content(PlanInput p, Guid id) =>
        new { id, categoryIds = p.CategoryIds, modules = JsonSerializer.Serialize(p.Modules) };
}
