namespace Sankore.Tests.Tenancy;

/// <summary>
/// Random changes of the catalogue: whoever keeps a menu from the feed has, at the end, the menu; and nobody is told of what is not theirs.
/// </summary>
public sealed class FeedIsolationTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private sealed record Client(string Email, LiveClient Stream, MenuModel Model, HttpClient Http) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Stream.DisposeAsync();
            Http.Dispose();
        }
    }

    public static TheoryData<int> Seeds(int kind) => Effort.Seeds(1, [.. kind switch
    {
        0 => (int[])[1, 2, 3, 4],
        100 => [101, 102, 103, 106],
        _ => [201, 202, 204, 206],
    }]);

    [Theory]
    [MemberData(nameof(Seeds), 0)]
    public Task Changes_one_by_one_lead_every_client_to_its_menu(int seed) => Try(seed, perTransaction: 1);

    [Theory]
    [MemberData(nameof(Seeds), 100)]
    public Task Changes_several_at_once_lead_every_client_to_its_menu(int seed) => Try(seed, perTransaction: 4);

    [Theory]
    [MemberData(nameof(Seeds), 200)]
    public Task Changes_at_the_same_time_lead_every_client_to_its_menu(int seed) =>
        Try(seed, network => network.CommitAmid(network.Change(), network.Change()));

    private Task Try(int seed, int perTransaction)
    {
        var random = new Random(seed);
        return Try(seed, async network =>
        {
            string[] changes = [.. Enumerable.Range(0, random.Next(perTransaction) + 1).Select(_ => network.Change())];
            return [new FeedStep(await network.Commit(changes), await network.Seen(), string.Join(";\n", changes))];
        });
    }

    private async Task Try(int seed, Func<FeedNetwork, Task<FeedStep[]>> change)
    {
        var network = new FeedNetwork(world, seed);
        var steps = new List<FeedStep> { new(await WriteAndWait(network), await network.Seen(), "start") };
        var clients = new List<Client>();
        foreach (var (_, email) in network.People)
        {
            clients.Add(await Open(email));
        }
        for (var i = 0; i < 40; i++)
        {
            steps.AddRange(await change(network));
        }
        steps.Add(new FeedStep(await network.Commit(network.Reopen()), await network.Seen(), "reopened"));
        // Whoever is being decided anew passes over events: the end is said until all are there, then once more.
        for (var last = false; !last;)
        {
            last = clients.TrueForAll(c => HasSeen(c, $"nearly {seed}"));
            steps.Add(new FeedStep(await network.Commit([network.Mark(last ? $"end {seed}" : $"nearly {seed}")]), steps[^1].Seen, "end"));
            await Waiting.Until(() => !last || clients.TrueForAll(c => HasSeen(c, $"end {seed}")), "everybody has seen the end");
        }
        foreach (var client in clients)
        {
            await Check(client, steps, seed);
            await client.DisposeAsync();
        }
    }

    private static bool HasSeen(Client client, string name) =>
        client.Stream.Events.Any(
            e => e.Type == "change" && e.Data.TryGetProperty("row", out var row) && row.GetProperty("name").GetString() == name);

    /// <summary>
    /// Each event belongs to the first step whose position reaches it: its module, or its category's row, was the person's before or after
    /// that step.
    /// </summary>
    private static async Task Check(Client client, List<FeedStep> steps, int seed)
    {
        foreach (var e in client.Stream.Events)
        {
            if (e.Type == "change" && (e.Table == "tenancy.modules" || e.Table == "tenancy.business_categories" && e.Op != "DELETE"))
            {
                var at = steps.FindIndex(s => s.Position >= e.Id);
                var (before, after) = (steps[at - 1].Seen[client.Email], steps[at].Seen[client.Email]);
                (before.Contains(e.RowId) || after.Contains(e.RowId) || steps[at].HasInBetween)
                    .ShouldBeTrue(
                        $"{client.Email} was told {e.Op} in {e.Table} of what was never theirs, seed {seed}, by\n{steps[at].Sql}");
            }
            await client.Model.Apply(e);
        }
        var kept = client.Model.Lines().ToList();
        var story = string.Join("\n-- then\n", client.Stream.Events.Select(e => $"{e.Id} {e.Data}"));
        await client.Model.Read();
        kept.ShouldBe(client.Model.Lines(), $"{client.Email}, seed {seed}; the feed said\n{story}");
    }

    /// <summary>The position first, then the rows: nothing falls between the menu and the stream.</summary>
    private async Task<Client> Open(string email)
    {
        var http = await world.As(email);
        var since = await world.Sql<long>("select live.position()");
        var model = new MenuModel(http);
        await model.Read();
        return new Client(email, await LiveClient.Open(world.Address, await world.Token(email), since), model, http);
    }

    private async Task<long> WriteAndWait(FeedNetwork network)
    {
        await network.Write();
        var position = await world.Sql<long>("select live.position()");
        var hub = (Sankore.Platform.Live.LiveHub)world.App.Services.GetService(typeof(Sankore.Platform.Live.LiveHub))!;
        await Waiting.Until(() => hub.Position >= position, "the node has read what was written");
        return position;
    }
}
