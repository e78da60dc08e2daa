namespace Sankore.Browser.Tests.Pages;

/// <summary>Rows are chosen with a mouse and with a finger, and what is done with them is asked first and can be undone.</summary>
public sealed class ChoosingTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Boxes = "tbody input[type=checkbox]";

    [Theory, InlineData(1280, 800), InlineData(360, 740)]
    public async Task A_box_is_ticked_in_its_middle_and_counted(int width, int height)
    {
        var word = await Contacts(30);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Width: width, Height: height));
        var page = await person.Watch($"/campaigns/contacts?q={word}");
        await Point(page, page.Locator(Boxes).Nth(0), isTouch: width < 600);
        await Point(page, page.Locator(Boxes).Nth(2), isTouch: width < 600);

        await Expect(page.Locator("#chosen output")).ToHaveTextAsync("Sélection : 2");
        (await page.Locator($"{Boxes}:checked").CountAsync()).ShouldBe(2);
        page.Url.ShouldContain($"/campaigns/contacts?q={word}", Case.Sensitive, "the row's link was not followed");

        await page.CheckAsync("#chosen [data-all]");
        await Expect(page.Locator("#chosen output")).ToHaveTextAsync("Sélection : 25");
        await page.CheckAsync("#chosen [data-found]");
        await Expect(page.Locator("#chosen output")).ToHaveTextAsync("Sélection : 30");
        await Expect(page.Locator("#chosen [data-least='2']")).ToBeVisibleAsync();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Many_are_deleted_once_their_number_was_confirmed_and_come_back(bool script)
    {
        var word = await Contacts(30);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Script: script));
        var page = person.Page;
        await page.GotoAsync($"/campaigns/contacts?q={word}");
        if (script)
        {
            await page.CheckAsync("#chosen [data-all]");
        }
        await page.CheckAsync("#chosen [data-found]");
        await page.ClickAsync("#chosen .danger");

        await Expect(page.Locator("#delete h2")).ToHaveTextAsync("Supprimer 30 contacts ?");
        (await Left(word)).ShouldBe(30, "it is asked first");
        await page.ClickAsync("#delete [data-close]");
        (await Left(word)).ShouldBe(30);

        if (script)
        {
            await page.CheckAsync("#chosen [data-all]");
        }
        await page.CheckAsync("#chosen [data-found]");
        await page.ClickAsync("#chosen .danger");
        await page.ClickAsync("#delete .danger");
        await Expect(page.Locator(".flash.ok")).ToContainTextAsync("30 éléments supprimés.");
        (await Left(word)).ShouldBe(0);

        await page.ClickAsync(".flash button");
        await Expect(page.Locator(".flash.ok")).ToContainTextAsync("30 éléments rétablis.");
        (await Left(word)).ShouldBe(30);
    }

    [Fact]
    public async Task Of_those_that_become_one_a_person_says_which_stays()
    {
        var word = await Contacts(3);
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = await person.Watch($"/campaigns/contacts?q={word}&sort=email");
        await page.CheckAsync("#chosen [data-all]");
        await page.ClickAsync("#chosen button[value=merge]");
        await Expect(page.Locator("#merge h2")).ToHaveTextAsync("Fusionner 3 contacts en un seul ?");
        await page.Locator("#merge [type=radio]").Nth(1).CheckAsync();
        await page.ClickAsync("#merge .primary");

        await Expect(page.Locator("h1")).ToHaveTextAsync($"{word}.2@exemple.cg");
        (await Left(word)).ShouldBe(1);
    }

    private static async Task Point(IPage page, ILocator box, bool isTouch)
    {
        await box.EvaluateAsync("box => box.scrollIntoView({ block: 'center' })");
        var place = (await box.BoundingBoxAsync())!;
        var (x, y) = (place.X + place.Width / 2, place.Y + place.Height / 2);
        await (isTouch ? page.Touchscreen.TapAsync(x, y) : page.Mouse.ClickAsync(x, y));
    }

    private async Task<string> Contacts(int count)
    {
        var word = Catalogue.Word();
        await world.Execute("""
            insert into campaigns.contacts (user_id, email, name) select u.id, @word || '.' || i || '@exemple.cg', 'Personne ' || i
            from auth.users u, generate_series(1, @count) i where u.email = @email
            """, new { word, count, email = Cast.HeadOnPremium });
        return word;
    }

    private Task<long> Left(string word) =>
        world.Sql<long>("select count(*) from campaigns.contacts where email like @word || '.%'", new { word });
}
