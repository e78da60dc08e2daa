using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Who reads which lines of the log of assignments.</summary>
public sealed class AssignmentLogTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Each_reader_is_shown_the_lines_that_are_theirs()
    {
        using var first = await world.As(Cast.Admin1);
        using var second = await world.As(Cast.Admin2);
        using var operators = await world.As(Cast.Super);
        var module = await world.ModuleId("notes-et-bulletins");
        await first.Assign(await world.IdOf("bursar.s0001.1@sankore.test"), module).Json();
        await second.Assign(await world.IdOf("bursar.s0002.1@sankore.test"), module).Json();
        // An attempt on another group's people is the log's of whoever tried.
        await second.Assign(await world.IdOf("bursar.s0001.1@sankore.test"), module).ShouldRefuse(404, "NOT_FOUND");

        var (g1, g2) = (await world.GroupId("g001"), await world.GroupId("g002"));
        (await Lines(first)).ShouldAllBe(l => l.GetProperty("groupId").GetGuid() == g1);
        (await Lines(second)).ShouldAllBe(l => l.GetProperty("groupId").GetGuid() == g2);
        (await Lines(first)).ShouldNotBeEmpty();
        (await Lines(second)).Count.ShouldBeGreaterThanOrEqualTo(2);
        (await Lines(first, $"group={g2}")).ShouldBeEmpty();
        (await operators.Ask(HttpMethod.Get, "/api/assignment-logs").Json()).GetProperty("total").GetInt64()
            .ShouldBe(await world.Sql<long>("select count(*) from tenancy.module_assignment_logs"));
        foreach (var email in new[] { Cast.Teacher1, Cast.HeadOnPremium, "bursar.s0001.1@sankore.test" })
        {
            using var client = await world.As(email);
            var none = await client.Ask(HttpMethod.Get, "/api/assignment-logs").Json();
            (none.GetProperty("total").GetInt64(), none.GetProperty("items").GetArrayLength()).ShouldBe((0, 0));
        }
    }

    [Fact]
    public async Task A_line_says_who_what_whom_and_what_was_before_and_after()
    {
        using var admin = await world.As("admin.g005@sankore.test");
        var (user, module, school) =
            (await world.IdOf("bursar.s0005.1@sankore.test"), await world.ModuleId("campagnes"), await world.SchoolId("s0005"));
        await admin.Assign(user, module, new { canWrite = true, schoolId = school }).Json();
        await admin.Assign(user, module, new { canExport = true, schoolId = school, version = 1, expiresAt = "2100-01-01T00:00:00Z" })
            .Json();
        await admin.Revoke(user, module, query: $"?schoolId={school}");
        var lines = await Lines(admin, $"user={user}");
        lines.Texts("action").ShouldBe(["revoked", "updated", "assigned"]);
        var updated = lines[1];
        updated.Text("user").ShouldBe(await world.Sql<string>("select display_name from public.profiles where id = @user", new { user }));
        updated.Text("target").ShouldBe("Campagnes");
        updated.Text("school").ShouldBe(await world.Sql<string>("select name from tenancy.schools where id = @school", new { school }));
        updated.Text("assignedBy")
            .ShouldBe(await world.Sql<string>("select display_name from public.profiles where email = 'admin.g005@sankore.test'"));
        updated.GetProperty("before").GetProperty("write").GetBoolean().ShouldBeTrue();
        updated.GetProperty("after").GetProperty("write").GetBoolean().ShouldBeFalse();
        updated.GetProperty("after").GetProperty("export").GetBoolean().ShouldBeTrue();
        updated.GetProperty("after").GetProperty("expiresAt").GetDateTimeOffset().Year.ShouldBe(2100);
        (lines[0].GetProperty("after").ValueKind, lines[2].GetProperty("before").ValueKind)
            .ShouldBe((JsonValueKind.Null, JsonValueKind.Null));
    }

    [Fact]
    public async Task Lines_are_found_by_person_author_action_and_time()
    {
        const string Author = "admin.g004@sankore.test";
        using var admin = await world.As(Author);
        using var operators = await world.As(Cast.Super);
        var (user, module, author, group) = (
            await world.IdOf("bursar.s0004.1@sankore.test"), await world.ModuleId("campagnes"), await world.IdOf(Author),
            await world.GroupId("g004"));
        await admin.Assign(user, module).Json();
        await admin.Assign(user, await world.ModuleId("transport")).ShouldRefuse(422, "MODULE_INACTIVE");
        var middle = await world.Sql<DateTime>("select clock_timestamp()");
        await admin.Revoke(user, module);
        var moment = Uri.EscapeDataString(middle.ToString("O", System.Globalization.CultureInfo.InvariantCulture));

        foreach (var client in new[] { admin, operators })
        {
            (await Lines(client, $"user={user}")).Texts("action").ShouldBe(["revoked", "refused", "assigned"]);
            (await Lines(client, $"by={author}&group={group}")).Count.ShouldBe(3);
            (await Lines(client, $"user={user}&action=refused")).ShouldHaveSingleItem().Text("reason").ShouldBe("MODULE_INACTIVE");
            (await Lines(client, $"user={user}&from={moment}")).Texts("action").ShouldBe(["revoked"]);
            (await Lines(client, $"user={user}&to={moment}")).Texts("action").ShouldBe(["refused", "assigned"]);
            (await Lines(client, $"by={user}")).ShouldBeEmpty();
            (await Lines(client, $"user={user}&action=nothing")).ShouldBeEmpty();
            var page = await client.Ask(HttpMethod.Get, $"/api/assignment-logs?user={user}&page=2&size=2").Json();
            (page.GetProperty("total").GetInt32(), page.GetProperty("items").GetArrayLength()).ShouldBe((3, 1));
        }
        await admin.Ask(HttpMethod.Get, "/api/assignment-logs?from=yesterday").ShouldRefuse(400, "BAD_REQUEST");
        await admin.Ask(HttpMethod.Get, "/api/assignment-logs?user=me").ShouldRefuse(400, "BAD_REQUEST");
    }

    private static async Task<List<JsonElement>> Lines(HttpClient client, string query = "") =>
        [.. (await client.Ask(HttpMethod.Get, $"/api/assignment-logs?size=100&{query}").Json()).GetProperty("items").EnumerateArray()];
}
