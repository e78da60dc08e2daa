using System.Text.Json;
using System.Text.Json.Serialization;
using Sankore.Client;

namespace Sankore.Tests.Client;

/// <summary>The client library against the real server.</summary>
public sealed class LiveFeedTests(World world) : IClassFixture<World>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_comes_as_a_typed_event()
    {
        var module = await world.Included("premium");
        await using var reader = await FeedReader.In(world, Cast.HeadOnPremium);
        reader.Events.ShouldBe([new Reset(await world.Position(), TimeSpan.Zero)]);
        await world.Rename(module, "Nouveau nom");
        // Whoever has lost a module by the time the node reads of its new name is told of the loss only.
        await reader.Hears("Nouveau nom");
        await world.Execute("delete from tenancy.plan_modules where module_id = @id", new { id = module.Id() });
        await reader.Gets(3);

        var (changed, gone) = (reader.Changes[0], reader.Changes[1]);
        (changed.Table, changed.Op, changed.Id, changed.IsTableOnly)
            .ShouldBe(("tenancy.modules", ChangeOp.Update, module.Text("id"), false));
        changed.RowAs<ModuleRow>().ShouldBe(new ModuleRow("Nouveau nom", module.Text("code")));
        changed.RowAs(ModuleContext.Default.ModuleRow).ShouldBe(new ModuleRow("Nouveau nom", module.Text("code")));
        changed.At.Offset.ShouldBe(TimeSpan.Zero);
        changed.At.ShouldBe(
            await world.Sql<DateTime>("select at from live.changes where id = @id", new { id = changed.Position }),
            TimeSpan.FromMilliseconds(1));
        (gone.Table, gone.Op, gone.Id, gone.Row, gone.RowAs<ModuleRow>(), gone.IsTableOnly)
            .ShouldBe(("tenancy.modules", ChangeOp.Delete, module.Text("id"), null, null, false));
        gone.Position.ShouldBeGreaterThan(changed.Position);
    }

    [Fact]
    public async Task A_table_that_is_read_again_is_named_without_a_row()
    {
        await using var reader = await FeedReader.In(world, Cast.Super);
        await world.Execute("update tenancy.schools set name = name || ' bis' where code = 's0040'");
        await Waiting.Until(
            () => reader.Changes.Any(c => c is { Table: "tenancy.schools", IsTableOnly: true, Op: ChangeOp.Update, Id: "", Row: null }),
            "the table is named");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_happens_while_everything_is_read_at_the_start_comes_afterwards()
    {
        var module = await world.Included("premium");
        using var http = await world.As(Cast.HeadOnPremium);
        await using var events = new LiveFeed(http, new LiveFeedOptions()).Read(Token).GetAsyncEnumerator(Token);
        await events.MoveNextAsync();
        events.Current.ShouldBeOfType<Reset>();
        await world.Rename(module, "Pendant la lecture");
        await events.MoveNextAsync();
        events.Current.ShouldBeOfType<RowChanged>().RowAs<ModuleRow>()!.Name.ShouldBe("Pendant la lecture");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_event_counts_as_processed_when_the_next_is_asked_for_else_repeats()
    {
        var (one, two) = (await world.Included("premium"), await world.Included("premium"));
        var cursor = new MemoryCursorStore();
        await cursor.Save(await world.Position());
        await world.Rename(one, "Un");
        var first = await world.Position();
        await world.Rename(two, "Deux");
        using var http = await world.As(Cast.HeadOnPremium);
        var feed = new LiveFeed(http, new LiveFeedOptions { Cursor = cursor });

        var names = new List<string>();
        await foreach (var next in feed.Read(Token))
        {
            names.Add(((RowChanged)next).RowAs<ModuleRow>()!.Name);
            if (names.Count == 2)
            {
                (await cursor.Load(Token)).ShouldBe(first, "the second is being processed");
                break;
            }
            (await cursor.Load(Token)).ShouldNotBeNull().ShouldBeLessThan(first, "the first is being processed");
        }
        names.ShouldBe(["Un", "Deux"]);
        await Should.ThrowAsync<InvalidOperationException>(async () =>
        {
            await foreach (var next in feed.Read(Token))
            {
                ((RowChanged)next).RowAs<ModuleRow>()!.Name.ShouldBe("Deux");
                throw new InvalidOperationException("the consumer fails");
            }
        });
        await using var again = await FeedReader.In(world, Cast.HeadOnPremium, cursor);
        await again.Gets(1);
        again.NamesOf().ShouldBe(["Deux"]);
    }

    [Fact]
    public async Task A_reader_who_returns_is_told_what_happened_meanwhile()
    {
        var module = await world.Included("premium");
        var cursor = new MemoryCursorStore();
        await cursor.Save(await world.Position());
        await using (var before = await FeedReader.In(world, Cast.HeadOnPremium, cursor))
        {
            await world.Rename(module, "Avant");
            await before.Hears("Avant");
        }
        await world.Rename(module, "Un");
        await world.Rename(module, "Deux");
        await using var after = await FeedReader.In(world, Cast.HeadOnPremium, cursor);
        await after.Hears("Deux");
        after.NamesOf().ShouldEndIn("Un", "Deux");
    }

    [Fact]
    public async Task A_change_of_rights_is_a_reset()
    {
        const string Email = "head.s0007@sankore.test";
        await using var reader = await FeedReader.In(world, Email);
        await world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @id", new { id = await world.IdOf(Email) });
        await reader.Gets(2);
        reader.Events[1].ShouldBeOfType<Reset>().Spread.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_refused_token_is_asked_for_anew()
    {
        var module = await world.Included("premium");
        var (good, refused) = (await world.Token(Cast.HeadOnPremium), new List<string?>());
        await using var reader = FeedReader.Of(world.Address, (bad, _) =>
        {
            refused.Add(bad);
            return new(bad is null ? "stale" : good);
        });
        await reader.Gets(1);
        await world.Rename(module, "Avec le bon jeton");
        await reader.Hears("Avec le bon jeton");
        refused.ShouldBe([null, "stale"]);
        reader.Losses.ShouldBeEmpty();
    }

    [Fact]
    public async Task Tokens_that_are_refused_again_and_again_end_the_feed()
    {
        await using var reader = FeedReader.Of(world.Address, (_, _) => new("never any good"));
        var refusal = await Should.ThrowAsync<RefusedException>(() => reader.Ended);
        ((int)refusal.Status, refusal.Code).ShouldBe((401, "UNAUTHENTICATED"));
    }

    [Fact]
    public async Task Whoever_is_deleted_is_refused_in_the_end()
    {
        using var http = world.Nobody();
        var email = await world.Register();
        using var session = new SankoreSession(http, email, Newcomers.Password);
        await using var reader = FeedReader.Of(world.Address, session.Token);
        await reader.Gets(1);
        await world.Execute("delete from auth.users where email = @email", new { email });
        var refusal = await Should.ThrowAsync<RefusedException>(() => reader.Ended);
        refusal.Code.ShouldBe("INVALID_CREDENTIALS");
    }

    internal sealed record ModuleRow(string Name, string Code);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(LiveFeedTests.ModuleRow))]
internal sealed partial class ModuleContext : JsonSerializerContext;
