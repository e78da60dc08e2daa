using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>The platform in figures, for whoever operates it.</summary>
public sealed record DashboardFigures(
    long Modules, long ActiveModules, long Categories, long Plans, long Groups, long LiveGroups, long Schools, long People);

/// <summary>A plan and how many groups live on it.</summary>
public sealed record PlanShare(string Name, long Groups);

/// <summary>The operator's dashboard.</summary>
public sealed class Dashboard(Db db)
{
    private const string Sql = """
        select (select count(*) from tenancy.modules) as modules,
               (select count(*) from tenancy.modules where status = 'active' and is_built) as active_modules,
               (select count(*) from tenancy.business_categories) as categories,
               (select count(*) from tenancy.subscription_plans) as plans,
               (select count(*) from tenancy.school_groups) as groups,
               (select count(*) from tenancy.live_subscriptions) as live_groups,
               (select count(*) from tenancy.schools) as schools,
               (select count(*) from public.profiles) as people;
        select p.name, count(s.id) as groups
        from tenancy.subscription_plans p
        left join tenancy.live_subscriptions s on s.plan_id = p.id
        group by p.id order by p.sort_order
        """;

    /// <summary>The figures and the plans' shares, in one round trip.</summary>
    public Task<(DashboardFigures Figures, IReadOnlyList<PlanShare> Plans)> Read(
        Caller caller, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(Sql);
        var figures = await grid.ReadFirstAsync<DashboardFigures>();
        IReadOnlyList<PlanShare> plans = [.. await grid.ReadAsync<PlanShare>()];
        return (figures, plans);
    }, ct);
}
