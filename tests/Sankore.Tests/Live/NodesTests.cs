namespace Sankore.Tests.Live;

/// <summary>
/// Several nodes behind a proxy that knows nothing of them: whoever is moved to another node goes on there, without sticky sessions.
/// </summary>
[Collection(LiveStage.Name)]
public sealed class NodesTests(LiveStage stage)
{
    private static readonly int Clients = Effort.Of(600, 2000);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Clients_that_a_proxy_moves_between_nodes_lose_nothing(int nodes)
    {
        var all = stage.Addresses.Take(nodes).ToArray();
        await using var nginx = new Nginx(all);
        var (crowd, history, since) = await stage.Gather(Clients, [nginx.Address]);
        using (crowd)
        {
            await stage.Burst.RenameDuring(async () =>
            {
                foreach (var only in all)
                {
                    var ended = crowd.Tally.Ended;
                    await nginx.PassTo([only]);
                    await Waiting.Until(
                        () => crowd.Tally.Ended >= ended + Clients && crowd.Open == Clients, "everybody is at another node", 60);
                }
            });
            await stage.Settled(crowd, history, since);
            crowd.Tally.Resets.ShouldBe(0, "a cursor given by one node is good for another");
        }
    }

    [Fact]
    public async Task Clients_of_a_node_that_dies_behind_a_proxy_go_on_at_the_others()
    {
        await using var nginx = new Nginx(stage.Addresses);
        var (crowd, history, since) = await stage.Gather(Clients, [nginx.Address]);
        using (crowd)
        {
            await stage.Burst.RenameDuring(async () =>
            {
                await stage.Kill(2);
                await Waiting.Until(() => crowd.Tally.Ended > 0 && crowd.Open == Clients, "everybody is at another node", 60);
                await stage.Nodes[2].Ready();
            });
            await stage.Settled(crowd, history, since);
        }
    }
}
