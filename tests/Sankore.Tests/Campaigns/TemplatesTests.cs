using System.Net;
using System.Text.Json;
using Sankore.Campaigns;
using Sankore.Identity;

namespace Sankore.Tests.Campaigns;

/// <summary>E-mail templates: through the API as their user, as another, and on their pages.</summary>
public sealed class TemplatesTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns/templates";
    private const string Pages = "/campaigns/templates";

    [Fact]
    public async Task A_template_is_kept_as_its_author_wrote_it()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        const string Content = "\n<P CLASS=a>Bonjour\t{{ contact.name }}<br/>\r\n&nbsp;é 😀</p >  <!-- x -->\n";
        var made = await New(head, " Ma lettre ", " Pour {{contact.name}} ", Content);
        (made.Text("name"), made.Text("subject"), made.Text("content")).ShouldBe(("Ma lettre", "Pour {{contact.name}}", Content));
        var read = await head.Ask(HttpMethod.Get, $"{Api}/{made.Id()}").Json();
        read.Text("content").ShouldBe(Content);

        using var answer = await head.Ask(
            HttpMethod.Put, $"{Api}/{made.Id()}", new { name = "Autre", subject = "s", content = "<p>c</p>" }, ifMatch: "\"1\"");
        answer.Headers.ETag!.Tag.ShouldBe("\"2\"");
        await head.Ask(HttpMethod.Put, $"{Api}/{made.Id()}", new { name = "Autre", subject = "s", content = "c" }, ifMatch: "\"1\"")
            .ShouldRefuse(412, "STALE");
        await head.Ask(HttpMethod.Put, $"{Api}/{made.Id()}", new { name = "Autre", subject = "s", content = "c", version = 2 }).Json();
        await head.Ask(HttpMethod.Put, $"{Api}/{made.Id()}", new { name = "Autre", subject = "s", content = "c" })
            .ShouldRefuse(428, "VERSION_REQUIRED");
        await head.Ask(HttpMethod.Delete, $"{Api}/{made.Id()}").Json(204);
        await head.Ask(HttpMethod.Delete, $"{Api}/{made.Id()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Templates_are_found_by_their_name_and_subject_in_the_order_asked_for()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var b = await New(head, $"{word} B", "Zèbre", "x");
        await New(head, "É", $"a {word}", "x");
        await New(head, $"{word} C", "100 %", word);
        (await Names("sort=name")).ShouldBe(["É", $"{word} B", $"{word} C"], ignoreOrder: true);
        (await Names("sort=-subject")).ShouldBe([$"{word} B", "É", $"{word} C"]);
        await head.Ask(HttpMethod.Put, $"{Api}/{b.Id()}", new { name = $"{word} B2", subject = "s", content = "x", version = 1 }).Json();
        (await Names("")).ShouldBe([$"{word} B2", $"{word} C", "É"], "the last changed first");
        (await Names("size=1&page=2")).ShouldBe([$"{word} C"]);
        await head.Ask(HttpMethod.Get, $"{Api}?sort=content").ShouldRefuse(400, "VALIDATION_FAILED");
        var list = await head.Ask(HttpMethod.Get, $"{Api}?q={word}").Json();
        list.GetProperty("total").GetInt64().ShouldBe(3);
        list.GetProperty("items")[0].TryGetProperty("content", out _).ShouldBeFalse("a list is light");

        async Task<IReadOnlyList<string>> Names(string query) =>
            (await head.Ask(HttpMethod.Get, $"{Api}?q={word}&{query}").Json()).GetProperty("items").Texts("name");
    }

    [Fact]
    public async Task A_copy_says_that_it_is_one_and_goes_its_own_way()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var made = await New(head, new string('n', 120), "Objet", "<p>x</p>");
        var copy = await head.Ask(HttpMethod.Post, $"{Api}/{made.Id()}/duplicate", new { }).Json(201);
        copy.Text("name").ShouldEndWith(" (copie)");
        copy.Text("name").Length.ShouldBe(120);
        (copy.Text("content"), copy.GetProperty("version").GetInt32()).ShouldBe(("<p>x</p>", 1));
        copy.Id().ShouldNotBe(made.Id());
        (await head.Ask(HttpMethod.Post, $"{Api}/{made.Id()}/duplicate", new { }, language: "en").Json(201)).Text("name")
            .ShouldEndWith(" (copy)");
    }

    [Fact]
    public async Task Nobody_else_sees_a_template()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var word = Catalogue.Word();
        var made = await New(head, word, "Objet", "x");
        var contact = await head.Ask(HttpMethod.Post, "/api/campaigns/contacts", new { email = $"{word}@exemple.cg" }).Json(201);
        (await admin.Ask(HttpMethod.Get, $"{Api}?q={word}").Json()).GetProperty("total").GetInt64().ShouldBe(0);
        await admin.Ask(HttpMethod.Get, $"{Api}/{made.Id()}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Put, $"{Api}/{made.Id()}", new { name = "n", subject = "s", content = "c", version = 1 })
            .ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Post, $"{Api}/{made.Id()}/duplicate", new { }).ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"{Api}/{made.Id()}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Post, $"{Api}/preview", new { subject = "s", content = "c", contactId = contact.Id() })
            .ShouldRefuse(404, "NOT_FOUND");
        using var browser = await SignedIn(Cast.Admin1);
        await browser.Page($"{Pages}/{made.Id()}", HttpStatusCode.NotFound);
        await browser.Page($"{Pages}/{made.Id()}/preview", HttpStatusCode.NotFound);
        var own = await New(admin, word, "Objet", "x");
        (await browser.Page($"{Pages}/{own.Id()}/preview?contactId={contact.Id()}", HttpStatusCode.NotFound)).ShouldNotContain(word);
    }

    [Fact]
    public async Task What_is_written_wrong_is_said_beside_its_field()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        foreach (var (name, subject, content, wrong) in new[]
        {
            ("", " ", "", new[] { "name", "subject", "content" }),
            (new string('n', 121), new string('s', 251), new string('c', MessageRules.MaxContent + 1), ["name", "subject", "content"]),
            ("n", "a\nb", "c\u0001", ["subject", "content"]),
            ("n", "{{contact.name", "{{#if contact.name}}x", ["subject", "content"]),
            ("n", "s", "<script>x</script>", ["content"]),
        })
        {
            var problem = await head.Ask(HttpMethod.Post, Api, new { name, subject, content }).ShouldRefuse(400, "VALIDATION_FAILED");
            problem.GetProperty("errors").Names().ShouldBe(wrong, ignoreOrder: true);
            wrong.ShouldAllBe(field => problem.ErrorOf(field).Length > 0);
        }
        await head.Ask(HttpMethod.Post, Api, new { name = 1, subject = "s", content = "c" }).ShouldRefuse(400, "BAD_REQUEST");
        await head.Ask(HttpMethod.Post, Api, new { name = "n", subject = "s", content = new[] { "c" } }).ShouldRefuse(400, "BAD_REQUEST");
        await head.Ask(HttpMethod.Post, $"{Api}/preview", new { subject = "s", content = "c", contactId = "moi" })
            .ShouldRefuse(400, "BAD_REQUEST");
        await New(head, "n", "s", string.Concat(Enumerable.Repeat("<p>é</p>\n", MessageRules.MaxContent / 9 / 4)));
    }

    [Theory]
    [InlineData("fr", "Champ inconnu\u00a0: contact.nom", "Bloc mal fermé\u00a0: {{#if}}", "<script>")]
    [InlineData("en", "Unknown field: contact.nom", "{{#if}}", "<script>")]
    public async Task What_is_wrong_is_named_in_the_readers_language(string language, string field, string block, string element)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        (await Error("{{contact.nom}}")).ShouldBe(field);
        (await Error("{{#if contact.name}}")).ShouldContain(block);
        (await Error("<script>x</script>")).ShouldContain(element);

        async Task<string> Error(string content) =>
            (await head.Ask(HttpMethod.Post, Api, new { name = "n", subject = "s", content }, language: language)
                .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("content");
    }

    [Fact]
    public async Task A_preview_is_the_message_as_the_contact_would_get_it()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var contact = await head.Ask(
            HttpMethod.Post, "/api/campaigns/contacts",
            new { email = $"{word}@exemple.cg", name = "Ruth <i>", organization = $"Lycée {word}" }).Json(201);
        var message = new
        {
            subject = "Pour {{contact.name}}",
            content = "<p>{{contact.name}}, {{organization.name}}, {{contact.email}}</p>",
            contactId = contact.Id(),
        };
        var filled = await head.Ask(HttpMethod.Post, $"{Api}/preview", message).Json();
        filled.Text("subject").ShouldBe("Pour Ruth <i>");
        filled.Text("html").ShouldContain($"<p>Ruth &lt;i&gt;, Lycée {word}, {word}@exemple.cg</p>");
        filled.Text("text").ShouldStartWith($"Ruth <i>, Lycée {word}, {word}@exemple.cg\n\n");
        filled.Text("text").ShouldContain("Se désinscrire (http");
        (await head.Ask(HttpMethod.Post, $"{Api}/preview", new { subject = "{{contact.name}}", content = "x" }, language: "en").Json())
            .Text("subject").ShouldBe("Amina N’Kounkou");
        await head.Ask(HttpMethod.Post, $"{Api}/preview", new { subject = "{{x}}", content = "" }).ShouldRefuse(400, "VALIDATION_FAILED");

        using var browser = await SignedIn(Cast.HeadOnPremium);
        var made = await New(head, "n", message.subject, message.content);
        var shown = await browser.Page($"{Pages}/{made.Id()}/preview?contactId={contact.Id()}");
        shown.ShouldContain("<b>Pour Ruth &lt;i&gt;</b>");
        WebUtility.HtmlDecode(shown).ShouldContain($"<p>Ruth &lt;i&gt;, Lycée {word}, {word}@exemple.cg</p>");
        (await browser.Page($"{Pages}/{made.Id()}/preview")).ShouldContain("Pour Amina");
    }

    [Fact]
    public async Task A_preview_runs_nothing_and_shows_itself_to_our_own_pages_only()
    {
        using var browser = await SignedIn(Cast.HeadOnPremium);
        string[] paths =
        [
            $"{Pages}/preview", $"{Pages}/preview?start=invitation", $"{Pages}/preview?start=../x", $"{Pages}/{Guid.NewGuid()}/preview",
        ];
        foreach (var path in paths)
        {
            using var answer = await browser.Get(path);
            answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem()
                .ShouldBe("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; frame-ancestors 'self'");
            answer.Headers.GetValues("X-Frame-Options").ShouldBe(["SAMEORIGIN"]);
            answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
            (await answer.Body()).ShouldContain("</html>");
        }
        using var page = await browser.Get($"{Pages}/new");
        page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("frame-src 'self'");
        (await page.Body()).ShouldContain("<iframe name=\"preview\" sandbox src=");
    }

    [Fact]
    public async Task What_stands_in_the_form_is_previewed_with_its_token_only()
    {
        using var browser = await SignedIn(Cast.HeadOnPremium);
        var (_, fields) = Browser.Form(await browser.Page($"{Pages}/new?html=true"), "Form.Content");
        var shown = await Preview("Objet {{contact.name}}", "<p>Bonjour</p>");
        (shown.Status, shown.Body.Contains("Objet Amina N’Kounkou", StringComparison.Ordinal)
            || shown.Body.Contains("Objet Amina N&#x2019;Kounkou", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.OK, true));
        (await Preview("Objet {{contact.nom}}", "<p>{{#if}}</p>")).Body.ShouldContain("contact.nom");
        (await Preview("", "")).Status.ShouldBe(HttpStatusCode.OK);
        (await Preview("x", "<script>x</script>")).Body.ShouldContain("&lt;script&gt;");
        fields.Remove("__RequestVerificationToken");
        (await Preview("Objet", "<p>Bonjour</p>")).Status.ShouldBe(HttpStatusCode.BadRequest);

        async Task<(HttpStatusCode Status, string Body)> Preview(string subject, string content)
        {
            (fields["Form.Subject"], fields["Form.Content"]) = (subject, content);
            using var answer = await browser.Client.Ask(
                HttpMethod.Post, $"{Pages}/preview",
                new FormUrlEncodedContent(fields.Where(f => f.Value is not null).Select(f => KeyValuePair.Create(f.Key, f.Value!))));
            return (answer.StatusCode, await answer.Body());
        }
    }

    [Fact]
    public async Task A_template_is_made_changed_copied_and_deleted_on_its_pages()
    {
        using var browser = await SignedIn(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        using var refused = await browser.Submit(
            $"{Pages}/new?html=true", "Form.Content", ("Form.Name", word), ("Form.Subject", "{{contact.nom}}"),
            ("Form.Content", "<p>Écrit\r\navec soin</p>"));
        var kept = await refused.Body();
        kept.ShouldContain("contact.nom</small>");
        WebUtility.HtmlDecode(kept).ShouldContain("<p>Écrit\r\navec soin</p></textarea>");
        kept.ShouldContain($"value=\"{word}\"");

        using var made = await browser.Submit(
            $"{Pages}/new?html=true", "Form.Content", ("Form.Name", word), ("Form.Subject", "Objet"),
            ("Form.Content", "\r\n<p>a\r\nb</p>"));
        made.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        var page = made.Headers.Location!.ToString().Split('?')[0];
        var content = await world.Sql<string>("select content from campaigns.email_templates where name = @word", new { word });
        content.ShouldBe("\n<p>a\nb</p>");
        WebUtility.HtmlDecode(await browser.Page(page))
            .ShouldContain(">\n\n<p>a\nb</p></textarea>", Case.Sensitive, "the first line break is the tag's");

        using var saved = await browser.Submit(page, "Form.Content", ("Form.Subject", "Autre objet"), ("Form.Content", "<p>c</p>"));
        saved.Headers.Location!.ToString().ShouldEndWith("?done=saved");
        using var stale = await browser.Submit(page, "Form.Content", ("Form.Version", "1"), ("Form.Content", "<p>d</p>"));
        (await stale.Body()).ShouldContain("entre-temps");
        using var copied = await browser.Submit(page, "value=\"duplicate\"");
        (await browser.Page(copied.Headers.Location!.ToString())).ShouldContain($"{word} (copie)");
        using var deleted = await browser.Submit(page, "value=\"delete\"");
        deleted.Headers.Location!.ToString().ShouldContain($"{Pages}?done=deleted&n=1&undo=");
        var list = await browser.Page($"{Pages}?q={word}");
        list.ShouldContain($"{word} (copie)");
        list.ShouldNotContain($">{word}</a>");
    }

    [Fact]
    public async Task A_person_without_templates_is_told_what_to_do_next()
    {
        using var browser = await SignedIn("head.s0004@sankore.test");
        var empty = await browser.Page(Pages);
        empty.ShouldContain($"{Pages}/new?start=invitation");
        foreach (var key in Starters.Keys)
        {
            (await browser.Page($"{Pages}/new?start={key}")).ShouldContain($"src=\"{Pages}/preview?start={key}\"");
        }
        WebUtility.HtmlDecode(await browser.Page($"{Pages}?q=rien")).ShouldContain("Aucun modèle");
    }

    private static Task<JsonElement> New(HttpClient client, string name, string subject, string content) =>
        client.Ask(HttpMethod.Post, Api, new { name, subject, content }).Json(201);

    private async Task<Browser> SignedIn(string email)
    {
        var browser = new Browser(world.Address);
        await browser.SignIn(email, PasswordRules.Demo);
        return browser;
    }
}
