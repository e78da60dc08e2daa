using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// What a mail server refuses is blamed on whom it concerns; what concerns us stops the campaign, and costs nobody anything.
/// </summary>
public sealed class BlameTests
{
    private const string Email = Cast.HeadOnPremium;

    private static readonly string[] Six = ["a", "b", "c", "d", "e", "f"];

    [Theory]
    [InlineData("GREETING", "554 5.7.1 your address is blocked", "MAIL_SIGN_IN")]
    [InlineData("MAIL", "530 5.7.0 Authentication required", "MAIL_SENDER")]
    [InlineData("MAIL", "550 5.7.60 Client does not have permissions to send as this sender", "MAIL_SENDER")]
    [InlineData("MAIL", "553 5.1.8 Domain of sender address does not exist", "MAIL_SENDER")]
    [InlineData("RCPT", "554 5.7.1 Relay access denied", "MAIL_REFUSED")]
    [InlineData("RCPT", "550 relay not permitted", "MAIL_REFUSED")]
    [InlineData("RCPT", "530 5.7.1 Authentication required", "MAIL_REFUSED")]
    [InlineData("DATA", "554 5.5.1 no valid recipients", "MAIL_CONTENT")]
    [InlineData(".\n", "550 5.7.1 message identified as spam", "MAIL_CONTENT")]
    [InlineData(".\n", "552 5.3.4 message too large", "MAIL_CONTENT")]
    [InlineData(".\n", "550 5.1.1 what comes after the dot concerns no address", "MAIL_CONTENT")]
    public async Task What_concerns_us_pauses_the_campaign_with_the_servers_words(string at, string reply, string failure)
    {
        var isWrong = true;
        await using var server = new ScriptedSmtp(
            command => command.StartsWith(at, StringComparison.Ordinal) && Volatile.Read(ref isWrong) ? reply : null);
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var campaign = await client.Draft(Catalogue.Word(), await SegmentOf(client, Six));
        await client.Act(campaign, "send").Json(202);

        var figures = await client.Until(campaign, "paused");
        var paused = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").Json();
        (paused.Text("failure"), figures.Number("bounced"), figures.Number("failed")).ShouldBe((failure, 0, 0));
        paused.Text("serverReply").ShouldEndWith(reply);
        (await Suppressed(client)).ShouldBeEmpty();
        var page = await (await client.Ask(HttpMethod.Get, $"/campaigns/{campaign.Id()}")).Content.ReadAsStringAsync(
            TestContext.Current.CancellationToken);
        page.ShouldContain(System.Net.WebUtility.HtmlEncode(reply)[..20]);

        Volatile.Write(ref isWrong, false);
        await client.Act(campaign, "resume").Json();
        (await client.Until(campaign, "sent")).Number("sent").ShouldBe(6);
        server.Mails.Count.ShouldBeGreaterThanOrEqualTo(6);
        var clean = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").Json();
        (clean.GetProperty("failure").ValueKind, clean.GetProperty("serverReply").ValueKind)
            .ShouldBe((JsonValueKind.Null, JsonValueKind.Null));
    }

