using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>What unfinished campaigns need, without a database.</summary>
public sealed class RescueRulesTests
{
    private static readonly UnfinishedCampaign Healthy = new(Guid.NewGuid(), "sending", false, true, true, 10, 4, 0);

    public static TheoryData<string, string, bool, bool, bool, int, int, int, int[], string> Cases => new()
    {
        { "is well", "sending", false, true, true, 10, 4, 0, [], "" },
        { "may be in a dead hand", "sending", false, true, true, 10, 4, 2, [], "give up" },
        { "may be in a dead hand, the last of all", "sending", false, true, true, 10, 0, 2, [], "give up, finish" },
        { "is through", "sending", false, true, false, 10, 0, 0, [], "finish" },
        { "waits without jobs", "sending", false, true, false, 10, 4, 0, [2, 5], "batch 2, batch 5" },
        { "has no messages and no job", "sending", false, true, false, 0, 0, 0, [], "start" },
        { "has no messages yet", "sending", false, true, true, 0, 0, 0, [], "" },
        { "may not be sent any more", "sending", false, false, false, 10, 4, 0, [1], "pause" },
        { "may not be sent any more, begun or not", "sending", false, false, false, 0, 0, 0, [], "pause" },
        { "may not be sent any more, and is through", "sending", false, false, false, 10, 0, 0, [], "pause" },
        { "is due without a job", "scheduled", true, false, false, 0, 0, 0, [], "start" },
        { "is due, and its job is late", "scheduled", true, false, true, 0, 0, 0, [], "" },
        { "is not due", "scheduled", false, false, false, 0, 0, 0, [], "" },
        { "was stopped with messages in hand", "paused", false, false, false, 10, 4, 2, [], "give up" },
        { "was called off with messages in hand", "cancelled", false, false, false, 10, 0, 2, [], "give up" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_campaign_is_given_what_it_lacks(
        string what, string status, bool isDue, bool maySend, bool hasStartJob, int total, int pending, int sending, int[] waiting,
        string expected)
    {
        var campaign = new UnfinishedCampaign(Guid.NewGuid(), status, isDue, maySend, hasStartJob, total, pending, sending);
        var orders = waiting.Select(batch => new CampaignBatchJob.Payload(campaign.Id, batch));
        var plan = CampaignRescue.Judge(
            [Healthy, campaign, Healthy with { Id = Guid.NewGuid() }], [.. orders, new CampaignBatchJob.Payload(Guid.NewGuid(), 1)]);
        string[] needs =
        [
            .. plan.GiveUpLost.Select(id => (id, "give up")).Concat(plan.Pause.Select(id => (id, "pause")))
                .Concat(plan.Starts.Select(o => (o.Campaign, "start")))
                .Concat(plan.Batches.Select(o => (o.Campaign, $"batch {o.Batch}"))).Concat(plan.Finish.Select(id => (id, "finish")))
                .Select(n => n.Item1 == campaign.Id ? n.Item2 : "another's"),
        ];
        string.Join(", ", needs).ShouldBe(expected, what);
    }

    [Fact]
    public void Where_there_is_nothing_nothing_is_done()
    {
        var plan = CampaignRescue.Judge([], []);
        (plan.GiveUpLost.Length + plan.Pause.Length + plan.Starts.Count + plan.Batches.Count + plan.Finish.Length).ShouldBe(0);
    }
}
