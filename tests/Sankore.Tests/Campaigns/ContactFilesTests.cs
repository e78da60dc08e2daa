using System.Text;
using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// Files of contacts as offices keep them, sixty of our own making (<c>Files/NOTICE.md</c>): each comes in as whoever keeps it would
/// expect, row by row, and what goes out comes in again.
/// </summary>
public sealed class ContactFilesTests(World world) : IClassFixture<World>
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests/Sankore.Tests/Campaigns/Files");

    private sealed record Line(string Kind, string Email, string Name, string Organization);

    private static readonly ILookup<string, Line> Expected = File.ReadLines(Path.Combine(Folder, "expected.tsv"))
        .Select(l => l.Split('\t')).ToLookup(c => c[0], c => new Line(
            c[1], c[2], c.ElementAtOrDefault(3) ?? "", c.ElementAtOrDefault(4) ?? ""));

    public static TheoryData<string> Names => [.. Expected.Select(f => f.Key)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_file_comes_in_as_its_office_keeps_it(string name)
    {
        using var client = await world.As(Cast.HeadOnPremium);
        var import = await Import(client, name, await File.ReadAllBytesAsync(
            Path.Combine(Folder, name), TestContext.Current.CancellationToken));
        import.Text("status").ShouldBe("completed", import.ToString());
        var due = Expected[name].ToList();

        var contacts = await Contacts(name);
        contacts.ShouldBe(due.Where(l => l.Kind == "contact").Select(l => $"{l.Email}|{l.Name}|{l.Organization}")
            .Order(StringComparer.Ordinal));
        import.Number("invalid").ShouldBe(due.Count(l => l.Kind == "invalid"), import.ToString());
    }

    [Theory]
    [InlineData("google-contacts.csv", "goo1@exemple.cg|Amina Mabiala|", 0)]
    [InlineData("html-table.xls", "ht1@exemple.cg||Lycée A", 0)]
    [InlineData("long-org.csv", "lo21795870910@exemple.cg||X", 1)]
    [InlineData("macroman.csv", "mr1@exemple.cg||Lycée Élan\nmr2@exemple.cg||Collège Août", 0)]
    [InlineData("merged-org.xlsx", "m1@exemple.cg||Lycée A\nm2@exemple.cg||Lycée A\nm3@exemple.cg||Lycée A\nm4@exemple.cg||Lycée B", 0)]
    [InlineData("nom-prenom-1252.csv", "np1@exemple.cg|Aimée MABIALA|Lycée Chaminade\nnp2@exemple.cg|Désiré NGOMA|Lycée Chaminade", 0)]
    [InlineData("notes-first.xlsx", "n1@exemple.cg||Lycée A", 0)]
    [InlineData("one-odd-1.csv", "\"a@b\"@exemple.cg||\nok1@exemple.cg||", 0)]
    [InlineData("own-export.csv",
        "-rt21795870910@exemple.cg|=Paul|Lycée Savorgnan\nrt11795870910@exemple.cg|Amina Mabiala|Lycée Savorgnan", 0)]
    [InlineData("reimport-variants.csv",
        "by1795870678@xn--cole-9oa.cg||\nby1795870678z@exemple.cg||\njosé1795870678@exemple.cg||", 0)]
    [InlineData("space-quote.csv", "sq11795870910@exemple.cg||Lycee A\nsq21795870910@exemple.cg||Lycee B", 0)]
    [InlineData("title-comma.csv", "tc1@exemple.cg|Amina|Lycee A\ntc2@exemple.cg|Paul|Lycee B", 0)]
    public async Task A_file_that_an_office_was_refused_comes_in(string name, string contacts, int invalid)
    {
        using var client = await OfNobody();
        var import = await Import(client, name, await File.ReadAllBytesAsync(
            Path.Combine(Folder, "cases", name), TestContext.Current.CancellationToken), tag: false);
        (import.Text("status"), import.Number("invalid")).ShouldBe(("completed", invalid), import.ToString());
        (await world.Rows<string>("""
            select email || '|' || coalesce(name, '') || '|' || coalesce(organization_name, '') from campaigns.contacts
            order by email collate "C"
            """)).ShouldBe(contacts.Split('\n'));
    }

    [Theory]
    [InlineData("a@b.cg", "a@b.cg"), InlineData("Nom <A@b.cg>", "a@b.cg=Nom"), InlineData("\"Koné, Paul\" <p@b.cg>", "p@b.cg=Koné, Paul")]
    [InlineData("Koné, Paul <p@b.cg>", "p@b.cg=Koné, Paul"), InlineData("a@b.cg; c@d.cg", "a@b.cg c@d.cg")]
    [InlineData("a@b.cg;", "a@b.cg"), InlineData("a@b.cg.", "a@b.cg"), InlineData("a@b.cg / c@d.cg", "a@b.cg c@d.cg")]
    [InlineData("a@b.cg ou c@d.cg", "a@b.cg c@d.cg"), InlineData("mailto:a@b.cg", "a@b.cg"), InlineData("a@b.cg, A@B.CG", "a@b.cg")]
    [InlineData("\"a;b\"@b.cg", "\"a;b\"@b.cg"), InlineData("a/b@b.cg", "a/b@b.cg"), InlineData("(a@b.cg)", "a@b.cg")]
    [InlineData("a@b.cg c@d.cg", "a@b.cg c@d.cg"), InlineData("a@b.cg (Paul Koné)", "a@b.cg=Paul Koné"), InlineData("a@b.cg c", "")]
    [InlineData("Amina <a@b.cg> Paul <c@d.cg>", "a@b.cg=Amina c@d.cg=Paul"), InlineData("<a@b.cg> <c@d.cg>", "a@b.cg c@d.cg")]
    [InlineData("a@b.cg (c@d.cg)", "a@b.cg c@d.cg"), InlineData("c@d.cg <c@d.cg>", "c@d.cg"), InlineData("'A@b.cg' <a@b.cg>", "a@b.cg")]
    [InlineData("a@b", ""), InlineData("a@b.cg; c@", ""), InlineData("a b@c.cg", ""), InlineData("NGOMA, a@b.cg", ""), InlineData("", "")]
    public void The_addresses_of_a_cell_are_all_found_or_none(string cell, string found) => string.Join(
        ' ', Sankore.Campaigns.AddressCell.Read(cell).Select(a => a.Address + (a.Name is null ? "" : "=" + a.Name))).ShouldBe(found);

    [Theory]
    [InlineData("fr", "csv"), InlineData("en", "csv"), InlineData("fr", "xlsx"), InlineData("en", "xlsx")]
    public async Task What_goes_out_comes_in_again_the_same(string language, string format)
    {
        using var client = await OfNobody();
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        object[] contacts =
        [
            new { email = "amina@exemple.cg", name = "Amina Mabiala", organization = "Lycée Savorgnan", tags = new[] { "6e", "parents" } },
            new
            {
                email = "-rt2@exemple.cg",
                name = "=Paul",
                organization = "@Collège",
                consentSource = "+Formulaire",
                consentOn = "2026-03-01",
            },
            new { email = "\"a@b\"@exemple.cg", name = "'=Jean; \"dit\" Ko,\u00A0né", organization = "-1" },
            new { email = "seul@école.cg" }, new { email = "o'neil@exemple.cg", name = "'", organization = "École | Sud" },
            new { email = "nom@exemple.cg", name = "Nom" }, new { email = "x@exemple.cg", organization = "Organisation" },
        ];
        foreach (var contact in contacts)
        {
            await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", contact).Json(201);
        }
        var before = await Export(client, format);
        var rows = await world.Rows<string>(AllSql);
        var unchanged = await Import(client, $"contacts.{format}", before, tag: false);
        (unchanged.Number("unchanged"), unchanged.Number("invalid")).ShouldBe((contacts.Length, 0), unchanged.ToString());

        await world.Execute("delete from campaigns.contacts; delete from campaigns.organizations");
        (await Import(client, $"contacts.{format}", before, tag: false)).Number("imported").ShouldBe(contacts.Length);
        (await world.Rows<string>(AllSql)).ShouldBe(rows);
        if (format == "csv")
        {
            (await Export(client, format)).Length.ShouldBe(before.Length);
        }
    }

    [Fact]
    public async Task What_is_told_of_recipients_and_imports_comes_in_as_contacts()
    {
        using var client = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var segment = await world.Contacts(Cast.HeadOnPremium, word, 3);
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);
        await client.Until(campaign, "sent");
        var recipients = await (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign.Id()}/recipients/export")).Content
            .ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var import = await Import(client, "recipients.csv", recipients, tag: false);
        (import.Number("unchanged"), import.Number("invalid"), import.Number("updated")).ShouldBe((3, 0, 0), import.ToString());
        var report = await (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/imports/{import.Id()}/report?format=csv")).Content
            .ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        import = await Import(client, "import.csv", report, tag: false);
        (import.Number("unchanged"), import.Number("invalid")).ShouldBe((3, 0), import.ToString());
    }

    [Theory]
    [InlineData("İLKER@exemple.cg", "İlker@exemple.cg"), InlineData("\"\"\"a@b\"\"@exemple.cg\"", "\"a@b\"@exemple.cg")]
    [InlineData("a@b@exemple.cg", null), InlineData("é@école.cg", "é@xn--cole-9oa.cg"), InlineData("a b@exemple.cg", null)]
    public async Task One_odd_address_ends_no_import(string address, string? kept)
    {
        using var client = await OfNobody();
        var file = Encoding.UTF8.GetBytes($"Email\nfine1@exemple.cg\n{address}\nfine2@exemple.cg\n");
        var import = await Import(client, "odd.csv", file, tag: false);
        (import.Text("status"), import.Number("invalid")).ShouldBe(("completed", kept is null ? 1 : 0));
        (await world.Rows<string>("select email from campaigns.contacts where email not like 'fine%'"))
            .ShouldBe(kept is null ? [] : [kept]);
    }

    [Theory]
    [InlineData(';'), InlineData(','), InlineData('\t'), InlineData('|')]
    public async Task Names_that_few_have_are_read_beside_their_addresses(char between)
    {
        using var client = await OfNobody();
        var lines = Enumerable.Range(1, 30).Select(i => $"x{i}@exemple.cg{between}").Prepend($"Email{between}Nom")
            .Append($"paul@exemple.cg{between}Paul");
        var import = await Import(client, "sparse.csv", Encoding.UTF8.GetBytes(string.Join("\r\n", lines)), tag: false);
        (import.Number("imported"), import.Number("invalid")).ShouldBe((31, 0), import.ToString());
        (await world.Rows<string>("select email from campaigns.contacts where name = 'Paul'")).ShouldBe(["paul@exemple.cg"]);
    }

    private const string AllSql = """
        select concat_ws('|', email, coalesce(name, '∅'), coalesce(organization_name, '∅'), tags, consent_source, consent_at)
        from campaigns.contacts order by email_key
        """;

    /// <summary>Somebody who has no contacts.</summary>
    private async Task<HttpClient> OfNobody()
    {
        await world.Execute("delete from campaigns.contacts; delete from campaigns.organizations");
        return await world.As(Cast.HeadOnPremium);
    }

    private static async Task<byte[]> Export(HttpClient client, string format) =>
        await (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts/export?format={format}")).Content
            .ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

    private async Task<IEnumerable<string>> Contacts(string tag) => (await world.Rows<string>(
        "select email || '|' || coalesce(name, '') || '|' || coalesce(organization_name, '') from campaigns.contacts"
        + $" where '{tag}' = any (tags)"))
        .Order(StringComparer.Ordinal);

    private static async Task<JsonElement> Import(HttpClient client, string name, byte[] content, bool tag = true)
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(content), "file", name }, { new StringContent(tag ? name : ""), "tags" },
        };
        var id = (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/imports", form).Json(202)).Id();
        JsonElement import = default;
        await Waiting.Until(
            async () => (import = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/imports/{id}").Json()).Text("status") is "completed"
                or "failed", "it is imported");
        return import;
    }
}
