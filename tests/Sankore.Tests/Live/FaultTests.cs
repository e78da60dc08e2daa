namespace Sankore.Tests.Live;

/// <summary>
/// What breaks in the middle of a burst, with hundreds of streams on three nodes (in a long run 2,000): whatever it is, afterwards every
/// client's last state is the database's, every committed change was told or covered, nothing came twice or out of order. <c>bench live
/// --faults</c> is the same at any size.
/// </summary>
[Collection(LiveStage.Name)]
public sealed class FaultTests(LiveStage stage)
{
    private static readonly int Clients = Effort.Of(600, 2000);

    [Fact]
    public async Task A_node_that_is_killed_in_a_burst_loses_nothing()
    {
        var (crowd, history, since) = await stage.Gather(Clients);
        using (crowd)
        {
            await stage.Burst.RenameDuring(async () =>
            {
                await stage.Kill(0);
                await stage.Nodes[0].Ready();
                await stage.Kill(1);
                await stage.Nodes[1].Ready();
            });
            await stage.Settled(crowd, history, since);
            crowd.Tally.Ended.ShouldBeGreaterThan(Clients / 2, "two of three nodes went down with their streams");
        }
    }

    [Fact]
    public async Task A_database_that_crashes_in_a_burst_loses_nothing()
    {
        var (crowd, history, since) = await stage.Gather(Clients);
        using (crowd)
        {
            (await stage.Burst.RenameDuring(stage.Postgres.Crash)).ShouldBeGreaterThanOrEqualTo(50);
            await stage.Settled(crowd, history, since);
            crowd.Tally.Ended.ShouldBe(0, "a stream outlives the database's restart");
        }
    }

    [Fact]
    public async Task A_node_that_no_longer_listens_loses_nothing()
    {
        var (crowd, history, since) = await stage.Gather(Clients);
        using (crowd)
        {
            await stage.Burst.RenameDuring(() => stage.Burst.CutListeners(stage.Nodes.Count));
            await stage.Settled(crowd, history, since);
            (crowd.Tally.Ended, crowd.Tally.Resets).ShouldBe((0, 0));
        }
    }

    [Fact]
    public async Task Clients_that_read_nothing_are_let_go_and_cost_the_others_nothing()
    {
        var (crowd, history, since) = await stage.Gather(Clients - 50);
        var (deaf, told, _) = await stage.Gather(50, receiveBuffer: 4096);
        using (crowd)
        using (deaf)
        {
            foreach (var client in deaf.Clients)
            {
                deaf.Stall(client);
            }
            await stage.Burst.Execute("update tenancy.modules set description = repeat('🎓', 500) where code like 'rafale-%'");
            for (var round = 0; round < 100 && deaf.Tally.Ended < deaf.Clients.Count; round++)
            {
                var position = await stage.Burst.Rename();
                await Waiting.Until(() => crowd.Clients.All(c => c.LastId == position), "those who read are told", 60);
            }
            deaf.Tally.Ended.ShouldBe(deaf.Clients.Count);
            await stage.Burst.Execute("update tenancy.modules set description = '' where code like 'rafale-%'");
            await stage.Settled(crowd, history, since);
            await stage.Settled(deaf, told, since);
            crowd.Tally.Ended.ShouldBe(0);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Clients_that_were_away_for_ten_minutes_are_told_what_they_missed(bool muchHappened)
    {
        var (crowd, history, since) = await stage.Gather(Clients);
        using (crowd)
        {
            var away = crowd.Clients.Take(Clients / 4).ToArray();
            Array.ForEach(away, crowd.Leave);
            await Waiting.Until(() => crowd.Open == Clients - away.Length, "a quarter is away");
            await stage.Burst.RenameDuring(() => Task.CompletedTask);
            await stage.Burst.Execute("update live.changes set at = at - interval '10 minutes' where id < live.position()");
            if (muchHappened)
            {
                // More of one's own than is told one by one.
                await stage.Burst.InsertMore(1100);
            }
            var position = await stage.Burst.Rename();
            await Waiting.Until(() => crowd.Clients.All(c => c.LastId >= position || !c.IsOpen), "the nodes have read all that", 60);
            Array.ForEach(away, crowd.Bring);
            await stage.Settled(crowd, history, since);
            crowd.Tally.Resets.ShouldBe(muchHappened ? away.Length : 0);

            // Whoever began in the middle of all that would be told to read everything again: the next crowd comes after it.
            await stage.Burst.Execute("delete from tenancy.modules where code like 'pendant-%'");
            var last = await stage.Burst.Rename();
            await Waiting.Until(() => crowd.Clients.All(c => c.LastId >= last), "everybody is told of the end", 60);
        }
    }

    [Fact]
    public async Task A_clock_that_jumps_changes_nothing()
    {
        var (crowd, history, since) = await stage.Gather(Clients);
        using (crowd)
        {
            foreach (var jump in new[] { "- interval '3 days'", "+ interval '3 days'", "+ interval '0 days'" })
            {
                await stage.Burst.MoveClock(jump);
                await stage.Burst.RenameDuring(() => Task.CompletedTask);
            }
            await stage.Settled(crowd, history, since);
            (crowd.Tally.Ended, crowd.Tally.Resets).ShouldBe((0, 0));

            // Of what the clock put days ago nothing is kept; whoever has seen it goes on all the same.
            await stage.Burst.Execute("select live.keep_partitions()");
            foreach (var client in crowd.Clients)
            {
                crowd.Drop(client);
            }
            var after = await stage.Burst.Position();
            await stage.Burst.Rename();
            await stage.Settled(crowd, history, after);
            crowd.Tally.Resets.ShouldBe(0);
        }
    }
}
