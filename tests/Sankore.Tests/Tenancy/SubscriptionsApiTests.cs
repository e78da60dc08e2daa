using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Subscriptions through the API: a group has at most one that lives, and it goes from state to state as agreed.</summary>
public sealed class SubscriptionsApiTests(World world) : IClassFixture<World>
{
    private static readonly string[] States = ["trialing", "active", "past_due", "suspended", "cancelled", "expired"];

    /// <summary>Where each state may lead; cancelled is for good.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["trialing"] = ["active", "suspended", "cancelled", "expired"],
        ["active"] = ["past_due", "suspended", "cancelled", "expired"],
        ["past_due"] = ["active", "suspended", "cancelled", "expired"],
        ["suspended"] = ["active", "cancelled", "expired"],
        ["cancelled"] = [],
        ["expired"] = ["active"],
    };

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (var from in States)
            {
                foreach (var to in States)
                {
                    pairs.Add(from, to);
                }
            }
            return pairs;
        }
    }

    [Theory]
    [InlineData(null, null, 365, 366)]
    [InlineData("active", "monthly", 28, 31)]
    [InlineData("trialing", null, 30, 30)]
    [InlineData("trialing", "monthly", 30, 30)]
    public async Task What_is_left_out_of_a_new_subscription_has_its_default(string? status, string? billingPeriod, int least, int most)
    {
        using var admin = await world.As(Cast.Super);
        var (group, plan) = (await admin.NewGroup(), await admin.NewPlan());
        using var answer =
            await admin.Ask(HttpMethod.Post, $"/api/groups/{group.Id()}/subscriptions", new { planId = plan.Id(), status, billingPeriod });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Body());
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var made = JsonElement.Parse(await answer.Body());
        (made.Text("status"), made.Text("billingPeriod"), made.Text("plan"))
            .ShouldBe((status ?? "active", billingPeriod ?? "yearly", plan.Text("name")));
        made.GetProperty("groupId").GetGuid().ShouldBe(group.Id());
        made.GetProperty("planId").GetGuid().ShouldBe(plan.Id());
        made.GetProperty("autoRenew").GetBoolean().ShouldBeTrue();
        made.GetProperty("isLive").GetBoolean().ShouldBeTrue();
        made.GetProperty("cancelledAt").ValueKind.ShouldBe(JsonValueKind.Null);
        (made.GetProperty("endsAt").GetDateTime() - made.GetProperty("startsAt").GetDateTime()).TotalDays.ShouldBeInRange(least, most);
        (await admin.Ask(HttpMethod.Get, answer.Headers.Location!.OriginalString).Json()).EnumerateArray().ShouldHaveSingleItem().Id()
            .ShouldBe(made.Id());
        (await admin.Ask(HttpMethod.Get, $"/api/groups/{group.Id()}").Json()).Text("plan").ShouldBe(plan.Text("name"));
    }

    [Fact]
    public async Task A_group_has_one_live_subscription()
    {
        using var admin = await world.As(Cast.Super);
        var (group, plan) = (await admin.NewGroup(), await admin.NewPlan());
        var path = $"/api/groups/{group.Id()}/subscriptions";
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => admin.Ask(HttpMethod.Post, path, new { planId = plan.Id() })));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([201, 409, 409, 409]);
        var first = (await admin.Ask(HttpMethod.Get, path).Json()).EnumerateArray().ShouldHaveSingleItem();
        await admin.Ask(HttpMethod.Post, path, new { planId = plan.Id(), status = "trialing" }).ShouldRefuse(409, "SUBSCRIPTION_EXISTS");

        await Change(admin, first, new { status = "suspended", version = 1 }).Json();
        var second = await admin.NewSubscription(group.Id(), plan.Id());
        await Change(admin, first, new { status = "active", version = 2 }).ShouldRefuse(409, "SUBSCRIPTION_EXISTS");
        (await admin.Ask(HttpMethod.Get, path).Json()).EnumerateArray().Select(s => (s.Id(), s.Text("status")))
            .ShouldBe([(second.Id(), "active"), (first.Id(), "suspended")]);
    }

    [Fact]
    public async Task The_plan_and_the_group_must_be_there()
    {
        using var admin = await world.As(Cast.Super);
        var (group, plan) = (await admin.NewGroup(), await admin.NewPlan());
        var path = $"/api/groups/{group.Id()}/subscriptions";
        await admin.Ask(HttpMethod.Post, path, new { planId = Guid.NewGuid() }).ShouldRefuse(422, "PLAN_UNKNOWN");
        (await admin.Ask(HttpMethod.Post, path, new { }).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("planId");
        await admin.Ask(HttpMethod.Post, $"/api/groups/{Guid.NewGuid()}/subscriptions", new { planId = plan.Id() })
            .ShouldRefuse(404, "NOT_FOUND");
        (await admin.Ask(HttpMethod.Get, path).Json()).GetArrayLength().ShouldBe(0);
        var made = await admin.NewSubscription(group.Id(), plan.Id());
        await Change(admin, made, new { planId = Guid.NewGuid(), version = 1 }).ShouldRefuse(422, "PLAN_UNKNOWN");
        await admin.Ask(HttpMethod.Put, $"/api/subscriptions/{Guid.NewGuid()}", new { version = 1 }).ShouldRefuse(404, "NOT_FOUND");
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_state_leads_where_it_may(string from, string to)
    {
        using var admin = await world.As(Cast.Super);
        var made = await admin.NewSubscription((await admin.NewGroup()).Id(), (await admin.NewPlan()).Id());
        await world.Execute("update tenancy.subscriptions set status = @from, version = 1 where id = @id", new { from, id = made.Id() });
        var version = await world.Sql<int>("select version from tenancy.subscriptions where id = @id", new { id = made.Id() });

        var asked = Change(admin, made, new { status = to, endsAt = DateTimeOffset.UtcNow.AddDays(40), version });
        if (from == to || Allowed[from].Contains(to))
        {
            var changed = await asked.Json();
            changed.Text("status").ShouldBe(to);
            changed.GetProperty("isLive").GetBoolean().ShouldBe(to is "trialing" or "active" or "past_due");
            (changed.GetProperty("cancelledAt").ValueKind != JsonValueKind.Null).ShouldBe(to == "cancelled");
        }
        else
        {
            await asked.ShouldRefuse(422, "TRANSITION_INVALID");
            (await world.Sql<string>("select status from tenancy.subscriptions where id = @id", new { id = made.Id() })).ShouldBe(from);
        }
    }

    [Theory]
    [InlineData("suspended")]
    [InlineData("expired")]
    [InlineData("past_due")]
    public async Task What_begins_again_needs_an_end_to_come(string from)
    {
        using var admin = await world.As(Cast.Super);
        var made = await admin.NewSubscription((await admin.NewGroup()).Id(), (await admin.NewPlan()).Id());
        await world.Execute(
            "update tenancy.subscriptions set status = @from, starts_at = now() - interval '2 years', ends_at = now() - interval '1 day'"
            + " where id = @id", new { from, id = made.Id() });
        var version = await world.Sql<int>("select version from tenancy.subscriptions where id = @id", new { id = made.Id() });
        (await Change(admin, made, new { status = "active", version }).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("endsAt");
        (await Change(admin, made, new { status = "active", endsAt = DateTimeOffset.UtcNow.AddMinutes(-1), version })
            .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("endsAt");
        (await Change(admin, made, new { status = "active", endsAt = DateTimeOffset.UtcNow.AddDays(1), version }).Json()).Text("status")
            .ShouldBe("active");
    }

    [Theory]
    [InlineData("startsAt", "0001-01-01T00:00:00Z")]
    [InlineData("startsAt", "0001-01-01T00:00:00+02:00")]
    [InlineData("startsAt", "9999-12-31T23:59:59Z")]
    [InlineData("endsAt", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("endsAt", "9999-12-31T23:59:59-12:00")]
    [InlineData("endsAt", "0001-01-01T00:00:00Z")]
    [InlineData("endsAt", "2020-01-01T00:00:00Z")]
    [InlineData("endsAt", "tomorrow")]
    [InlineData("startsAt", "2199-12-31T23:59:59Z")]
    [InlineData("billingPeriod", "weekly")]
    [InlineData("status", "asleep")]
    [InlineData("planId", "premium")]
    public async Task What_is_no_period_state_or_plan_is_refused(string field, string value)
    {
        using var admin = await world.As(Cast.Super);
        var (group, plan) = (await admin.NewGroup(), await admin.NewPlan());
        var path = $"/api/groups/{group.Id()}/subscriptions";
        using var create =
            await admin.Ask(HttpMethod.Post, path, new Dictionary<string, object?> { ["planId"] = plan.Id(), [field] = value });
        ((int)create.StatusCode).ShouldBe(400, await create.Body());
        var made = await admin.NewSubscription(group.Id(), plan.Id());
        using var change = await Change(admin, made, new Dictionary<string, object?> { ["version"] = 1, [field] = value });
        ((int)change.StatusCode).ShouldBe(400, await change.Body());
        (await admin.Ask(HttpMethod.Get, path).Json()).EnumerateArray().ShouldHaveSingleItem().GetRawText().ShouldBe(made.GetRawText());
    }

    [Fact]
    public async Task A_new_subscription_begins_alive()
    {
        using var admin = await world.As(Cast.Super);
        var (group, plan) = (await admin.NewGroup(), await admin.NewPlan());
        foreach (var status in States.Except(["trialing", "active"]))
        {
            (await admin.Ask(HttpMethod.Post, $"/api/groups/{group.Id()}/subscriptions", new { planId = plan.Id(), status })
                .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("status");
        }
    }

    private static Task<HttpResponseMessage> Change(HttpClient admin, JsonElement subscription, object body) =>
        admin.Ask(HttpMethod.Put, $"/api/subscriptions/{subscription.Id()}", body);
}
