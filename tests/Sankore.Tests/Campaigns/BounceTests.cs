using System.Text;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>What mail servers write back into a folder.</summary>
public sealed class BounceTests(EventsWorld world) : IClassFixture<EventsWorld>
{
    [Fact]
    public async Task Reports_in_the_folder_make_bounces_deliveries_and_complaints_and_are_put_away()
    {
        var (_, m) = await world.Sent(
            "sent", "sent", "sent", "sent", "sent", "failed OUTCOME_UNKNOWN", "sent", "sent", "sent", "sent");
        var reports = new Dictionary<string, string>
        {
            ["gone"] = Report(m[0], "failed", "5.1.1", "smtp; 550 5.1.1 nobody\n of that name"),
            ["late"] = Report(m[1], "delayed", "4.4.1", "smtp; 450 busy"),
            ["there.eml"] = Report(m[2], "delivered", "2.0.0", ""),
            ["passed"] = Report(m[3], "relayed", "2.0.0", ""),
            ["full"] = Report(m[4], "failed", "4.4.7", "smtp; expired")
            .Replace("text/rfc822-headers", "message/rfc822", StringComparison.Ordinal),
            ["unknown"] = Report(m[5], "failed", "5.1.1", "").Replace("\n", "\r\n", StringComparison.Ordinal),
            ["unwanted"] = Complaint(m[6], "abuse"),
            ["exim"] = Report(m[7], "failed", "5.0.0", "smtp; 550 5.7.1 message content rejected"),
            ["exim-nobody"] = Report(m[8], "failed", "5.0.0", "smtp; 550 Unrouteable address"),
            ["over"] = Report(m[9], "failed", "5.2.2", "smtp; 552 5.2.2 mailbox full"),
        };
        await Deliver(reports);
        await Deliver(new()
        {
            ["letter"] = "Subject: holidays\n\nI am away.\n",
            ["empty"] = "",
            ["strange"] = Report(m[0], "failed", "5.1.1", "").Replace($"<{m[0]}@", "<somebody@", StringComparison.Ordinal),
            ["noise"] = new string('\u00ff', 5000),
        });
        await Waiting.Until(() => Directory.GetFiles(world.BounceFolder).Length == 0, "all is read");

        string[] lines = [.. await Task.WhenAll(m.Select(world.Line))];
        lines.ShouldBe(
            ["bounced 5.1.1 |bounced", "sent", "delivered D", "sent", "bounced 4.4.7", "bounced 5.1.1 |bounced", "sent P |complained",
                "bounced 5.0.0", "bounced 5.0.0 |bounced", "bounced 5.2.2"]);
        (await world.Sql<string>("select error from campaigns.emails_sent where id = @id", new { id = m[0] }))
            .ShouldBe("smtp; 550 5.1.1 nobody of that name");
        (await world.Sql<string>("select kind || ' ' || code from campaigns.delivery_events where message_id = @id", new { id = m[1] }))
            .ShouldBe("deferred 4.4.1");
        reports.Keys.ShouldBeSubsetOf(Files("done"));
        new[] { "letter", "empty", "strange", "noise" }.ShouldBeSubsetOf(Files("unread"));
    }

    [Fact]
    public async Task A_report_read_by_a_node_that_died_is_reread_and_changes_nothing()
    {
        var (_, m) = await world.Sent("sent");
        var report = Report(m[0], "failed", "5.1.1", "smtp; 550");
        await Deliver(new() { ["first"] = report });
        await Waiting.Until(() => Files("done").Contains("first"), "it is read");
        await Deliver(new() { ["again"] = report });
        await Waiting.Until(() => Files("done").Contains("again"), "it is read again");
        (await world.Sql<long>("select count(*) from campaigns.delivery_events where message_id = @id", new { id = m[0] })).ShouldBe(1);
    }

    [Fact]
    public async Task Several_nodes_share_a_folder()
    {
        await using var other = await world.StartNode("http://127.0.0.1:0");
        var (_, m) = await world.Sent([.. Enumerable.Repeat("sent", 300)]);
        await Deliver(m.ToDictionary(id => $"{id}", id => Report(id, "failed", "5.1.1", "")));
        await Waiting.Until(() => Directory.GetFiles(world.BounceFolder).Length == 0, "all is read", 30);
        (await world.Sql<long>("select count(*) from campaigns.emails_sent where id = any (@m) and status = 'bounced'", new { m }))
            .ShouldBe(300);
        (await world.Sql<long>("select count(*) from campaigns.delivery_events where message_id = any (@m)", new { m })).ShouldBe(300);
        await other.StopAsync();
    }

    [Theory]
    [InlineData("abuse", "complained"), InlineData("fraud", "complained"), InlineData("opt-out", "unsubscribed"),
        InlineData("not-spam", null)]
    public void What_a_complaint_means(string type, string? kind) =>
        MailReport.Read(Encoding.UTF8.GetBytes(Complaint(Guid.NewGuid(), type)))!.Select(e => e.Kind).SingleOrDefault().ShouldBe(kind);

    [Fact]
    public void A_report_that_is_cut_anywhere_is_read_or_not_and_breaks_nothing()
    {
        var report = Encoding.UTF8.GetBytes(Report(Guid.NewGuid(), "failed", "5.1.1", "smtp; 550"));
        for (var length = 0; length < report.Length; length++)
        {
            (MailReport.Read(report[..length]) ?? []).Count.ShouldBeLessThanOrEqualTo(1);
        }
    }

    /// <summary>As a mail server does: written under another name, and then there whole.</summary>
    private async Task Deliver(Dictionary<string, string> mails)
    {
        foreach (var (name, mail) in mails)
        {
            var draft = Path.Combine(world.BounceFolder, "." + name);
            await File.WriteAllTextAsync(draft, mail);
            File.Move(draft, Path.Combine(world.BounceFolder, name));
        }
    }

    private string[] Files(string folder) => Directory.Exists(Path.Combine(world.BounceFolder, folder))
        ? [.. Directory.GetFiles(Path.Combine(world.BounceFolder, folder)).Select(f => Path.GetFileName(f))] : [];

    private static string Report(Guid message, string action, string status, string diagnostic) => $"""
        From: MAILER-DAEMON@mx.exemple.cg
        To: no-reply@sankore.test
        Date: Fri, 2 Jan 2026 03:04:05 +0000 (UTC)
        Subject: Undelivered Mail Returned to Sender
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status;
         boundary="b/mx"

        --b/mx
        Content-Type: text/plain; charset=us-ascii

        I am sorry.

        --b/mx
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.exemple.cg
        Arrival-Date: Fri, 2 Jan 2026 03:04:00 +0000 (UTC)

        Final-Recipient: rfc822; someone@exemple.cg
        Original-Recipient: rfc822;someone@exemple.cg
        Action: {action}
        Status: {status}
        Diagnostic-Code: {diagnostic}

        --b/mx
        Content-Type: text/rfc822-headers

        From: =?utf-8?q?Sankor=C3=A9?= <no-reply@sankore.test>
        Message-ID: <{message}@sankore.test>
        Subject: Objet

        --b/mx--

        """;

    private static string Complaint(Guid message, string type) => $"""
        From: fbl@provider.test
        Content-Type: multipart/report; report-type="feedback-report"; boundary=b

        --b
        Content-Type: text/plain

        A complaint.
        --b
        Content-Type: message/feedback-report

        Feedback-Type: {type}
        User-Agent: SomeGenerator/1.0
        Version: 1

        --b
        Content-Type: message/rfc822

        From: no-reply@sankore.test
        Message-ID: <{message}@sankore.test>

        Texte
        --b--
        """;
}
