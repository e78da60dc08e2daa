namespace Sankore.Browser.Tests.Pages;

/// <summary>
/// A whole campaign by somebody who knows no HTML: from the list to what became of it, with a mouse, a finger, keys alone, and without a
/// script. What was done is counted: a person takes about a second for each press, and a fifth of one for each letter.
/// </summary>
public sealed class WholeCampaignTests(World world, Chrome chrome, ITestOutputHelper output) : IClassFixture<World>
{
    [Theory]
    [InlineData("fr", false, 360), InlineData("fr", true, 1280), InlineData("en", true, 360), InlineData("en", false, 1280)]
    public async Task With_a_pointer_from_a_starter(string language, bool dark, int width)
    {
        var word = await Contacts();
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(language, dark, width, 780));
        var hand = new Hand(person.Page, width < 600);
        await Begin(hand, word);

        await hand.Choose("#template", "reminder");
        await hand.Press("form:has(#template) button");
        await Expect(person.Page.Locator("[data-ready]")).ToHaveCountAsync(1);
        await hand.Fill("#subject", "Rappel : échéance du 15 mars");
        while (await person.Page.Locator(".ProseMirror .left").CountAsync() is > 0 and var left)
        {
            await hand.Press(".ProseMirror .left >> nth=0");
            await Waiting.Until(
                () => person.Page.EvaluateAsync<bool>("getSelection().toString().startsWith('[[')"), "what is left over is chosen");
            await hand.Write(left % 2 == 0 ? "lundi 15 mars" : "9 h");
        }
        await FillPanels(hand);
        await Saved(person.Page);
        await hand.Press("button[name='Form.Next'][value=review]:visible");
        await Finish(hand);

        output.WriteLine($"{language} {width}: {hand}");
        person.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task With_keys_alone_from_nothing()
    {
        var word = await Contacts();
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var (page, keys) = (person.Page, new Keys(person.Page));
        await page.GotoAsync("/campaigns/list");
        await keys.Go("main a[href='/campaigns/new']", "Enter");
        await keys.Go("#name");
        await keys.Write("Réunion " + word);
        await keys.Press("Enter");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/edit/audience"));
        // Among buttons of one choice arrows go.
        await keys.Go("input[name='Form.Kind']:checked");
        while (!await page.Locator("#kind-tags").IsCheckedAsync())
        {
            await keys.Press("ArrowDown");
        }
        await keys.Go($"input[value='{word}']", "Space");
        await Expect(page.Locator("#count b")).ToHaveTextAsync("3");
        await keys.Go("button[value=message]", "Enter");
        await Expect(page.Locator("[data-ready]")).ToHaveCountAsync(1);
        await keys.Go("#subject");
        await keys.Write("Réunion de rentrée");
        await keys.Go(".ProseMirror");
        await keys.Press("Control+Home");
        await keys.Write("Réunion de rentrée");
        await keys.Press("ArrowDown");
        await keys.Write("Chers parents, venez lundi à 9 h.");
        await Saved(page);
        await keys.Press("Escape");
        await keys.Go("button[name='Form.Next'][value=review]:visible", "Enter");
        await keys.Go("[data-dialog=send]", "Enter");
        await keys.Go("#send button.primary", "Enter");
        await Sent(page);

        output.WriteLine($"keys: {keys}");
    }

    [Fact]
    public async Task Without_a_script_in_a_form_of_blocks()
    {
        var word = await Contacts();
        await using var person = await chrome.Open(
            world.Address, Cast.HeadOnPremium, new Look(Width: 360, Height: 740, Script: false));
        var hand = new Hand(person.Page, true);
        await Begin(hand, word);

        await hand.Fill("#subject", "Réunion de rentrée");
        await hand.Fill("[name='D.0.text']", "Réunion de rentrée");
        await hand.Fill("[name='D.1.text']", "Chers parents,\n\nVenez **lundi** à 9 h.");
        await hand.Press("button[name='Form.Next'][value=review]:visible");
        await Finish(hand);

        output.WriteLine($"no script: {hand}");
    }

