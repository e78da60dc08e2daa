using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sankore.Campaigns;
using Sankore.Platform.Jobs;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// A campaign goes only the ways there are between its states, whoever asks and in whatever order. Nothing is sent here: the queue rests.
/// </summary>
public sealed class StateTests(World world) : IClassFixture<World>, IAsyncLifetime
{
    private const string Email = Cast.HeadOnPremium;

    /// <summary>The issue's own words, written down once more: what may follow what.</summary>
    private static readonly string[] Ways =
    [
        "draft scheduled", "draft sending", "draft cancelled", "scheduled draft", "scheduled sending", "scheduled cancelled",
            "sending paused", "sending sent", "sending failed", "sending cancelled",
        "paused sending", "paused cancelled",
    ];

    public async ValueTask InitializeAsync() => await world.App.Services.GetRequiredService<JobWorker>().StopAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_database_takes_exactly_these_ways_and_the_program_knows_them()
    {
        var user = await world.IdOf(Email);
        foreach (var from in CampaignStates.All)
        {
            foreach (var to in CampaignStates.All.Where(s => s != from))
            {
                var id = await world.Sql<Guid>(
                    "insert into campaigns.email_campaigns (user_id, name, subject, content, status, scheduled_at)"
                    + " values (@user, 'N', 'S', 'C', @from, now()) returning id", new { user, from });
                var may = Ways.Contains($"{from} {to}");
                CampaignStates.May(from, to).ShouldBe(may, $"{from} → {to}");
                foreach (var role in new[] { "authenticated", "service_role" })
                {
                    await world.Execute(
                        "alter table campaigns.email_campaigns disable trigger check_campaign; update campaigns.email_campaigns set "
                        + "status = @from where id = @id; alter table campaigns.email_campaigns enable trigger check_campaign",
                        new { id, from });
                    var change = () =>
                        world.AsRole<int>(role, user, "update campaigns.email_campaigns set status = @to where id = @id", new { id, to });
                    if (may)
                    {
                        await change();
                    }
                    else
                    {
                        (await Should.ThrowAsync<PostgresException>(change)).MessageText.ShouldBe("CAMPAIGN_STATE", $"{from} → {to}");
                    }
                }
            }
        }
    }

    [Fact]
    public async Task The_program_and_the_database_know_the_same_states()
    {
        const string StatesSql = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'email_campaigns_status_check'";
        var known = System.Text.RegularExpressions.Regex.Matches(await world.Sql<string>(StatesSql), "'([a-z]+)'");
        known.Select(m => m.Groups[1].Value).ShouldBe(CampaignStates.All, ignoreOrder: true);
        const string UnderWaySql = "select s from unnest(@states) s where campaigns.is_under_way(s)";
        var underWay = await world.Rows<string>(UnderWaySql, new { states = CampaignStates.All.ToArray() });
        underWay.ShouldBe(CampaignStates.All.Where(CampaignStates.IsUnderWay), ignoreOrder: true);
    }

    [Fact]
    public async Task A_draft_in_which_nothing_is_written_yet_can_be_called_off()
    {
        using var client = await world.As(Email);
        var draft = (await client.Post("/api/campaigns", new { name = Catalogue.Word() })).Body;
        (await client.Post($"/api/campaigns/{draft.Id()}/cancel", new { })).Code.ShouldBeNull();
        (await client.Ask($"/api/campaigns/{draft.Id()}")).Text("status").ShouldBe("cancelled");
        using var browser = new Browser(world.Address);
        await browser.SignIn(Email, Sankore.Identity.PasswordRules.Demo);
        (await browser.Page($"/campaigns/{draft.Id()}")).ShouldContain(draft.Text("name"));
    }

    public static TheoryData<int> Seeds => Effort.Seeds(2, 1, 2, 3, 4);

