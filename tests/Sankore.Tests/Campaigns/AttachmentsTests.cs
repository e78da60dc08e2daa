using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Npgsql;
using Sankore.Campaigns;
using Sankore.Identity;
using Sankore.Platform.Files;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Campaigns;

/// <summary>What a campaign says and carries while it is written: the message step, and the files through the API.</summary>
public sealed class AttachmentsTests(World world) : IClassFixture<World>
{
    private const string Api = Mailings.Api;
    private const int Megabyte = 1024 * 1024;

    [Fact]
    public async Task Adding_and_removing_a_file_changes_the_draft_and_files_can_be_read()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var draft = await New(head);
        using var answer = await head.Ask(
            HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("C:\\Classe\\Règlement 2026.PDF", "%PDF-1.7", "text/html"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var added = JsonElement.Parse(await answer.Body());
        (added.Text("fileName"), added.Text("contentType"), added.Number("size")).ShouldBe(("Règlement 2026.PDF", "application/pdf", 8));
        var listed = (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}/attachments").Json()).EnumerateArray().ShouldHaveSingleItem();
        listed.ToString().ShouldBe(added.ToString());
        using var read = await head.Ask(HttpMethod.Get, answer.Headers.Location!.ToString());
        (await read.Body(), read.Content.Headers.ContentDisposition!.DispositionType, read.Content.Headers.ContentDisposition.FileNameStar)
            .ShouldBe(("%PDF-1.7", "attachment", "Règlement 2026.PDF"));
        read.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);

        await head.Ask(HttpMethod.Put, $"{Api}/{draft.Id()}", new { name = "n", version = 1 }).ShouldRefuse(412, "STALE");
        await head.Ask(HttpMethod.Delete, answer.Headers.Location!.ToString()).Json(204);
        await head.Ask(HttpMethod.Delete, answer.Headers.Location!.ToString()).ShouldRefuse(404, "NOT_FOUND");
        (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json()).Number("version").ShouldBe(3);
    }

