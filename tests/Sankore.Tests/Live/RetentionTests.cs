using Npgsql;

namespace Sankore.Tests.Live;

/// <summary>The log is kept for a day: a client that was away longer is told to read everything again.</summary>
public sealed class RetentionTests(World world) : IClassFixture<World>
{
    private const string PartitionsSql = """
        select array_agg(relname::text order by relname) from pg_class c join pg_inherits i on i.inhrelid = c.oid
        where i.inhparent = 'live.changes'::regclass
        """;

    [Fact]
    public async Task Partitions_are_made_ahead_and_protected_like_every_table()
    {
        await Keep();
        var expected = Enumerable.Range(0, 3).Select(d => $"changes_{DateTime.UtcNow.AddDays(d):yyyyMMdd}");
        (await world.Sql<string[]>(PartitionsSql)).ShouldBe(expected.Append("changes_default"), ignoreOrder: true);
        (await world.Sql<bool>(
            "select bool_and(relrowsecurity and relforcerowsecurity) from pg_class c join pg_inherits i on i.inhrelid = c.oid"
            + " where i.inhparent = 'live.changes'::regclass")).ShouldBeTrue();
        await Should.ThrowAsync<PostgresException>(
            () => world.AsRole<long>("authenticated", Guid.CreateVersion7(), $"select id from live.changes_{DateTime.UtcNow:yyyyMMdd}"));
    }

    [Fact]
    public async Task What_is_too_old_goes_and_the_horizon_says_how_far()
    {
        var stray = await Insert(DateTime.UtcNow.AddDays(-9));
        await world.Execute("""
            set role sankore_owner;
            create table live.changes_20200101 partition of live.changes for values from ('2020-01-01') to ('2020-01-02');
            select util.protect('live.changes_20200101')
            """);
        var old = await Insert(new DateTime(2020, 1, 1, 12, 0, 0, DateTimeKind.Utc));
        var young = await Insert(DateTime.UtcNow.AddHours(-1));

        await Keep();

        (await world.Sql<string[]>(PartitionsSql)).ShouldNotContain("changes_20200101");
        (await world.Sql<long[]>(
            "select coalesce(array_agg(id), '{}') from live.changes where id = any(@ids)",
            new { ids = new[] { stray, old, young } })).ShouldBe([young]);
        (await world.Sql<long>("select id from live.horizon")).ShouldBe(old);
        (await world.Sql<long>("select live.position()")).ShouldBeGreaterThanOrEqualTo(young);
    }

    [Fact]
    public async Task The_position_stays_where_it_was_when_the_whole_log_has_gone()
    {
        await Insert(DateTime.UtcNow.AddDays(-5));
        var last = await world.Sql<long>("select live.position()");
        await world.Execute("update live.changes_default set at = now() - interval '3 days'");
        await Keep();
        (await world.Sql<long>("select live.position()")).ShouldBe(last);
    }

    [Fact]
    public async Task A_cursor_below_the_horizon_is_told_to_read_everything_again()
    {
        var gone = await Insert(DateTime.UtcNow.AddDays(-4));
        await Keep();
        var kept = await Insert(DateTime.UtcNow);
        var node = await world.StartNode("http://127.0.0.1:0");
        var token = await world.Token(Cast.HeadOnPremium);

        await using (var away = await LiveClient.Open(World.AddressOf(node), token, gone - 1))
        await using (var back = await LiveClient.Open(World.AddressOf(node), token, gone))
        {
            var reset = await away.Next(e => e.Type == "reset", "the client that was away is told to read again");
            reset.Id.ShouldBeGreaterThanOrEqualTo(kept);
            (await back.Next(e => e.Type == "change", "the client at the horizon misses nothing")).Id.ShouldBe(kept);
            back.Events.ShouldNotContain(e => e.Type == "reset");
        }
        await node.StopAsync(TestContext.Current.CancellationToken);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task Two_nodes_that_tidy_up_at_once_do_it_once()
    {
        await Insert(DateTime.UtcNow.AddDays(-6));
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Keep()));
        (await world.Sql<long>("select count(*) from live.changes where at < now() - interval '25 hours'")).ShouldBe(0);
    }

    private Task<IReadOnlyList<string>> Keep() => world.AsRole<string>("service_role", null, "select live.keep_partitions()::text");

    private Task<long> Insert(DateTime at) =>
        world.Sql<long>(
            "insert into live.changes (at, topics, table_name, op, row_id) values (@at, '{everyone}', 'planted', 'DELETE', 'x')"
            + " returning id", new { at });
}