    /// <summary>From the list to the message.</summary>
    private static async Task Begin(Hand hand, string word)
    {
        await hand.Page.GotoAsync("/campaigns/list");
        await hand.Press("main a[href='/campaigns/new'] >> nth=0");
        await hand.Fill("#name", "Réunion " + word);
        await hand.Press("main form button.primary");
        await hand.Press("label[for=kind-tags]");
        await hand.Press($"label:has(input[value='{word}'])");
        await hand.Press("button[value=message]");
        await Expect(hand.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/edit/message"));
    }

    /// <summary>What is left over in blocks that are not text: each is pressed, and its fields are filled in.</summary>
    private static async Task FillPanels(Hand hand)
    {
        foreach (var atom in await hand.Page.Locator(".ProseMirror .atom").AllAsync())
        {
            await hand.Press(atom);
            foreach (var field in await hand.Page.Locator(".panel .input").AllAsync())
            {
                if (await field.EvaluateAsync<string>("f => f.value") is { } value && value.Contains("[[", StringComparison.Ordinal))
                {
                    await hand.Fill(field, value.Contains("mailto", StringComparison.Ordinal) ? "mailto:ecole@exemple.cg"
                        : value.Contains("http", StringComparison.Ordinal) ? "https://exemple.cg" : "Salle 4");
                }
            }
        }
    }

    private static async Task Finish(Hand hand)
    {
        // Nothing holds it back.
        await Expect(hand.Page.Locator("#gaps")).ToHaveCountAsync(0);
        await hand.Press("[data-dialog=send]");
        await hand.Press("#send button.primary");
        await Sent(hand.Page);
    }

    private static async Task Sent(IPage page)
    {
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/campaigns/[0-9a-f-]{36}"));
        await Expect(page.Locator("main")).ToContainTextAsync(new System.Text.RegularExpressions.Regex("3 (sur|of) 3|3"));
    }

    private static Task Saved(IPage page) =>
        Expect(page.Locator("[role=status]", new PageLocatorOptions { HasTextRegex = new("Enregistré à|Saved at") })).ToBeVisibleAsync();

    private async Task<string> Contacts()
    {
        var word = Catalogue.Word();
        await world.Execute(
            "insert into campaigns.contacts (user_id, email, name, tags)"
            + " select u.id, @word || i || '@exemple.cg', 'Parent ' || i, array[@word]"
            + " from auth.users u, generate_series(1, 3) i where u.email = @email", new { word, email = Cast.HeadOnPremium });
        return word;
    }

    /// <summary>A hand with a mouse, or a finger: it presses where a thing is, and counts.</summary>
    private sealed class Hand(IPage page, bool isFinger)
    {
        private int _presses, _letters;

        public IPage Page => page;

        public Task Press(string what) => Press(page.Locator(what));

        public Task Press(ILocator what)
        {
            _presses++;
            return isFinger ? what.TapAsync() : what.ClickAsync();
        }

        public Task Fill(string what, string text) => Fill(page.Locator(what), text);

        public async Task Fill(ILocator what, string text)
        {
            await Press(what);
            _letters += text.Length;
            await what.FillAsync(text);
        }

        public async Task Write(string text)
        {
            _letters += text.Length;
            await page.Keyboard.TypeAsync(text);
        }

        public async Task Choose(string what, string value)
        {
            _presses += 2;
            await page.SelectOptionAsync(what, value);
        }

        public override string ToString() =>
            $"{_presses} presses and {_letters} letters, about {_presses + _letters / 5} s for a person who reads nothing twice";
    }

    /// <summary>Somebody with keys alone: goes on with Tab until a thing has the focus, and counts.</summary>
    private sealed class Keys(IPage page)
    {
        private int _presses, _letters;

        public async Task Go(string what, string? then = null)
        {
            for (var i = 0; i < 120; i++)
            {
                if (await page.Locator(what).First.EvaluateAsync<bool>("e => e === document.activeElement"))
                {
                    await (then is null ? Task.CompletedTask : Press(then));
                    return;
                }
                await Press("Tab");
            }
            throw new InvalidOperationException($"no key leads to {what}");
        }

        public Task Press(string key)
        {
            _presses++;
            return page.Keyboard.PressAsync(key);
        }

        public Task Write(string text)
        {
            _letters += text.Length;
            return page.Keyboard.TypeAsync(text);
        }

        public override string ToString() => $"{_presses} keys and {_letters} letters, about {(_presses + _letters) / 5} s";
    }
}
