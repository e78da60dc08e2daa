using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>Leaving by the link of a message, and coming back: by whoever has the mail, and by nobody else.</summary>
public sealed class UnsubscribeTests(EventsWorld world) : IClassFixture<EventsWorld>
{
    [Fact]
    public async Task One_click_unsubscribes_for_good_and_the_next_campaign_does_not_write()
    {
        await using var sink = await SmtpSink.Start();
        await using var mailing = await MailingWorld.Start(sink.Port);
        using var client = await mailing.As(Delivered.Email);
        await using var feed = await LiveClient.Open(mailing.Address, await mailing.Token(Delivered.Email));
        var word = Catalogue.Word();
        var segment = await mailing.Contacts(Delivered.Email, word, 3);
        var campaign = await client.Draft(word, segment, "<p>Bonjour <a href=\"{{unsubscribe_url}}\">partir</a></p>");
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        var mail = sink.Mails.Select(m => ReadMail.Of(Encoding.Latin1.GetBytes(m)))
            .Single(m => m.Header("To").Contains($"{word}.1@", StringComparison.Ordinal));
        var link = new Uri(mail.Header("List-Unsubscribe").Trim('<', '>'));
        mail.Header("List-Unsubscribe-Post").ShouldBe("List-Unsubscribe=One-Click");
        mail.Html().ShouldContain($"href=\"{link}\"");

        // As RFC 8058 has it: no cookies, no referrer, a form of one field; twice, at once, in both encodings.
        using var nobody = mailing.Nobody();
        var answers = await Task.WhenAll(
            nobody.Ask(HttpMethod.Post, link.AbsolutePath, OneClick()), nobody.Ask(HttpMethod.Post, link.AbsolutePath, OneClick()),
            nobody.Ask(
            HttpMethod.Post, link.AbsolutePath, new MultipartFormDataContent { { new StringContent("One-Click"), "List-Unsubscribe" } }));
        answers.Select(a => a.StatusCode).Distinct().ShouldBe([HttpStatusCode.OK]);
        (await answers[0].Body()).ShouldStartWith("C’est fait");

        await feed.Next(e => e.Table == "campaigns.suppressions", "the list of those who are not written to is told");
        await feed.Next(e => e.Table == "campaigns.campaign_analytics" && e.RowId == campaign.Id()
            && e.Row.TryGetProperty("unsubscribed", out var n) && n.GetInt32() == 1, "and the campaign's page");
        var listed = (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/suppressions").Json()).GetProperty("items");
        (listed.Texts("email").Single(), listed.Texts("reason").Single(), listed.Texts("campaign").Single())
            .ShouldBe((mail.Header("To").Split('<', '>')[1], "unsubscribed", word));
        var next = await client.Draft(word + " 2", segment);
        await client.Act(next, "send").Json(202);
        (await client.Until(next, "sent")).Number("total").ShouldBe(2);
        sink.Mails.Count(m => m.Contains($"{word}.1@", StringComparison.Ordinal) && m.Contains("\nTo:", StringComparison.Ordinal))
            .ShouldBe(1);
    }

    [Fact]
    public async Task Looking_changes_nothing_and_the_buttons_leave_and_return()
    {
        var (campaign, m) = await world.Sent("sent");
        var path = await Link(m[0]);
        using var browser = new Browser(world.Address);
        for (var i = 0; i < 3; i++)
        {
            await OffersToLeave(WebUtility.HtmlDecode(await browser.Page(path)), m[0]);
        }
        using var head = await browser.Client.Ask(HttpMethod.Head, path);
        (await world.Line(m[0])).ShouldBe("sent");

        using (var left = await browser.Client.Ask(HttpMethod.Post, path, Act("leave")))
        {
            (left.StatusCode, left.Headers.Location!.ToString()).ShouldBe((HttpStatusCode.SeeOther, path));
        }
        (await world.Line(m[0])).ShouldBe("sent U |unsubscribed");
        WebUtility.HtmlDecode(await browser.Page(path))
            .ShouldSatisfyAllConditions(p => p.ShouldContain("C’est fait"), p => p.ShouldContain("Me réinscrire"));
        using (var again = await browser.Client.Ask(HttpMethod.Post, path, Act("leave")))
        {
            again.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }
        (await world.Sql<long>("select count(*) from campaigns.delivery_events where message_id = @id", new { id = m[0] })).ShouldBe(1);

        using (var back = await browser.Client.Ask(HttpMethod.Post, path, Act("return")))
        {
            back.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }
        (await world.Line(m[0])).ShouldBe("sent");
        (await world.Sql<int>("select unsubscribed from campaigns.campaign_counts where campaign_id = @campaign", new { campaign }))
            .ShouldBe(0);
        // And they may leave again.
        (await browser.Client.Ask(HttpMethod.Post, path, Act("leave"))).Dispose();
        (await world.Line(m[0])).ShouldBe("sent U |unsubscribed");
        using var english = new Browser(world.Address, "en");
        (await english.Page(path)).ShouldContain("Subscribe me again");
    }

    private async Task OffersToLeave(string page, Guid message)
    {
        page.ShouldContain("École Bantou");
        page.ShouldMatch(@"[a-z]•••@exemple\.cg");
        page.ShouldNotContain(
            await world.Sql<string>("select recipient_email from campaigns.emails_sent where id = @message", new { message }));
        page.ShouldContain("Me désinscrire");
    }

    [Fact]
    public async Task Coming_back_undoes_ones_own_leaving_and_nothing_else()
    {
        using var nobody = world.Nobody();
        var (_, m) = await world.Sent("sent", "sent");
        await nobody.Tell(new object[] { new { id = m[0], @event = "complained" }, new { id = m[1], @event = "bounced", code = "5.1.1" } })
            .Json();
        foreach (var id in m)
        {
            (await nobody.Ask(HttpMethod.Post, await Link(id), Act("return"))).Dispose();
        }
        (await world.Line(m[0])).ShouldBe("sent P |complained");
        (await world.Line(m[1])).ShouldBe("bounced 5.1.1 |bounced");
        using var browser = new Browser(world.Address);
        WebUtility.HtmlDecode(await browser.Page(await Link(m[0]))).ShouldNotContain("Me réinscrire");
        // What somebody says of themselves outlasts what their mail server said of them.
        (await nobody.Ask(HttpMethod.Post, await Link(m[1]), OneClick())).Dispose();
        (await world.Line(m[1])).ShouldBe("bounced 5.1.1 U |unsubscribed");
    }

    [Fact]
    public async Task Forged_cut_and_other_links_are_all_unknown_in_the_same_words()
    {
        var (_, m) = await world.Sent("sent");
        var signer = await world.App.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        var good = signer.Sign(LinkPurpose.Unsubscribe, m[0]);
        good.Length.ShouldBe(46);
        var stranger = new LinkSigner(new byte[32]);
        string[] bad =
        [
            stranger.Sign(LinkPurpose.Unsubscribe, m[0]), signer.Sign(LinkPurpose.Open, m[0]), signer.Sign(LinkPurpose.Click, m[0], 1),
                signer.Sign(LinkPurpose.Unsubscribe, m[0], 1) + "A", good[..^1], good + "A", good[..^4] + "AAAA", "x", $"{m[0]}",
            signer.Sign(LinkPurpose.Unsubscribe, Guid.NewGuid()), new('A', 46), good.ToUpperInvariant(), "%20" + good[1..],
        ];
        using var browser = new Browser(world.Address);
        var words = new HashSet<string>();
        foreach (var token in bad)
        {
            var page = await browser.Page($"/u/{token}", HttpStatusCode.NotFound);
            words.Add(Regex.Match(page, "<h1.*?</h1>.*?</p>", RegexOptions.Singleline).Value);
            foreach (var body in new[] { OneClick(), Act("leave"), Act("return") })
            {
                using var answer = await browser.Client.Ask(HttpMethod.Post, $"/u/{token}", body);
                answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, token);
            }
        }
        words.Count.ShouldBe(1);
        words.Single().ShouldContain("Introuvable");
        foreach (var body in new HttpContent?[] { null, Act("else"), new StringContent("List-Unsubscribe=One-Click") })
        {
            using var answer = await browser.Client.Ask(HttpMethod.Post, $"/u/{good}", body);
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        }
        (await world.Line(m[0])).ShouldBe("sent");
    }

