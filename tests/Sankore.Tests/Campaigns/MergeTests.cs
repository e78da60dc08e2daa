using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>Merge fields: what can be saved can be sent, and what a field holds is text and nothing else.</summary>
public sealed class MergeTests
{
    private static readonly MergeValues Known =
        new("amina@exemple.cg", "Amina <b>N’Kounkou</b>", "Lycée \"A & B\"", "Rentrée", "Le lycée", "https://exemple.cg/u/1");
    private static readonly MergeValues Unknown = new("amina@exemple.cg", null, "", "Rentrée", null, "https://exemple.cg/u/1");

    [Theory]
    [InlineData("Bonjour {{contact.name}}", "Bonjour Amina &lt;b&gt;N’Kounkou&lt;/b&gt;", "Bonjour Amina <b>N’Kounkou</b>", "Bonjour ")]
    [InlineData(
        "{{ default  contact.name \"Madame, Monsieur\" }} !", "Amina &lt;b&gt;N’Kounkou&lt;/b&gt; !", "Amina <b>N’Kounkou</b> !",
        "Madame, Monsieur !")]
    [InlineData(
        "{{#if organization.name}}de {{organization.name}}{{else}}sans{{/if}}.", "de Lycée &quot;A &amp; B&quot;.", "de Lycée \"A & B\".",
        "sans.")]
    [InlineData("{{#unless contact.name}}inconnu{{/unless}}-", "-", "-", "inconnu-")]
    [InlineData(
        "{{contact.email}} {{campaign.name}} {{unsubscribe_url}}", "amina@exemple.cg Rentrée https://exemple.cg/u/1",
        "amina@exemple.cg Rentrée https://exemple.cg/u/1", "amina@exemple.cg Rentrée https://exemple.cg/u/1")]
    [InlineData("{{#if contact.name}}{{#if organization.name}}a{{else}}b{{/if}}{{else}}c{{/if}}", "a", "a", "c")]
    public void Fields_are_filled_in(string text, string html, string plain, string unknown)
    {
        MergeText.Mistake(text).ShouldBeNull();
        MergeText.OfHtml(text).Fill(Known).ShouldBe(html);
        MergeText.OfPlain(text).Fill(Known).ShouldBe(plain);
        MergeText.OfPlain(text).Fill(Unknown).ShouldBe(unknown);
    }

    [Theory]
    [InlineData("{{contact.fax}}", "merge.unknown")]
    [InlineData("{{Contact.Name}}", "merge.unknown")]
    [InlineData("{{contact}}", "merge.unknown")]
    [InlineData("{{contact.name.Length}}", "merge.unknown")]
    [InlineData("{{{contact.name}}}", "merge.unknown")]
    [InlineData("{{&contact.name}}", "merge.unknown")]
    [InlineData("{{> partial}}", "merge.unknown")]
    [InlineData("{{#each contact}}x{{/each}}", "merge.unknown")]
    [InlineData("{{#if contact.name}}x", "merge.block")]
    [InlineData("{{#if contact.name}}x{{/unless}}", "merge.block")]
    [InlineData("{{#if contact.name}}x{{else}}y{{else}}z{{/if}}", "merge.block")]
    [InlineData("x{{/if}}", "merge.block")]
    [InlineData("{{else}}", "merge.block")]
    [InlineData("{{contact.name", "merge.open")]
    [InlineData("contact.name}}", "merge.open")]
    [InlineData("{{#if contact.age}}x{{/if}}", "merge.unknown")]
    [InlineData("{{default contact.age \"x\"}}", "merge.unknown")]
    [InlineData("{{default contact.name}}", "merge.unknown")]
    [InlineData("{{}}", "merge.unknown")]
    public void What_is_no_field_is_said_before_it_is_saved(string text, string key) => MergeText.Mistake(text)!.Key.ShouldBe(key);

