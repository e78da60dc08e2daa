using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>Subscriptions whose due date has passed: renewed, past due, expired, or left as they are.</summary>
public sealed class DueDateTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private sealed record Subscription(Guid Id, string Status, string BillingPeriod, bool AutoRenew, DateTime? EndsAt, int Version);

    private sealed record School(Guid SubscriptionId, Guid? Linked, bool HasModule);

    private static readonly string[] States = ["trialing", "active", "past_due", "suspended", "cancelled", "expired"];

    /// <summary>What should become of a subscription: the first of these rules that fits.</summary>
    private static (string Status, DateTime? EndsAt) Due(Subscription s, DateTime now)
    {
        if (s.EndsAt is not { } end || end > now || s.Status is "cancelled" or "expired")
        {
            return (s.Status, s.EndsAt);
        }
        return s switch
        {
            { Status: "trialing" or "active", AutoRenew: true } => ("active", NextEnd(end, s.BillingPeriod == "monthly" ? 1 : 12, now)),
            { Status: "active" } => ("past_due", end),
            { Status: "past_due" } when (now - end).TotalDays < 15 => ("past_due", end),
            _ => ("expired", end),
        };
    }

    /// <summary>Counted on the clocks of the group, an hour ahead of UTC.</summary>
    private static DateTime NextEnd(DateTime end, int months, DateTime now)
    {
        var periods = 1;
        while (Counted() <= now)
        {
            periods++;
        }
        return Counted();

        DateTime Counted() => end.AddHours(1).AddMonths(periods * months).AddHours(-1);
    }

    [Fact]
    public async Task Every_subscription_becomes_what_its_state_its_renewal_and_its_date_say()
    {
        var now = await world.Sql<DateTime>("select now()");
        var before = await Write(Dates(now));
        await Step(before, now);
        // A day's run leaves those that it made past due long ago, and the next expires them.
        var once = await Read();
        once.Values.ShouldContain(s => s.Status == "past_due" && s.EndsAt < now.AddDays(-15));
        await Step(once, now);
        await Step(await Read(), now, expected: 0);
    }

    [Fact]
    public async Task An_expired_subscription_takes_its_schools_modules_and_a_past_due_one_does_not()
    {
        var now = await world.Sql<DateTime>("select now()");
        await Write(Dates(now));
        await Advance();
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        (await SyncOracle.Differences(connection)).ShouldBeEmpty();
        var after = await Read();
        foreach (var school in await connection.QueryAsync<School>(
            "select school_group_id as subscription_id, subscription_id as linked, active_modules = '{\"due\": true}' as has_module"
            + " from tenancy.schools"))
        {
            var live = after[school.SubscriptionId].Status is "trialing" or "active" or "past_due";
            school.ShouldBe(
                new School(school.SubscriptionId, live ? school.SubscriptionId : null, live), after[school.SubscriptionId].ToString());
        }
    }

    [Fact]
    public async Task Periods_are_whole_months_and_years_counted_from_the_first_end()
    {
        DateTime[] ends = [Day(2024, 2, 29), Day(2023, 12, 31), Day(2025, 1, 31), Day(2024, 10, 30), Day(2021, 3, 28)];
        var before = await Write([.. ends]);
        await Step(before, await world.Sql<DateTime>("select now()"));
        static DateTime Day(int year, int month, int day) => new(year, month, day, 12, 30, 0, DateTimeKind.Utc);
    }

    private async Task Step(Dictionary<Guid, Subscription> before, DateTime now, int? expected = null)
    {
        var changed = await Advance();
        var after = await Read();
        foreach (var s in before.Values)
        {
            var (status, end) = Due(s, now);
            var same = status == s.Status && end == s.EndsAt;
            after[s.Id].ShouldBe(s with { Status = status, EndsAt = end, Version = s.Version + (same ? 0 : 1) }, s.ToString());
        }
        changed.ShouldBe(expected ?? before.Values.Count(s => Due(s, now) != (s.Status, s.EndsAt)));
    }

    private async Task<int> Advance() => (await world.AsRole<int>("service_role", null, "select tenancy.advance_subscriptions()")).Single();

    private static List<DateTime?> Dates(DateTime now) =>
        [null, now.AddHours(1), now.AddMinutes(-1), now.AddDays(-10), now.AddDays(-15).AddHours(1), now.AddDays(-15).AddMinutes(-1),
            now.AddDays(-40), now.AddDays(-800)];

    /// <summary>Each state, renewed or not, for months and years, with each date: every one in a group of its own, with a school.</summary>
    private async Task<Dictionary<Guid, Subscription>> Write(List<DateTime?> dates)
    {
        await world.Execute(
            "delete from tenancy.schools; delete from tenancy.subscriptions; delete from tenancy.school_groups; delete"
            + " from tenancy.modules; delete from tenancy.subscription_plans; delete from tenancy.business_categories");
        var plan = Guid.CreateVersion7();
        await world.Execute("""
            insert into tenancy.business_categories (id, name, slug) values (@plan, 'Category', 'due');
            insert into tenancy.modules (id, code, name, category_id) values (@plan, 'due', 'Module', @plan);
            insert into tenancy.subscription_plans (id, name, slug) values (@plan, 'Plan', 'due');
            insert into tenancy.plan_modules (id, plan_id, module_id) values (@plan, @plan, @plan);
            """, new { plan });
        var rows =
            from state in States
            from renew in new[] { true, false }
            from period in new[] { "monthly", "yearly" }
            from date in dates
            select new { id = Guid.CreateVersion7(), state, renew, period, date };
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        foreach (var row in rows)
        {
            await connection.ExecuteAsync("""
                insert into tenancy.school_groups (id, name, code) values (@id, 'Group', @id::text);
                insert into tenancy.subscriptions (id, school_group_id, plan_id, status, billing_period, auto_renew, starts_at, ends_at)
                values (@id, @id, @plan, @state, @period, @renew, '2020-01-01', @date);
                insert into tenancy.schools (id, school_group_id, name, code) values (@id, @id, 'School', @id::text);
                """, new { row.id, row.state, row.renew, row.period, row.date, plan });
        }
        return await Read();
    }

    private async Task<Dictionary<Guid, Subscription>> Read()
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        return (await connection.QueryAsync<Subscription>(
            "select id, status, billing_period, auto_renew, ends_at, version from tenancy.subscriptions")).ToDictionary(s => s.Id);
    }
}
