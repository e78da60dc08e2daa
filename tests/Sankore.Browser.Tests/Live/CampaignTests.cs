using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sankore.Browser.Tests.Live;

/// <summary>
/// A campaign from the file of contacts to its last figure, as its author sees it, with a mail server that takes its time where the test
/// says so.
/// </summary>
public sealed partial class CampaignTests(Chrome chrome)
{
    private const int Recipients = 60;

    [Fact]
    public async Task Contacts_are_imported_and_a_campaign_from_a_template_is_watched_while_sent()
    {
        var arrived = 0;
        await using var server = new ScriptedSmtp(command =>
            command.StartsWith(".\n", StringComparison.Ordinal) && Interlocked.Increment(ref arrived) >= 20 ? ScriptedSmtp.Hold : null);
        await using var world = await MailingWorld.Start(server.Port);
        await using var author = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var page = author.Page;

        await ImportContacts(page);
        await MakeTemplate(page);
        await DraftCampaign(page);
        await page.ClickAsync("[data-dialog=send]");
        await page.ClickAsync("#send[open] button.primary");
        await Expect(page.Locator(".head .badge")).ToHaveTextAsync("Envoi en progression");

        await author.Watch(new Uri(page.Url).AbsolutePath);
        var done = page.Locator("[data-field='done']");
        // Several messages leave together, and are written down together: how many are through is the server's affair, that the page says
        // so is not.
        await Waiting.Until(async () => await Done() > 0, "the first are through", 60);
        var seen = await Done();
        seen.ShouldBeLessThan(Recipients);
        await Waiting.Until(async () =>
        {
            server.ReleaseHeld();
            return await Done() > seen;
        }, "the open page says that more are through", 60);
        server.Release();
        await Expect(page.Locator(".head .badge")).ToHaveTextAsync("Campagne terminée");
        await Expect(done).ToHaveTextAsync($"{Recipients}");
        await author.WasNotReloaded();

        await FiguresAre(page, [.. server.Mails]);
        author.Errors.ShouldBeEmpty();

        async Task<int> Done() => int.Parse(await done.InnerTextAsync(), CultureInfo.InvariantCulture);
    }

    private static async Task ImportContacts(IPage page)
    {
        var rows = Enumerable.Range(0, Recipients).Select(i => $"Personne {i};p{i}@exemple{i % 3}.cg;Lycée {i % 4}")
            .Append("Personne 0;p0@exemple0.cg;Lycée 0").Append("Personne X;pas une adresse;Lycée 1");
        await page.GotoAsync("/campaigns/import");
        await page.SetInputFilesAsync(
            "#file",
            new FilePayload
            {
                Name = "rentrée.csv",
                MimeType = "text/csv",
                Buffer = Encoding.UTF8.GetBytes("Contact;Courriel;Structure\n" + string.Join('\n', rows)),
            });
        await page.ClickAsync("form.form button.primary");
        await page.SelectOptionAsync("#email", new SelectOptionValue { Label = "B · Courriel" });
        await page.SelectOptionAsync("#organization", new SelectOptionValue { Label = "C · Structure" });
        await page.SelectOptionAsync("#name", new SelectOptionValue { Label = "A · Contact" });
        await page.ClickAsync("form button.primary");
        await Expect(page.GetByText("Import terminé")).ToBeVisibleAsync();
        foreach (var count in (string[])[$"{Recipients} importés", "1 doublon", "1 ligne à corriger"])
        {
            await Expect(page.Locator("a.badge").GetByText(count, new LocatorGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        }
        await Expect(page.GetByRole(AriaRole.Cell, new PageGetByRoleOptions { Name = "pas une adresse" })).ToBeVisibleAsync();
    }

    private static async Task MakeTemplate(IPage page)
    {
        await page.GotoAsync("/campaigns/templates/new?start=blank&html=true");
        await page.FillAsync("#name", "Rentrée");
        await page.FillAsync("#subject", "Rentrée de {{organization.name}}");
        await page.FillAsync(
            "#content",
            "<p>Bonjour {{contact.name}}, les portes sont ouvertes samedi.</p><p><a href=\"{{unsubscribe_url}}\">Se désinscrire</a></p>");
        await page.ClickAsync(".editor form.form button.primary");
        await Expect(page.Locator(".flash.ok")).ToBeVisibleAsync();
    }

    /// <summary>The four steps.</summary>
    private static async Task DraftCampaign(IPage page)
    {
        await page.GotoAsync("/campaigns/new");
        await page.FillAsync("#name", "Portes ouvertes");
        await page.ClickAsync("form.form button.primary");
        await page.CheckAsync("input[value=all]");
        await page.ClickAsync("form.form button.primary");
        await page.SelectOptionAsync("#template", new SelectOptionValue { Label = "Rentrée" });
        await page.GetByText("Utiliser ce modèle").ClickAsync();
        await Expect(page.Locator("#subject")).ToHaveValueAsync("Rentrée de {{organization.name}}");
        await page.ClickAsync("#message button.primary");
        await Expect(page.Locator("dl.kv")).ToContainTextAsync($"{Recipients} · {Recipients} contacts");
    }

    /// <summary>What the page says of the campaign is what the mail server took: of each recipient one message, in their name.</summary>
    private static async Task FiguresAre(IPage page, IReadOnlyList<string> mails)
    {
        var recipients = mails.Select(m => Recipient().Match(m).Groups[1].Value).ToList();
        recipients.Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(0, Recipients).Select(i => $"p{i}@exemple{i % 3}.cg").Order(StringComparer.Ordinal));
        mails.ShouldAllBe(m => m.Contains("Bonjour Personne ", StringComparison.Ordinal));
        await Expect(page.Locator("[data-field='sent']")).ToHaveTextAsync($"{recipients.Count}");
        await Expect(page.Locator("[data-field='successRate']")).ToHaveTextAsync(new Regex("^100\\s%$"));
        foreach (var domain in recipients.CountBy(r => r.Split('@')[1]))
        {
            await Expect(page.Locator("tr", new PageLocatorOptions { HasText = domain.Key }).Locator("td.num").First)
                .ToHaveTextAsync(domain.Value.ToString(CultureInfo.InvariantCulture));
        }
        foreach (var organization in Enumerable.Range(0, Recipients).CountBy(i => $"Lycée {i % 4}"))
        {
            await Expect(page.Locator("tr", new PageLocatorOptions { HasText = organization.Key }).Locator("td.num").First)
                .ToHaveTextAsync(organization.Value.ToString(CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex("^To: .*?([a-z0-9]+@[a-z0-9.]+)>?\r?$", RegexOptions.Multiline)]
    private static partial Regex Recipient();
}
