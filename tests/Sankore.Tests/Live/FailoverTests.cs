using System.Net;

namespace Sankore.Tests.Live;

/// <summary>
/// The primary dies in a burst and its standby is promoted, with hundreds of streams on three nodes that were given both hosts: the nodes
/// find the new primary themselves, and no stream ends.
/// </summary>
[Collection(ProgramTests.Name)]
public sealed class FailoverTests : IAsyncLifetime
{
    private static readonly int Clients = Effort.Of(200, 500);

    private readonly LiveStage _stage = new() { WithStandby = true };

    public ValueTask InitializeAsync() => _stage.InitializeAsync();

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    [Fact]
    public async Task A_failover_to_a_synchronous_standby_in_a_burst_loses_nothing()
    {
        await _stage.Postgres.Follow(synchronously: true);
        var (crowd, history, since) = await _stage.Gather(Clients);
        using (crowd)
        {
            await _stage.Burst.RenameDuring(async () =>
            {
                await Waiting.Until(async () => await _stage.Burst.Position() > since + 50, "the burst is under way");
                await _stage.Postgres.FailOver();
            });
            await _stage.Burst.RenameDuring(EveryNodeAnswers);
            await _stage.Settled(crowd, history, since);
            (crowd.Tally.Ended, crowd.Tally.Resets).ShouldBe((0, 0));
        }
    }

    [Fact]
    public async Task A_failover_that_loses_what_was_told_has_everybody_read_everything_again()
    {
        await _stage.Postgres.Follow(synchronously: false);
        var (crowd, history, _) = await _stage.Gather(Clients);
        using (crowd)
        {
            var away = crowd.Clients.Take(50).ToArray();
            await _stage.Postgres.CutStandby();
            // More than PostgreSQL skips of a sequence when it recovers: ids would be given again.
            var told = 0L;
            for (var round = 0; round < 5; round++)
            {
                told = await _stage.Burst.Rename();
            }
            await Waiting.Until(() => crowd.Clients.All(c => c.LastId == told), "everybody is told what will be lost", 60);
            Array.ForEach(away, crowd.Leave);
            await Waiting.Until(() => crowd.Open == Clients - away.Length, "some are away");

            await _stage.Postgres.FailOver();
            (await _stage.Burst.Log(told - 1)).ShouldBeEmpty("what was told last is lost");
            await _stage.Burst.RenameDuring(EveryNodeAnswers);
            await Waiting.Until(
                () => crowd.Tally.Resets == Clients - away.Length, () =>
                    $"every open stream is told to begin anew, {crowd.Tally.Resets} were", 60);
            Array.ForEach(away, crowd.Bring);
            await Waiting.Until(() => crowd.Tally.Resets == Clients, () => $"and whoever comes back, {crowd.Tally.Resets} were", 60);
            var since = await _stage.Burst.Position();
            await _stage.Burst.Rename();
            await _stage.Settled(crowd, history, since);
            (crowd.Tally.Ended, crowd.Tally.Resets).ShouldBe((away.Length, Clients));
        }
    }

    /// <summary>Waits until every node answers a request, and asks for more at once than there are connections left of before.</summary>
    private async Task EveryNodeAnswers()
    {
        foreach (var node in _stage.Nodes)
        {
            using var head = _stage.Head(node);
            await Waiting.Until(async () => (await head.GetAsync("/api/me/menu")).IsSuccessStatusCode, "the node answers", 60);
            (await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => head.GetAsync("/api/me/menu")))).Select(a => a.StatusCode).Distinct()
                .ShouldBe([HttpStatusCode.OK]);
        }
    }
}
