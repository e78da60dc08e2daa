using System.Net.Http.Json;
using System.Text.Json;

namespace Sankore.Browser.Tests.Support;

/// <summary>The pages of campaigns, with something to show on each.</summary>
internal static class CampaignPlaces
{
    private const string Empty = "head.s0006@sankore.test";
    private const string Csv =
        "Organisation;Courriel;Nom\nLycée Savorgnan;a@exemple.cg;Marie\nÉcole du Centre;pas une adresse;Jean\nLycée "
        + "Savorgnan;A@exemple.cg;Marie\n";

    /// <summary>Their names.</summary>
    public static readonly string[] Names =
    [
        "campaigns", "campaigns-empty", "campaigns-list", "campaign-sending", "campaign-sent", "campaign-cancel", "campaign-sender",
        "campaign-audience", "campaign-people", "campaign-message", "campaign-review", "campaign-refused",
        "contacts", "contact-new", "contact-suppressed", "fields", "field", "organizations", "organization", "segments", "segment",
        "suppressions", "contacts-import", "contacts-import-columns", "contacts-import-done",
        "campaign-recipients", "campaign-outbox", "campaign-outbox-mail", "template", "pictures",
    ];

    /// <summary>Makes what they show, and says where they are.</summary>
    public static async Task<IEnumerable<Place>> Furnish(World world)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var left = await Post(
            head, "contacts", new { email = "parti@exemple.cg", organization = "Association des parents d’élèves du centre-ville" });
        return [.. await Contacts(world, head, left), .. await Imports(head), .. await Campaigns(world, head, left)];
    }

    private static async Task<IEnumerable<Place>> Contacts(World world, HttpClient head, Guid left)
    {
        await Post(
            head, "contacts",
            new
            {
                email = "amina@exemple.cg",
                name = "Amina Nkounkou",
                organization = "Lycée Savorgnan de Brazzaville",
                tags = new[] { "parents", "6e" },
                consentSource = "Inscription",
                consentOn = "2026-09-01",
            });
        await Post(head, "suppressions", new { email = "parti@exemple.cg", detail = "A changé d’école" });
        var field = await Post(head, "fields", new { label = "Classe", kind = "choice", choices = new[] { "6e", "5e" } });
        var conditions = new[] { new { key = "classe", op = "eq", value = "6e" } };
        var segment = await Post(
            head, "segments", new { name = "Parents", filter = new { tags = new[] { "parents" }, fields = conditions } });
        var organization = await world.Sql<Guid>("select organization_id from campaigns.contacts where id = @left", new { left });
        using var yard = PictureFiles.Form(PictureFiles.Of(800, 600), "La cour.png");
        await head.PostAsync(new Uri("/api/campaigns/pictures", UriKind.Relative), yard);
        return
        [
            new("pictures", Cast.HeadOnPremium, "/campaigns/pictures"),
            new("contacts", Cast.HeadOnPremium, "/campaigns/contacts"),
            new("contact-new", Cast.HeadOnPremium, "/campaigns/contacts/new"),
            new("contact-suppressed", Cast.HeadOnPremium, $"/campaigns/contacts/{left}"),
            new("fields", Cast.HeadOnPremium, "/campaigns/fields"),
            new("field", Cast.HeadOnPremium, $"/campaigns/fields/{field}"),
            new("organizations", Cast.HeadOnPremium, "/campaigns/organizations"),
            new("organization", Cast.HeadOnPremium, $"/campaigns/organizations/{organization}"),
            new("segments", Cast.HeadOnPremium, "/campaigns/segments"),
            new("segment", Cast.HeadOnPremium, $"/campaigns/segments/{segment}"),
            new("suppressions", Cast.HeadOnPremium, "/campaigns/suppressions"),
        ];
    }

    private static async Task<IEnumerable<Place>> Imports(HttpClient head)
    {
        var uploaded = await Upload(head, "false");
        var imported = await Upload(head, "true");
        await Waiting.Until(
            async () => (await head.GetFromJsonAsync<JsonElement>($"/api/campaigns/imports/{imported}")).GetProperty("status")
                .GetString() == "completed", "the file is imported");
        return
        [
            new("contacts-import", Cast.HeadOnPremium, "/campaigns/import"),
            new("contacts-import-columns", Cast.HeadOnPremium, $"/campaigns/import/{uploaded}"),
            new("contacts-import-done", Cast.HeadOnPremium, $"/campaigns/import/{imported}"),
        ];
    }

    private static async Task<IEnumerable<Place>> Campaigns(World world, HttpClient head, Guid left)
    {
        var draft = await Draft(head);
        (await head.PostAsJsonAsync($"/api/campaigns/{draft}/test", new { })).EnsureSuccessStatusCode();
        var mail = await world.Sql<Guid>("select id from campaigns.tries");
        await Waiting.Until(() => File.Exists(Path.Combine(world.OutboxFolder, $"{mail}.eml")), "the try is in the outbox");
        var template = await Post(
            head, "templates",
            new { name = "Rappel de paiement", subject = "Rappel pour {{contact.name}}", content = "<p>Bonjour {{contact.name}}</p>" });
        var (sending, sent) = (await Made(world, "Réunion des parents", "sending"), await Made(world, "Lettre de novembre", "sent"));
        await world.Execute("""
            insert into campaigns.campaign_links (campaign_id, user_id, number, url, clicks, people) select @sent, user_id, n,
              'https://exemple.cg/une-adresse-bien-longue/' || repeat('suite', n * 9), n * 7, n * 4
              from campaigns.email_campaigns, generate_series(1, 3) n where id = @sent;
            update campaigns.emails_sent set contact_id = @left where campaign_id = @sent and recipient_email like 'p2_@%'
            """, new { sent, left });
        return
        [
            new("campaigns", Cast.HeadOnPremium, "/campaigns"),
            new("campaigns-empty", Empty, "/campaigns"),
            new("campaigns-list", Cast.HeadOnPremium, "/campaigns/list"),
            new("campaign-sending", Cast.HeadOnPremium, $"/campaigns/{sending}"),
            new("campaign-sent", Cast.HeadOnPremium, $"/campaigns/{sent}"),
            new("campaign-recipients", Cast.HeadOnPremium, $"/campaigns/{sent}/recipients?sort=status"),
            new("campaign-outbox", Cast.HeadOnPremium, "/campaigns/outbox"),
            new("campaign-outbox-mail", Cast.HeadOnPremium, $"/campaigns/outbox/{mail}"),
            new("template", Cast.HeadOnPremium, $"/campaigns/templates/{template}"),
            new("campaign-cancel", Cast.HeadOnPremium, $"/campaigns/{sending}?confirm=cancel"),
            new("campaign-sender", Cast.HeadOnPremium, $"/campaigns/{draft}/edit/sender"),
            new("campaign-audience", Cast.HeadOnPremium, $"/campaigns/{draft}/edit/audience"),
            new(
                "campaign-people", Cast.HeadOnPremium, $"/campaigns/{draft}/edit/audience",
                page => page.ClickAsync("label[for=kind-contacts]")),
            new("campaign-message", Cast.HeadOnPremium, $"/campaigns/{draft}/edit/message?template={template}"),
            new("campaign-review", Cast.HeadOnPremium, $"/campaigns/{draft}/edit/review"),
            new(
                "campaign-refused", Cast.HeadOnPremium, "/campaigns/new",
                page => Places.Fill(page, ("#name", " "), ("#replyTo", "marie@exemple"))),
        ];
    }

    /// <summary>A campaign that is being written, with a large attachment.</summary>
    private static async Task<Guid> Draft(HttpClient head)
    {
        var draft = await Post(
            head, "",
            new
            {
                name = "Rentrée 2026 — portes ouvertes",
                subject = "Portes ouvertes, {{contact.name}}",
                content = "<p>Bonjour {{contact.name}}</p>",
            });
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(new byte[300_000]), "file", "Règlement intérieur de l’établissement, version définitive.pdf" },
        };
        (await head.PostAsync($"/api/campaigns/{draft}/attachments", form)).EnsureSuccessStatusCode();
        return draft;
    }

    private static async Task<Guid> Post(HttpClient client, string path, object body)
    {
        var answer = await client.PostAsJsonAsync($"/api/campaigns/{path}".TrimEnd('/'), body);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private static async Task<Guid> Upload(HttpClient client, string start)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(Csv), "file", "contacts du salon.csv" },
            { new StringContent(start), "start" },
        };
        var answer = await client.PostAsync("/api/campaigns/imports", form);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    /// <summary>A campaign on its way or through, with messages in every state; nobody works it.</summary>
    private static Task<Guid> Made(World world, string name, string status) => world.Sql<Guid>("""
        with campaign as (
          insert into campaigns.email_campaigns (user_id, name, subject, content, track_opens, track_clicks, status, started_at,
              finished_at)
          select id, @name, 'Objet', 'Texte', true, true, @status, now() - interval '3 minutes', case when @status = 'sent' then now() end
          from auth.users where email = @email returning id, user_id),
        messages as (
          insert into campaigns.emails_sent (user_id, campaign_id, recipient_email, recipient_organization, status, attempts, sent_at,
              error_code)
          select user_id, id, 'p' || i || '@' || (array['gmail.com', 'yahoo.fr', 'excellence.cg'])[1 + i % 3], 'Organisation ' || i % 7,
                 case when @status = 'sending' and i > 200 then 'pending' when i % 20 = 0 then 'bounced' when i % 33 = 0 then 'failed'
                   when i % 2 = 0 then 'delivered' else 'sent' end, case when i % 50 = 0 then 1 else 0 end,
                 case when not (@status = 'sending' and i > 200) and i % 33 <> 0 then now() - (i % 3) * interval '1 minute' end, case
                   when i % 33 = 0 then 'OUTCOME_UNKNOWN' end
          from campaign, generate_series(1, 300) i)
        select id from campaign
        """, new { name, status, email = Cast.HeadOnPremium });
}
