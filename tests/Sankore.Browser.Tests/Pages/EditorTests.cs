using System.Text.Json;
using Sankore.Campaigns;

namespace Sankore.Browser.Tests.Pages;

/// <summary>
/// The editor of a message: with keys alone, with a finger, in two tabs, on a bad line; and it keeps what the server wrote.
/// </summary>
public sealed class EditorTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Paper = ".ProseMirror";
    private static readonly JsonSerializerOptions Json =
        new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    private static readonly string Blank = JsonSerializer.Serialize(MessageDesign.Empty, Json);
    private static readonly string Every = JsonSerializer.Serialize(new
    {
        color = "blue",
        preview = "Venez samedi",
        blocks = new object[]
        {
            new { type = "title", text = "Bonjour {{default contact.name \"Madame, Monsieur\"}}" },
            new
            {
                type = "text",
                text = "Du **gras**, *l’italique* et [un lien](https://exemple.cg/a?b=1&c=2).\n\n- un\n- deux\n\n1. premier\n2. second",
            },
            new { type = "image", src = "https://exemple.cg/photo.jpg", alt = "La cour", width = "half" },
            new { type = "button", text = "S’inscrire", href = "https://exemple.cg/inscription" },
            new
            {
                type = "columns",
                left = new[] { new { type = "text", text = "À gauche" } },
                right = new[] { new { type = "text", text = "À droite" } },
            },
            new { type = "event", title = "Portes ouvertes", on = "2027-03-13", from = "09:00", to = "12:00", place = "Salle 4" },
            new { type = "separator" },
            new { type = "footer", text = "BP 12, Brazzaville" },
        },
    }, JsonSerializerOptions.Web);

    [Fact]
    public async Task With_keys_alone_a_message_is_written_formatted_undone_and_saved()
    {
        var draft = await Draft(Blank);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await Open(person, draft);

        await page.FocusAsync(Paper);
        await page.Keyboard.PressAsync("Control+Home");
        await page.Keyboard.TypeAsync("Rentrée");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.TypeAsync("Bonjour ");
        await page.Keyboard.PressAsync("Control+b");
        await page.Keyboard.TypeAsync("à tous");
        await page.Keyboard.PressAsync("Control+b");
        await Saved(draft, "**à tous**");
        await page.Keyboard.TypeAsync(" trop");
        await Saved(draft, "trop");
        await page.Keyboard.PressAsync("Control+z");
        await page.Keyboard.PressAsync("Escape");
        (await page.EvaluateAsync<string>("document.activeElement.closest('[role=toolbar]')?.getAttribute('role')")).ShouldBe("toolbar");

        await Waiting.Until(async () => !(await Text(draft)).Contains("trop", StringComparison.Ordinal), "what was undone is saved too");
        (await Text(draft)).ShouldContain("Rentrée");
        var preview = page.FrameLocator("iframe[name=preview]").FrameLocator("iframe");
        await Expect(preview.Locator("strong")).ToHaveTextAsync("à tous");
    }

    [Fact]
    public async Task With_a_finger_blocks_are_added_filled_in_moved_and_removed()
    {
        var draft = await Draft(Blank.Replace("{\"type\":\"text\"}", "{\"type\":\"text\",\"text\":\"Bonjour\"}", StringComparison.Ordinal));
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Width: 360, Height: 740));
        var page = await Open(person, draft);

        await page.TapAsync($"{Paper} h1, {Paper} h2");
        await page.Keyboard.TypeAsync("Fête de l’école");
        await page.SelectOptionAsync(".bar select >> nth=0", "button");
        await page.FillAsync("#panel-text", "Je viens");
        await page.FillAsync("#panel-href", "https://exemple.cg/fete");
        await Saved(draft, "https://exemple.cg/fete");
        var before = await Kinds(draft);
        await page.TapAsync(".bar [aria-label='Descendre']");
        await Waiting.Until(async () => !(await Kinds(draft)).SequenceEqual(before), "the button went down");
        await page.TapAsync(".bar [aria-label='Dupliquer']");
        await Waiting.Until(async () => (await Kinds(draft)).Count(k => k == "button") == 2, "there are two");
        await page.TapAsync(".bar [aria-label='Retirer']");
        await page.TapAsync(".bar [aria-label='Annuler']");
        await page.TapAsync(".bar [aria-label='Retirer']");
        await Waiting.Until(async () => (await Kinds(draft)).Count(k => k == "button") == 1, "one was removed, after a removal taken back");
    }

    [Fact]
    public async Task Of_two_tabs_the_second_is_told_and_overwrites_nothing()
    {
        var draft = await Draft(Blank);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var first = await Open(person, draft);
        var second = await person.Tab($"/campaigns/{draft}/edit/message");
        await Expect(second.Locator("[data-ready]")).ToHaveCountAsync(1);

        await Type(first, "Du premier onglet");
        await Saved(draft, "Du premier onglet");
        await Type(second, "Du second onglet");
        await Expect(second.Locator("[role=status]", new PageLocatorOptions { HasTextString = "ailleurs" })).ToBeVisibleAsync();
        (await Text(draft)).ShouldContain("Du premier onglet");
        (await Text(draft)).ShouldNotContain("Du second onglet");
        await Expect(second.Locator(Paper)).ToContainTextAsync("Du second onglet");
    }

    [Fact]
    public async Task On_a_bad_line_it_says_so_and_saves_when_it_is_back()
    {
        var draft = await Draft(Blank);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await Open(person, draft);
        await person.Context.SetOfflineAsync(true);
        await Type(page, "Écrit sans réseau");
        await Expect(page.Locator("[role=status]", new PageLocatorOptions { HasTextString = "connexion" })).ToBeVisibleAsync();
        (await Text(draft)).ShouldNotContain("sans réseau");

        await person.Context.SetOfflineAsync(false);
        await Saved(draft, "Écrit sans réseau");
    }

    [Fact]
    public async Task Saving_by_hand_waits_for_what_is_being_saved()
    {
        var draft = await Draft(Blank);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await Open(person, draft);
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await page.RouteAsync("**/message", async route =>
        {
            if (route.Request.Method == "PUT")
            {
                asked.TrySetResult();
                await answer.Task;
            }
            await route.ContinueAsync();
        });
        await Type(page, "Avant ");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await page.Keyboard.TypeAsync("et après");
        await page.ClickAsync("button[name='Form.Next'][value=message]");
        answer.SetResult();

        await Expect(page.Locator(".flash.ok")).ToBeVisibleAsync();
        (await Text(draft)).ShouldContain("Avant et après");
    }

    [Fact]
    public async Task When_only_the_answer_was_lost_it_goes_on_saving()
    {
        var draft = await Draft(Blank);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await Open(person, draft);
        var lost = false;
        await page.RouteAsync("**/message", async route =>
        {
            if (route.Request.Method != "PUT" || lost)
            {
                await route.ContinueAsync();
                return;
            }
            lost = true;
            await route.FetchAsync();
            await route.AbortAsync();
        });
        await Type(page, "Arrivé ");
        await Expect(page.Locator("[role=status]", new PageLocatorOptions { HasTextString = "connexion" })).ToBeVisibleAsync();
        (await Text(draft)).ShouldContain("Arrivé");

        await page.Keyboard.TypeAsync("deux fois");
        await Saved(draft, "Arrivé deux fois");
    }

    [Fact]
    public async Task A_template_is_saved_while_it_is_written_once_it_is_there()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = person.Page;
        await page.GotoAsync("/campaigns/templates/new?start=blank");
        await page.FillAsync("#name", "Modèle à suivre");
        await page.FillAsync("#subject", "Bonjour");
        await Type(page, "Premier texte");
        await page.ClickAsync("form.form button.primary");
        await Expect(page.Locator(".flash.ok")).ToBeVisibleAsync();

        await Type(page, "Encore : ");
        await page.FillAsync("#name", "Modèle suivi");
        await Waiting.Until(
            async () => await world.Sql<bool>(
                "select exists (select from campaigns.email_templates where name = 'Modèle suivi' and content like '%Encore : %')"),
            "name and text are saved");
        await Expect(page.FrameLocator("iframe[name=preview]").FrameLocator("iframe").Locator("body")).ToContainTextAsync("Encore :");
        await page.ReloadAsync();
        await Expect(page.Locator("#name")).ToHaveValueAsync("Modèle suivi");
        person.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_server_keeps_comes_out_as_it_went_in()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        foreach (var design in Starters.Keys.Select(k => JsonSerializer.Serialize(Starters.Find(k)!.Design, Json)).Append(Every))
        {
            var page = await Open(person, await Draft(design));
            var back = await page.EvaluateAsync<string>(
                "JSON.stringify(Design.toBlocks(Design.toDoc(JSON.parse(document.querySelector('[data-design]').dataset.design))))");
            Said(JsonElement.Parse($"{{\"blocks\":{back}}}")).ShouldBe(Said(JsonElement.Parse(design)));
        }
    }

    /// <summary>The blocks of a design in their one form: two texts that follow each other are one.</summary>
    private static string Said(JsonElement design)
    {
        var blocks = new List<MessageBlock>();
        foreach (var block in design.GetProperty("blocks").Deserialize<List<MessageBlock>>(Json)!)
        {
            if (block is TextBlock text && blocks is [.., TextBlock before])
            {
                blocks[^1] = new TextBlock($"{before.Text}\n\n{text.Text}");
            }
            else
            {
                blocks.Add(block);
            }
        }
        return JsonSerializer.Serialize(new MessageDesign(null, null, blocks), Json);
    }

    private static async Task Type(IPage page, string text)
    {
        await page.FocusAsync(Paper);
        await page.Keyboard.PressAsync("Control+Home");
        await page.Keyboard.TypeAsync(text);
    }

    private static async Task<IPage> Open(Person person, Guid draft)
    {
        await person.Page.GotoAsync($"/campaigns/{draft}/edit/message");
        await Expect(person.Page.Locator("[data-ready]")).ToHaveCountAsync(1);
        return person.Page;
    }

    private Task Saved(Guid draft, string text) => Waiting.Until(
        async () => (await Text(draft)).Contains(text, StringComparison.Ordinal), $"« {text} » is saved");

    private Task<string> Text(Guid draft) =>
        world.Sql<string>("select design::text from campaigns.email_campaigns where id = @draft", new { draft });

    private async Task<List<string>> Kinds(Guid draft) =>
        [.. JsonElement.Parse(await Text(draft)).GetProperty("blocks").EnumerateArray().Select(b => b.GetProperty("type").GetString()!)];

    private Task<Guid> Draft(string design) => world.Sql<Guid>(
        "insert into campaigns.email_campaigns (user_id, name, subject, content, design)"
        + " select id, 'Essai', 'Essai', '<p>Essai</p>', @design::jsonb from auth.users where email = @email returning id",
        new { design, email = Cast.HeadOnPremium });
}