    [Fact]
    public async Task What_is_no_file_to_send_is_refused_in_plain_words()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var path = $"{Api}/{(await New(head)).Id()}/attachments";
        (await head.Ask(HttpMethod.Post, path, Form("vide.txt", "")).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file")
            .ShouldContain("vide");
        (await head.Ask(HttpMethod.Post, path, Form("facture.pdf.exe", "MZ")).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file")
            .ShouldContain("programme");
        (await head.Ask(HttpMethod.Post, path, Form("../..", "x")).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file")
            .ShouldContain("nom");
        (await head.Ask(HttpMethod.Post, path, Form(new string('n', 201), "x")).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file")
            .ShouldContain("200");
        (await head.Ask(HttpMethod.Post, path, Form("g.bin", Megabyte * 5 + 1)).ShouldRefuse(413, "TOO_LARGE")).ErrorOf("file")
            .ShouldContain("5 Mo");
        // Beyond that nothing is read: whoever asks first is told.
        using var patient = await Patient();
        (await patient.Ask(HttpMethod.Post, path, Form("g.bin", Megabyte * 50)).ShouldRefuse(413, "TOO_LARGE")).ErrorOf("file")
            .ShouldContain("5 Mo");
        (await head.Ask(HttpMethod.Post, path, new MultipartFormDataContent { { new StringContent("x"), "autre" } })
            .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file").ShouldNotBeEmpty();
        await head.Ask(HttpMethod.Post, path, new { file = "x" }).ShouldRefuse(415, "UNSUPPORTED_MEDIA_TYPE");
        await head.Ask(HttpMethod.Post, path, Form("juste.bin", Megabyte * 5)).Json(201);
        (await head.Ask(HttpMethod.Get, path).Json()).GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("rapport.pdf", "rapport.pdf", "application/pdf")]
    [InlineData(
        "/etc/../Bulletin de Zoé.docx", "Bulletin de Zoé.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    [InlineData("a\r\nContent-Type: text/html\r\n\r\n.txt", "html.txt", "text/plain")]
    [InlineData("a\r\nX: y\0\u2028.txt", "aX: y.txt", "text/plain")]
    [InlineData("facture\u202Efdp.exe", "facturefdp.exe", "application/octet-stream")]
    [InlineData("e\u0301te\u0301 ☀️😀.png", "été ☀️😀.png", "image/png")]
    [InlineData("  lettre.eml . ", "lettre.eml", "application/octet-stream")]
    [InlineData("sans ending", "sans ending", "application/octet-stream")]
    [InlineData("..", "", "application/octet-stream")]
    [InlineData("C:\\", "", "application/octet-stream")]
    [InlineData(null, "", "application/octet-stream")]
    public void A_name_is_that_of_a_file_and_its_ending_says_what_it_is(string? given, string name, string type)
    {
        FileNames.Of(given).ShouldBe(name);
        if (name.Length > 0 && !name.EndsWith(".exe", StringComparison.Ordinal))
        {
            Attachments.TypeOf(name).ShouldBe(type);
            _ = new Attachment(name, type, "x"u8);
        }
    }

    [Fact]
    public async Task Ten_files_and_ten_megabytes_are_the_most_also_of_those_that_come_at_once()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var (many, heavy) = (await New(head), await New(head));
        var few = await Task.WhenAll(
            Enumerable.Range(0, 14)
            .Select(async i => (int)(await head.Ask(HttpMethod.Post, $"{Api}/{many.Id()}/attachments", Form($"{i}.txt", "x"))).StatusCode));
        (few.Count(s => s == 201), few.Count(s => s == 409)).ShouldBe((10, 4));
        var large = await Task.WhenAll(
            Enumerable.Range(0, 4)
            .Select(
                async i =>
                    (int)(await head.Ask(HttpMethod.Post, $"{Api}/{heavy.Id()}/attachments", Form($"{i}.bin", Megabyte * 4))).StatusCode));
        (large.Count(s => s == 201), large.Count(s => s == 409)).ShouldBe((2, 2));
        (await head.Ask(HttpMethod.Post, $"{Api}/{heavy.Id()}/attachments", Form("2.bin", Megabyte * 2 + 1))
            .ShouldRefuse(409, "ATTACHMENTS_FULL")).Text("title").ShouldContain("10 Mo");
        await head.Ask(HttpMethod.Post, $"{Api}/{heavy.Id()}/attachments", Form("2.bin", Megabyte * 2)).Json(201);
        (await head.Ask(HttpMethod.Post, $"{Api}/{heavy.Id()}/duplicate", new { }).Json(201)).Text("status").ShouldBe("draft");
        await world.AsRole<int>(
            "authenticated", await world.IdOf(Cast.HeadOnPremium), "delete from campaigns.email_campaigns where id = @id",
            new { id = heavy.Id() });
        (await world.Sql<long>("select count(*) from campaigns.attachments where campaign_id = @id", new { id = heavy.Id() })).ShouldBe(0);
    }

    [Fact]
    public async Task What_a_campaign_carries_is_settled_when_it_leaves_the_draft()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var draft = await New(head);
        var file = await head.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("a.txt", "a")).Json(201);
        await world.Execute(
            "update campaigns.email_campaigns set status = 'scheduled', scheduled_at = now() + interval '1 day' where id = @id",
            new { id = draft.Id() });
        await head.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("b.txt", "b")).ShouldRefuse(409, "CAMPAIGN_SETTLED");
        await head.Ask(HttpMethod.Delete, $"{Api}/{draft.Id()}/attachments/{file.Id()}").ShouldRefuse(409, "CAMPAIGN_SETTLED");
        (await Should.ThrowAsync<PostgresException>(async () => await world.AsRole<int>(
            "authenticated", await world.IdOf(Cast.HeadOnPremium),
            "update campaigns.attachments set content = 'z'"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Fact]
    public async Task Nobody_else_sees_or_changes_what_a_campaign_carries()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var draft = await New(head);
        var file = await head.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("a.txt", "a")).Json(201);
        await admin.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}/attachments").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}/attachments/{file.Id()}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("b.txt", "b")).ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"{Api}/{draft.Id()}/attachments/{file.Id()}").ShouldRefuse(404, "NOT_FOUND");
        using var browser = await SignedIn(Cast.Admin1);
        await browser.Page($"/campaigns/{draft.Id()}/preview", HttpStatusCode.NotFound);
        await browser.Page($"/campaigns/{draft.Id()}/edit/message", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_try_carries_the_files_that_there_are_by_then()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var draft = await New(head, subject: "Essai " + Catalogue.Word());
        await head.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("plan d’accès.txt", "à gauche")).Json(201);
        (await Tried(1)).ShouldBe(["plan d’accès.txt"]);
        await head.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", Form("menu.csv", "riz;1")).Json(201);
        (await Tried(2)).ShouldBe(["menu.csv", "plan d’accès.txt"]);

        async Task<IEnumerable<string>> Tried(int count)
        {
            await head.Act(draft, "test").Json(202);
            List<MimeKit.MimeMessage> mails = [];
            await Waiting.Until(() => (
                mails = [
                .. world.Mails().Select(m => ReadMail.In(m.Path))
                .Where(m => m.Header("Subject").Contains(draft.Text("subject"), StringComparison.Ordinal))]).Count == count,
                "the try is sent");
            return mails.MaxBy(m => m.BodyParts.Count())!.Attachments.Select(p => p.ContentDisposition!.FileName!).Order();
        }
    }

    [Fact]
    public async Task A_draft_may_lack_what_it_says_but_not_say_what_cannot_be_sent()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var draft = await head.Ask(HttpMethod.Post, Api, new { name = "n" }).Json(201);
        await head.Ask(HttpMethod.Put, $"{Api}/{draft.Id()}", new { name = "n", subject = "Seul l’objet", version = 1 }).Json();
        await head.Ask(HttpMethod.Put, $"{Api}/{draft.Id()}", new { name = "n", content = "<p>Seul {{contact.name}}</p>", version = 2 })
            .Json();
        (string Subject, string Content, string Wrong)[] cases =
        [
            ("{{contact.nom}}", "", "subject"), ("a\nb", "", "subject"), ("", "{{contact.nom}}", "content"),
            ("", "{{#if contact.name}}", "content"), ("", "<script>x</script>", "content"),
            ("", "<a href='javascript:x'>x</a>", "content"),
        ];
        foreach (var (subject, content, wrong) in cases)
        {
            var problem = await head.Ask(HttpMethod.Put, $"{Api}/{draft.Id()}", new { name = "n", subject, content, version = 3 })
                .ShouldRefuse(400, "VALIDATION_FAILED");
            problem.GetProperty("errors").Names().ShouldBe([wrong]);
            problem.ErrorOf(wrong).ShouldNotBeEmpty();
        }
        await head.Act(draft, "test").ShouldRefuse(422, "CAMPAIGN_INCOMPLETE");
    }

    [Fact]
    public async Task The_step_saves_the_text_with_every_file_and_names_refusals_beside_the_field()
    {
        using var browser = await SignedIn(Cast.HeadOnPremium);
        using var head = await world.As(Cast.HeadOnPremium);
        var draft = await New(head);
        var page = $"/campaigns/{draft.Id()}/edit/message?html=true";
        using var kept = await Post(
            browser, page, "attach", [("a\"b.txt", "a"), ("Élèves.csv", "b")], ("Form.Subject", "Écrit avant"),
            ("Form.Content", "\r\n<p>x\r\ny</p>"), ("Form.TrackOpens", "true"));
        kept.Headers.Location!.ToString().ShouldEndWith("/edit/message?done=saved");
        var shown = WebUtility.HtmlDecode(await browser.Page(page));
        shown.ShouldContain("Élèves.csv");
        shown.ShouldContain("value=\"Écrit avant\"");
        var saved = await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json();
        (saved.Text("content"), saved.GetProperty("trackOpens").GetBoolean(), saved.GetProperty("trackClicks").GetBoolean())
            .ShouldBe(("\n<p>x\ny</p>", true, false));

        using var refused = await Post(browser, page, "attach", [("bon.txt", "x"), ("vide.txt", "")], ("Form.Subject", "Écrit ensuite"));
        var body = WebUtility.HtmlDecode(await refused.Body());
        body.ShouldContain("Ce fichier est vide.");
        body.ShouldContain("bon.txt");
        var (_, fields) = Browser.Form(body, "Form.Subject");
        fields["Form.Subject"].ShouldBe("Écrit ensuite");
        fields["Form.Version"].ShouldBe(
            $"{(await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json()).Number("version")}", "the next attempt is not stale");
        using var none = await Post(browser, page, "attach", []);
        (await none.Body()).ShouldContain("id=\"file-err\"");

        var file = (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}/attachments").Json())[0];
        using var removed = await Post(browser, page, null, [], ("Form.Remove", file.Text("id")), ("Form.Subject", "Et encore"));
        removed.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}/attachments").Json()).GetArrayLength().ShouldBe(2);
        (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json()).Text("subject").ShouldBe("Et encore");
        using var wrong = await Post(browser, page, "review", [], ("Form.Subject", "{{contact.nom}}"));
        WebUtility.HtmlDecode(await wrong.Body()).ShouldContain("Champ inconnu\u00a0: contact.nom");
        using var next = await Post(browser, page, "review", []);
        next.Headers.Location!.ToString().ShouldEndWith("/edit/review");
        WebUtility.HtmlDecode(await browser.Page($"/campaigns/{draft.Id()}/edit/review")).ShouldContain("2 fichiers");
    }

