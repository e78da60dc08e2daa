using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>A person's own fields of contacts: by hand, by import, in messages and in segments.</summary>
public sealed class FieldsTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns";
    private const string Other = "head.s0011@sankore.test";
    private static readonly string[] Classes = ["6e", "5e", "Terminale é"];

    public static TheoryData<int> Seeds => Effort.Seeds(3, 1, 2, 3, 4, 5, 6, 7, 8);

    [Fact]
    public async Task Values_are_kept_in_one_form_and_wrong_ones_said_beside_their_field()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var (level, born, average) = (await New(head, "choice", Classes), await New(head, "date"), await New(head, "number"));
        var contact = await Add(head, (level, "TERMINALE E"), (born, "14/3/2015"), (average, "12,50"));
        Values(contact).ShouldBe([(level, "Terminale é"), (born, "2015-03-14"), (average, "12.50")], ignoreOrder: true);

        var problem = await head.Ask(HttpMethod.Post, $"{Api}/contacts", Input((level, "4e"), (born, "31/2/2015"), (average, "beaucoup")))
            .ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe([$"field_{level}", $"field_{born}", $"field_{average}"], ignoreOrder: true);
        await head.Ask(HttpMethod.Post, $"{Api}/contacts", Input(("nulle_part", "x"))).ShouldRefuse(400, "VALIDATION_FAILED");

        var changed = await head.Ask(
            HttpMethod.Put, $"{Api}/contacts/{contact.Id()}",
            new { email = contact.Text("email"), version = 1, phone = "+242 06 1" }).Json();
        Values(changed).Count.ShouldBe(3, "what is not said stays");
        changed.Text("phone").ShouldBe("+242 06 1");
    }

    [Fact]
    public async Task A_field_has_one_key_and_what_breaks_its_rules_is_refused()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var field = await Field(head, $"Classe de l’{word}", "text").Json(201);
        field.Text("key").ShouldBe($"classe_de_{word}");
        await Field(head, $"CLASSE DE {word}", "date").ShouldRefuse(409, "FIELD_EXISTS");
        foreach (var (label, kind, choices) in new[]
        {
            ("", "text", Array.Empty<string>()), ("12 34", "text", []), (new string('a', 61), "text", []), ("Bon", "couleur", []),
            ("Choix", "choice", []),
        })
        {
            await Field(head, label, kind, choices).ShouldRefuse(400, "VALIDATION_FAILED");
        }
        using var other = await world.As(Other);
        await other.Ask(HttpMethod.Put, $"{Api}/fields/{field.Id()}", new { label = "À moi", version = 1 }).ShouldRefuse(404, "NOT_FOUND");
        await other.Ask(HttpMethod.Delete, $"{Api}/fields/{field.Id()}").ShouldRefuse(404, "NOT_FOUND");
        (await other.Ask(HttpMethod.Get, $"{Api}/fields").Json()).ToString().ShouldNotContain(word);
        (await world.AsRole<string>("authenticated", await world.IdOf(Other), "select key from campaigns.contact_fields"))
            .ShouldNotContain(field.Text("key"));
    }

    [Fact]
    public async Task Deleted_a_field_leaves_its_values_and_comes_back()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var key = await New(head, "text");
        var contact = await Add(head, (key, "bleu"));
        var field = (await head.Ask(HttpMethod.Get, $"{Api}/fields").Json()).EnumerateArray().Single(f => f.Text("key") == key);
        field.GetProperty("contacts").GetInt64().ShouldBe(1);
        var gone = await head.Ask(HttpMethod.Delete, $"{Api}/fields/{field.Id()}").Json();
        await head.Ask(
            HttpMethod.Put, $"{Api}/contacts/{contact.Id()}",
            new { email = contact.Text("email"), version = 1, fields = new Dictionary<string, string>() }).Json();

        await head.Ask(HttpMethod.Post, $"/api/undo/{gone.GetProperty("act").GetGuid()}").Json();
        Values(await head.Ask(HttpMethod.Get, $"{Api}/contacts/{contact.Id()}").Json()).ShouldBe([(key, "bleu")]);
    }

    [Fact]
    public async Task What_is_no_choice_any_more_stays_until_somebody_changes_it()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var key = await New(head, "choice", Classes);
        var contact = await Add(head, (key, "6e"));
        var field = (await head.Ask(HttpMethod.Get, $"{Api}/fields").Json()).EnumerateArray().Single(f => f.Text("key") == key);
        var change = new { label = field.Text("label"), choices = new[] { "Sixième" }, version = 1 };
        await head.Ask(HttpMethod.Put, $"{Api}/fields/{field.Id()}", change).Json();

        Task<HttpResponseMessage> Save(string value, int version) => head.Ask(
            HttpMethod.Put, $"{Api}/contacts/{contact.Id()}",
            new { email = contact.Text("email"), version, fields = new Dictionary<string, string> { [key] = value } });
        Values(await Save("6e", 1).Json()).ShouldBe([(key, "6e")]);
        await Save("5e", 2).ShouldRefuse(400, "VALIDATION_FAILED");
        Values(await Save("sixieme", 2).Json()).ShouldBe([(key, "Sixième")]);
        foreach (var conditions in new object?[] { null, new { key, op = "gt", value = "6e" }, new { key = "nulle_part", op = "has" } })
        {
            var filter = new { fields = new[] { conditions } };
            await head.Ask(HttpMethod.Post, $"{Api}/segments", new { name = Catalogue.Word(), filter })
                .ShouldRefuse(400, "VALIDATION_FAILED");
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Segments_find_whom_an_oracle_says(int seed)
    {
        using var head = await world.As(Other);
        var (random, tag) = (new Random(seed), Catalogue.Word());
        // Those of other seeds: a person has thirty at most.
        await world.Execute("delete from campaigns.contact_fields where user_id = @id", new { id = await world.IdOf(Other) });
        var fields = new Dictionary<string, string>
        {
            [await New(head, "choice", Classes)] = "choice",
            [await New(head, "number")] = "number",
            [await New(head, "date")] = "date",
            [await New(head, "text")] = "text",
        };
        var people = new List<(string Email, Dictionary<string, string> Values)>();
        for (var i = 0; i < 25; i++)
        {
            var values = fields.Where(_ => random.Next(4) > 0).ToDictionary(f => f.Key, f => Value(random, f.Value));
            var contact = await head.Ask(
                HttpMethod.Post, $"{Api}/contacts",
                new { email = $"{tag}.{i}@exemple.cg", tags = new[] { tag }, fields = values }).Json(201);
            people.Add((contact.Text("email"), values));
        }
        for (var round = 0; round < 25; round++)
        {
            var conditions = Enumerable.Range(0, 1 + random.Next(2)).Select(_ => Condition(random, fields)).ToList();
            var filter = new { tags = new[] { tag }, fields = conditions.Select(c => new { key = c.Key, op = c.Op, value = c.Value }) };
            var segment = await head.Ask(HttpMethod.Post, $"{Api}/segments", new { name = $"{tag} {seed} {round}", filter }).Json(201);
            var found = (await head.Ask(HttpMethod.Get, $"{Api}/contacts?segmentId={segment.Id()}&size=100").Json())
                .GetProperty("items").EnumerateArray().Select(c => c.Text("email"));
            found.ShouldBe(
                people.Where(p => conditions.TrueForAll(c => Holds(c, fields[c.Key], p.Values.GetValueOrDefault(c.Key))))
                    .Select(p => p.Email),
                ignoreOrder: true, $"seed {seed}: {string.Join(" and ", conditions)}");
        }
    }

    [Fact]
    public async Task A_file_fills_them_in_and_keeps_telephone_numbers()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var (level, born) = (await New(head, "choice", Classes), await New(head, "date"));
        var word = Catalogue.Word();
        var csv = $"Nom;E-mail;Téléphone;{level};{born}\nAmina Nkounkou;{word}.1@exemple.cg;+242 06 612 34 56;6E;14/03/2015\n"
            + $"Jean Samba;{word}.2@exemple.cg;;CM2;\nGrâce;{word}.3@exemple.cg;066123456;;\n";
        var import = await Upload(head, csv);

        import.GetProperty("imported").GetInt32().ShouldBe(2, import.ToString());
        import.GetProperty("invalid").GetInt32().ShouldBe(1, "CM2 is none of the choices");
        var one = await Contact(head, $"{word}.1@exemple.cg");
        (one.Text("name"), one.Text("phone")).ShouldBe(("Amina Nkounkou", "+242 06 612 34 56"));
        Values(one).ShouldBe([(level, "6e"), (born, "2015-03-14")], ignoreOrder: true);
        (await Contact(head, $"{word}.3@exemple.cg")).Text("phone").ShouldBe("066123456");
        (await Upload(head, csv)).GetProperty("updated").GetInt32().ShouldBe(0, "a second time it changes nothing");

        using var model = await head.GetAsync($"{Api}/imports/template");
        model.Content.Headers.ContentType!.MediaType!.ShouldContain("sheet");
        using var export = await head.GetAsync($"{Api}/contacts/export?format=csv&q={word}.1");
        (await export.Content.ReadAsStringAsync()).ShouldContain("+242 06 612 34 56");
    }

    [Fact]
    public async Task A_message_says_them_and_waits_while_one_that_it_names_is_missing()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var (born, average) = (await New(head, "date"), await New(head, "number"));
        var contact = await Add(head, (born, "2015-03-14"), (average, "1234.5"));
        var content = $"<p>Né le {{{{field.{born}}}}}, moyenne {{{{field.{average}}}}}, tél. {{{{default contact.phone \"aucun\"}}}}</p>";
        var preview = new { subject = "x", content, contactId = contact.Id() };
        var shown = await head.Ask(HttpMethod.Post, $"{Api}/templates/preview", preview).Json();
        shown.Text("text")!.ShouldContain("Né le 14 mars 2015, moyenne 1\u202f234,5, tél. aucun");

        var draft = await head.Ask(
            HttpMethod.Post, Api, new { name = "Rentrée", subject = "Rentrée", content = "<p>{{field.nulle_part}}</p>" }).Json(201);
        var refused = await head.Act(draft, "send").ShouldRefuse(422, "CAMPAIGN_FIELDS");
        refused.Text("title").ShouldContain("nulle_part");
        await head.Ask(HttpMethod.Post, Api, new { name = "x", subject = "x", content = "<p>{{field.Nulle Part}}</p>" })
            .ShouldRefuse(400, "VALIDATION_FAILED");
    }

    private static bool Holds((string Key, string Op, string? Value) condition, string kind, string? has) => condition.Op switch
    {
        "has" => has is not null,
        "lacks" => has is null,
        "ne" => has is null || !string.Equals(has, condition.Value, StringComparison.OrdinalIgnoreCase),
        "eq" => string.Equals(has, condition.Value, StringComparison.OrdinalIgnoreCase),
        var op => has is not null && Math.Sign(kind == "number"
            ? decimal.Parse(has, CultureInfo.InvariantCulture).CompareTo(decimal.Parse(condition.Value!, CultureInfo.InvariantCulture))
            : string.CompareOrdinal(has, condition.Value)) == (op == "lt" ? -1 : 1),
    };

    private static (string Key, string Op, string? Value) Condition(Random random, Dictionary<string, string> fields)
    {
        var (key, kind) = fields.ElementAt(random.Next(fields.Count));
        string[] ops = kind is "number" or "date" ? FieldCondition.Ops : ["eq", "ne", "has", "lacks"];
        return (key, ops[random.Next(ops.Length)], Value(random, kind));
    }

    private static string Value(Random random, string kind) => kind switch
    {
        "choice" => Classes[random.Next(Classes.Length)],
        "number" => random.Next(-3, 12).ToString(CultureInfo.InvariantCulture),
        "date" => new DateOnly(2014, 12, 28).AddDays(random.Next(8)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => new[] { "rouge", "Bleu", "vert clair" }[random.Next(3)],
    };

    private static async Task<string> New(HttpClient client, string kind, params string[] choices) =>
        (await Field(client, $"Champ {Catalogue.Word()}", kind, choices).Json(201)).Text("key");

    private static Task<HttpResponseMessage> Field(HttpClient client, string label, string kind, params string[] choices) =>
        client.Ask(HttpMethod.Post, $"{Api}/fields", new { label, kind, choices });

    private static object Input(params (string Key, string Value)[] fields) =>
        new { email = $"{Catalogue.Word()}@exemple.cg", fields = fields.ToDictionary(f => f.Key, f => f.Value) };

    private static Task<JsonElement> Add(HttpClient client, params (string Key, string Value)[] fields) =>
        client.Ask(HttpMethod.Post, $"{Api}/contacts", Input(fields)).Json(201);

    private static List<(string Key, string Value)> Values(JsonElement contact) =>
        [.. contact.GetProperty("fields").EnumerateObject().Select(f => (f.Name, f.Value.ToString()))];

    private static async Task<JsonElement> Contact(HttpClient client, string email) =>
        (await client.Ask(HttpMethod.Get, $"{Api}/contacts?q={email}").Json()).GetProperty("items").EnumerateArray().ShouldHaveSingleItem();

    private static async Task<JsonElement> Upload(HttpClient client, string csv)
    {
        using var file = new ByteArrayContent(Encoding.UTF8.GetBytes(csv));
        file.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var form = new MultipartFormDataContent { { file, "file", "contacts.csv" } };
        var import = await client.Ask(HttpMethod.Post, $"{Api}/imports", form).Json(202);
        await Waiting.Until(
            async () => (import = await client.Ask(HttpMethod.Get, $"{Api}/imports/{import.Id()}").Json()).Text("status")
                is "completed" or "failed", "the file is imported");
        return import;
    }
}
