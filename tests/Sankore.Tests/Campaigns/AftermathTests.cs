using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>What was sent stays good whatever becomes of its campaign, its contact and its sender; what waits follows the person.</summary>
public sealed class AftermathTests(World world) : IClassFixture<World>
{
    private const string Email = Cast.HeadOnPremium;

    [Fact]
    public async Task Links_of_a_deleted_campaign_still_lead_where_they_did_and_leave()
    {
        using var client = await world.As(Email);
        var (campaign, word) = await Sent(client, 3);
        var (message, address) = await world.Sql<Guid>(
            "select min(id::text)::uuid from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() }) is var m
            ? (m, await world.Sql<string>("select recipient_email from campaigns.emails_sent where id = @m", new { m })) : default;
        var mail = ReadMail.In(Path.Combine(world.OutboxFolder, $"{message}.eml"));
        await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/{campaign.Id()}").Json(204);

        using var browser = new Browser(world.Address);
        var leave = new Uri(mail.Header("List-Unsubscribe").Trim('<', '>')).AbsolutePath;
        WebUtility.HtmlDecode(await browser.Page(leave)).ShouldContain("Me désinscrire");
        var click = new Uri(Regex.Match(mail.Html(), "href=\"(http[^\"]+/c/[^\"]+)\"").Groups[1].Value).AbsolutePath;
        using (var followed = await browser.Get(click))
        {
            followed.Headers.Location!.ToString().ShouldBe("https://exemple.cg/a");
        }
        using (var one = await browser.Client.Ask(HttpMethod.Post, leave, new FormUrlEncodedContent(
            new Dictionary<string, string> { ["List-Unsubscribe"] = "One-Click" })))
        {
            one.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        WebUtility.HtmlDecode(await browser.Page(leave)).ShouldContain("C’est fait");
        (await world.Sql<string>("select reason from campaigns.suppressions where email = @address", new { address }))
            .ShouldBe("unsubscribed");
        using (var back = await browser.Client.Ask(HttpMethod.Post, leave, new FormUrlEncodedContent(
            new Dictionary<string, string> { ["act"] = "return" })))
        {
            back.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }
        (await world.Sql<long>("select count(*) from campaigns.suppressions where email = @address", new { address })).ShouldBe(0);
    }

    [Fact]
    public async Task Links_of_a_sender_who_is_gone_say_that_nothing_more_comes()
    {
        await using var own = new World();
        await own.InitializeAsync();
        using var client = await own.As(Email);
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await own.Contacts(Email, word, 1));
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        var message = await own.Sql<Guid>("select id from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() });
        await own.Execute("delete from public.profiles where id = @id", new { id = await own.IdOf(Email) });

        using var browser = new Browser(own.Address);
        var signer = await own.App.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        var path = $"/u/{signer.Sign(LinkPurpose.Unsubscribe, message)}";
        WebUtility.HtmlDecode(await browser.Page(path)).ShouldContain("n’est plus sur la plateforme");
        using var one = await browser.Client.Ask(HttpMethod.Post, path, new FormUrlEncodedContent(
            new Dictionary<string, string> { ["List-Unsubscribe"] = "One-Click" }));
        one.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await own.Sql<long>("select count(*) from campaigns.past_messages where recipient_email is not null")).ShouldBe(0);
    }

    [Fact]
    public async Task Every_link_of_a_test_message_works_and_does_nothing()
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var segment = await world.Contacts(Email, word, 1);
        var campaign = await Draft(client, word, segment, "<a href=\"https://exemple.cg/before\">x</a>");
        var version = campaign.Number("version");
        var first = await Try(client, campaign);
        using var browser = new Browser(world.Address);
        await LeadsTo(browser, first, "https://exemple.cg/before");
        // Another link takes its number before the campaign is sent: who gets that goes there.
        await client.Ask(HttpMethod.Put, $"{Mailings.Api}/{campaign.Id()}", new
        {
            name = word,
            subject = "Objet",
            content = "<a href=\"https://exemple.cg/after\">x</a>",
            audience = new { kind = "segment", segmentId = segment },
            trackClicks = true,
            version,
        }).Json();
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        var sent = ReadMail.In(Path.Combine(world.OutboxFolder, await world.Sql<string>(
            "select id || '.eml' from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() })));
        await LeadsTo(browser, sent, "https://exemple.cg/after");

        var leave = new Uri(first.Header("List-Unsubscribe").Trim('<', '>')).AbsolutePath;
        WebUtility.HtmlDecode(await browser.Page(leave)).ShouldContain("Ceci est un essai");
        using var one = await browser.Client.Ask(HttpMethod.Post, leave, new FormUrlEncodedContent(
            new Dictionary<string, string> { ["List-Unsubscribe"] = "One-Click" }));
        one.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await world.Sql<long>("select count(*) from campaigns.suppressions where email = @Email", new { Email })).ShouldBe(0);
        (await client.Figures(campaign)).Number("clicked").ShouldBe(1, "the test's clicks count for nothing");
    }

    [Theory]
    [InlineData("https://exemple.cg/école?q=é à", "https://exemple.cg/%C3%A9cole?q=%C3%A9%20%C3%A0")]
    [InlineData("https://école.cg/a", "https://xn--cole-9oa.cg/a")]
    [InlineData("http://exemple.cg/\U0001F393", "http://exemple.cg/%F0%9F%8E%93")]
    [InlineData("https://exemple.cg/a\n?b=1", "https://exemple.cg/a?b=1")]
    [InlineData(" https://exemple.cg/%7Ea#é ", "https://exemple.cg/~a#%C3%A9")]
    [InlineData("https://exemple.cg/%7Ea%2Fb?x=%26", "https://exemple.cg/%7Ea%2Fb?x=%26")]
    [InlineData("https://exemple.cg:8443/é", "https://exemple.cg:8443/%C3%A9")]
    [InlineData("http:exemple", null), InlineData("https://", null), InlineData("javascript:alert(1)", null)]
    public void An_address_goes_into_a_header_as_browsers_would_ask_for_it(string url, string? location) =>
        TrackedHtml.Location(url).ShouldBe(location);

    [Fact]
    public async Task A_tracked_link_in_any_letters_leads_on()
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var campaign = await Draft(
            client, word, await world.Contacts(Email, word, 1), "<a href=\"https://école.cg/é\n?x=\U0001F393\">x</a>");
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        using var browser = new Browser(world.Address);
        var mail = ReadMail.In(Path.Combine(world.OutboxFolder, await world.Sql<string>(
            "select id || '.eml' from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() })));
        await LeadsTo(browser, mail, "https://xn--cole-9oa.cg/%C3%A9?x=%F0%9F%8E%93");
    }

    [Fact]
    public async Task Who_leaves_by_an_old_message_is_not_written_to_at_their_new_address()
    {
        using var client = await world.As(Email);
        var (campaign, word) = await Sent(client, 1);
        var contact = (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?tag={word}").Json()).GetProperty("items")[0];
        var (message, fresh) = (await world.Sql<Guid>(
            "select id from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() }), $"new.{word}@exemple.cg");
        await Move(client, contact.Id(), fresh, word, 1);
        using var nobody = world.Nobody();
        var signer = await world.App.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        var path = $"/u/{signer.Sign(LinkPurpose.Unsubscribe, message)}";
        (await nobody.Ask(HttpMethod.Post, path, new FormUrlEncodedContent(
            new Dictionary<string, string> { ["List-Unsubscribe"] = "One-Click" }))).EnsureSuccessStatusCode();
        (await Reason(fresh)).ShouldBe("unsubscribed");

        // Having come back at one address only, they leave by any of their messages again.
        await world.Execute("delete from campaigns.suppressions where email = @fresh", new { fresh });
        (await nobody.Ask(HttpMethod.Post, path, new FormUrlEncodedContent(
            new Dictionary<string, string> { ["List-Unsubscribe"] = "One-Click" }))).EnsureSuccessStatusCode();
        (await Reason(fresh)).ShouldBe("unsubscribed");

        // And correcting the address of somebody who left does not bring them back; they themselves come back at all of them.
        await Move(client, contact.Id(), "again." + fresh, word, 2);
        (await Reason("again." + fresh)).ShouldBe("unsubscribed");
    }

    [Fact]
    public async Task Who_complains_of_or_leaves_a_campaign_that_is_gone_is_the_person_of_today()
    {
        using var client = await world.As(Email);
        var (campaign, word) = await Sent(client, 2);
        var contacts = (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?tag={word}&sort=email").Json()).GetProperty("items");
        var (kept, gone) = (contacts[0].Text("email"), contacts[1].Text("email"));
        var message = await world.Sql<Guid>("select id from campaigns.emails_sent where recipient_email = @gone", new { gone });
        await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/{campaign.Id()}").Json(204);
        await client.Ask(
            HttpMethod.Post, $"{Mailings.Api}/contacts/{contacts[0].Id()}/merge", new { ids = new[] { contacts[1].Id() } }).Json();

        await Told(message, "bounced");
        (await Reason(gone), await Reason(kept)).ShouldBe(("bounced", null));
        await Told(message, "unsubscribed");
        (await Reason(gone), await Reason(kept)).ShouldBe(("unsubscribed", "unsubscribed"));
        await Told(message, "complained");
        (await Reason(gone), await Reason(kept)).ShouldBe(("complained", "complained"));
    }

    [Theory]
    [InlineData("unsubscribed", "unsubscribed"), InlineData("complained", "complained"), InlineData("bounced", null)]
    public async Task Whoever_is_merged_with_somebody_who_left_has_left(string reason, string? kept)
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        await world.Contacts(Email, word, 2);
        var contacts = (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?tag={word}&sort=email").Json()).GetProperty("items");
        await world.Execute(
            "insert into campaigns.suppressions (user_id, email, reason) select id, @address, @reason from auth.users where email = @Email",
            new { address = contacts[1].Text("email"), reason, Email });
        var merged = await client.Ask(
            HttpMethod.Post, $"{Mailings.Api}/contacts/{contacts[0].Id()}/merge", new { ids = new[] { contacts[1].Id() } }).Json();
        merged.GetProperty("suppression").GetString().ShouldBe(kept);
    }

    [Theory]
    [InlineData("segments"), InlineData("organizations")]
    public async Task What_a_campaign_waits_to_be_sent_to_is_not_deleted_unasked(string kind)
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var segment = await world.Contacts(Email, word, 2);
        var id = kind == "segments" ? segment : (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/organizations?q={word}").Json())
            .GetProperty("items")[0].Id();
        object audience = kind == "segments" ? new { kind = "segment", segmentId = id }
            : new { kind = "organizations", organizationIds = new[] { id } };
        var campaign = await client.Ask(
            HttpMethod.Post, Mailings.Api, new { name = $"Kermesse {word}", subject = "a", content = "b", audience }).Json(201);
        await client.Act(campaign, "schedule", Mailings.InDays(2)).Json();
        var refused = await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/{kind}/{id}").ShouldRefuse(409, "AUDIENCE_IN_USE");
        refused.Text("title").ShouldContain($"Kermesse {word}");
        WebUtility.HtmlDecode(await (await client.Ask(HttpMethod.Get, $"/campaigns/{kind}/{id}")).Content.ReadAsStringAsync(
            TestContext.Current.CancellationToken)).ShouldContain($"Kermesse {word}");
        await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/{kind}/{id}?anyway=true").Json(204);
    }

    private async Task Told(Guid message, string kind) => (await world.Sql<int>("""
        select accepted from campaigns.take_events('sendgrid', array[@kind || @message], array[@message], array[@kind], array[now()],
          array[null], array[null], array[true])
        """, new { message, kind })).ShouldBe(1);

    private Task<string?> Reason(string email) => world.Sql<string?>(
        "select (select reason from campaigns.suppressions where email = @email)", new { email });

    private static Task<JsonElement> Move(HttpClient client, Guid contact, string email, string tag, int version) => client.Ask(
        HttpMethod.Put, $"{Mailings.Api}/contacts/{contact}", new { email, tags = new[] { tag }, version }).Json();

    private async Task<(JsonElement Campaign, string Word)> Sent(HttpClient client, int count)
    {
        var word = Catalogue.Word();
        var segment = await world.Contacts(Email, word, count);
        var campaign = await Draft(client, word, segment, "<a href=\"https://exemple.cg/a\">x</a>");
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        return (campaign, word);
    }

    private static Task<JsonElement> Draft(HttpClient client, string name, Guid segment, string content) => client.Ask(
        HttpMethod.Post, Mailings.Api, new
        {
            name,
            subject = "Objet",
            content,
            audience = new { kind = "segment", segmentId = segment },
            trackClicks = true,
        }).Json(201);

    private async Task<MimeKit.MimeMessage> Try(HttpClient client, JsonElement campaign)
    {
        await client.Act(campaign, "test").Json(202);
        var name = "";
        await Waiting.Until(async () =>
        {
            name = await world.Sql<string>("select id || '.eml' from campaigns.tries where campaign_id = @id", new { id = campaign.Id() });
            return File.Exists(Path.Combine(world.OutboxFolder, name));
        }, "the test is written");
        return ReadMail.In(Path.Combine(world.OutboxFolder, name));
    }

    private static async Task LeadsTo(Browser browser, MimeKit.MimeMessage mail, string url)
    {
        var click = new Uri(Regex.Match(mail.Html(), "href=\"(http[^\"]+/c/[^\"]+)\"").Groups[1].Value).AbsolutePath;
        using var followed = await browser.Get(click);
        followed.Headers.Location!.OriginalString.ShouldBe(url);
    }
}
