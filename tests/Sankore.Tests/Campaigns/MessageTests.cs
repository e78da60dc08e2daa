using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;
using Sankore.Campaigns;
using Sankore.Platform.Security;

namespace Sankore.Tests.Campaigns;

/// <summary>What can be saved can be sent: to whomever, with what belongs into it and nothing else.</summary>
public sealed class MessageTests
{
    private const string Link = "<a href=\"{{unsubscribe_url}}\">x</a>";

    private static readonly MergeValues Amina = new("amina@exemple.cg", "Amina", "Lycée", "Rentrée", "École", "https://exemple.cg/u"),
        Nobody = Amina with { Name = null, Organization = "", Sender = null };

    private static readonly IStringLocalizer<Sankore.Campaigns.Strings> Texts =
        new ServiceCollection().AddLogging().AddLocalization().BuildServiceProvider()
            .GetRequiredService<IStringLocalizer<Sankore.Campaigns.Strings>>();

    [Fact]
    public void What_can_be_saved_is_filled_in_for_anybody_as_its_author_means_it() =>
        Prop.ForAll(Messages.Any.ToArbitrary(), Messages.Recipient.ToArbitrary(), (piece, recipient) =>
        {
            var content = $"<html><body>{piece.Source}{Link}</body></html>";
            new Validation().Message("Objet", content).Check();
            var filled = MessageText.Of("Objet", content, Texts).Fill(recipient);
            var address = recipient.UnsubscribeUrl.Replace("&", "&amp;", StringComparison.Ordinal)
                .Replace("=", "&#x3D;", StringComparison.Ordinal);
            var link = $"<a href=\"{address}\">x</a>";
            filled.Html.ShouldBe($"<html><body>{piece.Html(recipient)}{link}</body></html>");
            Dense(filled.Text).ShouldBe(Dense($"{piece.Text(recipient)}x({recipient.UnsubscribeUrl})"));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    [Fact]
    public void Whatever_is_written_is_refused_or_can_be_filled_in()
    {
        string[] shards = [
            "{", "{{", "}}", "{{{", "\\", "contact.name", "#if ", "/if", "else", "default ", "\"x\"", "\"", "<p>", "</p>", "<table>",
            "<tr>", "<style>", "</style>", "a{b{c:d}}", "<a href=\"", ">", "<!--", "-->", "{{contact.name}}", "{{#if contact.name}}",
            "{{else}}", "{{/if}}", "{{unsubscribe_url}}", "</body>", "\n", " ", "é", "<title>"];
        Prop.ForAll(Gen.Elements(shards).ListOf().Select(parts => "x" + string.Concat(parts)).ToArbitrary(), content =>
        {
            try
            {
                new Validation().Message("x", content).Check();
            }
            catch (Refusal)
            {
                return;
            }
            var message = MessageText.Of("x", content, Texts);
            foreach (var recipient in new[] { Amina, Nobody })
            {
                message.Fill(recipient).Text.ShouldContain(recipient.UnsubscribeUrl);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Theory]
    [InlineData("<p>Bonjour</p>")]
    [InlineData("<html><body><p>Bonjour</p></body></html>")]
    [InlineData("<html><BODY><p>Bonjour</p></BODY></html><!-- </body> -->")]
    [InlineData("<p>Bonjour</p><!-- ouvert")]
    [InlineData("<p>Bonjour</p><a href=\"ouvert")]
    [InlineData("<p>Bonjour</p><style>a{b:c}")]
    [InlineData("{{#if contact.name}}<html><body>A</body></html>{{else}}<html><body>B</body></html>{{/if}}")]
    [InlineData("<p>Bonjour</p>{{#if contact.name}}<a href=\"{{unsubscribe_url}}\">Au revoir</a>{{/if}}")]
    [InlineData("<p>Bonjour</p><!-- {{unsubscribe_url}} -->")]
    [InlineData("<title>{{unsubscribe_url}}</title><p>Bonjour</p>")]
    [InlineData("<p>Bonjour</p><p style='DISPLAY:none'><a href=\"{{unsubscribe_url}}\">Au revoir</a></p>")]
    public void Every_recipient_finds_the_link_that_unsubscribes(string content)
    {
        new Validation().Message("Objet", content).Check();
        foreach (var recipient in new[] { Amina, Nobody })
        {
            var filled = MessageText.Of("Objet", content, Texts).Fill(recipient);
            filled.Text.ShouldContain(recipient.UnsubscribeUrl);
            PlainText.Of(filled.Html).ShouldContain(recipient.UnsubscribeUrl);
            filled.Html.ShouldContain("<html");
        }
    }

    [Fact]
    public void A_link_that_is_there_is_not_added_again()
    {
        var filled = MessageText.Of("Objet", $"<p>Bonjour {Link}</p>", Texts).Fill(Amina);
        Regex.Count(filled.Html, Regex.Escape(Amina.UnsubscribeUrl)).ShouldBe(1);
        Regex.Count(filled.Text, Regex.Escape(Amina.UnsubscribeUrl)).ShouldBe(1);
    }

    [Theory]
    [InlineData("fr", "Se désinscrire", "<html lang=\"fr\">")]
    [InlineData("en", "Unsubscribe", "<html lang=\"en\">")]
    public void A_part_of_a_document_becomes_a_whole_one_in_the_senders_language(string language, string words, string start)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
            var filled = MessageText.Of("Objet {{contact.name}}", "<p>Bonjour</p>", Texts)
                .Fill(Amina with { Name = "A\r\nBcc: b@exemple.cg" });
            filled.Subject.ShouldBe("Objet A  Bcc: b@exemple.cg");
            filled.Html.ShouldStartWith("<!DOCTYPE html>" + start + "<head><meta charset=\"utf-8\">");
            filled.Html.ShouldEndWith("</body></html>");
            WebUtility.HtmlDecode(filled.Html).ShouldContain(">" + words + "</a>");
            filled.Text.ShouldStartWith("Bonjour\n\n");
            filled.Text.ShouldContain(words);
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "html.element", "<script>")]
    [InlineData("<p><SCRIPT src=x></p>", "html.element", "<script>")]
    [InlineData("<iframe src=\"https://exemple.cg\"></iframe>", "html.element", "<iframe>")]
    [InlineData("<object data=x></object>", "html.element", "<object>")]
    [InlineData("<embed src=x>", "html.element", "<embed>")]
    [InlineData("<form action=x><input></form>", "html.element", "<form>")]
    [InlineData("<base href=\"https://exemple.cg\">", "html.element", "<base>")]
    [InlineData("<meta http-equiv=\"Refresh\" content=\"0;url=https://exemple.cg\">", "html.element", "<meta>")]
    [InlineData("<template><script>x</script></template>", "html.element", "<template>")]
    [InlineData("<svg><script>alert(1)</script></svg>", "html.element", "<script>")]
    [InlineData("<noscript><iframe></iframe></noscript>", "html.element", "<iframe>")]
    [InlineData("<scr{{contact.name}}ipt>alert(1)</script>", "html.element", "<script>")]
    [InlineData("<{{#if contact.name}}form{{/if}} action=x>", "html.element", "<form>")]
    [InlineData("<img src=x onerror=\"alert(1)\">", "html.handler", "onerror")]
    [InlineData("<body ONLOAD=x>", "html.handler", "onload")]
    [InlineData("<svg onload=x>", "html.handler", "onload")]
    [InlineData("<a href=\"javascript:alert(1)\">x</a>", "html.address", "javascript:")]
    [InlineData("<a href=\" Java\tScript&colon;alert(1)\">x</a>", "html.address", "javascript:")]
    [InlineData("<a href=\"&#1;javascript:x\">x</a>", "html.address", "javascript:")]
    [InlineData("<svg><a xlink:href=\"javascript:x\">x</a></svg>", "html.address", "javascript:")]
    [InlineData("<img src=\"data:text/html;base64,x\">", "html.address", "data:text/html")]
    [InlineData("<a href=\"vbscript:x\">x</a>", "html.address", "vbscript:")]
    public void What_mail_programs_distrust_is_refused_and_named(string content, string key, string named)
    {
        var mistake = Should.Throw<Refusal>(() => new Validation().Message("Objet", content).Check()).Fields["content"];
        (mistake.Key, mistake.Args.ShouldHaveSingleItem()).ShouldBe((key, named));
    }

    [Theory]
    [InlineData("<style>@media (max-width:480px){.a{color:red}}</style><p>x</p>")]
    [InlineData("<style>.a{color:{{contact.nom}}}</style>", "merge.unknown")]
    [InlineData("<table><tr><td>a</td></tr>{{#if contact.name}}<tr><td>b</td></tr>{{/if}}</table>")]
    [InlineData("<p>{{#if contact.name}}a</p><title>{{/if}}</title>", "merge.block")]
    [InlineData("<p title=\"{{default contact.name \"x\"}}\">a</p>")]
    [InlineData("<a href=\"{{default contact.name \"x\"}}\">a</a>", "merge.open")]
    [InlineData("<p>{<b>{</b>contact.nom}}</p>", "merge.open")]
    [InlineData("<p>&#123;&#123;contact.nom&#125;&#125;</p>", "merge.unknown")]
    [InlineData("C:\\{{contact.name}}", "merge.escaped")]
    [InlineData("<img src=\"data:image/png;base64,iVBORw0KGgo=\"><a href=\"mailto:a@exemple.cg\">x</a>")]
    [InlineData("<p>javascript: et onclick= se lisent, <code>&lt;script&gt;</code> aussi</p>")]
    public void Fields_are_looked_for_where_they_will_be_filled_in(string content, string? key = null)
    {
        var found = Record.Exception(() => new Validation().Message("Objet", content).Check()) as Refusal;
        found?.Fields["content"].Key.ShouldBe(key);
        (found is null).ShouldBe(key is null);
    }

    [Theory]
    [InlineData("{{#if contact.name}}<html><body>A</body></html>{{else}}<html><body>B</body></html>{{/if}}", "A", "B")]
    [InlineData("<style>a{b:c}</style>{{#if contact.name}}<p>A</p>{{else}}<p>B</p>{{/if}}", "A", "B")]
    [InlineData("<table>{{#if contact.name}}<tr><td>A</td></tr>{{else}}<tr><td>B</td></tr>{{/if}}</table>", "A", "B")]
    [InlineData("<ul>{{#unless contact.name}}<li>B</li>{{/unless}}</ul>", "", "- B")]
    [InlineData("<!--{{#if contact.name}}--><p>A</p><!--{{/if}}--><!-- {{#if contact.name}}x{{/if}} -->", "A", "")]
    [InlineData("<div style=\"display: none\">vu en tête</div><p hidden>caché</p><p>A</p>", "A", "A")]
    public void The_plain_text_has_the_same_parts_as_the_HTML(string content, string amina, string nobody)
    {
        new Validation().Message("Objet", content).Check();
        var text = MergeText.OfPlain(PlainText.Of(content));
        (text.Fill(Amina).Trim(), text.Fill(Nobody).Trim()).ShouldBe((amina, nobody));
    }

    [Theory]
    [InlineData("<div>")]
    [InlineData("<b>")]
    [InlineData("<table><tr><td>")]
    [InlineData("<table><div>")]
    [InlineData("<ul><li>")]
    [InlineData("<svg><g>")]
    [InlineData("<p><a>")]
    [InlineData("<select><option>")]
    [InlineData("{{#if contact.name}}")]
    [InlineData("<!--")]
    [InlineData("<a \"")]
    [InlineData("<a b='")]
    [InlineData("{{\"")]
    [InlineData("<style>}}")]
    [InlineData("<br x y z/>")]
    public void Half_a_million_characters_of_anything_are_answered(string again)
    {
        var content = string.Concat(Enumerable.Repeat(again, MessageRules.MaxContent / again.Length));
        if (Record.Exception(() => new Validation().Message("Objet", content).Check()) is { } refused)
        {
            refused.ShouldBeOfType<Refusal>().Fields.Keys.ShouldBe(["content"]);
            return;
        }
        MessageText.Of("Objet", content, Texts).Fill(Amina).Html.Length.ShouldBeGreaterThanOrEqualTo(content.Length);
    }

    [Theory]
    [InlineData("fr"), InlineData("en")]
    public void The_starting_templates_can_be_saved_and_sent(string language)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
            foreach (var starter in Starters.Keys.Select(Starters.Find).OfType<Starter>())
            {
                var content = DesignMail.Html(starter.Design.Normalized(), starter.Subject, SenderPlace.Unknown, Texts);
                new Validation().Message(starter.Subject, content).Check();
                content.ShouldContain($"<html lang=\"{language}\">");
                foreach (var recipient in new[] { Amina, Nobody })
                {
                    var filled = MessageText.Of(starter.Subject, content, Texts).Fill(recipient);
                    filled.Html.ShouldNotContain("{{");
                    Regex.Count(filled.Html, Regex.Escape(recipient.UnsubscribeUrl)).ShouldBe(1);
                }
            }
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
        Starters.Find("../invitation").ShouldBeNull();
    }

    private static string Dense(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
