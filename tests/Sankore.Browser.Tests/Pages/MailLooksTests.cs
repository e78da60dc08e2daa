using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Web;

namespace Sankore.Browser.Tests.Pages;

/// <summary>
/// What the editor makes, as it arrives: looked at 320 and 600 pixels wide, light and dark, and read as text by MimeKit and by Python's
/// e-mail package, which is what a text client shows.
/// </summary>
public sealed class MailLooksTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Wide = """
        () => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + .5)
          .map(e => e.outerHTML.slice(0, 120))
        """;

    [Theory, InlineData("fr"), InlineData("en")]
    public async Task Every_kind_of_block_fits_is_readable_and_is_said_in_the_text(string language)
    {
        using var admin = await world.As(Cast.Admin1);
        using var head = await world.As(Cast.HeadOnPremium);
        var group = await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'");
        await admin.Ask(HttpMethod.Put, $"/api/groups/{group}/logo", PictureFiles.Form(PictureFiles.Of(900, 300))).Json(204);
        var picture = await head.Ask(
            HttpMethod.Post, "/api/campaigns/pictures", PictureFiles.Form(PictureFiles.Of(1200, 500), "cour.png")).Json(201);
        var mail = await Tried(head, picture.Text("address"), language);

        var site = world.App.Services.GetRequiredService<AppAddress>().Base.ToString();
        var html = mail.Html().Replace(site, world.Address.ToString(), StringComparison.Ordinal);
        await using var person = await chrome.Open(world.Address, null);
        await Axe.Enter(person.Context);
        await person.Page.RouteAsync(
            "**/a-mail", route => route.FulfillAsync(new RouteFulfillOptions { Body = html, ContentType = "text/html; charset=utf-8" }));
        foreach (var (width, dark) in new[] { (320, false), (320, true), (600, false), (600, true), (1280, false) })
        {
            var page = person.Page;
            await page.SetViewportSizeAsync(width, 800);
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light });
            await page.GotoAsync("/a-mail");
            (await page.EvaluateAsync<string[]>(Wide)).ShouldBeEmpty($"{width} {dark}");
            (await Axe.Faults(page)).ShouldBeEmpty($"{width} {dark}");
            (await page.EvaluateAsync<int[]>("[...document.images].map(i => i.naturalWidth)")).ShouldBe([480, 1200, 1200, 480]);
            (await page.EvaluateAsync<int>("document.querySelector('img[alt=\"La cour\"]').width")).ShouldBeInRange(220, 520);
            if (dark)
            {
                (await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('.card')).backgroundColor"))
                    .ShouldBe("rgb(30, 26, 21)");
            }
        }
        SaysAll(mail.Plain(), language);
        using var python = new PythonMail();
        var letter = python.Read(mail.Bytes());
        letter.Defects.ShouldBeEmpty();
        letter.Text.ShouldBe(mail.Plain().ReplaceLineEndings("\n"));
    }

    /// <summary>Everything that is said, and every address that something leads to, in lines that a terminal shows.</summary>
    private static void SaysAll(string text, string language)
    {
        foreach (var said in new[]
        {
            "Portes ouvertes", "Bonjour", "- un", "- deux", "Je viens (https://exemple.cg/oui)", "La cour", "À gauche", "À droite",
            language == "fr" ? "samedi 13 mars 2027" : "Saturday, 13 March 2027", "Salle 4", "Lycée Moderne de Brazzaville", "BP 12",
        })
        {
            text.ShouldContain(said);
        }
        Regex.IsMatch(text, "<[a-z/]|&[a-z]+;|\\*\\*").ShouldBeFalse(text);
        Regex.Count(text, "https?://[^ )\n]*/u/").ShouldBe(1);
    }

    private async Task<MimeKit.MimeMessage> Tried(HttpClient head, string picture, string language)
    {
        var word = Catalogue.Word();
        await world.Execute(
            "update public.profiles set locale = @language where email = @email", new { language, email = Cast.HeadOnPremium });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/campaigns") { Content = Body(word, picture) };
        request.Headers.AcceptLanguage.ParseAdd(language);
        using var answer = await head.SendAsync(request, TestContext.Current.CancellationToken);
        var draft = JsonElement.Parse(await answer.Body());
        await head.Ask(HttpMethod.Post, $"/api/campaigns/{draft.Id()}/test", new { }).Json(202);
        MimeKit.MimeMessage? mail = null;
        await Waiting.Until(
            () => (mail = world.Mails().Select(m => ReadMail.In(m.Path)).FirstOrDefault(
                m => m.Header("Subject").Contains(word, StringComparison.Ordinal))) is not null, "the try is sent");
        return mail!;
    }

    private static StringContent Body(string word, string picture) => new(JsonSerializer.Serialize(new
    {
        name = word,
        subject = word,
        design = new
        {
            color = "orange",
            preview = "Venez samedi",
            blocks = new object[]
            {
                new { type = "title", text = "Portes ouvertes" },
                new
                {
                    type = "text",
                    text = "Bonjour {{default contact.name \"à tous\"}},\n\n- un\n- **deux**\n\n[Le site](https://exemple.cg)",
                },
                new { type = "image", src = picture, alt = "La cour", href = "https://exemple.cg/cour" },
                new { type = "button", text = "Je viens", href = "https://exemple.cg/oui" },
                new
                {
                    type = "columns",
                    left = new object[] { new { type = "text", text = "À gauche" }, new { type = "image", src = picture, alt = "Encore" } },
                    right = new object[] { new { type = "text", text = "À droite" } },
                },
                new { type = "event", title = "La matinée", on = "2027-03-13", from = "09:00", to = "12:00", place = "Salle 4" },
                new { type = "separator" },
                new { type = "footer", text = "BP 12, Brazzaville" },
            },
        },
    }), System.Text.Encoding.UTF8, "application/json");
}
