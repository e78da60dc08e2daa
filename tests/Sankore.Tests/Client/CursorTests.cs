using Sankore.Client;

namespace Sankore.Tests.Client;

/// <summary>A position in a file: whole at any moment, written seldom, never lost on a normal end.</summary>
public sealed class CursorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-cursor-").FullName;
    private readonly FakeTime _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Here => Path.Combine(_folder, "cursor");

    [Fact]
    public async Task A_position_outlives_its_store()
    {
        using (var first = new FileCursorStore(Here))
        {
            (await first.Load(Token)).ShouldBeNull();
            await first.Save(41);
            await first.Save(42);
        }
        using var second = new FileCursorStore(Here);
        (await second.Load(Token)).ShouldBe(42);
        Directory.GetFiles(_folder).ShouldBe([Here]);
    }

    [Fact]
    public async Task It_is_written_at_once_and_then_once_per_interval()
    {
        using var store = new FileCursorStore(Here, TimeSpan.FromSeconds(1), _time);
        await store.Save(1);
        (await Written()).ShouldBe(1);
        await store.Save(2);
        await store.Save(3);
        (await Written()).ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        (await Written()).ShouldBe(3, "the last one is written though no other comes");
        await store.Save(4);
        (await Written()).ShouldBe(3);
        _time.Advance(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await store.Save(5);
        (await Written()).ShouldBe(5);
    }

    [Fact]
    public async Task Whoever_looks_at_any_moment_finds_a_whole_position()
    {
        using var store = new FileCursorStore(Here, TimeSpan.Zero, _time);
        await store.Save(0);
        var writing = Task.Run(async () =>
        {
            for (var position = 1; position <= 300; position++)
            {
                await store.Save(position * 1_000_000_007L);
                _time.Advance(TimeSpan.FromMilliseconds(1));
            }
        }, Token);
        using var other = new FileCursorStore(Here);
        var last = 0L;
        while (!writing.IsCompleted)
        {
            var seen = (await other.Load(Token)).ShouldNotBeNull();
            (seen % 1_000_000_007).ShouldBe(0);
            seen.ShouldBeGreaterThanOrEqualTo(last);
            last = seen;
        }
        await writing;
    }

    [Fact]
    public async Task What_a_crash_left_behind_while_writing_does_no_harm()
    {
        await File.WriteAllTextAsync(Here, "41\n", Token);
        await File.WriteAllTextAsync(Here + ".new", "4", Token);
        using var store = new FileCursorStore(Here);
        (await store.Load(Token)).ShouldBe(41);
        await store.Save(42);
        (await Written()).ShouldBe(42);
    }

    [Theory]
    [InlineData("my thesis")]
    [InlineData("")]
    [InlineData("-1")]
    public async Task A_file_that_holds_something_else_is_refused_and_left_alone(string text)
    {
        await File.WriteAllTextAsync(Here, text, Token);
        using (var store = new FileCursorStore(Here))
        {
            (await Should.ThrowAsync<InvalidDataException>(async () => await store.Load(Token))).Message.ShouldContain(Here);
        }
        (await File.ReadAllTextAsync(Here, Token)).ShouldBe(text);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_said_at_once_or_to_whoever_saves_next()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "gone"));
        var store = new FileCursorStore(Path.Combine(folder.FullName, "cursor"), TimeSpan.FromSeconds(1), _time);
        await store.Save(1);
        await store.Save(2);
        folder.Delete(recursive: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<IOException>(async () => await store.Save(3))).Message.ShouldContain("could not be written");
        await Should.ThrowAsync<IOException>(async () => await store.Save(3));
        folder.Create();
        await store.Save(4);
        store.Dispose();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<long> Written() =>
        long.Parse(await File.ReadAllTextAsync(Here, Token), System.Globalization.CultureInfo.InvariantCulture);
}