    [Fact]
    public async Task Whoever_chooses_far_too_much_is_told_so_and_not_that_the_form_is_none()
    {
        using var patient = await Patient();
        using var head = await world.As(Cast.HeadOnPremium);
        using var answer =
            await patient.Ask(HttpMethod.Post, $"/campaigns/{(await New(head)).Id()}/edit/message", Form("film.mp4", Megabyte * 90));
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        WebUtility.HtmlDecode(await answer.Body()).ShouldContain("pèse trop lourd");
    }

    [Fact]
    public async Task A_template_fills_in_the_step_and_is_kept_when_the_step_is_saved()
    {
        using var browser = await SignedIn(Cast.HeadOnPremium);
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var draft = await New(head);
        var template = await head.Ask(
            HttpMethod.Post, $"{Api}/templates",
            new { name = "Modèle", subject = "Du modèle {{contact.name}}", content = "<p>Modèle</p>" }).Json(201);
        var page = $"/campaigns/{draft.Id()}/edit/message?template={template.Id()}";
        WebUtility.HtmlDecode(await browser.Page(page)).ShouldContain("Remplacer le message par «\u00a0Modèle\u00a0»\u202f?");
        (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json()).Number("version").ShouldBe(1, "it is asked first");
        using var used = await browser.Submit(page, "value=\"use\"");
        used.Headers.Location!.ToString().ShouldEndWith("/edit/message?done=saved");
        var campaign = await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json();
        (campaign.Text("subject"), campaign.GetProperty("templateId").GetGuid()).ShouldBe(("Du modèle {{contact.name}}", template.Id()));
        WebUtility.HtmlDecode(await browser.Page($"/campaigns/{draft.Id()}/preview")).ShouldContain("Du modèle Amina");
        var foreign = await admin.Ask(HttpMethod.Post, $"{Api}/templates", new { name = "Modèle", subject = "s", content = "c" }).Json(201);
        await browser.Page($"/campaigns/{draft.Id()}/edit/message?template={foreign.Id()}", HttpStatusCode.NotFound);
    }

