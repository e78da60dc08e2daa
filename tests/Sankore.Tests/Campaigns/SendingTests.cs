using System.Text;
using MimeKit;

namespace Sankore.Tests.Campaigns;

/// <summary>Campaigns through a real mail server, from the draft to the last message.</summary>
public sealed class SendingTests
{
    private const string Email = Cast.HeadOnPremium;

    [Fact]
    public async Task Each_recipient_gets_one_message_in_their_name_and_the_page_hears_of_it()
    {
        await using var sink = await SmtpSink.Start();
        await using var world = await MailingWorld.Start(sink.Port);
        using var client = await world.As(Email);
        await using var feed = await LiveClient.Open(world.Address, await world.Token(Email));
        var word = Catalogue.Word();
        var segment = await world.Contacts(Email, word, 500);
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/suppressions", new { email = $"{word}.7@exemple2.cg" }).Json(201);
        var campaign = await client.Draft(word, segment);
        var audience = await client.Ask(HttpMethod.Post, $"{Mailings.Api}/audience", new { kind = "segment", segmentId = segment }).Json();
        (audience.Number("contacts"), audience.Number("suppressed"), audience.Number("recipients")).ShouldBe((500, 1, 499));

        (await client.Act(campaign, "send").Json(202)).Text("status").ShouldBe("sending");
        var figures = await client.Until(campaign, "sent");

        (figures.Number("total"), figures.Number("sent"), figures.Number("pending"), figures.Number("failed"), figures.Number("bounced"))
            .ShouldBe((499, 499, 0, 0, 0));
        figures.GetProperty("successRate").GetDecimal().ShouldBe(100);
        var mails = sink.Mails;
        mails.Select(Mailings.MessageId).Order()
            .ShouldBe(
            (await world.Sql<Guid[]>(
            "select array_agg(id order by id) from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() })).Order());
        var read = mails.Select(m => ReadMail.Of(Encoding.Latin1.GetBytes(m))).ToDictionary(m => m.Header("Subject"));
        read.Keys.Order().ShouldBe(Enumerable.Range(0, 500).Where(i => i != 7).Select(i => $"Pour Personne {i}").Order());
        IsOf42(read["Pour Personne 42"], word);
        await client.Act(campaign, "send").ShouldRefuse(409, "CAMPAIGN_STATE");
        await IsTold(world, feed, campaign.Id());
    }

    private static void IsOf42(MimeMessage one, string word)
    {
        one.Header("To").ShouldBe($"Personne 42 <{word}.42@exemple2.cg>");
        one.Header("From").ShouldEndWith("<no-reply@sankore.test>");
        one.Header("Reply-To").ShouldBe(Email);
        one.Header("List-Unsubscribe").ShouldMatch("^<http.+/u/[A-Za-z0-9_-]{46}>$");
        one.Header("List-Unsubscribe-Post").ShouldBe("List-Unsubscribe=One-Click");
        one.Html().ShouldContain($"Bonjour Personne 42 de Org {word} 2");
        one.Plain().ShouldContain($"Bonjour Personne 42 de Org {word} 2");
        // The content does not say how to leave: a line below does.
        var leave = one.Header("List-Unsubscribe").Trim('<', '>');
        one.Html().ShouldSatisfyAllConditions(
            html => html.ShouldStartWith("<!DOCTYPE html><html lang=\"fr\">"), html => html.ShouldContain($"href=\"{leave}\""));
        one.Plain().ShouldContain($"Se désinscrire ({leave})");
    }

    private static async Task IsTold(World world, LiveClient feed, Guid campaign)
    {
        var told = await feed.Next(
            e => e.Table == "campaigns.campaign_analytics" && e.RowId == campaign && e.Row.Text("status") == "sent", "the end is told");
        told.Row.GetProperty("sent").GetInt32().ShouldBe(499);
        (told.Row.GetProperty("accepted").GetInt32(), told.Row.GetProperty("total").GetInt32(),
            told.Row.GetProperty("successRate").GetDecimal()).ShouldBe((499, 499, 100));
        await feed.Next(
            e => e.Table == "campaigns.dashboard_analytics" && e.Row.GetProperty("today").GetInt32() == 499, "the dashboard is told");
        // By the database's own record, however fast or slow this machine is: the act itself, and then one more each 240 ms at most.
        (await world.Sql<bool>("""
            select count(*) - 2 <= extract(epoch from max(l.at) - min(c.started_at)) / 0.24 from live.changes l
            join campaigns.email_campaigns c on c.id::text = l.row_id where c.id = @campaign
            """, new { campaign })).ShouldBeTrue("progress is told at most four times a second");
    }

    [Fact]
    public async Task A_campaign_that_was_just_told_is_told_later_whichever_node_asks_and_however_often()
    {
        await using var world = new World();
        await ((IAsyncLifetime)world).InitializeAsync();
        using var client = await world.As(Email);
        var id = (await client.Ask(HttpMethod.Post, Mailings.Api, new { name = Catalogue.Word() }).Json(201)).Id();
        const string tell = "select id from campaigns.publish_campaigns(array[@id]) id";
        Task<long> Told() => world.Sql<long>("select count(*) from live.changes where row_id = @id::text", new { id });
        var before = await Told();

        // The clock that counts is the database's: as good as just now, for as long as this takes.
        await world.Execute("update campaigns.email_campaigns set told_at = now() + interval '1 hour' where id = @id", new { id });
        var early = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => world.AsRole<Guid>("service_role", null, tell, new { id })));
        early.ShouldAllBe(ids => ids.SequenceEqual(new[] { id }), "they come back, to be told later");
        (await Told()).ShouldBe(before);

        await world.Execute(
            "update campaigns.email_campaigns set told_at = now() - interval '240 milliseconds' where id = @id", new { id });
        (await world.AsRole<Guid>("service_role", null, tell, new { id })).ShouldBeEmpty();
        (await Told()).ShouldBe(before + 1);
    }

    [Fact]
    public async Task What_the_server_says_becomes_of_each_message_and_of_the_list()
    {
        var deferrals = 0;
        await using var server = new ScriptedSmtp(command => command switch
        {
            _ when command.StartsWith("RCPT TO:<gone", StringComparison.Ordinal) => "550 5.1.1 nobody of that name",
            _ when command.StartsWith("RCPT TO:<policy", StringComparison.Ordinal) => "550 5.7.1 not from you",
            _ when command.StartsWith("RCPT TO:<later", StringComparison.Ordinal) =>
                Interlocked.Increment(ref deferrals) == 1 ? "450 4.2.1 greylisted" : null,
            _ when command.StartsWith(".\n", StringComparison.Ordinal) && command.Contains("To: lost@", StringComparison.Ordinal) =>
                ScriptedSmtp.Cut,
            _ => null,
        });
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var segment = await SegmentOf(client, word, "gone", "policy", "later", "lost", "fine");
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);
        await Waiting.Until(
            async () => (await client.Figures(campaign)).Number("deferred") == 1
            && (await client.Figures(campaign)).Number("pending") == 1, "one is put off");
        await Waiting.Until(async () => await world.Sql<long>(
            "select count(*) from util.job_queue where status = 'pending' and job_type = 'campaign_batch'") == 1, "its job waits");
        await world.Execute(
            "update campaigns.emails_sent set next_attempt_at = now() where status = 'pending'; update util.job_queue set run_at = now()"
            + " where status = 'pending'; select pg_notify('jobs', '')");
        var figures = await client.Until(campaign, "sent");

        (await States(world, campaign.Id()))
            .ShouldBe(["fine sent ", "gone bounced 5.1.1", "later sent ", "lost failed OUTCOME_UNKNOWN", "policy bounced 5.7.1"]);
        (figures.Number("unknown"), figures.Number("bounced"), figures.Number("sent")).ShouldBe((1, 2, 2));
        (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/suppressions").Json()).GetProperty("items").Texts("email")
            .ShouldBe([$"gone@{word}.cg"], "a policy is not the address's fault");
        server.Mails.Count(m => m.Contains($"To: lost@{word}.cg", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>A contact for each name, at an address of the word's, and the segment of them.</summary>
    private static async Task<Guid> SegmentOf(HttpClient client, string word, params string[] names)
    {
        foreach (var who in names)
        {
            await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new { email = $"{who}@{word}.cg", tags = new[] { word } })
                .Json(201);
        }
        var segment = new { name = word, filter = new { tags = new[] { word } } };
        return (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/segments", segment).Json(201)).Id();
    }

    [Fact]
    public async Task A_mail_server_outage_costs_no_attempt_and_unsent_messages_go_out_afterwards()
    {
        var (mails, isAway) = (0, true);
        await using var server = new ScriptedSmtp(
            command => command.StartsWith("MAIL", StringComparison.Ordinal) && Interlocked.Increment(ref mails) > 200
            && Volatile.Read(ref isAway) ? ScriptedSmtp.Cut : null);
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 900));
        await client.Act(campaign, "send").Json(202);
        await Waiting.Until(
            async () => mails > 200
            && await world.Sql<long>("select count(*) from util.job_queue where status = 'running' and job_type = 'campaign_batch'") == 0,
            "the jobs give up for now");
        var figures = await client.Figures(campaign);
        (figures.Text("status"), figures.Number("sent"), figures.Number("pending"), figures.Number("deferred"))
            .ShouldBe(("sending", 200, 700, 0));
        server.Mails.Count.ShouldBe(200);
        Volatile.Write(ref isAway, false);
        await world.Execute("update util.job_queue set run_at = now() where status = 'pending'; select pg_notify('jobs', '')");
        (await client.Until(campaign, "sent")).Number("sent").ShouldBe(900);
        server.Mails.Select(m => Mailings.MessageId(m.ReplaceLineEndings("\n"))).ShouldBeUnique();
        server.Mails.Count.ShouldBe(900);
    }

    [Fact]
    public async Task A_campaign_is_paused_resumed_and_called_off_and_nobody_is_written_to_twice()
    {
        var (arrived, enough) = (0, 120);
        // From so many on, the server takes its time to say that it has one.
        await using var server = new ScriptedSmtp(
            command => command.StartsWith(".\n", StringComparison.Ordinal)
            && Interlocked.Increment(ref arrived) >= Volatile.Read(ref enough) ? ScriptedSmtp.Hold : null);
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 900));
        await client.Act(campaign, "send").Json(202);
        for (var round = 1; round <= 3; round++)
        {
            await Waiting.Until(() => server.Mails.Count >= round * 120, "some have arrived", 60);
            await client.Act(campaign, "pause").Json();
            // What was on its way arrives; then nothing more does.
            await Waiting.Until(async () =>
            {
                server.ReleaseHeld();
                return (await client.Figures(campaign)).Number("sending") == 0;
            }, "nothing is on its way");
            var paused = server.Mails.Count;
            (await client.Figures(campaign)).Number("sent").ShouldBe(paused);
            await Waiting.Until(async () => await world.Sql<long>(
                "select count(*) from util.job_queue where status = 'running' and job_type = 'campaign_batch'") == 0, "the jobs notice");
            server.Mails.Count.ShouldBe(paused);
            Interlocked.Add(ref enough, 120);
            await client.Act(campaign, round < 3 ? "resume" : "cancel").Json();
        }
        var figures = await client.Figures(campaign);
        (figures.Text("status"), figures.Number("sent") + figures.Number("pending"), figures.Number("failed"))
            .ShouldBe(("cancelled", 900, 0));
        figures.Number("pending").ShouldBeGreaterThan(0);
        server.Mails.Select(m => Mailings.MessageId(m.ReplaceLineEndings("\n"))).ShouldBeUnique();
    }

