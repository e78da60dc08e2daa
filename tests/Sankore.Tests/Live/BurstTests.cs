using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Live;

namespace Sankore.Tests.Live;

/// <summary>What changes in quick succession is told together: of each row its last state, in commit order, in a few frames.</summary>
public sealed class BurstTests(World world) : IClassFixture<World>
{
    [Fact]
    public void Of_changes_told_together_the_last_of_each_row_is_left_in_order()
    {
        var changes = Gen.Choose(0, 5).ListOf().Select(rows => rows.Select((row, at) => ChangeOf(at + 1, row)).ToList());
        Prop.ForAll(changes.ToArbitrary(), told =>
        {
            var left = Change.LastStates(told);
            // Another way to say it: a change stays unless the same row comes again later.
            left.Select(c => c.Id).ShouldBe(told.Where((c, at) => told.Skip(at + 1).All(later => later.Row != c.Row)).Select(c => c.Id));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Frames_of_a_burst_are_whole_and_none_is_much_too_long()
    {
        var changes = Gen.Choose(1, 400)
            .Select(count => Enumerable.Range(1, count).Select(n => ChangeOf(n, n, new string('x', n * 37 % 3000))).ToList());
        Prop.ForAll(changes.ToArbitrary(), told =>
        {
            var frames = LiveFrame.Of(told);
            frames.Sum(f => f.Events).ShouldBe(told.Count);
            frames.SelectMany(f => f.Payload.ToArray()).SequenceEqual(told.SelectMany(c => c.Event)).ShouldBeTrue();
            frames.ShouldAllBe(f => f.Payload.Length <= 64 * 1024);
            frames.Length.ShouldBeLessThanOrEqualTo(1 + told.Sum(c => c.Event.Length) / (60 * 1024));
            foreach (var frame in frames)
            {
                var chunk = System.Text.Encoding.UTF8.GetString(frame.Chunk);
                int.Parse(chunk[..chunk.IndexOf('\r', StringComparison.Ordinal)], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                    .ShouldBe(frame.Payload.Length);
                chunk.ShouldEndWith("\n\n\r\n");
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task A_bulk_edit_reaches_a_client_in_few_frames_with_each_rows_last_state()
    {
        const int Count = 500;
        var word = Catalogue.Word();
        await world.Heard();
        await world.InsertModules(word, Count);
        await world.Heard();
        var meters = world.App.Services.GetRequiredService<LiveMeters>();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit), await world.Position());
        var before = meters.Sums;

        // Every row three times, in one transaction: at commit each is told as it is then. And at once another transaction.
        await world.Execute("""
            begin;
            update tenancy.modules set name = name || ' b' where code like @word || '-%';
            update tenancy.modules set name = name || ' c' where code like @word || '-%';
            commit;
            update tenancy.modules set name = name || ' d' where code like @word || '-%'
            """, new { word });

        await Waiting.Until(
            () => stream.Events.Count(e => e.Row.Text("name").EndsWith(" d", StringComparison.Ordinal)) == Count,
            "the last state of every row comes");
        var ids = stream.Events.Select(e => e.Id).ToList();
        ids.ShouldBe(ids.Order());
        ids.ShouldBeUnique();
        // Either both transactions were told together, or the first alone and then the second.
        stream.Events.Count.ShouldBeOneOf(Count, 2 * Count);
        var sums = meters.Sums;
        (sums.Events - before.Events + sums.Coalesced - before.Coalesced).ShouldBe(2 * Count, "what was not told was covered");
        await world.Execute("delete from tenancy.modules where code like @word || '-%'", new { word });
    }

    [Fact]
    public async Task What_a_client_missed_is_sent_as_the_last_state_of_each_row()
    {
        var module = await world.Included("gratuit");
        var position = await world.Position();
        for (var n = 1; n <= 30; n++)
        {
            await world.Rename(module, $"État {n}");
        }
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit), position);
        await stream.Hears(module, "État 30");
        stream.NamesOf(module).ShouldBe(["État 30"]);
    }

    private static Change ChangeOf(long id, int row, string text = "") =>
        new(new ChangeRow(
            id, DateTime.UnixEpoch, ["everyone"], "public.notes", "UPDATE", row.ToString(CultureInfo.InvariantCulture),
            $$"""{"text":"{{text}}"}""", 0));
}