    [Theory, MemberData(nameof(Seeds))]
    public async Task Whatever_is_asked_in_whatever_order_is_done_or_refused_as_the_model_says(int seed)
    {
        using var client = await world.As(Email);
        var (random, word) = (new Random(seed), Catalogue.Word());
        var segment = await world.Contacts(Email, word, 3);
        var (campaign, state) = (await client.Draft(word, segment), "draft");
        for (var i = 0; i < 60; i++)
        {
            var act = ((string[])["send", "schedule", "unschedule", "pause", "resume", "cancel", "update", "delete"])[random.Next(8)];
            var next = Next(act, state);
            using var answer = await Ask(client, campaign, act);
            var text = await answer.Body();
            if (next is null)
            {
                ((int)answer.StatusCode).ShouldBe(409, $"{act} of {state}: {text}");
                JsonElement.Parse(text).Text("code").ShouldBe(act == "update" ? "CAMPAIGN_SETTLED" : "CAMPAIGN_STATE");
                continue;
            }
            answer.IsSuccessStatusCode.ShouldBeTrue($"{act} of {state}: {text}");
            state = next;
            if (state is "gone" or "cancelled" && random.Next(2) == 0)
            {
                (campaign, state) = (await client.Draft(word, segment), "draft");
            }
            else if (state == "gone")
            {
                await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").ShouldRefuse(404, "NOT_FOUND");
                (campaign, state) = (await client.Draft(word, segment), "draft");
            }
            (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").Json()).Text("status").ShouldBe(state);
        }
    }

    /// <summary>The model: the state after something is done; null: it is refused.</summary>
    private static string? Next(string act, string state) => (act, state) switch
    {
        ("send", "draft" or "scheduled") => "sending",
        ("schedule", "draft" or "scheduled") => "scheduled",
        ("unschedule", "scheduled") => "draft",
        ("pause", "sending") => "paused",
        ("resume", "paused") => "sending",
        ("cancel", "draft" or "scheduled" or "sending" or "paused") => "cancelled",
        ("update", "draft") => "draft",
        ("delete", "draft" or "cancelled") => "gone",
        _ => null,
    };

    [Fact]
    public async Task Of_many_clicks_at_once_one_wins()
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 3));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.Act(campaign, "send")));
        answers.Count(a => a.IsSuccessStatusCode).ShouldBe(1);
        answers.Count(a => (int)a.StatusCode == 409).ShouldBe(7);
        (await world.Sql<long>(
            "select count(*) from util.job_queue where payload ->> 'Campaign' = @id", new { id = campaign.Id().ToString() })).ShouldBe(1);
    }

    [Fact]
    public async Task What_it_says_and_to_whom_is_settled_when_it_leaves_the_draft()
    {
        using var client = await world.As(Email);
        var (user, word) = (await world.IdOf(Email), Catalogue.Word());
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 3));
        await client.Act(campaign, "send").Json(202);
        string[] changes =
        [
            "subject = 'x'", "content = 'x'", "audience = '{\"kind\": \"all\"}'", "from_name = 'x'", "reply_to = 'x@y.cg'",
            "track_opens = true",
        ];
        foreach (var change in changes)
        {
            (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>(
                "authenticated", user, $"update campaigns.email_campaigns set {change} where id = @id",
                new { id = campaign.Id() }))).MessageText.ShouldBe("CAMPAIGN_SETTLED", change);
        }
    }

    [Fact]
    public async Task What_cannot_be_sent_says_why()
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var segment = await world.Contacts(Email, word, 1);
        var empty = await client.Ask(HttpMethod.Post, Mailings.Api, new { name = word }).Json(201);
        var problem = await client.Act(empty, "send").ShouldRefuse(422, "CAMPAIGN_INCOMPLETE");
        problem.GetProperty("errors").Names().ShouldBe(["subject", "content"]);
        await client.Act(
            empty, "schedule",
            new { at = DateTime.UtcNow.AddDays(1).ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture) })
            .ShouldRefuse(422, "CAMPAIGN_INCOMPLETE");
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/suppressions", new { email = $"{word}.0@exemple0.cg" }).Json(201);
        await client.Act(await client.Draft(word, segment), "send").ShouldRefuse(422, "AUDIENCE_EMPTY");
        await client.Act(await client.Draft(word, Guid.NewGuid()), "send").ShouldRefuse(422, "AUDIENCE_EMPTY");
        using var other = await world.As(Cast.Admin1);
        await other.Act(empty, "send").ShouldRefuse(404, "NOT_FOUND");
        await other.Ask(HttpMethod.Get, $"{Mailings.Api}/{empty.Id()}/analytics").ShouldRefuse(404, "NOT_FOUND");
        await other.Ask(HttpMethod.Get, $"{Mailings.Api}/{empty.Id()}/details").ShouldRefuse(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("2026-12-24T08:00", "Africa/Brazzaville", "2026-12-24T07:00:00Z")]
    [InlineData("2026-12-24T08:00", "Africa/Dakar", "2026-12-24T08:00:00Z")]
    [InlineData("2027-03-28T03:30", "Europe/Paris", "2027-03-28T01:30:00Z")]
    public void A_schedule_is_the_clock_on_the_senders_wall(string at, string zone, string utc) =>
        new ScheduleInput(at, zone)
            .Normalized(DateTimeOffset.Parse("2026-11-22T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture)).At.UtcDateTime
            .ShouldBe(DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime);

    [Theory]
    [InlineData("2027-03-28T02:30", "Europe/Paris", "a clock that jumps over it")]
    [InlineData("2026-11-21T23:59", "UTC", "over")]
    [InlineData("2028-01-01T00:00", "UTC", "too far away")]
    [InlineData("demain", "UTC", "no time")]
    [InlineData("", "UTC", "no time")]
    [InlineData("2026-12-24T08:00", "Mars/Olympus", "no zone")]
    public void What_is_no_moment_to_come_is_refused(string at, string zone, string why) =>
        Should.Throw<Sankore.Platform.Security.Refusal>(
            () => new ScheduleInput(at, zone)
            .Normalized(DateTimeOffset.Parse("2026-11-22T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture)), why);

    private static Task<HttpResponseMessage> Ask(HttpClient client, JsonElement campaign, string act) => act switch
    {
        "schedule" => client.Act(campaign, act, Mailings.InDays(2)),
        "delete" => client.Ask(HttpMethod.Delete, $"{Mailings.Api}/{campaign.Id()}"),
        "update" => Update(client, campaign),
        _ => client.Act(campaign, act),
    };

    private static async Task<HttpResponseMessage> Update(HttpClient client, JsonElement campaign)
    {
        var now = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").Json();
        return await client.Ask(
            HttpMethod.Put, $"{Mailings.Api}/{campaign.Id()}",
            new
            {
                name = now.Text("name"),
                subject = "S",
                content = "C",
                audience = now.GetProperty("audience"),
                version = now.Number("version"),
            });
    }
}