    [Theory]
    [InlineData("MAIL", "550 5.4.5 Daily user sending limit exceeded")]
    [InlineData("MAIL", "451 4.7.1 slow down")]
    [InlineData("RCPT", "452 4.5.3 Too many recipients")]
    [InlineData(".\n", "550 5.4.5 Daily SMTP relay limit exceeded for user")]
    public async Task A_limit_is_waited_for_and_the_campaign_goes_on(string at, string reply)
    {
        var (isOver, asked) = (false, 0);
        await using var server = new ScriptedSmtp(command =>
            command.StartsWith(at, StringComparison.Ordinal) && !Volatile.Read(ref isOver) && Interlocked.Increment(ref asked) > 2
                ? reply : null);
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var campaign = await client.Draft(Catalogue.Word(), await SegmentOf(client, Six));
        await client.Act(campaign, "send").Json(202);
        JsonElement waiting = default;
        await Waiting.Until(
            async () => (waiting = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").Json())
                .GetProperty("resumesAt").ValueKind == JsonValueKind.String, "it waits");
        waiting.Text("serverReply").ShouldBe(reply);
        await Waiting.Until(async () => await world.Sql<long>(
            "select count(*) from util.job_queue where job_type = 'campaign_batch' and status = 'running'") == 0, "its job waits too");
        var figures = await client.Figures(campaign);
        (figures.Text("status"), figures.Number("sent"), figures.Number("pending"), figures.Number("deferred"))
            .ShouldBe(("sending", 2, 4, 0));

        Volatile.Write(ref isOver, true);
        await world.Execute(
            "update campaigns.email_campaigns set resumes_at = now(); update util.job_queue set run_at = now() where status = 'pending';"
            + " select pg_notify('jobs', '')");
        (await client.Until(campaign, "sent")).Number("sent").ShouldBe(6);
        (await Suppressed(client)).ShouldBeEmpty();
        server.Mails.Select(m => Mailings.MessageId(m.ReplaceLineEndings("\n"))).Distinct().Count().ShouldBe(6);
    }

    [Theory]
    [InlineData("RCPT TO:<c@", "421 4.3.2 try again")]
    [InlineData("RCPT TO:<c@", ScriptedSmtp.Cut)]
    public async Task One_recipient_whose_server_hangs_up_keeps_nobody_else_waiting(string at, string reply)
    {
        await using var server = new ScriptedSmtp(command => command.StartsWith(at, StringComparison.Ordinal) ? reply : null);
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var campaign = await client.Draft(Catalogue.Word(), await SegmentOf(client, Six));
        await client.Act(campaign, "send").Json(202);
        await Waiting.Until(async () => (await client.Figures(campaign)).Number("sent") == 5, "the others get theirs");
        await Waiting.Until(async () => (await client.Figures(campaign)).Number("deferred") == 1, "it is put off");

        // Each round counts as a try; the eighth is the last.
        for (var round = 2; round <= 8; round++)
        {
            await Waiting.Until(async () => await world.Sql<long>(
                "select count(*) from util.job_queue where job_type = 'campaign_batch' and status = 'pending'") == 1, "its job waits");
            await world.Execute(
                "update campaigns.emails_sent set next_attempt_at = now() where status = 'pending'; update util.job_queue"
                + " set run_at = now() where status = 'pending'; select pg_notify('jobs', '')");
            await Waiting.Until(async () => await world.Sql<bool>(
                "select bool_and(attempts >= @round and status in ('pending', 'failed')) from campaigns.emails_sent where"
                + " recipient_email like 'c@%'", new { round }), $"try {round}");
        }
        var figures = await client.Until(campaign, "sent");
        (figures.Number("sent"), figures.Number("failed")).ShouldBe((5, 1));
        (await Suppressed(client)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Whatever_a_server_says_is_written_down_as_far_as_it_is_text()
    {
        var endless = $"550 5.7.60 {new string('x', 488)}😀 and more";
        var isWrong = true;
        await using var server = new ScriptedSmtp(command => command.StartsWith("RCPT TO:<a@", StringComparison.Ordinal)
            ? "550 5.1.1 no\0body\u0007 \ud83d\ude00"
            : command.StartsWith("MAIL", StringComparison.Ordinal) && Volatile.Read(ref isWrong) ? endless : null);
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var campaign = await client.Draft(Catalogue.Word(), await SegmentOf(client, ["a", "b"]));
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "paused");
        (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}").Json()).Text("serverReply").ShouldEndWith("x😀");
        Volatile.Write(ref isWrong, false);
        await client.Act(campaign, "resume").Json();
        var figures = await client.Until(campaign, "sent");
        (figures.Number("sent"), figures.Number("bounced")).ShouldBe((1, 1));
        (await world.Sql<string>("select error from campaigns.emails_sent where status = 'bounced'")).ShouldBe("5.1.1 no body  😀");
    }

    [Fact]
    public async Task A_full_mailbox_is_tried_again_and_a_missing_one_is_suppressed()
    {
        await using var server = new ScriptedSmtp(command => command switch
        {
            _ when command.StartsWith("RCPT TO:<a@", StringComparison.Ordinal) => "552 5.2.2 mailbox full",
            _ when command.StartsWith("RCPT TO:<b@", StringComparison.Ordinal) => "550 No such user here",
            _ when command.StartsWith("RCPT TO:<c@", StringComparison.Ordinal) => "550 5.2.1 mailbox disabled",
            _ when command.StartsWith("RCPT TO:<d@", StringComparison.Ordinal) => "550 rejected by local policy",
            _ => null,
        });
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var campaign = await client.Draft(Catalogue.Word(), await SegmentOf(client, Six));
        await client.Act(campaign, "send").Json(202);
        await Waiting.Until(async () => await client.Figures(campaign) is var f
            && (f.Number("sent"), f.Number("bounced"), f.Number("deferred")) == (2, 3, 1), "each has its end");
        (await Suppressed(client)).Order().Select(e => e.Split('@')[0]).ShouldBe(["b", "c"]);
    }

    private static async Task<string[]> Suppressed(HttpClient client) =>
        [.. (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/suppressions").Json()).GetProperty("items").Texts("email")];

    private static async Task<Guid> SegmentOf(HttpClient client, params string[] names)
    {
        var word = Catalogue.Word();
        foreach (var who in names)
        {
            await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new { email = $"{who}@{word}.cg", tags = new[] { word } })
                .Json(201);
        }
        var segment = new { name = word, filter = new { tags = new[] { word } } };
        return (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/segments", segment).Json(201)).Id();
    }
}
