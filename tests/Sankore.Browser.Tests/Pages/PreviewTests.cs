namespace Sankore.Browser.Tests.Pages;

/// <summary>
/// A message is looked at while it is written, as often as one likes, with and without the page's script; its own frame runs none.
/// </summary>
public sealed class PreviewTests(World world, Chrome chrome) : IClassFixture<World>
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task What_is_written_is_shown_again_and_again_and_is_sent_by_saving_only(bool script)
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Script: script));
        var page = person.Page;
        await page.GotoAsync("/campaigns/templates/new?start=letter");
        var frame = page.FrameLocator("iframe[name=preview]");
        await Expect(frame.Locator("header b")).ToHaveTextAsync("Les nouvelles de l’école — [[mars]]");
        await Expect(frame.FrameLocator("iframe").Locator("h1")).ToHaveTextAsync("Les nouvelles de mars");
        foreach (var subject in new[] { "Un", "Deux", "Trois" })
        {
            await page.FillAsync("#subject", subject + " {{contact.name}}");
            await page.ClickAsync("button[formtarget=preview]");
            await Expect(frame.Locator("header b")).ToHaveTextAsync(subject + " Amina N’Kounkou");
        }
        await page.FillAsync("#subject", "{{contact.nom}}");
        await page.ClickAsync("button[formtarget=preview]");
        await Expect(frame.GetByRole(AriaRole.Alert)).ToContainTextAsync("Champ inconnu : contact.nom");
        (await world.Sql<long>("select count(*) from campaigns.email_templates")).ShouldBe(0);

        await page.FillAsync("#subject", "Trois");
        await page.ClickAsync("form.form button.primary");
        await Expect(page.Locator(".flash.ok")).ToBeVisibleAsync();
        await Expect(frame.Locator("header b")).ToHaveTextAsync("Trois");
        (await world.Execute("delete from campaigns.email_templates")).ShouldBe(1);
        person.Errors.ShouldBeEmpty();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_campaign_from_a_template_is_previewed_and_takes_files_without_losing_text(bool script)
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Script: script));
        var page = person.Page;
        await world.Execute(
            "insert into campaigns.email_templates (user_id, name, subject, content) select id, 'Rentrée', 'Du modèle', "
            + "'<h1>Modèle</h1>' from auth.users where email = @email", new { email = Cast.HeadOnPremium });
        await page.GotoAsync("/campaigns/new");
        await page.FillAsync("#name", "Portes ouvertes");
        await page.ClickAsync("form.form button.primary");
        await page.GotoAsync(page.Url.Replace("/audience", "/message", StringComparison.Ordinal));
        await page.SelectOptionAsync("#template", new SelectOptionValue { Label = "Rentrée" });
        await page.ClickAsync(".tools button");
        await Expect(page.Locator("#subject")).ToHaveValueAsync("Du modèle");
        var frame = page.FrameLocator("iframe[name=preview]");
        await Expect(frame.Locator("header b")).ToHaveTextAsync("Du modèle");

        await page.FillAsync("#subject", "Écrit par {{sender.name}}");
        await page.SetInputFilesAsync(
            "#file", new FilePayload { Name = "Élèves \"6e\".csv", MimeType = "text/html", Buffer = "a;b"u8.ToArray() });
        await page.ClickAsync("button[formtarget=preview]");
        await Expect(frame.Locator("header b")).ToContainTextAsync("Écrit par ");
        await page.ClickAsync("button[value=attach]");
        await Expect(page.Locator(".feed li")).ToContainTextAsync("Élèves");
        await Expect(page.Locator("#subject")).ToHaveValueAsync("Écrit par {{sender.name}}");
        await person.Choose("#file", "g.bin", new byte[6 * 1024 * 1024]);
        await page.FillAsync("#subject", "Et encore");
        await page.ClickAsync("button[value=attach]");
        await Expect(page.Locator("#file-err")).ToContainTextAsync("5 Mo");
        await Expect(page.Locator("#subject")).ToHaveValueAsync("Et encore");
        await page.ClickAsync(".feed button");
        await Expect(page.Locator(".feed li")).ToHaveCountAsync(0);
        await page.PressAsync("#subject", "Enter");
        await Expect(page.Locator("[aria-current=step]")).ToContainTextAsync("4");
        person.Errors.ShouldBeEmpty();
        await world.Execute("delete from campaigns.email_campaigns; delete from campaigns.email_templates");
    }

    [Fact]
    public async Task The_frame_is_as_wide_as_a_phone_or_as_a_computer()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(Script: false));
        var page = person.Page;
        await page.GotoAsync("/campaigns/templates/new");
        var mail = page.FrameLocator("iframe[name=preview]").FrameLocator("iframe").Locator("html");
        await Expect(mail).ToBeVisibleAsync();
        (await mail.EvaluateAsync<int>("html => html.ownerDocument.defaultView.innerWidth")).ShouldBeLessThanOrEqualTo(360);
        await page.ClickAsync("label[for=width-desktop]");
        (await mail.EvaluateAsync<int>("html => html.ownerDocument.defaultView.innerWidth")).ShouldBeGreaterThan(600);
        person.Errors.ShouldBeEmpty();
    }
}
