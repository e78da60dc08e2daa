using System.Text;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// What is no attempt to assign at all: it cannot be read, or nobody is asking. It changes nothing and is no line of the log.
/// </summary>
public sealed class AssignmentInputTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Reading_is_part_of_every_assignment()
    {
        using var admin = await world.As(Cast.Admin1);
        foreach (var (language, words) in new[] { ("fr", "révoquez-la plutôt"), ("en", "revoke it instead") })
        {
            await Untouched(
                async (user, module) => (await admin.Assign(user, module, new { canRead = false, canWrite = true }, language: language)
                .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("canRead").ShouldContain(words));
        }
    }

    [Theory]
    [InlineData("""{"canWrite":true,""")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("""{"canWrite":"yes"}""")]
    [InlineData("""{"canWrite":1}""")]
    [InlineData("""{"expiresAt":"tomorrow"}""")]
    [InlineData("""{"expiresAt":17}""")]
    [InlineData("""{"expiresAt":"2026-02-30T00:00:00Z"}""")]
    [InlineData("""{"schoolId":"s0001"}""")]
    [InlineData("""{"groupId":{}}""")]
    [InlineData("""{"version":"first"}""")]
    [InlineData("""{"version":1.5}""")]
    [InlineData("""{"version":99999999999}""")]
    public async Task A_body_that_is_no_assignment_is_refused(string body)
    {
        using var admin = await world.As(Cast.Admin1);
        await Untouched(
            (user, module) =>
                admin.Assign(user, module, new StringContent(body, Encoding.UTF8, "application/json")).ShouldRefuse(400, "BAD_REQUEST"));
    }

    [Theory]
    [InlineData("/api/users/someone/modules/{1}")]
    [InlineData("/api/users/{0}/modules/campagnes")]
    public async Task Only_ids_lead_to_an_assignment(string path)
    {
        using var admin = await world.As(Cast.Admin1);
        await Untouched(async (user, module) =>
        {
            using var answer = await admin.Ask(
                HttpMethod.Put, string.Format(System.Globalization.CultureInfo.InvariantCulture, path, user, module), new { });
            ((int)answer.StatusCode).ShouldBeOneOf(404, 405);
        });
    }

    [Fact]
    public async Task Whoever_is_not_signed_in_is_asked_to()
    {
        using var nobody = world.Nobody();
        var group = await world.GroupId("g001");
        foreach (var (language, words) in new[] { ("fr", "Connectez-vous"), ("en", "Sign in") })
        {
            await Untouched(
                async (user, module) => (await nobody.Assign(user, module, language: language).ShouldRefuse(401, "UNAUTHENTICATED"))
                .Text("title").ShouldContain(words));
        }
        await Untouched((user, module) => nobody.Revoke(user, module).ShouldRefuse(401, "UNAUTHENTICATED"));
        await Untouched(
            (user, module) =>
                nobody.Bulk(group, new { userIds = new[] { user }, moduleIds = new[] { module } }).ShouldRefuse(401, "UNAUTHENTICATED"));
        string[] paths =
        [
            $"/api/groups/{group}/matrix", "/api/assignment-logs", $"/api/users/{Guid.NewGuid()}/modules",
            $"/api/users/{Guid.NewGuid()}/modules/campagnes/why",
        ];
        foreach (var path in paths)
        {
            await nobody.Ask(HttpMethod.Get, path).ShouldRefuse(401, "UNAUTHENTICATED");
        }
    }

    [Theory]
    [InlineData("2199-12-31T23:59:59.999999Z")]
    [InlineData("2199-12-31T23:00:00+05:00")]
    [InlineData("2100-06-01T00:00:00+05:30")]
    public async Task An_end_may_be_far_away_and_in_any_zone(string end)
    {
        using var admin = await world.As(Cast.Admin1);
        var user = await world.IdOf("teacher.s0006.2@sankore.test");
        var answer = await admin.Bulk(
            await world.GroupId("g001"),
            new { userIds = new[] { user }, moduleIds = new[] { await world.ModuleId("campagnes") }, expiresAt = end }).Json();
        answer.GetProperty("people").GetInt32().ShouldBe(1);
        (await admin.ModulesOf(user)).Single(a => a.Text("code") == "campagnes").GetProperty("expiresAt").GetDateTimeOffset()
            .ShouldBe(DateTimeOffset.Parse(end, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("9999-12-31T23:59:59.9999999Z", "teacher.s0011.1@sankore.test")]
    [InlineData("9999-12-31T23:59:59.9999999-05:00", "teacher.s0011.2@sankore.test")]
    [InlineData("0001-01-01T00:00:00Z", "teacher.s0011.3@sankore.test")]
    [InlineData("0001-01-01T00:00:00+05:00", "teacher.s0016.1@sankore.test")]
    public async Task An_end_at_the_edge_of_time_breaks_nothing(string end, string email)
    {
        using var admin = await world.As(Cast.Admin1);
        using var person = await world.As(email);
        var (user, module) = (await world.IdOf(email), await world.ModuleId("campagnes"));
        using var answer = await admin.Assign(user, module, new { expiresAt = end });
        ((int)answer.StatusCode).ShouldBeOneOf(200, 400, 422);
        var statuses = new List<(string, int)>();
        (HttpClient Client, string Path)[] cases =
        [
            (admin, $"/api/assignment-logs?user={user}"), (admin, $"/api/users/{user}/modules"),
            (person, $"/api/users/{user}/modules/campagnes/why"), (person, "/api/me"), (person, "/api/me/menu"),
        ];
        foreach (var (client, path) in cases)
        {
            using var read = await client.Ask(HttpMethod.Get, path);
            statuses.Add((path, (int)read.StatusCode));
        }
        statuses.ShouldAllBe(s => s.Item2 == 200);
        await using var stream = await LiveClient.Open(world.Address, await world.Token(email));
    }

    [Fact]
    public async Task Nobody_spoils_the_log_for_its_readers()
    {
        using var teacher = await world.As(Cast.Teacher1);
        using var admin = await world.As(Cast.Admin1);
        using var operators = await world.As(Cast.Super);
        using var refused = await teacher.Assign(
            await world.IdOf(Cast.HeadOnPremium), await world.ModuleId("campagnes"), new { expiresAt = "0001-01-01T00:00:00Z" });
        ((int)refused.StatusCode).ShouldBeOneOf(400, 403);
        foreach (var client in new[] { admin, operators })
        {
            await client.Ask(HttpMethod.Get, $"/api/assignment-logs?by={await world.IdOf(Cast.Teacher1)}").Json();
        }
    }

    private async Task Untouched(Func<Guid, Guid, Task> attempt)
    {
        var (before, last) = (await world.AssignmentsNow(), await world.LastLine());
        await attempt(await world.IdOf(Cast.Teacher1), await world.ModuleId("campagnes"));
        (await world.AssignmentsNow()).ShouldBe(before);
        (await world.LinesAfter(last)).ShouldBeEmpty();
    }
}
