using System.Text.Json;
using Sankore.Identity;
using Sankore.Platform.Text;

namespace Sankore.Tests.Platform;

/// <summary>Moments that come from outside, at the ends of what there is; and pages and rights where such a row is there all the
/// same.</summary>
public sealed class MomentTests(World world) : IClassFixture<World>
{
    private const string Endless = "9999-12-31T23:59:59.9999999Z";

    [Theory]
    [InlineData("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"), InlineData("2199-12-31T23:59:59.9999999Z", "2199-12-31T23:59:59.999999Z")]
    [InlineData("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00Z"), InlineData("2026-03-01", "2026-03-01T00:00:00Z")]
    [InlineData("2026-03-01T07:15", "2026-03-01T07:15:00Z"), InlineData("2026-03-01T07:15:09.1234567", "2026-03-01T07:15:09.123456Z")]
    public void A_moment_of_the_two_centuries_is_read_to_the_microsecond(string text, string read) =>
        Moment.Parse(text).ToString().ShouldBe(read);

    [Theory]
    [InlineData("1999-12-31T23:59:59Z"), InlineData("2200-01-01T00:00:00Z"), InlineData(Endless), InlineData("0001-01-01T00:00:00Z")]
    [InlineData("2200-01-01T00:30:00+01:00x"), InlineData("infinity"), InlineData("1/2/2026"), InlineData("2026-02-30"), InlineData("")]
    [InlineData("2000-01-01T00:30:00+01:00"), InlineData(null), InlineData("12:00")]
    public void What_is_no_moment_or_too_far_is_none(string? text) => Moment.Parse(text).ShouldBeNull();

    [Fact]
    public void A_moment_is_written_and_read_as_the_same()
    {
        var random = new Random(13);
        for (var n = 0; n < 1000; n++)
        {
            var at = Moment.Of(DateTimeOffset.UnixEpoch.AddSeconds(946684800 + random.NextDouble() * 6.3e9));
            JsonSerializer.Deserialize<Moment>(JsonSerializer.Serialize(at)).ShouldBe(at!.Value);
            Moment.TryParse(at.ToString(), null, out var parsed).ShouldBeTrue();
            parsed.ShouldBe(at.Value);
        }
    }

    [Theory]
    [InlineData("POST /api/users/{teacher}/roles", """{"role":"moderator","expiresAt":"?"}""")]
    [InlineData("POST /api/api-keys", """{"name":"k","permissions":["tenancy.read"],"expiresAt":"?"}""")]
    [InlineData("POST /api/groups/{group}/subscriptions", """{"planId":null,"endsAt":"?"}""")]
    [InlineData("POST /api/groups/{group}/subscriptions", """{"planId":null,"startsAt":"?"}""")]
    [InlineData("PUT /api/memberships/{teacher}", """{"version":1,"expiresAt":"?"}""")]
    [InlineData("PUT /api/users/{teacher}/modules/{teacher}", """{"expiresAt":"?"}""")]
    [InlineData("POST /api/groups/{group}/assignments", """{"expiresAt":"?"}""")]
    public async Task A_moment_beyond_the_range_is_refused_with_the_field_that_has_it(string route, string body)
    {
        using var admin = await world.As(Cast.Super);
        var path = route.Split(' ')[1].Replace("{teacher}", (await world.IdOf(Cast.Teacher1)).ToString(), StringComparison.Ordinal)
            .Replace("{group}", Guid.Empty.ToString(), StringComparison.Ordinal);
        foreach (var beyond in new[] { Endless, "0001-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "infinity" })
        {
            using var content = new StringContent(body.Replace("?", beyond, StringComparison.Ordinal), null, "application/json");
            var problem = await admin.Ask(new HttpMethod(route.Split(' ')[0]), path, content).Json(400);
            problem.Text("code").ShouldBe(beyond is "infinity" ? "BAD_REQUEST" : "VALIDATION_FAILED", beyond);
            problem.GetProperty("errors").EnumerateObject().Single().Name
                .ShouldBe(body.Contains("startsAt", StringComparison.Ordinal) ? "startsAt" : body.Contains("endsAt",
                    StringComparison.Ordinal)
                    ? "endsAt" : "expiresAt");
        }
    }

    [Theory]
    [InlineData("/api/audit-logs?from="), InlineData("/api/audit-logs?to="), InlineData("/api/assignment-logs?from=")]
    public async Task A_filter_beyond_the_range_is_a_bad_request(string path)
    {
        using var admin = await world.As(Cast.Super);
        (await admin.Ask(path + Endless)).Code.ShouldBe("BAD_REQUEST");
        (await admin.Ask(path + "2026-01-01T00:00:00Z")).Code.ShouldBeNull();
    }

    [Fact]
    public async Task Text_and_numbers_in_place_of_each_other_are_refused_with_the_field()
    {
        using var admin = await world.As(Cast.Super);
        var refused = await admin.Post("/api/plans", new { name = 12 });
        (refused.Code, refused.Body.GetProperty("errors").TryGetProperty("name", out _)).ShouldBe(("BAD_REQUEST", true));
    }

    [Theory]
    [InlineData("infinity"), InlineData("9999-12-31 23:30:00+00"), InlineData("9999-12-31 22:59:59.999999+00")]
    public async Task A_row_that_ends_with_time_itself_is_shown_and_harms_nobody(string end)
    {
        await using var own = new OwnWorld();
        await own.InitializeAsync();
        var (person, group) = (await own.IdOf(Cast.Teacher1), await own.Sql<Guid>(
            "select school_group_id from tenancy.memberships m join auth.users u on u.id = m.user_id where u.email = @email",
            new { email = Cast.Teacher1 }));
        foreach (var (table, column) in new[]
        {
            ("rbac.user_roles", "expires_at"), ("tenancy.memberships", "expires_at"), ("tenancy.user_module_permissions", "expires_at"),
        })
        {
            // As it was before the columns were bounded.
            await own.Execute($"""
                alter table {table} drop constraint {table.Split('.')[1]}_{column}_moment_check;
                update {table} set {column} = '{end}' where user_id = '{person}'
                """);
        }
        foreach (var email in new[] { Cast.Teacher1, Cast.HeadOnPremium, Cast.Admin1, Cast.Super })
        {
            using var client = await own.As(email);
            (await client.Ask("/api/me")).Code.ShouldBeNull(email);
        }
        string[] pages = [$"/groups/{group}/staff", $"/groups/{group}/matrix", $"/people/{person}"];
        await ShowsIt(own, Cast.Super, [.. pages, $"/admin/people/{person}", "/admin/people", "/admin/audit", "/admin/assignments"]);
        await ShowsIt(own, Cast.Admin1, pages);
    }

    private static async Task ShowsIt(World own, string email, params string[] pages)
    {
        using var browser = new Browser(own.Address);
        await browser.SignIn(email, PasswordRules.Demo);
        foreach (var page in pages)
        {
            (await browser.Page(page)).ShouldContain("</html>");
        }
    }

    private sealed class OwnWorld : World;
}
