using System.Text;
using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>Whoever left has left, in whatever spelling their address comes again; and is found however they are looked for.</summary>
public sealed class SpellingTests(World world) : IClassFixture<World>
{
    private const string Email = Cast.HeadOnPremium;

    public static TheoryData<string, string> Spellings => new()
    {
        { "école.cg", "xn--cole-9oa.cg" }, { "xn--cole-9oa.cg", "ÉCOLE.CG" }, { "e\u0301cole.cg", "école。cg" },
        { "exem\u00ADple.cg", "exemple.cg\u200B" }, { "exemple.cg", "\uFEFFEXEMPLE.cg" },
    };

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task Who_left_is_not_written_to_in_another_spelling(string left, string again)
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/suppressions", new { email = $"josé.{word}@{left}" }).Json(201);
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/suppressions", new { email = $"JOSE\u0301.{word}@{again}" })
            .ShouldRefuse(409, "SUPPRESSION_EXISTS");
        await Import(client, $"Email\njose\u0301.{word}@{again}\nfine.{word}@exemple.cg\n", word);

        var segment = await Segment(client, new { tags = new[] { word } });
        var found = (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?tag={word}&sort=email").Json()).GetProperty("items")
            .EnumerateArray().ToList();
        found.Select(c => c.GetProperty("suppression").GetString()).ShouldBe([null, "manual"]);
        var audience = await client.Ask(HttpMethod.Post, $"{Mailings.Api}/audience", new { kind = "segment", segmentId = segment }).Json();
        (audience.Number("contacts"), audience.Number("recipients")).ShouldBe((2, 1));
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);
        (await client.Until(campaign, "sent")).Number("total").ShouldBe(1);
        // Whatever comes to the table, and by whom.
        var user = await world.IdOf(Email);
        await Should.ThrowAsync<Npgsql.PostgresException>(() => world.Execute("""
            insert into campaigns.emails_sent (user_id, campaign_id, recipient_email) values (@user, @id, @address)
            """, new { user, id = campaign.Id(), address = $"José.{word}@{again}" }));
    }

    [Fact]
    public async Task One_person_is_one_contact_in_every_spelling()
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var made = await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new { email = $"mailto:By.{word}@École.CG " }).Json(201);
        made.Text("email").ShouldBe($"by.{word}@xn--cole-9oa.cg");
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new { email = $"by.{word}@e\u0301cole.cg" })
            .ShouldRefuse(409, "CONTACT_EXISTS");
        var import = await Import(client, $"Email;Nom\nBY.{word}@école.cg;Bya\nby.{word}@xn--cole-9oa.cg\u200B;Bya\n", word);
        (import.Number("imported"), import.Number("updated"), import.Number("duplicate")).ShouldBe((0, 1, 1));
        var campaign = await client.Ask(
            HttpMethod.Post, Mailings.Api, new { name = word, replyTo = $" Bureau.{word}@École.cg\u200B" }).Json(201);
        campaign.Text("replyTo").ShouldBe($"bureau.{word}@xn--cole-9oa.cg");
    }

    [Fact]
    public async Task What_is_too_long_is_cut_between_characters()
    {
        using var client = await world.As(Email);
        var cut = new string('x', 99) + "😀";
        await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?q={Uri.EscapeDataString(cut + cut)}").Json();
        for (var length = 110; length <= 118; length++)
        {
            var template = await client.Ask(HttpMethod.Post, $"{Mailings.Api}/templates", new
            {
                name = new string('x', length) + "😀",
                subject = "a",
                content = "b",
            }).Json(201);
            await client.Ask(HttpMethod.Post, $"{Mailings.Api}/templates/{template.Id()}/duplicate").Json(201);
        }
        var cell = new string('x', 1999) + "😀😀";
        string[] files = [$"<table><tr><td>Nom<td>Email<tr><td>{cell}<td>a@exemple.cg</table>", $"Nom;Email\n{cell};a@exemple.cg\n"];
        foreach (var file in files)
        {
            (await Import(client, file, Catalogue.Word(), new string('x', 199) + "😀.csv")).Number("invalid").ShouldBe(1);
        }
    }

    [Theory]
    [InlineData("q", "lycee elisee", true), InlineData("q", "LYCÉE ÉLISÉE", true), InlineData("q", "L’ELEVE", true)]
    [InlineData("q", "elise\u0301e", true), InlineData("q", "lycée élisa", false)]
    [InlineData("domain", "école-elisee.cg", true), InlineData("domain", "@XN--COLE-ELISEE-99A.cg", true)]
    [InlineData("domain", "cg", false)]
    public async Task Segments_and_searches_find_without_accents(string by, string what, bool isFound)
    {
        using var client = await world.As(Email);
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new
        {
            email = $"l.{Catalogue.Word()}@école-elisee.cg",
            name = "L'élève",
            organization = "Lycée  Élisée",
        }).Json(201);
        var segment = await Segment(client, new Dictionary<string, string> { [by] = what });
        var list = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?segmentId={segment}").Json();
        (list.Number("total") > 0).ShouldBe(isFound);
        if (by == "q")
        {
            var search = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?q={Uri.EscapeDataString(what)}").Json();
            (search.Number("total") > 0).ShouldBe(isFound);
        }
    }

    [Theory]
    [InlineData("/api/groups?q=", "Groupe Étoilé", "/api/groups", "groupe etoile")]
    [InlineData("/api/campaigns?q=", "Fête de l’École", "/api/campaigns", "fete de l'ecole")]
    [InlineData("/api/campaigns/organizations?q=", "Collège Bétou", "/api/campaigns/organizations", "COLLEGE betou")]
    public async Task Every_search_finds_without_accents(string search, string name, string make, string words)
    {
        using var client = await world.As(make.StartsWith(Mailings.Api, StringComparison.Ordinal) ? Email : Cast.Super);
        await client.Ask(HttpMethod.Post, make, new { name }).Json(201);
        (await client.Ask(HttpMethod.Get, search + Uri.EscapeDataString(words)).Json()).Number("total").ShouldBe(1);
        (await client.Ask(HttpMethod.Get, search + Uri.EscapeDataString(words + " x")).Json()).Number("total").ShouldBe(0);
    }

    private static async Task<Guid> Segment(HttpClient client, object filter) =>
        (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/segments", new { name = Catalogue.Word(), filter }).Json(201)).Id();

    private static async Task<JsonElement> Import(HttpClient client, string csv, string tag, string name = "x.csv")
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(Encoding.UTF8.GetBytes(csv)), "file", name }, { new StringContent(tag), "tags" },
        };
        var id = (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/imports", form).Json(202)).Id();
        JsonElement import = default;
        await Waiting.Until(
            async () => (import = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/imports/{id}").Json()).Text("status") == "completed",
            "it is imported");
        return import;
    }
}
