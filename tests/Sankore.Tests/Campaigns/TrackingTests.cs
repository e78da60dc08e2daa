using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>Opening and clicking: off unless asked for, and never a way to anywhere else.</summary>
public sealed class TrackingTests
{
    private const string Content = """
        <p>Bonjour {{contact.name}}</p><a class="x" href="https://exemple.cg/a?b=1&amp;c=2">un</a>
        <A HREF='http://exemple.cg/'>deux</A> <a href=https://exemple.cg/c>trois</a>
        <a href="https://exemple.cg/a?b=1&amp;c=2">encore un</a><a href="mailto:a@exemple.cg">écrire</a>
        <a href="{{unsubscribe_url}}">partir</a>
        <a href="https://exemple.cg/{{contact.email}}">moi</a><!-- <a href="https://exemple.cg/no">non</a> -->
        """;

    [Fact]
    public async Task Links_and_the_picture_are_counted_where_the_author_asks_for_it()
    {
        await using var world = new EventsWorld();
        await world.InitializeAsync();
        using var client = await world.As(Delivered.Email);
        var (campaign, mails) = await Send(world, client, opens: true, clicks: true);
        var (clicks, picture) = Tracked(mails[0]);

        using var browser = new Browser(world.Address);
        using (var head = await browser.Client.Ask(HttpMethod.Head, clicks[0]))
        {
            head.Headers.Location!.ToString().ShouldBe("https://exemple.cg/a?b=1&c=2");
        }
        (await browser.Client.Ask(HttpMethod.Head, picture)).Dispose();
        (await client.Figures(campaign)).Number("opened").ShouldBe(0);
        using (var gif = await browser.Get(picture))
        {
            (gif.Content.Headers.ContentType!.MediaType, (await gif.Content.ReadAsByteArrayAsync()).Length,
                gif.Headers.CacheControl!.NoStore).ShouldBe(("image/gif", 43, true));
        }
        ((await client.Figures(campaign)).Number("opened"), (await client.Figures(campaign)).Number("clicked")).ShouldBe((1, 0));
        foreach (var path in new[] { clicks[0], clicks[0], clicks[1] })
        {
            using var answer = await browser.Get(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.Found);
        }
        var other = Regex.Match(mails[1].Html(), "/c/[\\w-]{46}").Value;
        (await browser.Get(other)).Dispose();

        var figures = await client.Figures(campaign);
        (figures.Number("opened"), figures.Number("clicked")).ShouldBe((2, 2));
        var links = (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}/links").Json()).EnumerateArray().ToList();
        links.Select(l => (l.Text("url"), l.Number("clicks"), l.Number("people")))
            .ShouldBe([("https://exemple.cg/a?b=1&c=2", 3, 2), ("http://exemple.cg/", 1, 1), ("https://exemple.cg/c", 0, 0)]);
        await Forged(world, browser, clicks[0]);
    }

    /// <summary>The addresses of a message's links, and of its picture.</summary>
    private static (IReadOnlyList<string> Clicks, string Picture) Tracked(MimeKit.MimeMessage mail)
    {
        var html = mail.Html();
        var clicks = Regex.Matches(html, "href=[\"']?(http[^\"'>]+/c/[\\w-]{46})", RegexOptions.IgnoreCase)
            .Select(m => new Uri(m.Groups[1].Value).AbsolutePath).ToList();
        clicks.Count.ShouldBe(4, html);
        clicks.Distinct().Count().ShouldBe(3);
        html.ShouldContain("href=\"mailto:a@exemple.cg\"");
        html.ShouldContain("<!-- <a href=\"https://exemple.cg/no\">non</a> -->");
        html.ShouldMatch("href=\"https://exemple.cg/[^\"]+%40exemple");
        html.ShouldContain("/u/");
        var text = mail.Plain();
        text.ShouldContain("https://exemple.cg/a?b=1&c=2");
        text.ShouldNotContain("/c/");
        var picture = new Uri(Regex.Match(html, "<img src=\"([^\"]+)\"").Groups[1].Value).AbsolutePath;
        return (clicks, picture);
    }

