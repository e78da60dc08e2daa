using System.Globalization;
using System.Text.Json;
using AngleSharp.Html.Parser;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Primitives;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>A message in blocks: kept as it was put together, and sent as HTML that mail programs take.</summary>
public sealed class DesignTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns";

    private static readonly SenderPlace Place = new("Lycée <Moderne>", "Groupe & Cie", "Brazzaville", null);
    private static readonly HashSet<string> Expected =
        ["html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "p", "br", "a", "b", "strong",
            "em", "ul", "ol", "li", "img", "hr"];

    private IStringLocalizer<Strings> Words => world.App.Services.GetRequiredService<IStringLocalizer<Strings>>();

    [Theory]
    [InlineData("Bonjour\nà tous", "<p>Bonjour<br>à tous</p>")]
    [InlineData("Un **mot** et *un autre*\n\n- a\n- b", "<p>Un <strong>mot</strong> et <em>un autre</em></p><ul><li>a</li><li>b</li></ul>")]
    [InlineData("[ici](https://exemple.cg/?a=1&b=2)", "<p><a href=\"https://exemple.cg/?a=1&amp;b=2\">ici</a></p>")]
    [InlineData("1. un\n2. deux", "<ol><li>un</li><li>deux</li></ol>")]
    [InlineData("<b>gras</b> & co", "<p>&lt;b&gt;gras&lt;/b&gt; &amp; co</p>")]
    [InlineData("# Titre\n---\n    retrait\n> cité", "<p>Titre</p><hr><p>retrait<br>&gt; cité</p>")]
    [InlineData("Cher {{default contact.name \"M. & Mme *\"}}", "<p>Cher {{default contact.name \"M. & Mme *\"}}</p>")]
    [InlineData("[[14 mars]] à 2*3*4 \\*", "<p>[[14 mars]] à 2<em>3</em>4 *</p>")]
    [InlineData("&eacute; &amp; `x`", "<p>é &amp; `x`</p>")]
    public void Texts_are_written_as_letters_are(string markdown, string html) =>
        System.Text.RegularExpressions.Regex.Replace(DesignText.Html(markdown, "#14624b"), " (style|class)=\"[^\"]*\"", "").ShouldBe(html);

    [Fact]
    public void Nothing_of_a_text_becomes_markup()
    {
        var pieces = Gen.Elements(
            "<script>", "</p>", "\"", "'", "&lt;", "<img src=x onerror=1>", "*", "**", "_", "[", "](", ")", "javascript:1", "{", "}}",
            "- ", "1. ", "\n", "\n\n", "    ", "#", "`", "~~~", "é", "<!--", "-->", "]]>", "\\", "|", "$", "<a@b.cg>", "https://x.cg");
        Prop.ForAll(pieces.ListOf().ToArbitrary(), parts =>
        {
            var text = string.Concat(parts);
            var design = new MessageDesign("green", text, [
                new TitleBlock(text), new TextBlock(text), new ButtonBlock(text, text), new ImageBlock(text, text, text, null),
                new ColumnsBlock([new TextBlock(text)], [new ButtonBlock(text, "https://exemple.cg")]),
                new EventBlock(text, null, null, null, text, text), new FooterBlock(text)]);
            var document = new HtmlParser().ParseDocument(DesignMail.Html(design, text, Place, Words));
            document.All.Select(e => e.LocalName).Except(Expected).ShouldBeEmpty();
            document.All.SelectMany(e => e.Attributes).ShouldAllBe(a => !a.Name.StartsWith("on"));
            document.QuerySelector("h1, h2")?.TextContent.ShouldBe(text.Replace("\0", "�"));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task What_was_put_together_is_kept_and_becomes_html()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var design = Full();
        var template = await head.Ask(
            HttpMethod.Post, $"{Api}/templates", new { name = Catalogue.Word(), subject = "Bonjour", design }).Json(201);

        template.GetProperty("design").GetProperty("blocks").GetArrayLength().ShouldBe(8);
        template.GetProperty("design").GetProperty("blocks")[5].Text("on").ShouldBe("2027-03-13");
        var content = template.Text("content");
        content.ShouldContain("Samedi".ToLowerInvariant());
        content.ShouldContain("samedi 13 mars 2027, de 9h00 à 13h00");
        content.ShouldContain("Lycée Moderne de Brazzaville");
        content.ShouldContain("{{unsubscribe_url}}");
        var shown = await head.Ask(HttpMethod.Post, $"{Api}/templates/preview", new { subject = "Bonjour", design }).Json();
        var text = shown.Text("text");
        text.ShouldContain("Quand  samedi 13 mars 2027");
        text.ShouldContain("Je viens (https://exemple.cg/oui)");
        text.ShouldContain("- un");
        (await head.Ask(HttpMethod.Get, $"{Api}/templates/{template.Id()}").Json()).GetProperty("design").ToString()
            .ShouldBe(template.GetProperty("design").ToString());
    }

    [Theory]
    [InlineData("""{"type":"text","text":"[ici](javascript:alert(1))"}""", "blocks.0.text")]
    [InlineData("""{"type":"text","text":"{{contact.age}}"}""", "blocks.0.text")]
    [InlineData("""{"type":"text","text":"{{#if contact.name}}oui{{/if}}"}""", "blocks.0.text")]
    [InlineData("""{"type":"button","text":"a\nb","href":"https://exemple.cg"}""", "blocks.0.text")]
    [InlineData("""{"type":"button","text":"Oui","href":"exemple.cg"}""", "blocks.0.href")]
    [InlineData("""{"type":"event","on":"13/03/2027","from":"neuf"}""", "blocks.0.on blocks.0.from")]
    [InlineData("""{"type":"columns","left":[{"type":"columns"}]}""", "blocks.0.left.0")]
    [InlineData("""{"type":"columns","right":[{"type":"button","href":"ftp://x"}]}""", "blocks.0.right.0.href")]
    public async Task What_is_wrong_is_said_beside_its_block(string block, string fields)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var body = JsonElement.Parse($$$"""{"name":"{{{Catalogue.Word()}}}","subject":"S","design":{"blocks":[{{{block}}}]}}""");
        var problem = await head.Ask(HttpMethod.Post, $"{Api}/templates", body).ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe(fields.Split(' '), ignoreOrder: true);
    }

    [Theory]
    [InlineData("""{"blocks":[{"type":"script","text":"x"}]}""")]
    [InlineData("""{"blocks":[null]}""")]
    [InlineData("""{"blocks":[{},{"text":"x"}]}""")]
    [InlineData("""{"blocks":"x"}""")]
    [InlineData("""{"color":"pink","blocks":[]}""")]
    public async Task What_is_no_design_is_refused(string design)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var body = JsonElement.Parse($$$"""{"name":"{{{Catalogue.Word()}}}","subject":"S","design":{{{design}}}}""");
        using var answer = await head.Ask(HttpMethod.Post, $"{Api}/templates", body);
        ((int)answer.StatusCode).ShouldBe(400, await answer.Body());
    }

    [Fact]
    public async Task What_nobody_has_filled_in_says_nothing()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var design = new { blocks = new object[] { new { type = "title" }, new { type = "text" }, new { type = "footer" } } };
        var draft = await head.Ask(HttpMethod.Post, Api, new { name = Catalogue.Word(), subject = "Bonjour", design }).Json(201);
        draft.Text("content").ShouldBe("");
        await head.Act(draft, "send").ShouldRefuse(422, "CAMPAIGN_INCOMPLETE");
        var problem = await head.Ask(HttpMethod.Post, $"{Api}/templates", new { name = "Vide", subject = "Bonjour", design })
            .ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe(["content"]);
    }

    [Fact]
    public async Task What_is_too_long_in_all_is_refused()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var text = new string('x', MessageDesign.MaxText);
        var design = new { blocks = Enumerable.Repeat(new { type = "text", text }, 20) };
        var problem = await head.Ask(HttpMethod.Post, $"{Api}/templates", new { name = "Long", subject = "Long", design })
            .ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe(["blocks"]);
    }

    [Theory, InlineData("- "), InlineData("*a **b "), InlineData("[a]("), InlineData("1. - "), InlineData("[")]
    public async Task What_lies_too_deep_in_itself_or_is_endless_ends_nothing(string piece)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var text = string.Concat(Enumerable.Repeat(piece, MessageDesign.MaxText / piece.Length));
        using var answer = await head.Ask(HttpMethod.Post, $"{Api}/templates",
            new { name = Catalogue.Word(), subject = "S", design = new { blocks = new[] { new { type = "text", text } } } });
        ((int)answer.StatusCode).ShouldBeOneOf([201, 400], await answer.Body());
    }

    [Fact]
    public async Task What_is_left_over_of_a_starting_message_is_named_before_it_is_sent()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var segment = await world.Contacts(Cast.HeadOnPremium, word, 1);
        var design = new { blocks = new object[] { new { type = "title", text = "Portes ouvertes, [[samedi 14 mars]]" } } };
        var draft = await head.Ask(HttpMethod.Post, Api, new
        {
            name = word,
            subject = "Le [[14 mars]]",
            design,
            audience = new { kind = "segment", segmentId = segment },
        }).Json(201);
        (await head.Act(draft, "send").ShouldRefuse(422, "CAMPAIGN_PLACEHOLDERS")).Text("title")
            .ShouldContain("«\u00a0samedi 14 mars\u00a0»");
        await head.Act(draft, "schedule", Mailings.InDays(2)).ShouldRefuse(422, "CAMPAIGN_PLACEHOLDERS");
        await head.Act(draft, "test").Json(202);

        var written = draft.With(("subject", "Le 14 mars"), ("design", new { blocks = new[] { new { type = "text", text = "Venez" } } }));
        await head.Ask(HttpMethod.Put, $"{Api}/{draft.Id()}", written).Json();
        await head.Act(draft, "send").Json(202);
    }

    [Fact]
    public void A_form_of_blocks_is_the_design_that_it_shows()
    {
        var design = MessageDesign.Of(JsonSerializer.Serialize(Full()))!;
        var fields = new Dictionary<string, StringValues> { ["D.color"] = design.Color, ["D.preview"] = design.Preview };
        Fill(fields, "D", JsonElement.Parse(design.ToJson()).GetProperty("blocks"));
        DesignForm.Read(new FormCollection(fields)).ToJson().ShouldBe(design.ToJson());
        DesignForm.Read(new FormCollection(new() { ["Form.Design"] = design.ToJson() })).ToJson().ShouldBe(design.ToJson());

        static void Fill(Dictionary<string, StringValues> fields, string prefix, JsonElement blocks)
        {
            foreach (var (i, block) in blocks.EnumerateArray().Index())
            {
                foreach (var member in block.EnumerateObject())
                {
                    if (member.Value.ValueKind == JsonValueKind.Array)
                    {
                        Fill(fields, $"{prefix}.{i}.{member.Name}", member.Value);
                    }
                    else
                    {
                        fields[$"{prefix}.{i}.{member.Name}"] = member.Value.GetString();
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("up:1", null, "b a c")]
    [InlineData("up:0", null, "a b c")]
    [InlineData("down:1", null, "a c b")]
    [InlineData("down:2", null, "a b c")]
    [InlineData("copy:0", null, "a a b c")]
    [InlineData("remove:1", null, "a c")]
    [InlineData("remove:7", null, "a b c")]
    [InlineData("add:-1", "separator", "separator a b c")]
    [InlineData("add:2", "footer", "a b c footer")]
    [InlineData("add:99", "button", "a b c button")]
    [InlineData("add:0", "nothing", "a b c")]
    [InlineData("remove", null, "a b c")]
    [InlineData("remove:1.middle.0", null, "a b c")]
    [InlineData("remove:0.left.0", null, "a b c")]
    public void Blocks_are_moved_copied_removed_and_added(string act, string? kind, string then)
    {
        var design = new MessageDesign(null, null, [new TitleBlock("a"), new TitleBlock("b"), new TitleBlock("c")]);
        DesignForm.Do(design, act, kind).Blocks!.Select(b => b is TitleBlock t ? t.Text : b.Kind).ShouldBe(then.Split(' '));
    }

    [Fact]
    public void In_columns_too()
    {
        var design = new MessageDesign(null, null, [new ColumnsBlock([new TitleBlock("a")], [])]);
        design = DesignForm.Do(design, "add:0.right.-1", "button");
        design = DesignForm.Do(design, "add:0.left.0", "columns");
        var columns = design.Blocks!.Single().ShouldBeOfType<ColumnsBlock>();
        columns.Right!.Single().Kind.ShouldBe("button");
        columns.Left!.Select(b => b.Kind).ShouldBe(["title", "text"], "columns do not lie in columns");
    }

    [Theory, InlineData("fr"), InlineData("en")]
    public void Every_starting_message_can_be_saved(string language)
    {
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
        foreach (var key in Starters.Keys)
        {
            var starter = Starters.Find(key)!;
            var html = DesignMail.Html(starter.Design.Normalized(), starter.Subject, Place, Words);
            new Sankore.Platform.Security.Validation().Message(starter.Subject, html).Check();
            DesignMail.Placeholders(starter.Subject, starter.Design).ShouldNotBeEmpty();
        }
    }

    private static object Full() => new
    {
        color = "blue",
        preview = "Venez nombreux",
        blocks = new object[]
        {
            new { type = "title", text = "Portes ouvertes" },
            new { type = "text", text = "Bonjour {{default contact.name \"à tous\"}},\n\n- un\n- **deux**" },
            new { type = "image", src = "https://exemple.cg/ecole.jpg", alt = "La cour", href = "https://exemple.cg", width = "half" },
            new { type = "button", text = "Je viens", href = "https://exemple.cg/oui" },
            new
            {
                type = "columns",
                left = new object[] { new { type = "title", text = "Gauche" }, new { type = "text", text = "À gauche" } },
                right = new object[] { new { type = "button", text = "Droite", href = "tel:+242060000000" } },
            },
            new
            {
                type = "event",
                title = "Matinée",
                on = "2027-03-13",
                from = "09:00",
                to = "13:00",
                place = "La cour",
                text = "Entrée libre",
            },
            new { type = "separator" },
            new { type = "footer", text = "École fondée en 1963" },
        },
    };
}
