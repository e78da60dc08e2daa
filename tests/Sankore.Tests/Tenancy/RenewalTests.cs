using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Periods of subscriptions over fifty years: the same day of each month or year on the group's clocks, against a calendar that is written
/// out here.
/// </summary>
public sealed class RenewalTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    // The version whose renewals were counted in UTC, from the end before.
    private const string Drifting = "91a9c46";

    private static readonly string[] Zones =
        ["Africa/Brazzaville", "Africa/Dakar", "Indian/Antananarivo", "Europe/Paris", "UTC"];

    public static TheoryData<int> Seeds => Effort.Seeds(3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

    [Theory, MemberData(nameof(Seeds))]
    public async Task Fifty_years_of_renewals_fall_on_the_days_of_an_independent_calendar(int seed)
    {
        var random = new Random(seed);
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        for (var n = 0; n < Effort.Of(20, 200); n++)
        {
            var (zone, months) = (Zones[random.Next(Zones.Length)], random.Next(2) == 0 ? 1 : 12);
            // The ends of months are where calendars differ.
            var first = Moment(
                random.Next(2000, 2100), random.Next(1, 13), random.Next(2) == 0 ? random.Next(28, 32) : random.Next(1, 29),
                random.Next(2) == 0 ? 0 : random.Next(4, 24));
            var ends = await Ends(connection, first, months == 1 ? "monthly" : "yearly", zone, 600 / months);
            ends.ShouldBe(Enumerable.Range(1, 600 / months).Select(k => Later(first, k * months)), $"{first} {months} {zone}");
        }
    }

    [Theory]
    [InlineData("monthly", "2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"), InlineData("yearly", "2024-02-29", "2025-02-28",
        "2026-02-28")]
    [InlineData("monthly", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"), InlineData("yearly", "2028-03-01", "2029-03-01",
        "2030-03-01")]
    public async Task A_period_ends_where_people_expect_it(string period, string first, params string[] expected)
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        var ends = await Ends(connection, DateTime.Parse(first, null), period, "Africa/Brazzaville", expected.Length);
        ends.Select(e => e.ToString("yyyy-MM-dd", null)).ShouldBe(expected);
    }

    [Fact]
    public async Task The_twenty_ninth_of_february_comes_back_and_november_is_paid_to_its_end()
    {
        var leap = await Renewed("yearly", "2023-02-28 23:00+00", "2024-02-28 23:00+00", years: 4);
        leap.ShouldBe(["2025-02-27", "2026-02-27", "2027-02-27", "2028-02-28"]);
        var eve = await Renewed("yearly", "2023-02-28 23:00+00", "2024-02-29 23:00+00", years: 4);
        eve.ShouldBe(["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
        var november = await Renewed("monthly", "2024-10-31 23:00+00", "2024-11-30 23:00+00", years: 4);
        november.ShouldBe(["2024-12-31", "2025-01-31", "2025-02-28", "2025-03-31"]);
    }

    [Fact]
    public async Task A_new_subscription_ends_with_its_first_period_on_the_groups_clocks()
    {
        await using var own = new World();
        await own.InitializeAsync();
        using var admin = await own.As(Cast.Super);
        var plan = await admin.NewPlan();
        foreach (var (zone, start, end) in new[]
        {
            ("Africa/Brazzaville", "2199-01-30T23:00:00Z", "2199-02-27T23:00:00Z"), ("Africa/Dakar", "2199-01-31T00:00:00Z",
                "2199-02-28T00:00:00Z"),
        })
        {
            var group = await admin.Ask(HttpMethod.Post, "/api/groups", new { name = Catalogue.Word(), timeZone = zone }).Json(201);
            group.Text("timeZone").ShouldBe(zone);
            var made = await admin.Ask(HttpMethod.Post, $"/api/groups/{group.Id()}/subscriptions",
                new { planId = plan.Id(), billingPeriod = "monthly", startsAt = start }).Json(201);
            made.GetProperty("endsAt").GetDateTime().ToUniversalTime().ShouldBe(DateTime.Parse(end, null).ToUniversalTime());
            (await own.Sql<string>("select anchored_at::date::text from tenancy.subscriptions where id = @id", new { id = made.Id() }))
                .ShouldBe("2199-01-31");
        }
    }

    [Fact]
    public async Task Ends_that_have_drifted_are_put_back_to_the_day_that_was_meant()
    {
        var database = await EarlierDatabase.Create(Drifting);
        await using (var connection = new NpgsqlConnection(database))
        {
            await connection.OpenAsync();
            await Run(connection, Old("0001", "monthly", "2025-10-31 23:00+00", "2025-11-30 23:00+00", "2026-10-30 23:00+00"));
            await Run(connection, Old("0002", "yearly", "2023-03-01 10:00+00", "2024-02-29 22:30+00", "2027-02-28 22:30+00"));
            await Run(connection, Old("0003", "monthly", "2026-01-31 10:00+00", "2026-02-28 10:00+00", "2026-11-28 10:00+00"));
            // Nothing says that this one has ever been another.
            await Run(connection, Old("0004", "monthly", "2026-01-05 10:00+00", "2026-11-30 23:00+00", "2026-11-30 23:00+00"));
        }
        await SankoreApp.PrepareDatabase(database, _ => { }, CancellationToken.None);
        await using var upgraded = new NpgsqlConnection(database);
        var ends = await Dapper.SqlMapper.QueryAsync<string>(upgraded, """
            select to_char(ends_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' from ' || to_char(anchored_at, 'YYYY-MM-DD HH24:MI')
            from tenancy.subscriptions order by id
            """);
        ends.ShouldBe([
            "2026-10-31 23:00 from 2025-11-01 00:00", "2027-02-28 22:30 from 2024-02-29 23:30", "2026-11-30 10:00 from 2026-01-31 11:00",
            "2026-11-30 23:00 from 2026-12-01 00:00"]);
    }

    /// <summary>A subscription that was made with one end, and renewed by the server to another.</summary>
    private static string Old(string n, string period, string start, string chosen, string now) => $"""
        reset role; set session_replication_role = origin;
        insert into tenancy.subscription_plans (id, name, slug) values ('00000000-0000-0000-0000-00000000{n}', 'Plan', 'p{n}');
        insert into tenancy.school_groups (id, name, code) values ('00000000-0000-0000-0000-00000000{n}', 'Group', 'g{n}');
        insert into tenancy.subscriptions (id, school_group_id, plan_id, billing_period, starts_at, ends_at)
        values ('00000000-0000-0000-0000-00000000{n}', '00000000-0000-0000-0000-00000000{n}', '00000000-0000-0000-0000-00000000{n}',
          '{period}', '{start}', '{chosen}');
        update tenancy.subscriptions set ends_at = '{now}' where id = '00000000-0000-0000-0000-00000000{n}';
        """;

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The last days of the periods of a subscription, each year's or month's renewal made when it is due.</summary>
    private async Task<List<string>> Renewed(string period, string start, string end, int years)
    {
        var id = Guid.CreateVersion7();
        await world.Execute("""
            insert into tenancy.subscription_plans (id, name, slug) values (@id, 'Plan', @id::text);
            insert into tenancy.school_groups (id, name, code) values (@id, 'Group', @id::text);
            insert into tenancy.subscriptions (id, school_group_id, plan_id, billing_period, starts_at, ends_at)
            values (@id, @id, @id, @period, @start::timestamptz, @end::timestamptz)
            """, new { id, period, start, end });
        var days = new List<string>();
        for (var n = 0; n < years; n++)
        {
            // The renewal of that day: what advance_subscriptions writes, at the moment of the end.
            days.Add(await world.Sql<string>("""
                update tenancy.subscriptions s set ends_at = tenancy.next_due(s.anchored_at, s.billing_period, 'Africa/Brazzaville',
                    s.ends_at)
                where id = @id returning ((ends_at at time zone 'Africa/Brazzaville') - interval '1 microsecond')::date::text
                """, new { id }));
        }
        await world.Execute("delete from tenancy.subscriptions where id = @id", new { id });
        return days;
    }

    private static async Task<List<DateTime>> Ends(NpgsqlConnection connection, DateTime first, string period, string zone, int count) =>
        [.. await Dapper.SqlMapper.QueryAsync<DateTime>(connection, """
            with recursive renewed as (
              select tenancy.next_due(@first::timestamp, @period, @zone, @first::timestamp at time zone @zone) as ends_at, 1 as n
              union all
              select tenancy.next_due(@first::timestamp, @period, @zone, ends_at), n + 1 from renewed where n < @count)
            select ends_at at time zone @zone from renewed order by n
            """, new { first, period, zone, count })];

    private static DateTime Moment(int year, int month, int day, int hour) =>
        new(year, month, Math.Min(day, LengthOf(year, month)), hour, 0, 0, DateTimeKind.Unspecified);

    /// <summary>So many months later by the Gregorian rules, with no help from any library's.</summary>
    private static DateTime Later(DateTime first, int months)
    {
        var month = first.Month - 1 + months;
        var (year, of) = (first.Year + month / 12, month % 12 + 1);
        return Moment(year, of, first.Day, first.Hour);
    }

    private static int LengthOf(int year, int month) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };
}
