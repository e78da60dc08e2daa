using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>Whoever asks is answered, whatever the reader is doing at that moment.</summary>
public sealed class LaneTests
{
    private static readonly int Rounds = Effort.Of(100_000, 1_000_000);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whoever_asks_is_answered(int readers)
    {
        var lane = new Lane<TaskCompletionSource>(Answer, readers, TimeSpan.Zero);
        // The second comes while the reader goes on from the first, and nobody comes after it.
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(Task.Run(() => Ask(lane)), Task.Run(() => Ask(lane))).WaitAsync(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task Those_who_wait_are_answered_together_and_not_too_many_at_once()
    {
        const int Asked = 1_200;
        var (free, sizes) = (new TaskCompletionSource(), new List<int>());
        var all = new TaskCompletionSource();
        var lane = new Lane<int>(
            async together =>
            {
                await free.Task;
                sizes.Add(together.Count);
                if (sizes.Sum() == Asked)
                {
                    all.SetResult();
                }
            }, readers: 1, TimeSpan.Zero);
        for (var n = 0; n < Asked; n++)
        {
            lane.Add(n);
        }
        free.SetResult();
        await all.Task.WaitAsync(TimeSpan.FromMinutes(1));
        sizes.ShouldAllBe(size => size <= Lane<int>.MaxTogether);
        sizes.Count.ShouldBeLessThanOrEqualTo(4, "the first, and the others in full companies");
    }

    private static Task Ask(Lane<TaskCompletionSource> lane)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lane.Add(answered);
        return answered.Task;
    }

    private static Task Answer(List<TaskCompletionSource> together)
    {
        together.ForEach(t => t.SetResult());
        return Task.CompletedTask;
    }
}
