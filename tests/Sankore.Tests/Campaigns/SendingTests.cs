using System.Text;
using Sankore.Platform.Mail;

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

        (figures.Number("total"), figures.Number("sent"), figures.Number("pending"), figures.Number("failed"), figures.Number("bounced")).ShouldBe((499, 499, 0, 0, 0));
        figures.GetProperty("successRate").GetDecimal().ShouldBe(100);
        var mails = sink.Mails;
        mails.Select(Mailings.MessageId).Order().ShouldBe((await world.Sql<Guid[]>("select array_agg(id order by id) from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() })).Order());
        var read = mails.Select(m => MimePart.Read(Encoding.Latin1.GetBytes(m))).ToDictionary(m => m.Header("Subject"));
        read.Keys.Order().ShouldBe(Enumerable.Range(0, 500).Where(i => i != 7).Select(i => $"Pour Personne {i}").Order());
        var one = read["Pour Personne 42"];
        one.Header("To").ShouldBe($"Personne 42 <{word}.42@exemple2.cg>");
        one.Header("From").ShouldEndWith("<no-reply@sankore.test>");
        one.Header("Reply-To").ShouldBe(Email);
        one.Header("List-Unsubscribe").ShouldMatch("^<http.+/u/[0-9a-f-]{36}>$");
        one.Header("List-Unsubscribe-Post").ShouldBe("List-Unsubscribe=One-Click");
        one.All.Single(p => p.Type == "text/html").Text().ShouldContain($"Bonjour Personne 42 de Org {word} 2");
        one.All.Single(p => p.Type == "text/plain").Text().ShouldContain($"Bonjour Personne 42 de Org {word} 2");

        var told = await feed.Next(e => e.Table == "campaigns.email_campaigns" && e.RowId == campaign.Id() && e.Row.Text("status") == "sent", "the end is told");
        told.Row.GetProperty("sent").GetInt32().ShouldBe(499);
        told.Row.GetProperty("okShare").GetDecimal().ShouldBe(100);
        await feed.Next(e => e.Table == "campaigns.dashboard_analytics" && e.Row.GetProperty("today").GetInt32() == 499, "the dashboard is told");
        await client.Act(campaign, "send").ShouldRefuse(409, "CAMPAIGN_STATE");
    }

    [Fact]
    public async Task What_the_server_says_becomes_of_each_message_and_of_the_list()
    {
        var deferrals = 0;
        await using var server = new ScriptedSmtp(command => command switch
        {
            _ when command.StartsWith("RCPT TO:<gone", StringComparison.Ordinal) => "550 5.1.1 nobody of that name",
            _ when command.StartsWith("RCPT TO:<policy", StringComparison.Ordinal) => "550 5.7.1 not from you",
            _ when command.StartsWith("RCPT TO:<later", StringComparison.Ordinal) => Interlocked.Increment(ref deferrals) == 1 ? "450 4.2.1 greylisted" : null,
            _ when command.StartsWith(".\n", StringComparison.Ordinal) && command.Contains("To: lost@", StringComparison.Ordinal) => ScriptedSmtp.Cut,
            _ => null,
        });
        await using var world = await MailingWorld.Start(server.Port);
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        foreach (var who in (string[])["gone", "policy", "later", "lost", "fine"])
        {
            await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new { email = $"{who}@{word}.cg", tags = new[] { word } }).Json(201);
        }
        var segment = (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/segments", new { name = word, filter = new { tags = new[] { word } } }).Json(201)).Id();
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);
        await Waiting.Until(async () => (await client.Figures(campaign)).Number("deferred") == 1 && (await client.Figures(campaign)).Number("pending") == 1, "one is put off");
        await world.Execute("update campaigns.emails_sent set next_attempt_at = now() where status = 'pending'; update util.job_queue set run_at = now() where status = 'pending'; select pg_notify('jobs', '')");
        var figures = await client.Until(campaign, "sent");

        (await States(world, campaign.Id())).ShouldBe(["fine sent ", "gone bounced 5.1.1", "later sent ", "lost failed OUTCOME_UNKNOWN", "policy bounced 5.7.1"]);
        (figures.Number("unknown"), figures.Number("bounced"), figures.Number("sent")).ShouldBe((1, 2, 2));
        (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/suppressions").Json()).GetProperty("items").Texts("email").ShouldBe([$"gone@{word}.cg"], "a policy is not the address's fault");
        server.Mails.Count(m => m.Contains($"To: lost@{word}.cg", StringComparison.Ordinal)).ShouldBe(1);
    }

    private static async Task<IEnumerable<string>> States(World world, Guid id) =>
        await world.Sql<string[]>("select array_agg(split_part(recipient_email, '@', 1) || ' ' || status || ' ' || coalesce(error_code, '') order by 1) from campaigns.emails_sent where campaign_id = @id", new { id });
}
