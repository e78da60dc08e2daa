using System.Net;
using Sankore.Identity;
using Sankore.Platform.Text;

namespace Sankore.Tests.Platform;

/// <summary>Days that people write into forms and addresses.</summary>
public sealed class DaysTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("from=0001-01-01"), InlineData("to=9999-12-31"), InlineData("from=2026-02-30"), InlineData("to=demain")]
    public async Task A_filter_of_the_audit_log_that_names_no_day_filters_nothing(string filter)
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, PasswordRules.Demo);
        (await browser.Page("/admin/audit?" + filter)).ShouldContain("timeline");
    }

    [Theory]
    [InlineData("9999-12-31"), InlineData("2026-02-30"), InlineData("demain")]
    public async Task A_role_is_not_granted_until_a_day_that_is_none(string day)
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, PasswordRules.Demo);
        var person = await world.IdOf(Cast.Teacher1);
        using var answer =
            await browser.Submit($"/admin/people/{person}", "Form.ExpiresOn", ("Form.Role", "moderator"), ("Form.ExpiresOn", day));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Body()).ShouldContain("expiresOn-err");
        (await world.Sql<long>(
            "select count(*) from rbac.user_roles u join rbac.roles r on r.id = u.role_id where u.user_id = @person"
            + " and r.role_name = 'moderator'", new { person })).ShouldBe(0);
    }

    [Fact]
    public async Task A_role_granted_until_a_day_ends_with_that_day_in_west_africa()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, PasswordRules.Demo);
        var person = await world.IdOf(Cast.Admin2);
        using var answer =
            await browser.Submit($"/admin/people/{person}", "Form.ExpiresOn", ("Form.Role", "moderator"), ("Form.ExpiresOn", "2199-06-30"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Found);
        (await world.Sql<DateTime>(
            "select u.expires_at from rbac.user_roles u join rbac.roles r on r.id = u.role_id where u.user_id = @person"
            + " and r.role_name = 'moderator'", new { person }))
            .ToUniversalTime().ShouldBe(new DateTime(2199, 6, 30, 23, 0, 0, DateTimeKind.Utc));
    }

    [Theory]
    [InlineData("2026-01-31 23:30+00"), InlineData("2026-06-15 00:00+00"), InlineData("1999-12-31 22:59:59.999999+00")]
    public async Task The_database_has_the_same_hour_as_the_pages(string moment)
    {
        const string Sql = "select @moment::timestamptz, util.local(@moment::timestamptz)";
        var (utc, local) = (await world.Rows<(DateTime, DateTime)>(Sql, new { moment })).Single();
        local.ShouldBe(DateTime.SpecifyKind(utc.Add(Days.Offset), DateTimeKind.Unspecified));
    }
}
