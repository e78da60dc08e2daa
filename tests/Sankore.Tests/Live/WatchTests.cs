using Npgsql;

namespace Sankore.Tests.Live;

/// <summary>A table under watch (<c>live.watch</c>) tells the pages of those whom its rows concern, and nobody else.</summary>
public sealed class WatchTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Ten_statements_of_a_transaction_are_told_once()
    {
        var head = await world.IdOf(Cast.HeadOnPremium);
        var before = await world.Position();
        await world.AsRole<int>(
            "authenticated", head,
            "insert into campaigns.contacts (email) select @word || i || '@exemple.cg' from generate_series(1, 5000) i;"
            + string.Concat(
                Enumerable.Repeat("update campaigns.contacts set name = coalesce(name, '') || 'x' where email like @word || '%';", 9)),
            new { word = Catalogue.Word() });
        (await Told(before)).ShouldBe([$"campaigns.contacts user:{head}", $"campaigns.user_counts user:{head}"]);
        (await world.Sql<long>("select count(*) from live.due")).ShouldBe(0);
    }

    [Fact]
    public async Task A_row_that_moves_concerns_whom_it_leaves_and_whom_it_joins()
    {
        var groups = await world.Sql<Guid[]>(
            "select array_agg(id order by code) from (select id, code from tenancy.school_groups order by code limit 2) g");
        var school = Guid.CreateVersion7();
        await world.Execute("insert into tenancy.schools (id, school_group_id, name, code) values (@school, @group, 'Collège', @code)",
            new { school, group = groups[0], code = Catalogue.Word() });
        var before = await world.Position();
        await world.Execute("update tenancy.schools set school_group_id = @group where id = @school", new { group = groups[1], school });
        (await Told(before))
            .ShouldContain(
                "tenancy.schools "
                + string.Join(',', new[] { "catalogue", $"admin:{groups[0]}", $"admin:{groups[1]}" }.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task What_is_rolled_back_or_touches_nothing_is_not_told()
    {
        var head = await world.IdOf(Cast.HeadOnPremium);
        var before = await world.Position();
        await world.AsRole<int>("authenticated", head, """
            update campaigns.segments set name = 'x' where id = gen_random_uuid();
            do $$ begin insert into campaigns.segments (name, filter)
              values ('a', '{}'); raise exception 'x'; exception when raise_exception then null; end $$
            """);
        (await Told(before)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_update_that_does_not_change_the_column_that_counts_is_not_told()
    {
        var head = await world.IdOf(Cast.HeadOnPremium);
        var (campaign, word) = (Guid.CreateVersion7(), Catalogue.Word());
        await world.AsRole<int>(
            "authenticated", head, "insert into campaigns.email_campaigns (id, name) values (@campaign, @word)", new { campaign, word });
        var before = await world.Position();
        await world.Execute("update campaigns.email_campaigns set told_at = now() where id = @campaign", new { campaign });
        (await Told(before)).ShouldBeEmpty();
        await world.Execute("update campaigns.email_campaigns set name = name || '!' where id = @campaign", new { campaign });
        (await Told(before)).ShouldBe([$"campaigns.email_campaigns user:{head}"]);
    }

    [Fact]
    public async Task A_transaction_takes_the_logs_lock_no_sooner_than_it_commits()
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand(
            "insert into campaigns.contacts (user_id, email) select id, 'verrou@exemple.cg' from public.profiles"
            + " where email = 'head.s0004@sankore.test'", connection))
        {
            (await command.ExecuteNonQueryAsync()).ShouldBe(1);
        }
        (await world.Sql<bool>("select pg_try_advisory_xact_lock(7205759403792793600)")).ShouldBeTrue();
        await transaction.RollbackAsync();
    }

    /// <summary>What pages were told without a row since a position, in one text each.</summary>
    private async Task<string[]> Told(long before) => await world.Sql<string[]>("""
        select coalesce(
            array_agg(table_name || ' ' || array_to_string(array(select t from unnest(topics) t order by t collate "C"), ',')
              order by table_name), '{}')
        from live.changes where id > @before and row is null and op = 'UPDATE' and row_id = ''
        """, new { before });
}
