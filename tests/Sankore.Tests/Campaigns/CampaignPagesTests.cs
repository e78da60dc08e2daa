using System.Net;
using System.Text.Json;
using Sankore.Campaigns;
using Sankore.Identity;

namespace Sankore.Tests.Campaigns;

/// <summary>What a person reads of their campaigns: nobody tells this server what became of its mail, which stays in the outbox.</summary>
public sealed class CampaignPagesTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Where_nobody_tells_a_message_is_accepted_and_never_said_to_be_delivered()
    {
        var (campaign, _) = await world.Sent("sent", "sent", "failed OUTCOME_UNKNOWN", "bounced 5.1.1");
        using var browser = await SignedIn(Cast.HeadOnPremium);
        var page = WebUtility.HtmlDecode(await browser.Page($"/campaigns/{campaign}"));
        page.ShouldContain("Acceptés par le serveur");
        page.ShouldContain("personne ne nous dit ici s’il est arrivé");
        page.ShouldNotContain(">Remis ");
        page.ShouldContain("Issue inconnue pour 1 message");
        page.ShouldContain("suivi désactivé");
        page.ShouldContain($"/campaigns/{campaign}/recipients?status=bounced");
    }

    [Fact]
    public async Task Each_recipient_is_found_with_what_happened_in_plain_words()
    {
        var (campaign, m) = await world.Sent("sent", "failed OUTCOME_UNKNOWN", "bounced 5.1.1", "bounced 5.2.2", "pending DEFERRED");
        await world.Execute("update campaigns.emails_sent set error = 'mailbox <full>' where id = @id", new { id = m[3] });
        using var browser = await SignedIn(Cast.HeadOnPremium);
        using var english = await SignedIn(Cast.HeadOnPremium, "en");
        var page = WebUtility.HtmlDecode(await browser.Page($"/campaigns/{campaign}/recipients"));
        string[] allWords =
        [
            "Accepté par le serveur", "peut-être arrivé", "L’adresse n’existe pas.", "La boîte est pleine.", "mailbox <full>",
            "un nouvel essai suit", "5 messages", $"/api/campaigns/{campaign}/recipients/export?format=csv",
        ];
        foreach (var words in allWords)
        {
            page.ShouldContain(words);
        }
        var bounced = WebUtility.HtmlDecode(await english.Page($"/campaigns/{campaign}/recipients?status=bounced&sort=-email"));
        bounced.ShouldContain("The mailbox is full.");
        bounced.ShouldNotContain("may have arrived");
        bounced.ShouldContain($"/api/campaigns/{campaign}/recipients/export?format=xlsx&status=bounced");
        var email = await world.Sql<string>("select recipient_email from campaigns.emails_sent where id = @id", new { id = m[2] });
        var found = await browser.Page($"/campaigns/{campaign}/recipients?q={email}");
        found.ShouldContain(email);
        found.ShouldContain("1 message<");
        await browser.Page($"/campaigns/{campaign}/recipients?status=perdu", HttpStatusCode.BadRequest);
        using var export = await browser.Get($"/api/campaigns/{campaign}/recipients/export?format=csv&status=bounced");
        (await export.Body()).TrimEnd().Split("\r\n").Length.ShouldBe(3);
        using var other = await SignedIn(Cast.Admin1);
        await other.Page($"/campaigns/{campaign}/recipients", HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("sent", null, null), InlineData("delivered", null, null), InlineData("pending", null, null),
        InlineData("sending", "DEFERRED", null), InlineData("pending", "DEFERRED", "LATER"),
        InlineData("pending", "SERVER_AWAY", "SERVER_AWAY")]
    [InlineData("failed", "DEFERRED", "DEFERRED"), InlineData("failed", "OUTCOME_UNKNOWN", "OUTCOME_UNKNOWN"),
        InlineData("failed", "SUPPRESSED", "SUPPRESSED"), InlineData("bounced", null, "REJECTED"), InlineData("bounced", "550", "REJECTED")]
    [InlineData("bounced", "5.1.1", "ADDRESS"), InlineData("bounced", "5.2.2", "FULL"), InlineData("bounced", "5.2.1", "MAILBOX"),
        InlineData("bounced", "5.4.4", "SYSTEM"), InlineData("bounced", "5.7.26", "POLICY"), InlineData("bounced", "BOUNCED", "REJECTED")]
    public void Every_code_has_words(string status, string? code, string? why) =>
        RecipientsPage.Why(new Recipient(Guid.Empty, "", null, status, code, null, null, null, null, null, null, null, [])).ShouldBe(why);

    [Fact]
    public async Task What_is_tracked_is_counted_with_the_most_followed_links_first()
    {
        var (campaign, _) = await world.Sent("sent");
        await world.Execute("""
            alter table campaigns.email_campaigns disable trigger check_campaign;
            update campaigns.email_campaigns set track_clicks = true, track_opens = true where id = @campaign;
            alter table campaigns.email_campaigns enable trigger check_campaign;
            insert into campaigns.campaign_links (campaign_id, user_id, number, url, clicks, people) select @campaign, user_id, n,
              'https://exemple.cg/' || n, n, n from campaigns.email_campaigns, generate_series(1, 12) n where id = @campaign
            """, new { campaign });
        using var browser = await SignedIn(Cast.HeadOnPremium);
        var page = await browser.Page($"/campaigns/{campaign}");
        page.IndexOf("exemple.cg/12<", StringComparison.Ordinal)
            .ShouldBeInRange(1, page.IndexOf("exemple.cg/11<", StringComparison.Ordinal));
        page.ShouldNotContain("exemple.cg/2<");
        page.ShouldNotContain("suivi d");
    }

    [Fact]
    public async Task A_contact_shows_what_they_have_received()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var word = Catalogue.Word();
        var contact = await head.Ask(HttpMethod.Post, "/api/campaigns/contacts", new { email = $"{word}@exemple.cg" }).Json(201);
        using var browser = await SignedIn(Cast.HeadOnPremium);
        (await browser.Page($"/campaigns/contacts/{contact.Id()}")).ShouldNotContain("Messages re");
        foreach (var state in new[] { "sent", "sent", "bounced 5.1.1", "pending" })
        {
            var (_, m) = await world.Sent(state);
            await world.Execute(
                "update campaigns.emails_sent set contact_id = @contact, sent_at = case when status = 'pending' then null else now() end"
                + " where id = @id", new { contact = contact.Id(), id = m[0] });
        }
        var read = await head.Ask(HttpMethod.Get, $"/api/campaigns/contacts/{contact.Id()}/analytics").Json();
        (read.Number("received"), read.Number("bounced"), read.GetProperty("deliveryRate").GetDecimal(),
            read.GetProperty("messages").GetArrayLength()).ShouldBe((3, 1, 66.7m, 4));
        var page = WebUtility.HtmlDecode(await browser.Page($"/campaigns/contacts/{contact.Id()}"));
        page.ShouldContain("66,7\u202f%");
        page.ShouldNotContain("Taux de remise");
        await admin.Ask(HttpMethod.Get, $"/api/campaigns/contacts/{contact.Id()}/analytics").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task The_overview_lists_what_is_scheduled_sent_or_paused()
    {
        using var browser = await SignedIn("head.s0004@sankore.test");
        var word = Catalogue.Word();
        await world.Execute("""
            insert into campaigns.email_campaigns (user_id, name, subject, content, status, scheduled_at)
            select id, @word || ' ' || s, 'Objet', 'Texte', s, now()
            from auth.users, unnest(array['draft', 'scheduled', 'sending', 'paused', 'sent', 'failed', 'cancelled']) s
            where email = 'head.s0004@sankore.test'
            """, new { word });
        var page = await browser.Page("/campaigns");
        new[] { "scheduled", "sending", "paused" }.ShouldAllBe(s => page.Contains($"{word} {s}<", StringComparison.Ordinal));
        new[] { "draft", "sent", "failed", "cancelled" }.ShouldAllBe(s => !page.Contains($"{word} {s}<", StringComparison.Ordinal));
        page.ShouldContain("data-row=\"campaigns.campaign_analytics:");
    }

    [Fact]
    public async Task The_outbox_shows_each_their_own_messages_the_latest_first_and_nobody_elses()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var draft = await head.Draft(
            word, await world.Contacts(Cast.HeadOnPremium, word, 3), "<p>Bonjour {{contact.name}}</p>",
            $"Pour {{{{contact.name}}}} de {word}");
        await TriedAndSent(head, draft);

        using var own = await SignedIn(Cast.HeadOnPremium);
        using var other = await SignedIn(Cast.Admin1);
        var page = WebUtility.HtmlDecode(await own.Page($"/campaigns/outbox?q={word}"));
        page.Split($"de {word}</a>").Length.ShouldBe(5, "three messages and the try");
        page.IndexOf("[Essai]", StringComparison.Ordinal)
            .ShouldBeGreaterThan(page.IndexOf("Pour Personne", StringComparison.Ordinal), "the try is the oldest");
        WebUtility.HtmlDecode(await other.Page("/campaigns/outbox")).ShouldNotContain(word);
        var ids = await world.Sql<Guid[]>(
            "select array(select id from campaigns.emails_sent where campaign_id = @id union select id from campaigns.tries"
            + " where campaign_id = @id)", new { id = draft.Id() });
        ids.Length.ShouldBe(4);
        foreach (var id in ids)
        {
            await IsShown(own, id, word);
            foreach (var path in new[] { "", "/preview", "/eml" })
            {
                (await other.Page($"/campaigns/outbox/{id}{path}", HttpStatusCode.NotFound)).ShouldNotContain(word);
            }
        }
        await ProgramsSeeTheSame(head, word, ids);
        // A mail of the platform's own is no campaign's, whoever it is for.
        var foreign = Guid.NewGuid();
        await File.WriteAllTextAsync(
            Path.Combine(world.OutboxFolder, $"{foreign}.eml"), $"To: {Cast.HeadOnPremium}\r\nSubject: x\r\n\r\nx",
            TestContext.Current.CancellationToken);
        await own.Page($"/campaigns/outbox/{foreign}", HttpStatusCode.NotFound);
        File.Delete(Path.Combine(world.OutboxFolder, $"{ids[0]}.eml"));
        await own.Page($"/campaigns/outbox/{ids[0]}", HttpStatusCode.NotFound);
        WebUtility.HtmlDecode(await own.Page($"/campaigns/outbox?q={word}")).ShouldContain("N’est plus dans la boîte d’envoi");
    }

    private async Task ProgramsSeeTheSame(HttpClient head, string word, Guid[] ids)
    {
        using var admin = await world.As(Cast.Admin1);
        var listed = await head.Ask(HttpMethod.Get, $"{Mailings.Api}/outbox?q={word}").Json();
        listed.GetProperty("items").EnumerateArray().Select(m => m.Id()).ShouldBe(ids, ignoreOrder: true);
        (await admin.Ask(HttpMethod.Get, $"{Mailings.Api}/outbox").Json()).ToString().ShouldNotContain(word);
        using (var eml = await head.Ask(HttpMethod.Get, $"{Mailings.Api}/outbox/{ids[0]}"))
        {
            ReadMail.Of(await eml.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Header("Subject")
                .ShouldContain(word);
        }
        await admin.Ask(HttpMethod.Get, $"{Mailings.Api}/outbox/{ids[0]}").ShouldRefuse(404, "NOT_FOUND");
    }

    /// <summary>A draft with an attachment is tried, and then sent.</summary>
    private async Task TriedAndSent(HttpClient head, JsonElement draft)
    {
        using var form = new MultipartFormDataContent { { new StringContent("à lire"), "file", "plan.txt" } };
        await head.Ask(HttpMethod.Post, $"{Mailings.Api}/{draft.Id()}/attachments", form).Json(201);
        await head.Act(draft, "test").Json(202);
        await Waiting.Until(
            () => world.Mails().Any(m => m.Header("To").Contains(Cast.HeadOnPremium, StringComparison.Ordinal)), "the try is written");
        await head.Act(draft, "send").Json(202);
        await head.Until(draft, "sent");
    }

    private static async Task IsShown(Browser own, Guid mail, string word)
    {
        var read = WebUtility.HtmlDecode(await own.Page($"/campaigns/outbox/{mail}"));
        read.ShouldContain("plan.txt");
        read.ShouldContain($"src=\"/campaigns/outbox/{mail}/preview\"");
        using var shown = await own.Get($"/campaigns/outbox/{mail}/preview");
        WebUtility.HtmlDecode(await shown.Body()).ShouldContain("<p>Bonjour ");
        shown.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("sandbox; default-src 'none'");
        using var file = await own.Get($"/campaigns/outbox/{mail}/eml");
        ReadMail.Of(await file.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Header("Subject").ShouldContain(word);
        file.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
    }

    private async Task<Browser> SignedIn(string email, string language = "fr")
    {
        var browser = new Browser(world.Address, language);
        await browser.SignIn(email, PasswordRules.Demo);
        return browser;
    }
}
