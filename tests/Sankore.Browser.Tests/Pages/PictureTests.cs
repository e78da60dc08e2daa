namespace Sankore.Browser.Tests.Pages;

/// <summary>Pictures in a message: from the library, from the device, pasted, and without a script; logos and photos beside them.</summary>
public sealed class PictureTests(World world, Chrome chrome) : IClassFixture<World>
{
    private static readonly Look Finger = new(Width: 360, Height: 740);

    [Theory, InlineData(360), InlineData(1280)]
    public async Task A_picture_is_brought_from_the_device_and_found_again_in_the_library(int width)
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Width: width, Height: 740));
        var page = await Open(person, await Draft());

        await page.SelectOptionAsync(".bar select >> nth=0", "image");
        await page.SetInputFilesAsync("#picture-file", Payload(PictureFiles.Of(800, 400 + width / 10)));
        await Expect(page.Locator(".ProseMirror .image img")).ToHaveCountAsync(1);
        await page.FillAsync("#panel-alt", "La cour");
        var first = await Picture(page);
        first.ShouldStartWith("/i/");
        await Saved(first);
        await Expect(page.FrameLocator("iframe[name=preview]").FrameLocator("iframe").Locator("img[alt='La cour']")).ToBeVisibleAsync();
        (await page.FrameLocator("iframe[name=preview]").FrameLocator("iframe").Locator("img[alt='La cour']")
            .EvaluateAsync<int>("img => img.decode().then(() => img.naturalWidth)")).ShouldBe(800);

        await page.SelectOptionAsync(".bar select >> nth=0", "image");
        await Expect(page.Locator("dialog[open] .picks img").First).ToBeVisibleAsync();
        await page.ClickAsync($"dialog[open] .picks button:has(img[src^='{first}'])");
        await Expect(page.Locator($".ProseMirror img[src='{first}']")).ToHaveCountAsync(2);
        person.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_photo_is_made_smaller_before_it_is_sent_and_what_is_none_is_said()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, Finger);
        var page = await Open(person, await Draft());
        // A photo that JPEG does not make small by itself.
        using var noisy = new SkiaSharp.SKBitmap(2400, 1800);
        var random = new Random(7);
        for (var i = 0; i < noisy.Width * noisy.Height; i++)
        {
            noisy.SetPixel(i % noisy.Width, i / noisy.Width, new SkiaSharp.SKColor((uint)random.NextInt64(0, uint.MaxValue) | 0xff000000));
        }
        using var encoded = noisy.Encode(SkiaSharp.SKEncodedImageFormat.Jpeg, 95);
        var file = encoded.ToArray();
        await page.SelectOptionAsync(".bar select >> nth=0", "image");
        var request = await page.RunAndWaitForRequestAsync(
            () => person.Choose("#picture-file", "IMG_0001.jpg", file),
            r => r.Method == "POST" && r.Url.EndsWith("/pictures", StringComparison.Ordinal));
        int.Parse((await request.HeaderValueAsync("content-length"))!, System.Globalization.CultureInfo.InvariantCulture)
            .ShouldBeInRange(1, file.Length / 2);
        await Expect(page.Locator(".ProseMirror .image img")).ToHaveCountAsync(1);

        await page.SelectOptionAsync(".bar select >> nth=0", "image");
        await page.SetInputFilesAsync("#picture-file", Payload("pas une image"u8.ToArray()));
        await Expect(page.Locator("dialog[open] [role=status]")).ToContainTextAsync("n’est pas une image");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("dialog")).ToHaveCountAsync(0);
        await Expect(page.Locator(".ProseMirror .image")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task What_is_pasted_or_dropped_is_brought_too()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await Open(person, await Draft());
        foreach (var (act, count) in new[] { ("paste", 1), ("drop", 2) })
        {
            await page.EvaluateAsync("""
                ([act, bytes]) => {
                  const data = new DataTransfer();
                  data.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], act + '.png', { type: 'image/png' }));
                  const paper = document.querySelector('.ProseMirror');
                  const { left, top } = paper.getBoundingClientRect();
                  paper.dispatchEvent(act === 'paste' ? new ClipboardEvent(act, { clipboardData: data, bubbles: true, cancelable: true })
                    : new DragEvent(act, { dataTransfer: data, bubbles: true, cancelable: true, clientX: left + 40, clientY: top + 40 }));
                }
                """, new[] { act, Convert.ToBase64String(PictureFiles.Of(100, 60 + count)) });
            await Expect(page.Locator(".ProseMirror .image img")).ToHaveCountAsync(count);
        }
    }

    [Fact]
    public async Task Of_a_sheet_that_is_pasted_the_text_is_meant()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await Open(person, await Draft());
        await page.FocusAsync(".ProseMirror");
        await page.EvaluateAsync("""
            () => {
              const data = new DataTransfer();
              data.items.add(new File(['x'], 'image.png', { type: 'image/png' }));
              data.setData('text/plain', 'Lundi 8 h');
              const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
              document.querySelector('.ProseMirror').dispatchEvent(event);
            }
            """);
        await Expect(page.Locator(".ProseMirror")).ToContainTextAsync("Lundi 8 h");
        await Expect(page.Locator(".ProseMirror .image")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Without_a_script_a_picture_is_chosen_or_sent_with_the_form()
    {
        var draft = await Draft();
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, Finger with { Script = false });
        var page = person.Page;
        await page.GotoAsync("/campaigns/pictures");
        await page.SetInputFilesAsync("#file", [Payload(PictureFiles.Of(90, 90), "a.png"), Payload(PictureFiles.Of(91, 90), "b.png")]);
        await page.ClickAsync("main form button.primary");
        await Expect(page.Locator(".pictures li")).ToHaveCountAsync(await Count());

        await page.GotoAsync($"/campaigns/{draft}/edit/message");
        await page.SelectOptionAsync("[name='D.1.add']", "image");
        await page.ClickAsync("[name=Do][value='add:1']");
        await page.SetInputFilesAsync("[name='D.2.file']", Payload(PictureFiles.Of(92, 90), "c.png"));
        await page.ClickAsync("button[name='Form.Next'][value=message]");
        await Expect(page.Locator("[name='D.2.src']")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("^/i/"));
        await page.ClickAsync("#block-2 summary");
        await page.CheckAsync("#block-2 label:has(img[alt='a.png']) input");
        await page.ClickAsync("button[name='Form.Next'][value=message]");
        (await page.InputValueAsync("[name='D.2.src']")).ShouldBe(
            "/i/" + await world.Sql<Guid>("select id from util.pictures where name = 'a.png' and width = 90"));
    }

    [Fact]
    public async Task A_deleted_picture_is_asked_about_and_comes_back()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, Finger);
        var page = person.Page;
        await page.GotoAsync("/campaigns/pictures");
        await page.SetInputFilesAsync("#file", Payload(PictureFiles.Of(93, 90), "à jeter.png"));
        await page.ClickAsync("main form button.primary");
        var count = await Count();
        await page.ClickAsync(".pictures li:has(img[alt='à jeter.png']) [data-dialog]");
        await Expect(page.Locator("dialog[open]")).ToContainTextAsync("Aucun message ne la montre.");
        await page.ClickAsync("dialog[open] button.danger");
        await Expect(page.Locator(".pictures li")).ToHaveCountAsync(count - 1);
        await page.ClickAsync(".flash form button");
        await Expect(page.Locator(".pictures li")).ToHaveCountAsync(count);
    }

    [Theory, InlineData("/account", "photo"), InlineData("/group", "logo")]
    public async Task A_photo_and_a_logo_are_seen_in_the_head_at_once(string path, string what)
    {
        await using var person = await chrome.Open(world.Address, Cast.Admin1, Finger);
        var page = person.Page;
        await page.GotoAsync(path);
        await page.SetInputFilesAsync("#file", Payload(PictureFiles.Of(400, 300)));
        await page.ClickAsync("form:has(#file) button[type=submit]");
        await Expect(page.Locator(what == "photo" ? "header .avatar img" : "header img.logo")).ToBeVisibleAsync();
        (await page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBe(360);
        await page.ClickAsync("[data-dialog=picture-off]");
        await page.ClickAsync("dialog[open] button.danger");
        await Expect(page.Locator(what == "photo" ? "header .avatar img" : "header img.logo")).ToHaveCountAsync(0);
    }

    private static FilePayload Payload(byte[] file, string name = "cour.png") =>
        new() { Name = name, MimeType = "image/png", Buffer = file };

    private static async Task<IPage> Open(Person person, Guid draft)
    {
        await person.Page.GotoAsync($"/campaigns/{draft}/edit/message");
        await Expect(person.Page.Locator("[data-ready]")).ToHaveCountAsync(1);
        return person.Page;
    }

    private static async Task<string> Picture(IPage page) =>
        (await page.GetAttributeAsync(".ProseMirror .image img", "src"))!;

    private Task<int> Count() => world.Sql<int>(
        "select count(*)::int from util.pictures p join auth.users u on u.id = p.owner_id where u.email = @email and p.kind = 'message'",
        new { email = Cast.HeadOnPremium });

    private Task Saved(string address) => Waiting.Until(
        async () => await world.Sql<long>(
            "select count(*) from campaigns.email_campaigns where content like '%' || @address || '%'", new { address }) > 0,
        "the picture is saved");

    private Task<Guid> Draft() => world.Sql<Guid>(
        "insert into campaigns.email_campaigns (user_id, name, subject, content, design)"
        + " select id, 'Essai', 'Essai', '<p>Essai</p>', @design::jsonb from auth.users where email = @email returning id",
        new
        {
            design = """{"blocks":[{"type":"title","text":"Bonjour"},{"type":"text","text":"Texte"}]}""",
            email = Cast.HeadOnPremium,
        });
}
