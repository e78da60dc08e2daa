using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>In whose name a unit of work is done, and what it leaves behind when it ends with a refusal.</summary>
public sealed class UnitOfWorkTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private const string WriteSql = "insert into util.job_queue (id, job_type, payload) values (@id, 'nobody works this', '{}')";

    [Theory]
    [InlineData(false, 0), InlineData(true, 1)]
    public async Task A_refusal_undoes_what_was_written_unless_it_keeps_it(bool keeps, long left)
    {
        var id = Guid.NewGuid();
        var refused = await Should.ThrowAsync<Refusal>(() => world.Db.Run(Caller.Service, async session =>
        {
            await session.Execute(WriteSql, new { id });
            throw new Refusal(Reason.NotFound) { KeepsWork = keeps };
        }, TestContext.Current.CancellationToken));
        refused.Reason.ShouldBe(Reason.NotFound);
        (await Written(id)).ShouldBe(left);
    }

    [Fact]
    public async Task A_refusal_keeps_also_what_the_server_wrote_for_somebody()
    {
        var id = Guid.NewGuid();
        await Should.ThrowAsync<Refusal>(() => world.Db.Run(Caller.Anonymous, session => session.AsService<int>(async server =>
        {
            await server.Execute(WriteSql, new { id });
            throw new Refusal(Reason.Forbidden) { KeepsWork = true };
        }), TestContext.Current.CancellationToken));
        (await Written(id)).ShouldBe(1);
    }

    [Fact]
    public async Task What_the_database_refuses_is_never_kept()
    {
        var id = Guid.NewGuid();
        await Should.ThrowAsync<Refusal>(() => world.Db.Run(Caller.Service, async session =>
        {
            await session.Execute(WriteSql, new { id });
            await session.Execute(WriteSql, new { id });
        }, TestContext.Current.CancellationToken));
        (await Written(id)).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_asked_synchronously_is_asked_in_the_callers_name_and_committed()
    {
        foreach (var caller in (Caller[])[Caller.Service, Caller.Anonymous])
        {
            world.Db.QuerySync<string>(caller, "select current_user::text").ShouldBe([caller.Role]);
        }
        var id = Guid.NewGuid();
        world.Db.QuerySync<Guid>(Caller.Service, WriteSql + " returning id", new { id }).ShouldBe([id]);
        Should.Throw<Npgsql.PostgresException>(() => world.Db.QuerySync<Guid>(Caller.Anonymous, WriteSql, new { id = Guid.NewGuid() }))
            .SqlState.ShouldBe(Npgsql.PostgresErrorCodes.InsufficientPrivilege);
        (await Written(id)).ShouldBe(1);
    }

    private Task<long> Written(Guid id) => world.Sql<long>("select count(*) from util.job_queue where id = @id", new { id });
}
