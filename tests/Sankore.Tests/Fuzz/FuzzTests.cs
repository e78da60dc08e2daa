namespace Sankore.Tests.Fuzz;

/// <summary>Whatever is asked of the API, by whomever: it answers, in its own words, and tells nobody of others.</summary>
public sealed class FuzzTests : IAsyncLifetime
{
    private readonly World _world = new();

    public static TheoryData<int> Seeds => Effort.Seeds(1, 1, 2, 3, 4);

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_is_asked_has_an_answer_that_tells_nothing_of_others(int seed)
    {
        using var stage = await Stage.Of(_world);
        var fuzzer = new Fuzzer(stage, seed);
        await fuzzer.Noise(values: Effort.Of(4, 30), rounds: Effort.Of(6, 60));
        Judge.Report(seed, fuzzer.Violations).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_foreign_id_is_answered_like_one_that_never_was(int seed)
    {
        using var stage = await Stage.Of(_world);
        var fuzzer = new Fuzzer(stage, seed);
        await fuzzer.Silence(Effort.Of(1, 8));
        Judge.Report(seed, fuzzer.Violations).ShouldBeEmpty();
    }

    public ValueTask InitializeAsync() => _world.InitializeAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
