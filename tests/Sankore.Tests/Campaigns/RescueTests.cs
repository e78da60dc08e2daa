using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Campaigns;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// No campaign waits for ever, whatever became of its jobs, and nobody is written to twice on that account. The queue rests here: each test
/// works it itself.
/// </summary>
public sealed class RescueTests : IAsyncLifetime
{
    private const string Email = Cast.HeadOnPremium;

    /// <summary>Of 250 messages.</summary>
    private const int Batches = 13;
    private const string GiveUpSql = """
        update util.job_queue set status = 'failed', attempts = max_attempts, locked_until = null
        where payload ->> 'Campaign' = @id::text and status <> 'completed'
        """;
    private const string WaitingSql = "select count(*) from util.job_queue where payload ->> 'Campaign' = @id::text and status = 'pending'";

    private SmtpSink _sink = default!;
    private MailingWorld _world = default!;
    private HttpClient _client = default!;

    private JobWorker Worker => _world.App.Services.GetRequiredService<JobWorker>();

    public async ValueTask InitializeAsync()
    {
        _sink = await SmtpSink.Start();
        _world = await MailingWorld.Start(_sink.Port);
        await Worker.StopAsync(CancellationToken.None);
        _client = await _world.As(Email);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await (_world?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_sink?.DisposeAsync() ?? ValueTask.CompletedTask);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Messages_of_abandoned_jobs_get_new_jobs_and_each_recipient_one_message()
    {
        var campaign = await Begun(250);
        await _world.Execute(GiveUpSql, new { id = campaign.Id() });

        await Rescue();
        (await JobsOf(campaign)).ShouldBe(Batches);
        await Rescue();
        (await JobsOf(campaign)).ShouldBe(Batches, "they have jobs now");
        await Worker.WorkSome(TestContext.Current.CancellationToken);

        (await _client.Figures(campaign)).Text("status").ShouldBe("sent");
        _sink.Mails.Select(Mailings.MessageId).ShouldBeUnique();
        _sink.Count.ShouldBe(250);
    }

    [Fact]
    public async Task Of_many_rescues_at_once_one_does_it()
    {
        var campaign = await Begun(250);
        await _world.Execute(GiveUpSql, new { id = campaign.Id() });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _world.Db.Run(Caller.Service, CampaignRescue.Run, CancellationToken.None)));
        (await JobsOf(campaign)).ShouldBe(Batches);
    }

    [Fact]
    public async Task What_a_dead_node_was_sending_has_unknown_outcome_and_is_not_resent()
    {
        await using var feed = await LiveClient.Open(_world.Address, await _world.Token(Email));
        var campaign = await Begun(3);
        // A node died at the last attempt, with one message in hand; another node lives, and has another.
        var (dead, alive) = (await Job(attempts: 8, "-1 minute"), await Job(attempts: 1, "1 minute"));
        await Hand("0", dead, 8);
        await Hand("1", alive, 1);
        await _world.Execute(
            "update campaigns.emails_sent set status = 'failed', error_code = 'REJECTED' where campaign_id = @id and status = 'pending'",
            new { id = campaign.Id() });

        await Rescue();
        var figures = await _client.Figures(campaign);
        (figures.Text("status"), figures.Number("unknown"), figures.Number("sending")).ShouldBe(("sending", 1, 1));
        await _world.Execute("update util.job_queue set locked_until = now() - interval '1 second' where id = @alive", new { alive });
        await Rescue();

        figures = await _client.Figures(campaign);
        (figures.Text("status"), figures.Number("unknown"), figures.Number("sending")).ShouldBe(("sent", 2, 0));
        await feed.Next(e =>
            e.Table == "campaigns.campaign_analytics" && e.RowId == campaign.Id() && e.Row.Text("status") == "sent", "the end is told");
        await Worker.WorkSome(TestContext.Current.CancellationToken);
        _sink.Count.ShouldBe(0);

        Task<Guid> Job(int attempts, string lease) => _world.Sql<Guid>("""
            insert into util.job_queue (id, job_type, payload, status, attempts, locked_until)
            values (gen_random_uuid(), 'campaign_batch', jsonb_build_object('Campaign', @id, 'Batch', 0), 'running', @attempts,
                now() + @lease::interval) returning id
            """, new { id = campaign.Id(), attempts, lease });
        Task Hand(string who, Guid job, int attempt) => _world.Execute("""
            update campaigns.emails_sent set status = 'sending', attempts = 1, job_id = @job, job_attempt = @attempt
            where campaign_id = @id and recipient_email like '%.' || @who || '@%'
            """, new { id = campaign.Id(), who, job, attempt });
    }

    [Theory]
    [InlineData("paused"), InlineData("cancelled")]
    public async Task What_was_in_hand_when_a_campaign_was_stopped_does_not_stay_so(string status)
    {
        var campaign = await Begun(3);
        await _world.Execute(
            "update campaigns.emails_sent set status = 'sending' where campaign_id = @id; update campaigns.email_campaigns"
            + " set status = @status where id = @id", new { id = campaign.Id(), status });
        await Rescue();
        var figures = await _client.Figures(campaign);
        (figures.Text("status"), figures.Number("unknown"), figures.Number("sending")).ShouldBe((status, 3, 0));
    }

    [Fact]
    public async Task A_campaign_that_is_due_or_was_begun_without_a_job_gets_one()
    {
        var (due, begun, later) = (await Draft(5), await Draft(5), await Draft(5));
        foreach (var campaign in new[] { due, later })
        {
            await _client.Act(campaign, "schedule", Mailings.InDays(1)).Json();
        }
        await _client.Act(begun, "send").Json(202);
        await _world.Execute(GiveUpSql, new { id = begun.Id() });
        // The job that was to begin it at another time is still there.
        await _world.Execute("update campaigns.email_campaigns set scheduled_at = now() where id = @id", new { id = due.Id() });

        await Rescue();
        await Rescue();
        foreach (var (campaign, jobs) in new[] { (due, 2), (begun, 1), (later, 1) })
        {
            (await JobsOf(campaign)).ShouldBe(jobs);
        }
        await Worker.WorkSome(TestContext.Current.CancellationToken);
        (await _client.Figures(due)).Text("status").ShouldBe("sent");
        (await _client.Figures(begun)).Text("status").ShouldBe("sent");
        (await _client.Figures(later)).Text("status").ShouldBe("scheduled");
        _sink.Count.ShouldBe(10);
    }

    [Theory]
    [InlineData(
        "the subscription",
        "update tenancy.subscriptions set status = 'suspended' where school_group_id in (select school_group_id from tenancy.memberships"
        + " where user_id = @user)")]
    [InlineData("the place", "update tenancy.memberships set expires_at = now() where user_id = @user")]
    [InlineData("the assignment", "delete from tenancy.user_module_permissions where user_id = @user")]
    [InlineData("the right to write", "update tenancy.user_module_permissions set can_write = false where user_id = @user")]
    [InlineData("the module", "update tenancy.modules set status = 'inactive' where code = 'campagnes'")]
    public async Task Who_may_not_send_any_more_is_paused_and_goes_on_when_they_may_again(string lost, string sql)
    {
        var (user, campaign, scheduled) = (await _world.IdOf(Email), await Begun(5), await Draft(5));
        await _client.Act(scheduled, "send").Json(202);
        await _world.Execute(sql, new { user });

        await Rescue();
        await Worker.WorkSome(TestContext.Current.CancellationToken);
        _sink.Count.ShouldBe(0, lost);
        foreach (var id in new[] { campaign.Id(), scheduled.Id() })
        {
            (await _world.Sql<string>("select status || ' ' || failure from campaigns.email_campaigns where id = @id", new { id }))
                .ShouldBe("paused MODULE_REFUSED", lost);
        }
    }

    [Fact]
    public async Task A_campaign_paused_for_a_missing_right_resumes_when_its_owner_says_so()
    {
        var (user, campaign) = (await _world.IdOf(Email), await Begun(5));
        await _world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @user", new { user });
        await Rescue();
        await _client.Act(campaign, "resume").ShouldRefuse(403, "MODULE_REFUSED");
        await _world.Execute("update tenancy.memberships set status = 'active' where user_id = @user", new { user });
        await Rescue();
        (await _client.Figures(campaign)).Text("status").ShouldBe("paused");
        (await _client.Act(campaign, "resume").Json()).GetProperty("failure").ValueKind.ShouldBe(JsonValueKind.Null);
        await Worker.WorkSome(TestContext.Current.CancellationToken);
        (await _client.Figures(campaign)).Text("status").ShouldBe("sent");
        _sink.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Where_nothing_is_stuck_nothing_changes()
    {
        await _client.Act(await Draft(3), "send").Json(202);
        var (begun, done) = (await Begun(250), await Begun(5));
        await _world.Execute("update campaigns.emails_sent set status = 'failed' where campaign_id = @id", new { id = done.Id() });
        await _client.Act(begun, "pause").Json();
        await _client.Act(begun, "resume").Json();
        await Rescue();
        const string state = """
            select md5(string_agg(r, ',' order by r)) from (
              select 'c' || c.id || c.xmin::text from campaigns.email_campaigns c union all select 'e' || e.id || e.xmin::text
              from campaigns.emails_sent e
              union all select 'j' || j.id || j.xmin::text from util.job_queue j union all select 'l' || l.id from live.changes l) s (r)
            """;
        var before = await _world.Sql<string>(state);
        await Rescue();
        (await _world.Sql<string>(state)).ShouldBe(before);
        (await _client.Figures(done)).Text("status").ShouldBe("failed");
    }

    [Fact]
    public async Task A_campaign_whose_server_was_away_for_all_attempts_is_sent_when_it_is_back()
    {
        var campaign = await Begun(30);
        // What the queue and the batch leave behind then: messages that wait, and jobs that were given up.
        await _world.Execute(
            "update campaigns.emails_sent set status = 'sending' where campaign_id = @id; update campaigns.emails_sent"
            + " set status = 'pending', attempts = 8, next_attempt_at = now(), error_code = 'SERVER_AWAY' where campaign_id = @id",
            new { id = campaign.Id() });
        await _world.Execute(GiveUpSql, new { id = campaign.Id() });
        await Rescue();
        await Worker.WorkSome(TestContext.Current.CancellationToken);
        (await _client.Figures(campaign)).Number("sent").ShouldBe(30);
        _sink.Count.ShouldBe(30);
    }

    /// <summary>A rescue that has its turn, even if the program's own is at it.</summary>
    private Task Rescue() => _world.Db.Run(Caller.Service, async session =>
    {
        await session.Execute("select pg_advisory_xact_lock(7205759403792793711)");
        await CampaignRescue.Run(session);
    }, CancellationToken.None);

    private Task<long> JobsOf(JsonElement campaign) => _world.Sql<long>(WaitingSql, new { id = campaign.Id() });

    private async Task<JsonElement> Draft(int count)
    {
        var word = Catalogue.Word();
        return await _client.Draft(word, await _world.Contacts(Email, word, count));
    }

    /// <summary>A campaign whose messages are made, and wait.</summary>
    private async Task<JsonElement> Begun(int count)
    {
        var campaign = await Draft(count);
        await _client.Act(campaign, "send").Json(202);
        var start = _world.App.Services.GetServices<IJobHandler>().OfType<CampaignStartJob>().Single();
        await start.Run(
            new Job(Guid.NewGuid(), JsonSerializer.SerializeToElement(new CampaignStartJob.Payload(campaign.Id())), 1),
            TestContext.Current.CancellationToken);
        await _world.Execute(
            "update util.job_queue set status = 'completed', payload = '{}' where job_type = 'campaign_start'"
            + " and payload ->> 'Campaign' = @id::text", new { id = campaign.Id() });
        return campaign;
    }
}