    [Fact]
    public async Task Every_node_signs_with_the_same_key_which_nobody_else_reads()
    {
        var id = Guid.NewGuid();
        var here = await world.App.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        await using var node = await world.StartNode("http://127.0.0.1:0");
        var there = await node.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        there.Sign(LinkPurpose.Click, id, 7).ShouldBe(here.Sign(LinkPurpose.Click, id, 7));
        here.Read(LinkPurpose.Click, there.Sign(LinkPurpose.Click, id, 7)).ShouldBe(new LinkTarget(id, 7));
        here.Sign(LinkPurpose.Click, id, 7).ShouldNotBe(here.Sign(LinkPurpose.Click, id, 8));
        foreach (var role in new[] { "anon", "authenticated" })
        {
            (await Should.ThrowAsync<Npgsql.PostgresException>(
                () => world.AsRole<byte[]>(role, id, "select key from campaigns.signing_keys")))
                .SqlState.ShouldBe(Npgsql.PostgresErrorCodes.InsufficientPrivilege);
        }
        await node.StopAsync();
    }

    private static FormUrlEncodedContent OneClick() => new([KeyValuePair.Create("List-Unsubscribe", "One-Click")]);

    private static FormUrlEncodedContent Act(string act) => new([KeyValuePair.Create("act", act)]);

    private async Task<string> Link(Guid message)
    {
        var signer = await world.App.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        return $"/u/{signer.Sign(LinkPurpose.Unsubscribe, message)}";
    }
}
