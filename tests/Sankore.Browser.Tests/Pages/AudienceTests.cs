namespace Sankore.Browser.Tests.Pages;

/// <summary>Whom a campaign is for is ticked, by tags, organisations and people, and counted as it is.</summary>
public sealed class AudienceTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Theory, InlineData(1280, 800), InlineData(360, 740)]
    public async Task Ticking_counts_at_once_and_is_saved(int width, int height)
    {
        var (word, draft) = await Draft();
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Width: width, Height: height));
        var page = await person.Watch($"/campaigns/{draft}/edit/audience");

        await page.ClickAsync("label[for=kind-tags]");
        await page.CheckAsync($"input[value='{word}']");
        await Expect(page.Locator("#count b")).ToHaveTextAsync("9");
        await page.ClickAsync("label[for=kind-contacts]");
        await page.FillAsync("#find-People", $"{word}.3@");
        await page.PressAsync("#find-People", "Enter");
        await Expect(page.Locator("input[name='Form.ContactIds']")).ToHaveCountAsync(1);
        await page.CheckAsync("input[name='Form.ContactIds']");
        await Expect(page.Locator("#count b")).ToHaveTextAsync("1");
        await page.FillAsync("#find-People", $"{word}.4@");
        await page.PressAsync("#find-People", "Enter");
        await Expect(page.Locator("input[name='Form.ContactIds']")).ToHaveCountAsync(2);
        await Expect(page.Locator("input[name='Form.ContactIds']:checked")).ToHaveCountAsync(1);
        await page.CheckAsync("input[name='Form.ContactIds']:not(:checked)");
        await Expect(page.Locator("#count b")).ToHaveTextAsync("2");
        (await world.Sql<string>("select audience ->> 'kind' from campaigns.email_campaigns where id = @draft", new { draft }))
            .ShouldBe("contacts");
    }

    [Fact]
    public async Task Without_a_script_the_button_counts_and_words_find_others()
    {
        var (word, draft) = await Draft();
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Script: false));
        var page = person.Page;
        await page.GotoAsync($"/campaigns/{draft}/edit/audience");
        await page.ClickAsync("label[for=kind-organizations]");
        await page.FillAsync("#find-Organizations", $"Org {word} 7");
        await page.ClickAsync(".kind:has(#find-Organizations) button[value=find]");
        await page.CheckAsync("input[name='Form.OrganizationIds']");
        await page.ClickAsync("button[value=audience]");
        await Expect(page.Locator("#count b")).ToHaveTextAsync("1");
        await Expect(page.Locator("input[name='Form.OrganizationIds']:checked")).ToHaveCountAsync(1);

        await page.ClickAsync("label[for=kind-tags]");
        await page.ClickAsync("button[value=message]");
        await Expect(page.Locator("[role=alert]").First).ToBeVisibleAsync();
    }

    /// <summary>A draft of the head's, and twelve contacts of a word of their own.</summary>
    private async Task<(string Word, Guid Draft)> Draft()
    {
        var word = Catalogue.Word();
        await world.Execute("""
            with o as (
              insert into campaigns.organizations (user_id, name) select u.id, 'Org ' || @word || ' ' || i
              from auth.users u, generate_series(0, 11) i where u.email = @email returning id, name, user_id)
            insert into campaigns.contacts (user_id, email, name, organization_id, organization_name, tags)
            select o.user_id, @word || '.' || i || '@exemple.cg', 'Personne ' || i, o.id, o.name,
              case when i < 9 then array[@word] else '{}' end
            from generate_series(0, 11) i join o on o.name = 'Org ' || @word || ' ' || i
            """, new { word, email = Cast.HeadOnPremium });
        var draft = await world.Sql<Guid>(
            "insert into campaigns.email_campaigns (user_id, name) select id, @word from auth.users where email = @email returning id",
            new { word, email = Cast.HeadOnPremium });
        return (word, draft);
    }
}