    [Fact]
    public async Task Nothing_is_rewritten_where_nobody_asked_for_it()
    {
        await using var world = new World();
        await world.InitializeAsync();
        using var client = await world.As(Delivered.Email);
        var (campaign, mails) = await Send(world, client, opens: false, clicks: false);
        var html = mails[0].Html();
        html.ShouldContain("href=\"https://exemple.cg/a?b=1&amp;c=2\"");
        html.ShouldNotContain("<img");
        html.ShouldNotContain("/c/");
        (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}/links").Json()).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("<a href=\"javascript:alert(1)\">x</a>"), InlineData("<a href=\"/relative\">x</a>"),
        InlineData("<a href=\"ftp://exemple.cg\">x</a>"), InlineData("<a title=\"href=https://exemple.cg\">x</a>"),
        InlineData("<abbr href=\"https://exemple.cg\">x</abbr>"),
     InlineData("<a data-href=\"https://exemple.cg\">x</a>"), InlineData("<a href=\"https://exemple.cg"),
     InlineData("<a href=\"#top\">x</a>"), InlineData("{{#if contact.name}}<td>{{/if}}")]
    public void What_is_no_address_of_the_web_stays_as_it_is(string html) => TrackedHtml.Of(html, clicks: true, opens: false)
        .ShouldSatisfyAllConditions(t => t.Template.ShouldBe(html), t => t.Urls.ShouldBeEmpty());

    [Fact]
    public void The_picture_comes_last_and_what_is_around_stays_as_it_is()
    {
        var tracked = TrackedHtml.Of(
            "<body>{{#if contact.name}}<a title='a > b' href='https://exemple.cg'>x</a>{{/if}}</body></html>", clicks: true, opens: true);
        tracked.Template.ShouldMatch(
            "^<body>{{#if contact.name}}<a title='a > b' href='https://[^']+/1'>x</a>{{/if}}<img [^>]+></body></html>$");
        tracked.Urls.ShouldBe(["https://exemple.cg"]);
    }

    private static async Task Forged(World world, Browser browser, string click)
    {
        var message = await world.Sql<Guid>("select id from campaigns.emails_sent limit 1");
        var signer = await world.App.Services.GetRequiredService<SignedLinks>().Signer(CancellationToken.None);
        foreach (var path in new[]
        {
            click[..^1], click + "A", click.Replace("/c/", "/o/", StringComparison.Ordinal) + ".gif", "/o/x.gif",
            $"/c/{signer.Sign(LinkPurpose.Unsubscribe, message, 1)}", $"/c/{signer.Sign(LinkPurpose.Click, message, 9)}",
            $"/c/{signer.Sign(LinkPurpose.Click, message)}",
            $"/c/{signer.Sign(LinkPurpose.Click, Guid.NewGuid(), 1)}", $"/o/{signer.Sign(LinkPurpose.Open, Guid.NewGuid())}.gif",
            $"/c/{new LinkSigner(new byte[32]).Sign(LinkPurpose.Click, message, 1)}",
        })
        {
            using var answer = await browser.Get(path);
            (answer.StatusCode, answer.Headers.Location).ShouldBe((HttpStatusCode.NotFound, null), path);
        }
    }

    private static async Task<(System.Text.Json.JsonElement Campaign, IReadOnlyList<MimeKit.MimeMessage> Mails)> Send(
        World world, HttpClient client, bool opens, bool clicks)
    {
        var word = Catalogue.Word();
        var segment = await world.Contacts(Delivered.Email, word, 2);
        var campaign = await client.Ask(
            HttpMethod.Post, Mailings.Api,
            new
            {
                name = word,
                subject = "Objet",
                content = Content,
                audience = new { kind = "segment", segmentId = segment },
                trackOpens = opens,
                trackClicks = clicks,
            }).Json(201);
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        var ids =
            await world.Sql<Guid[]>("select array_agg(id) from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() });
        return (campaign, [.. ids.Select(id => ReadMail.In(Path.Combine(world.OutboxFolder, $"{id}.eml")))]);
    }
}
