using System.Net;

namespace Sankore.Tests.Rbac;

/// <summary>What was granted or revoked counts from the next request on, and an open stream is told to read again.</summary>
public sealed class RevocationTests(World world) : IClassFixture<World>
{
    private const string Moderator = "head.s0006@sankore.test";

    [Fact]
    public async Task A_grant_and_a_revocation_count_from_the_next_request_on()
    {
        using var admin = await world.As(Cast.Super);
        using var person = await world.As(Moderator);
        var id = await world.IdOf(Moderator);
        for (var round = 0; round < 10; round++)
        {
            (await person.Ask("/api/users")).Status.ShouldBe(HttpStatusCode.Forbidden);
            (await admin.Post($"/api/users/{id}/roles", new { role = "moderator" })).Status.ShouldBe(HttpStatusCode.NoContent);
            (await person.Ask("/api/users")).Status.ShouldBe(HttpStatusCode.OK, $"round {round}, granted");
            (await admin.Remove($"/api/users/{id}/roles/moderator")).Status.ShouldBe(HttpStatusCode.NoContent);
            (await person.Ask("/api/users")).Status.ShouldBe(HttpStatusCode.Forbidden, $"round {round}, revoked");
        }
    }

    [Fact]
    public async Task Whoever_lost_a_role_sees_no_row_by_it_at_once_whatever_the_server_remembers()
    {
        using var admin = await world.As(Cast.Super);
        using var person = await world.As("head.s0007@sankore.test");
        var id = await world.IdOf("head.s0007@sankore.test");
        var own = (await person.Ask("/api/modules")).Body.GetProperty("total").GetInt64();
        await admin.Post($"/api/users/{id}/roles", new { role = "moderator" });
        (await person.Ask("/api/modules")).Body.GetProperty("total").GetInt64().ShouldBeGreaterThan(own);
        await admin.Remove($"/api/users/{id}/roles/moderator");
        (await person.Ask("/api/modules")).Body.GetProperty("total").GetInt64().ShouldBe(own);
    }

    [Fact]
    public async Task An_open_stream_is_reset_and_gets_nothing_more_by_a_lost_role()
    {
        using var admin = await world.As(Cast.Super);
        const string person = "head.s0008@sankore.test";
        var id = await world.IdOf(person);
        await admin.Post($"/api/users/{id}/roles", new { role = "moderator" });
        await using var stream =
            await LiveClient.Open(world.Address, await world.Token(person), await world.Sql<long>("select live.position()"));
        await using var bystander = await LiveClient.Open(world.Address, await world.Token(Cast.Teacher1));
        var hidden = await Module(admin, "Caché au chef");
        await stream.Next(e => e.Type == "change" && e.RowId == hidden, "a moderator is told of every module");

        await admin.Remove($"/api/users/{id}/roles/moderator");
        var reset = await stream.Next(e => e.Type == "reset", "the person is told to read again");
        var later = await Module(admin, "Caché encore");
        await world.Execute(
            "update tenancy.modules set priority = priority + 1 where id = any((select array_agg(i.module_id)"
            + " from tenancy.included_modules i)::uuid[])");
        await stream.Next(e => e.Type == "change" && e.Id > reset.Id, "the person is told of what is theirs");
        await bystander.Next(e => e.Type == "change", "the bystander is told of what is theirs");

        stream.Events.ShouldNotContain(e => e.Type == "change" && e.Id > reset.Id && e.RowId == later);
        stream.Events.Where(e => e.Type == "change" && e.Id > reset.Id)
            .ShouldAllBe(e => !e.Data.GetRawText().Contains("planIds", StringComparison.Ordinal));
        bystander.Events.ShouldNotContain(e => e.Type == "reset");
    }

    private async Task<Guid> Module(HttpClient admin, string name) =>
        (await admin.Post(
            "/api/modules",
            new { name, isBuilt = false, categoryId = await world.Sql<Guid>("select id from tenancy.business_categories limit 1") }))
            .Body.GetProperty("id").GetGuid();
}