    [Theory]
    [InlineData(
        "<h1>Rentrée</h1><p>Bonjour&nbsp;<b>{{contact.name}}</b>,<br>à   bientôt.</p>", "Rentrée\n\nBonjour {{contact.name}},\nà bientôt.")]
    [InlineData("<ul><li>un</li><li>deux</li></ul>fin", "- un\n- deux\n\nfin")]
    [InlineData(
        "<p>Voir <a href=\"https://exemple.cg/a?b=1&amp;c=2\">le site</a> ou <a href=\"https://exemple.cg\">https://exemple.cg</a>.</p>",
        "Voir le site (https://exemple.cg/a?b=1&c=2) ou https://exemple.cg.")]
    [InlineData("<a href=\"{{unsubscribe_url}}\">Se désinscrire</a>", "Se désinscrire ({{unsubscribe_url}})")]
    [InlineData("<style>p{color:red}</style><script>alert(1)</script><p>a</p><!-- b --><img src=x alt=\"Logo\">", "a\n\nLogo")]
    [InlineData("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc")]
    [InlineData("{{#if contact.name}}<p>A</p>{{else}}<p>B</p>{{/if}}", "{{#if contact.name}}\n\nA\n\n{{else}}\n\nB\n\n{{/if}}")]
    [InlineData("<p>1 &lt; 2 &amp; 3", "1 < 2 & 3")]
    [InlineData("", "")]
    public void An_HTML_body_has_its_text_beside_it(string html, string text) => PlainText.Of(html).ShouldBe(text);

    [Theory]
    [InlineData("<a href=\"https://exemple.cg/?n={{contact.name}}&o={{organization.name}}#{{contact.email}}\">{{contact.name}}</a>",
        "<a href=\"https://exemple.cg/?n=Amina%20%3Cb%3EN%E2%80%99Kounkou%3C%2Fb%3E&o=Lyc%C3%A9e%20%22A%20%26%20B%22#amina%40exemple.cg\">"
        + "Amina &lt;b&gt;N’Kounkou&lt;/b&gt;</a>")]
    [InlineData("<a href='https://exemple.cg/{{default organization.name \"sans nom\"}}'>x</a>",
        "<a href='https://exemple.cg/Lyc%C3%A9e%20%22A%20%26%20B%22'>x</a>")]
    [InlineData("<a href=\"{{unsubscribe_url}}\">x</a>", "<a href=\"https://exemple.cg/u/1\">x</a>")]
    [InlineData("<a title=\"{{campaign.name}}\" href=https://exemple.cg/{{campaign.name}}>x</a>",
        "<a title=\"Rentrée\" href=https://exemple.cg/Rentr%C3%A9e>x</a>")]
    [InlineData("<style>/* } {{ no {{field}} */ p{color:red} /* é</style>x", "<style> p{color:red} </style>x")]
    public void Fields_in_addresses_are_encoded_and_braces_in_comments_mean_nothing(string html, string filled)
    {
        MergeText.MistakeOfHtml(html).ShouldBeNull();
        MergeText.OfHtml(MergeText.Prepared(html)).Fill(Known).ShouldBe(filled);
    }

    [Theory]
    [InlineData("www.exemple.cg", true), InlineData("exemple.cg/inscription", true), InlineData("exemple.cg:8080/a", true)]
    [InlineData("/inscription", true), InlineData("https://exemple.cg", false), InlineData("mailto:a@exemple.cg", false)]
    [InlineData("www.exemple.cg:8080?a", true), InlineData("localhost:5000", true), InlineData("tel:066001234", false)]
    [InlineData("sms:06600", false), InlineData("tel:+24206", false)]
    [InlineData("#bas", false), InlineData("{{unsubscribe_url}}", false), InlineData("", false)]
    public void A_link_without_a_scheme_is_named(string address, bool isNamed)
    {
        var validation = new Sankore.Platform.Security.Validation().Draft("Objet", $"<p><a href=\"{address}\">x</a></p>");
        var refused = Record.Exception(validation.Check) as Sankore.Platform.Security.Refusal;
        refused?.Fields["content"].Key.ShouldBe("html.no_scheme");
        (refused is not null).ShouldBe(isNamed);
    }

    [Theory]
    [InlineData("<style>{ \"x\"{{unsubscribe_url}}\"{{contact.name}}}}")]
    [InlineData("<style>a{b:{{contact.name}}}</style>")]
    [InlineData("{{contact.name}}}")]
    public void A_brace_that_touches_a_field_is_refused_in_a_style_sheet_too(string html) =>
        MergeText.MistakeOfHtml(html)!.Key.ShouldBe("merge.unknown");
}
