using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>Contacts, organisations, segments and the suppression list, through the API as their user.</summary>
public sealed class ContactsTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns";

    [Fact]
    public async Task A_contact_brings_its_organisation_and_finds_it_again_in_any_spelling()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var first = await Add(head, $" {word.ToUpperInvariant()}@Exemple.CG ", $"École  l’Étoile {word}");
        first.Text("email").ShouldBe($"{word}@exemple.cg");
        string[] spellings =
        [
            $"ecole L'étoile {word}", $"ÉCOLE L’ETOILE {word.ToUpperInvariant()}", $"École l’Étoile   {word} ",
        ];
        foreach (var spelling in spellings)
        {
            var other = await Add(head, $"{Catalogue.Word()}@exemple.cg", spelling);
            other.GetProperty("organizationId").GetGuid().ShouldBe(first.GetProperty("organizationId").GetGuid(), spelling);
            other.Text("organizationName").ShouldBe(first.Text("organizationName"));
        }
        var organization = (await head.Ask(HttpMethod.Get, $"{Api}/organizations?q={word}").Json()).GetProperty("items").EnumerateArray()
            .ShouldHaveSingleItem();
        organization.GetProperty("contacts").GetInt64().ShouldBe(4);

        await head.Ask(
            HttpMethod.Put, $"{Api}/organizations/{organization.Id()}", new { name = $"Renommée {word}" },
            ifMatch: $"\"{organization.GetProperty("version")}\"").Json();
        (await head.Ask(HttpMethod.Get, $"{Api}/contacts/{first.Id()}").Json()).Text("organizationName").ShouldBe($"Renommée {word}");
        await head.Ask(HttpMethod.Delete, $"{Api}/organizations/{organization.Id()}").Json(204);
        (await head.Ask(HttpMethod.Get, $"{Api}/contacts/{first.Id()}").Json()).GetProperty("organizationName")
            .ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task An_address_is_one_contacts_of_a_user_and_anybody_elses_too()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var email = $"{Catalogue.Word()}@exemple.cg";
        await Add(head, email, null);
        (await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = email.ToUpperInvariant() }).ShouldRefuse(409, "CONTACT_EXISTS"))
            .Text("title").ShouldContain(" ");
        await Add(admin, email, null);
    }

    [Fact]
    public async Task What_is_written_wrong_is_said_beside_its_field()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var problem = await head.Ask(HttpMethod.Post, $"{Api}/contacts", new
        {
            email = "pas une adresse",
            name = new string('n', 201),
            organization = new string('o', 201),
            consentSource = new string('s', 201),
            consentOn = "hier",
            tags = Enumerable.Range(0, 21).Select(i => $"t{i}"),
        }).ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names()
            .ShouldBe(["email", "name", "organization", "consentSource", "consentOn", "tags"], ignoreOrder: true);
        foreach (var field in problem.GetProperty("errors").Names())
        {
            problem.ErrorOf(field);
        }
        await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = 12 }).ShouldRefuse(400, "BAD_REQUEST");
        await head.Ask(HttpMethod.Get, $"{Api}/contacts?sort=password").ShouldRefuse(400, "VALIDATION_FAILED");
    }

    [Fact]
    public async Task A_change_that_is_based_on_an_old_version_is_refused()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var contact = await Add(head, $"{Catalogue.Word()}@exemple.cg", "Lycée");
        var input = new
        {
            email = contact.Text("email"),
            name = "Marie",
            tags = new[] { " Parents ", "parents", "6e" },
            consentSource = "Inscription",
            consentOn = "2026-09-01",
        };
        var saved = await head.Ask(HttpMethod.Put, $"{Api}/contacts/{contact.Id()}", input, ifMatch: "\"1\"").Json();
        saved.GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["parents", "6e"]);
        saved.GetProperty("organizationName").ValueKind.ShouldBe(JsonValueKind.Null, "left out");
        saved.GetProperty("consentAt").GetDateTime().ShouldBe(new DateTime(2026, 8, 31, 23, 0, 0, DateTimeKind.Utc));
        await head.Ask(HttpMethod.Put, $"{Api}/contacts/{contact.Id()}", input, ifMatch: "\"1\"").ShouldRefuse(412, "STALE");
        await head.Ask(HttpMethod.Put, $"{Api}/contacts/{contact.Id()}", input).ShouldRefuse(428, "VERSION_REQUIRED");
        await head.Ask(HttpMethod.Put, $"{Api}/contacts/{Guid.NewGuid()}", input, ifMatch: "\"1\"").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Merged_contacts_are_one_with_what_each_knew()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var kept = await Add(head, $"{word}.a@exemple.cg", null);
        var gone = await head.Ask(
            HttpMethod.Post, $"{Api}/contacts",
            new
            {
                email = $"{word}.b@exemple.cg",
                name = "Ruth",
                organization = $"Lycée {word}",
                tags = new[] { "x" },
                consentSource = "Salon",
                consentOn = "2026-01-02",
            }).Json(201);
        var merged = await head.Ask(HttpMethod.Post, $"{Api}/contacts/{kept.Id()}/merge", new { ids = new[] { gone.Id(), kept.Id() } })
            .Json();
        (merged.Text("email"), merged.Text("name"), merged.Text("organizationName"), merged.Text("consentSource"))
            .ShouldBe(($"{word}.a@exemple.cg", "Ruth", $"Lycée {word}", "Salon"));
        await head.Ask(HttpMethod.Get, $"{Api}/contacts/{gone.Id()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Merged_organisations_are_one_with_the_contacts_of_all()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var (a, b) = (await Add(head, $"{word}.a@exemple.cg", $"{word} A"), await Add(head, $"{word}.b@exemple.cg", $"{word} B"));
        var merged = await head.Ask(
            HttpMethod.Post, $"{Api}/organizations/{a.GetProperty("organizationId")}/merge",
            new { ids = new[] { b.GetProperty("organizationId").GetGuid() } }).Json();
        merged.GetProperty("contacts").GetInt64().ShouldBe(2);
        (await head.Ask(HttpMethod.Get, $"{Api}/contacts/{b.Id()}").Json()).Text("organizationName").ShouldBe($"{word} A");
        (await head.Ask(HttpMethod.Get, $"{Api}/organizations?q={word}").Json()).GetProperty("total").GetInt64().ShouldBe(1);
    }

    [Theory, InlineData("contacts"), InlineData("organizations")]
    public async Task Of_two_opposite_merges_at_once_one_is_done_and_the_other_finds_nobody(string kind)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        for (var i = 0; i < 10; i++)
        {
            var word = Catalogue.Word();
            JsonElement[] two =
                [await Add(head, $"{word}.a@exemple.cg", $"{word} A"), await Add(head, $"{word}.b@exemple.cg", $"{word} B")];
            var ids = two.Select(c => kind is "contacts" ? c.Id() : c.GetProperty("organizationId").GetGuid()).ToArray();
            var answers = await Task.WhenAll(
                Enumerable.Range(0, 6).Select(n => head.Post($"{Api}/{kind}/{ids[n % 2]}/merge", new { ids = new[] { ids[1 - n % 2] } })));
            answers.Select(a => a.Code).Distinct().Order().ShouldBe([null, "NOT_FOUND"]);
            (await head.Ask($"{Api}/{kind}?q={word}")).Items.Count.ShouldBe(1);
        }
    }

    [Fact]
    public async Task A_segment_finds_those_for_whom_all_of_it_holds()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var a = await head.Ask(
            HttpMethod.Post, $"{Api}/contacts",
            new
            {
                email = $"{word}.a@ici.cg",
                organization = $"{word} Nord",
                tags = new[] { word, $"{word}-parents" },
                consentOn = "2026-01-02",
            }).Json(201);
        await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = $"{word}.b@ici.cg", tags = new[] { word } }).Json(201);
        await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = $"{word}.c@la.cg", tags = new[] { word } }).Json(201);
        foreach (var (filter, expected) in new (object, int)[]
        {
            (new { tags = new[] { word } }, 3), (new { tags = new[] { word, $"{word}-parents" } }, 3),
                (new { tags = new[] { $"{word}-PARENTS" } }, 1), (new { tags = new[] { word }, domain = "ICI.cg" }, 2),
                (new { tags = new[] { word }, consent = true }, 1),
            (new { tags = new[] { word }, consent = false }, 2), (new { q = $"{word} NORD" }, 1), (new { q = "100%_" }, 0),
            (new { tags = new[] { word }, organizationIds = new[] { a.GetProperty("organizationId").GetGuid() } }, 1),
            (new { organizationIds = new[] { Guid.NewGuid() } }, 0),
        })
        {
            var segment = await head.Ask(HttpMethod.Post, $"{Api}/segments", new { name = Catalogue.Word(), filter }).Json(201);
            segment.GetProperty("contacts").GetInt32().ShouldBe(expected, segment.ToString());
            (await head.Ask(HttpMethod.Get, $"{Api}/contacts?segmentId={segment.Id()}").Json()).GetProperty("total").GetInt32()
                .ShouldBe(expected);
        }
    }

    [Fact]
    public async Task Nobody_takes_those_off_the_list_who_left_by_themselves()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var (user, word) = (await world.IdOf(Cast.HeadOnPremium), Catalogue.Word());
        var manual = await head.Ask(HttpMethod.Post, $"{Api}/suppressions", new { email = $"{word}.m@exemple.cg", detail = "Concurrent" })
            .Json(201);
        manual.Text("reason").ShouldBe("manual");
        await head.Ask(HttpMethod.Post, $"{Api}/suppressions", new { email = $"{word}.M@exemple.cg" })
            .ShouldRefuse(409, "SUPPRESSION_EXISTS");
        await world.Execute(
            "insert into campaigns.suppressions (user_id, email, reason) select @user, @word || '.' || r || '@exemple.cg', r"
            + " from unnest(array['unsubscribed', 'complained', 'bounced']) r", new { user, word });
        await Add(head, $"{word}.unsubscribed@exemple.cg", null);
        (await head.Ask(HttpMethod.Get, $"{Api}/contacts?q={word}&suppressed=true").Json()).GetProperty("items").Texts("suppression")
            .ShouldBe(["unsubscribed"]);
        foreach (var row in (await head.Ask(HttpMethod.Get, $"{Api}/suppressions?q={word}").Json()).GetProperty("items").EnumerateArray())
        {
            var removed = head.Ask(HttpMethod.Delete, $"{Api}/suppressions/{row.Id()}");
            await (
                row.Text("reason") is "unsubscribed" or "complained" ? removed.ShouldRefuse(409, "SUPPRESSION_KEPT") : removed.Json(204));
        }
        (await head.Ask(HttpMethod.Get, $"{Api}/suppressions?q={word}").Json()).GetProperty("total").GetInt32().ShouldBe(2);
        await head.Ask(HttpMethod.Delete, $"{Api}/suppressions/{Guid.NewGuid()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Whoever_has_not_the_module_has_none_of_it()
    {
        foreach (var email in new[] { Cast.HeadOnEssentiel, Cast.Super })
        {
            using var other = await world.As(email);
            await other.Ask(HttpMethod.Get, $"{Api}/contacts").ShouldRefuse(403, "MODULE_REFUSED");
            await other.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = "a@exemple.cg" }).ShouldRefuse(403, "MODULE_REFUSED");
        }
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, $"{Api}/contacts").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    [Fact]
    public async Task Open_pages_are_told_and_the_dashboard_counts()
    {
        using var head = await world.As("head.s0004@sankore.test");
        await using var feed = await LiveClient.Open(world.Address, await world.Token("head.s0004@sankore.test"));
        await Add(head, $"{Catalogue.Word()}@exemple.cg", "Lycée");
        foreach (var table in (string[])["campaigns.contacts", "campaigns.organizations", "campaigns.user_counts"])
        {
            await feed.Next(e => e.Table == table && e.Op == "UPDATE" && e.Data.Text("id") == "", $"pages that show {table} are told");
        }
        var dashboard = await head.Ask(HttpMethod.Get, $"{Api}/dashboard").Json();
        (dashboard.GetProperty("totalContacts").GetInt32(), dashboard.GetProperty("totalOrganizations").GetInt32()).ShouldBe((1, 1));
    }

    private static Task<JsonElement> Add(HttpClient client, string email, string? organization) =>
        client.Ask(HttpMethod.Post, $"{Api}/contacts", new { email, organization }).Json(201);
}