    private static async Task<HttpResponseMessage> Post(
        Browser browser, string page, string? next, (string Name, string Text)[] files, params (string Name, string Value)[] values)
    {
        var html = await browser.Page(page);
        var (_, fields) = Browser.Form(html, "Form.Subject");
        fields["Form.Content"] =
            WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(html, "<textarea[^>]*>\n?([^<]*)</textarea>").Groups[1].Value);
        fields["Form.Next"] = next;
        fields.Remove("Form.TrackOpens");
        fields.Remove("Form.TrackClicks");
        foreach (var (name, value) in values)
        {
            fields[name] = value;
        }
        var form = new MultipartFormDataContent { HeaderEncodingSelector = (_, _) => Encoding.UTF8 };
        foreach (var (name, value) in fields.Where(f => f.Value is not null))
        {
            form.Add(new StringContent(value!), name);
        }
        foreach (var (name, text) in files.DefaultIfEmpty(("", "")))
        {
            // As browsers write it.
            var part = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
            part.Headers.TryAddWithoutValidation(
                "Content-Disposition", $"form-data; name=\"file\"; filename=\"{name.Replace("\"", "%22", StringComparison.Ordinal)}\"");
            form.Add(part);
        }
        return await browser.Client.Ask(HttpMethod.Post, page, form);
    }

    private static MultipartFormDataContent Form(string name, string text, string type = "application/octet-stream")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        return new MultipartFormDataContent { { content, "file", name } };
    }

    private static MultipartFormDataContent Form(string name, int bytes) =>
        new() { { new ByteArrayContent(new byte[bytes]), "file", name } };

    /// <summary>A client that sends nothing before the server has said that it takes it.</summary>
    private async Task<HttpClient> Patient() =>
        new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1), AllowAutoRedirect = false })
        {
            BaseAddress = world.Address,
            DefaultRequestHeaders =
            {
                ExpectContinue = true,
                Authorization = new AuthenticationHeaderValue("Bearer", await world.Token(Cast.HeadOnPremium)),
                AcceptLanguage = { new StringWithQualityHeaderValue("fr") },
            },
        };

    private static Task<JsonElement> New(HttpClient client, string subject = "Objet") =>
        client.Ask(HttpMethod.Post, Api, new { name = "Rentrée", subject, content = "<p>Bonjour</p>" }).Json(201);

    private async Task<Browser> SignedIn(string email)
    {
        var browser = new Browser(world.Address);
        await browser.SignIn(email, PasswordRules.Demo);
        return browser;
    }
}