    [Fact]
    public async Task A_scheduled_campaign_is_sent_at_its_time_by_the_databases_clock()
    {
        await using var sink = await SmtpSink.Start();
        await using var world = await MailingWorld.Start(sink.Port);
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 5));
        await client.Act(campaign, "schedule", Mailings.InDays(1)).Json();
        // Its job comes too early: nothing happens.
        await world.Execute("update util.job_queue set run_at = now() where job_type = 'campaign_start'; select pg_notify('jobs', '')");
        await Waiting.Until(async () => await world.Sql<long>(
            "select count(*) from util.job_queue where job_type = 'campaign_start' and status = 'completed'") == 1, "the job is done");
        (await client.Figures(campaign)).Text("status").ShouldBe("scheduled");
        await client.Act(campaign, "schedule", Mailings.InDays(1)).Json();
        await world.Execute(
            "update campaigns.email_campaigns set scheduled_at = now(); update util.job_queue set run_at = now()"
            + " where status = 'pending'; select pg_notify('jobs', '')");
        (await client.Until(campaign, "sent")).Number("sent").ShouldBe(5);
        sink.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Without_a_mail_server_messages_become_outbox_files_and_tests_go_to_oneself()
    {
        await using var world = new World();
        await ((IAsyncLifetime)world).InitializeAsync();
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 30));
        await client.Act(campaign, "test").Json(202);
        await Waiting.Until(() => world.Mails().Any(m => m.Header("To").Contains(Email, StringComparison.Ordinal)), "the test is written");
        (await client.Figures(campaign)).Number("total").ShouldBe(0);
        await client.Act(campaign, "send").Json(202);
        var figures = await client.Until(campaign, "sent");
        (figures.Number("written"), figures.Number("sent"), figures.Number("accepted")).ShouldBe((30, 0, 0), "nothing left the house");
        figures.GetProperty("successRate").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        world.Mails().Count(m => m.Header("To").Contains(word, StringComparison.Ordinal)).ShouldBe(30);
    }

    [Fact]
    public async Task What_is_added_to_a_message_is_in_its_authors_language()
    {
        await using var world = new World();
        await ((IAsyncLifetime)world).InitializeAsync();
        using var client = await world.As(Email);
        client.DefaultRequestHeaders.Add("Accept-Language", "en");
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, 1));
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        var mail = ReadMail.Of(await File.ReadAllBytesAsync(
            world.Mails().Single(m => m.Header("To").Contains(word, StringComparison.Ordinal)).Path,
            TestContext.Current.CancellationToken));
        mail.Html().ShouldStartWith("<!DOCTYPE html><html lang=\"en\">");
        mail.Plain().ShouldContain("Unsubscribe (http");
    }

    private static async Task<IEnumerable<string>> States(World world, Guid id) =>
        await world.Sql<string[]>(
            "select array_agg(split_part(recipient_email, '@', 1) || ' ' || status || ' ' || coalesce(error_code, '') order by 1)"
            + " from campaigns.emails_sent where campaign_id = @id", new { id });
}
