using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>A plan and how many groups live on it.</summary>
public sealed record PlanShare(string Name, long Groups);

/// <summary>How many groups there were at the end of a month; of the month that runs, now.</summary>
/// <param name="Month">Its first day.</param>
public sealed record Growth(DateOnly Month, long Groups);

/// <summary>How the platform grows, for its operator.</summary>
public sealed class Dashboard(Db db)
{
    private const string Sql = """
        select util.said(p.name, p.name_en) as name, count(s.id) as groups
        from tenancy.subscription_plans p
        left join tenancy.live_subscriptions s on s.plan_id = p.id
        group by p.id order by p.sort_order;
        select m.month, (
          select count(*) from tenancy.school_groups g where util.local(g.created_at) < m.month + interval '1 month') as groups
        from (select generate_series(date_trunc('month', util.local(now())) - interval '11 months', date_trunc('month', util.local(now())),
          interval '1 month') as month) m
        order by m.month
        """;

    /// <summary>The plans' shares, and twelve months, in one round trip.</summary>
    public Task<(IReadOnlyList<PlanShare> Plans, IReadOnlyList<Growth> Months)> Read(
        Caller caller, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(Sql);
        IReadOnlyList<PlanShare> plans = [.. await grid.ReadAsync<PlanShare>()];
        IReadOnlyList<Growth> months = [.. (await grid.ReadAsync<(DateTime Month, long Groups)>()).Select(
            m => new Growth(DateOnly.FromDateTime(m.Month), m.Groups))];
        return (plans, months);
    }, ct);
}
