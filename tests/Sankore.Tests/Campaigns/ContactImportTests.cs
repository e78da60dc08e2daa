using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Sankore.Platform.Files;

namespace Sankore.Tests.Campaigns;

/// <summary>Files of contacts, from the upload to the report: whole or not at all, and a second time nothing.</summary>
public sealed class ContactImportTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns";
    private static readonly string[] Writers = [
        "head.s0011@sankore.test", "head.s0016@sankore.test", "head.s0021@sankore.test", "head.s0024@sankore.test",
        "head.s0029@sankore.test"];

    /// <summary>A contact as an oracle has it.</summary>
    private sealed record Person(string Email, string? Name, string? Organization);

    public static TheoryData<int> Seeds => Effort.Seeds(2, 1, 2, 3, 4, 5);

    [Theory, MemberData(nameof(Seeds))]
    public async Task Every_row_and_contact_is_as_an_oracle_says_and_reimporting_changes_nothing(int seed)
    {
        var email = Writers[seed - 1];
        using var client = await world.As(email);
        var user = await world.IdOf(email);
        var (random, people) = (new Random(seed), new Dictionary<string, Person>());
        for (var file = 0; file < 4; file++)
        {
            var rows = Enumerable.Range(0, 40 + random.Next(80)).Select(_ => Row(random)).ToList();
            var (content, numbers) = Write(rows, random);
            var expected = Oracle(rows, numbers, people);

            var import =
                await Finished(client, await Upload(client, content, "contacts.csv", ("email", "2"), ("organization", "0"), ("name", "1")));

            import.Text("status").ShouldBe("completed", import.ToString());
            (await Report(client, import.Id())).ShouldBe(expected, $"seed {seed}, file {file}");
            foreach (var verdict in expected.Values.Distinct())
            {
                import.GetProperty(verdict).GetInt32().ShouldBe(expected.Values.Count(v => v == verdict), verdict);
            }
            (await Contacts(user))
                .ShouldBe(
                    people.Values.Select(p => p with { Organization = p.Organization is null ? null : Key(p.Organization) })
                    .OrderBy(p => p.Email, StringComparer.Ordinal).ToList(), $"seed {seed}, file {file}");

            var before = await Fingerprint(user);
            var again =
                await Finished(client, await Upload(client, content, "contacts.csv", ("email", "2"), ("organization", "0"), ("name", "1")));
            (again.GetProperty("imported").GetInt32(), again.GetProperty("updated").GetInt32(),
                again.GetProperty("organizations").GetInt32()).ShouldBe((0, 0, 0));
            (await Fingerprint(user)).ShouldBe(before);
        }
    }

    [Fact]
    public async Task Columns_are_found_by_what_they_hold_and_may_be_chosen_on_the_preview()
    {
        using var client = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var uploaded = await Upload(
            client,
            Encoding.UTF8.GetBytes(
                $"Ville,Courriel,Contact,Structure\nOwando,{word}.a@exemple.cg,Marie,Lycée {word}\nOuesso,{word}.b@exemple.cg,Jean,Collège "
                + $"{word}\n"), "c.csv", ("start", "false")).Json(201);
        uploaded.Text("status").ShouldBe("uploaded");
        var settings = uploaded.GetProperty("settings");
        (settings.GetProperty("email").GetInt32(), settings.GetProperty("hasHeader").GetBoolean(),
            settings.GetProperty("organization").GetInt32()).ShouldBe((1, true, 3));
        uploaded.GetProperty("preview")[2].EnumerateArray().Select(c => c.GetString())
            .ShouldBe(["Ouesso", $"{word}.b@exemple.cg", "Jean", $"Collège {word}"]);

        await client.Ask(HttpMethod.Post, $"{Api}/imports/{uploaded.Id()}/start", new { email = 1, organization = 1 })
            .ShouldRefuse(422, "IMPORT_COLUMNS");
        await client.Ask(HttpMethod.Post, $"{Api}/imports/{uploaded.Id()}/start", new { email = 999 }).ShouldRefuse(422, "IMPORT_COLUMNS");
        var started = client.Ask(
            HttpMethod.Post, $"{Api}/imports/{uploaded.Id()}/start",
            new { email = 1, organization = 3, name = 2, hasHeader = true, tags = new[] { word }, consentSource = "Salon" });
        (await Finished(client, started)).GetProperty("imported").GetInt32().ShouldBe(2);
        await client.Ask(HttpMethod.Post, $"{Api}/imports/{uploaded.Id()}/start", new { email = 1 }).ShouldRefuse(409, "IMPORT_STARTED");
        var contact = (await client.Ask(HttpMethod.Get, $"{Api}/contacts?tag={word}&sort=-email").Json()).GetProperty("items")[0];
        (contact.Text("name"), contact.Text("organizationName"), contact.Text("consentSource"))
            .ShouldBe(("Jean", $"Collège {word}", "Salon"));
        contact.GetProperty("consentAt").ValueKind.ShouldBe(JsonValueKind.String);
    }

    [Fact]
    public async Task A_plain_file_of_the_documents_form_needs_no_choice()
    {
        using var client = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        foreach (var (content, name) in new[]
        {
            (Encoding.GetEncoding(1252).GetBytes($"Société Élan {word};{word}.1@exemple.cg\r\nSociété Élan {word};{word}.2@exemple.cg\r\n"),
                "sans-titre.csv"),
            (await Workbook([["Organisation", "E-mail"], [$"Société ELAN {word}", $"{word}.3@exemple.cg"]]), "avec-titre.xlsx"),
        })
        {
            (await Finished(client, await Upload(client, content, name))).GetProperty("imported").GetInt32()
                .ShouldBe(name == "sans-titre.csv" ? 2 : 1, name);
        }
        var organization = (await client.Ask(HttpMethod.Get, $"{Api}/organizations?q={word}").Json()).GetProperty("items").EnumerateArray()
            .ShouldHaveSingleItem();
        (organization.Text("name"), organization.GetProperty("contacts").GetInt64()).ShouldBe(($"Société Élan {word}", 3));
    }

    [Fact]
    public async Task A_file_that_turns_out_broken_leaves_nothing_behind()
    {
        var email = "head.s0009@sankore.test";
        using var client = await world.As(email);
        var user = await world.IdOf(email);
        await using var feed = await LiveClient.Open(world.Address, await world.Token(email));
        var import = await Finished(client, await Upload(client, await CutWorkbook(3000, 2000), "coupe.xlsx"));
        (import.Text("status"), import.Text("failure")).ShouldBe(("failed", "FILE_INVALID"));
        (await world.Sql<long>(
            "select (select count(*) from campaigns.contacts where user_id = @user) + (select count(*) from campaigns.organizations"
            + " where user_id = @user) + (select count(*) from util.import_rows where user_id = @user) + (select count(*)"
            + " from util.import_parts where user_id = @user)", new { user })).ShouldBe(0);
        await feed.Next(e => e.Table == "util.imports" && e.RowId == import.Id() && e.Row.Text("status") == "failed", "the page is told");
    }

    [Theory]
    [InlineData("rien@", "IMPORT_COLUMNS", 422)]
    [InlineData("", "FILE_INVALID", 422)]
    [InlineData("PNG", "FILE_INVALID", 422)]
    public async Task What_is_no_file_of_contacts_is_refused_at_once(string kind, string code, int status)
    {
        using var client = await world.As(Cast.HeadOnPremium);
        byte[] content = kind switch
        {
            "PNG" => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. new byte[100]],
            "" => [],
            _ => Encoding.UTF8.GetBytes("Nom;Adresse\nMarie;rien@\nJean;non plus\n"),
        };
        await Upload(client, content, "x.csv").ShouldRefuse(status, code);
        await client.Ask(HttpMethod.Post, $"{Api}/imports", new { file = "x" }).ShouldRefuse(415, "UNSUPPORTED_MEDIA_TYPE");
    }

    [Fact]
    public async Task More_than_fifty_megabytes_are_refused()
    {
        using var client = await world.As(Cast.HeadOnPremium);
        // A client that asks first is told before it has sent everything.
        client.DefaultRequestHeaders.ExpectContinue = true;
        await Upload(client, new byte[52 * 1024 * 1024], "x.csv").ShouldRefuse(413, "TOO_LARGE");
    }

    [Fact]
    public async Task Nobody_follows_starts_or_reads_somebody_elses_import()
    {
        using var client = await world.As(Cast.HeadOnPremium);
        using var other = await world.As(Cast.Admin1);
        var import = await Upload(client, Encoding.UTF8.GetBytes($"A;{Catalogue.Word()}@exemple.cg\n"), "x.csv", ("start", "false"))
            .Json(201);
        await other.Ask(HttpMethod.Get, $"{Api}/imports/{import.Id()}").ShouldRefuse(404, "NOT_FOUND");
        await other.Ask(HttpMethod.Post, $"{Api}/imports/{import.Id()}/start", new { email = 1 }).ShouldRefuse(404, "NOT_FOUND");
        await other.Ask(HttpMethod.Get, $"{Api}/imports/{import.Id()}/report").ShouldRefuse(404, "NOT_FOUND");
        await other.Ask(HttpMethod.Get, $"{Api}/imports/{import.Id()}/rows").ShouldRefuse(404, "NOT_FOUND");
        (await other.Ask(HttpMethod.Get, $"{Api}/imports").Json()).EnumerateArray().ShouldAllBe(i => i.Id() != import.Id());
    }

    [Fact]
    public async Task Progress_is_told_to_the_open_page()
    {
        var email = "head.s0014@sankore.test";
        using var client = await world.As(email);
        await using var feed = await LiveClient.Open(world.Address, await world.Token(email));
        var import = await Finished(
            client,
            await Upload(
                client, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 30_000).Select(i => $"Org {i % 300};{i}.{email}\n"))),
                "x.csv"));
        import.GetProperty("imported").GetInt32().ShouldBe(30_000);
        var done = await feed.Next(
            e => e.Table == "util.imports" && e.RowId == import.Id() && e.Row.Text("status") == "completed", "its end is told");
        done.Row.GetProperty("imported").GetInt32().ShouldBe(30_000);
        await feed.Next(e => e.Table == "campaigns.user_counts" && e.Data.Text("id") == "", "and the dashboard's figures");
        (await client.Ask(HttpMethod.Get, $"{Api}/dashboard").Json()).GetProperty("totalContacts").GetInt32().ShouldBe(30_000);
    }

    [Fact]
    public async Task An_import_that_was_begun_ends_though_its_person_has_lost_the_module()
    {
        var email = "head.s0026@sankore.test";
        var user = await world.IdOf(email);
        using var client = await world.As(email);
        var content = Encoding.UTF8.GetBytes($"Lycée {email};{Catalogue.Word()}@exemple.cg\n");
        var import = await Upload(client, content, "x.csv", ("start", "false")).Json(201);
        // Its job and the loss are one transaction: whichever node works it comes too late to ask.
        await world.Execute("""
            begin;
            update tenancy.memberships set status = 'inactive' where user_id = @user;
            update util.imports set status = 'running' where id = @id;
            insert into util.job_queue (id, job_type, payload)
            values (gen_random_uuid(), 'import', jsonb_build_object('Import', @id, 'User', @user));
            select pg_notify('jobs', '');
            commit
            """, new { user, id = import.Id() });
        await Waiting.Until(
            () => world.Sql<bool>("select status in ('completed', 'failed') from util.imports where id = @id", new { id = import.Id() }),
            "the import ends", 60);
        (await world.Sql<string>(
            "select status || ' ' || (counts ->> 'imported') from util.imports where id = @id",
            new { id = import.Id() })).ShouldBe("completed 1");
        (await world.Sql<long>("select count(*) from campaigns.contacts where user_id = @user", new { user })).ShouldBe(1);
    }

    [Fact]
    public async Task Exports_run_no_formula_and_read_back()
    {
        var email = "head.s0019@sankore.test";
        using var client = await world.As(email);
        var word = Catalogue.Word();
        await client.Ask(
            HttpMethod.Post, $"{Api}/contacts",
            new { email = $"{word}@exemple.cg", name = "=HYPERLINK(\"http://mal.test\")", organization = "@SUM(1)" }).Json(201);
        foreach (var format in new[] { "csv", "xlsx" })
        {
            using var answer = await client.Ask(HttpMethod.Get, $"{Api}/contacts/export?format={format}");
            ((int)answer.StatusCode).ShouldBe(200);
            answer.Content.Headers.ContentDisposition!.FileName!.ShouldEndWith(format);
            var bytes = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
            using var sheet = SheetFile.Open(new MemoryStream(bytes), new SheetLimits(1_000_000, 1000, 20, 1000, 10_000_000));
            var rows = sheet.Rows().ToList();
            rows[1].Cells[0].ShouldBe($"{word}@exemple.cg");
            if (format == "csv")
            {
                rows[1].Cells[1].ShouldStartWith("'=");
                rows[1].Cells[2].ShouldStartWith("'@");
            }
        }
        await client.Ask(HttpMethod.Get, $"{Api}/contacts/export?format=pdf").ShouldRefuse(400, "VALIDATION_FAILED");
        using var reader = await world.As(Cast.Teacher1);
        await reader.Ask(HttpMethod.Get, $"{Api}/contacts/export").ShouldRefuse(403, "MODULE_REFUSED");
    }

    private static string[] Row(Random random)
    {
        string[] organizations = [
            "École Étoile", "ecole etoile", "ECOLE  ÉTOILE", "L’Œuvre", "l'oeuvre", "", "Lycée \"A\"; B", "Société Ngoma", "société NGOMA ",
            "=cmd()"];
        string[] names = ["", "", "Marie", "Jean \"J\"", "N’Kounkou"];
        var number = random.Next(60);
        string[] addresses = [
            $"p{number}@exemple.cg", $" P{number}@Exemple.CG ", $"mailto:p{number}@exemple.cg", $"p{number}@exemple.cg", "pas une adresse",
            "a@b@c", ""];
        var address = addresses[random.Next(10) is < 7 and var i ? i : 0];
        return random.Next(15) == 0 ? ["", "", ""]
            : [organizations[random.Next(organizations.Length)], names[random.Next(names.Length)], address];
    }

    /// <summary>The file, and the number that each row has in it; quite blank rows have none.</summary>
    private static (byte[] Content, List<int> Numbers) Write(List<string[]> rows, Random random)
    {
        var separator = random.Next(2) == 0 ? ';' : ',';
        var text = new StringBuilder($"Organisation{separator}Nom{separator}Courriel\r\n");
        foreach (var row in rows)
        {
            text.AppendJoin(separator, row.Select(c => $"\"{c.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")).Append("\r\n");
        }
        // The head has an address's column for sure.
        return (
            random.Next(2) == 0 ? Encoding.UTF8.GetBytes(text.ToString())
            : Encoding.GetEncoding(1252).GetBytes(text.ToString()), [.. Enumerable.Range(2, rows.Count)]);
    }

    /// <summary>What should become of each row; <paramref name="people"/> become what the contacts should be.</summary>
    private static Dictionary<int, string> Oracle(List<string[]> rows, List<int> numbers, Dictionary<string, Person> people)
    {
        var (verdicts, seen) = (new Dictionary<int, string>(), new HashSet<string>());
        foreach (var (row, number) in rows.Zip(numbers))
        {
            if (row.All(string.IsNullOrWhiteSpace))
            {
                // The reader passes over blank rows.
                continue;
            }
            var (organization, name, address) =
                (Blank(row[0]), Blank(row[1]), row[2].Trim().ToLowerInvariant().Replace("mailto:", "", StringComparison.Ordinal));
            if (!System.Text.RegularExpressions.Regex.IsMatch(address, "^p[0-9]+@exemple\\.cg$"))
            {
                verdicts[number] = "invalid";
                continue;
            }
            if (!seen.Add(address))
            {
                verdicts[number] = "duplicate";
                continue;
            }
            var before = people.GetValueOrDefault(address);
            var after = new Person(
                address, name ?? before?.Name, organization is not null
                && (before?.Organization is null || Key(before.Organization) != Key(organization)) ? organization : before?.Organization);
            verdicts[number] = before is null ? "imported" : before == after ? "unchanged" : "updated";
            people[address] = after;
        }
        return verdicts;

        static string? Blank(string text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    private static string Key(string name) => string.Join(
        ' ',
        string.Concat(
            name.Normalize(NormalizationForm.FormD).Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark))
        .ToLowerInvariant().Replace("œ", "oe", StringComparison.Ordinal).Replace('’', '\'')
        .Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static Task<HttpResponseMessage> Upload(
        HttpClient client, byte[] content, string name, params (string Field, string Value)[] fields)
    {
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        var form = new MultipartFormDataContent { { file, "file", name } };
        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }
        return client.Ask(HttpMethod.Post, $"{Api}/imports", form);
    }

    private static async Task<JsonElement> Finished(HttpClient client, Task<HttpResponseMessage> asked) =>
        await Finished(client, await asked);

    private static async Task<JsonElement> Finished(HttpClient client, HttpResponseMessage answer)
    {
        var import = await Task.FromResult(answer).Json(202);
        await Waiting.Until(
            async () => (import = await client.Ask(HttpMethod.Get, $"{Api}/imports/{import.Id()}").Json())
            .Text("status") is "completed" or "failed", "the import ends", 60);
        return import;
    }

    private static async Task<Dictionary<int, string>> Report(HttpClient client, Guid id) =>
        (await client.Ask(HttpMethod.Get, $"{Api}/imports/{id}/rows").Json()).EnumerateArray()
            .ToDictionary(r => r.GetProperty("number").GetInt32(), r => r.Text("verdict"));

    private async Task<IReadOnlyList<Person>> Contacts(Guid user) =>
    [
        .. (await world.AsRole<(string Email, string? Name, string? Organization)>("authenticated", user, """
            select c.email, c.name, o.name_key from campaigns.contacts c left join campaigns.organizations o on o.id = c.organization_id
            where c.organization_name is not distinct from o.name order by c.email collate "C"
            """)).Select(c => new Person(c.Email, c.Name, c.Organization)),
    ];

    private Task<string> Fingerprint(Guid user) => world.Sql<string>("""
        select concat((select md5(string_agg(c::text, '' order by id)) from campaigns.contacts c where user_id = @user),
            (select md5(string_agg(o::text, '' order by id)) from campaigns.organizations o where user_id = @user))
        """, new { user });

    private static async Task<byte[]> Workbook(IEnumerable<string[]> rows)
    {
        using var stream = new MemoryStream();
        await XlsxExport.Write(
            stream, "contacts", rows.ToAsyncEnumerable().Select(r => (IReadOnlyList<string?>)r), TestContext.Current.CancellationToken);
        return stream.ToArray();
    }

    /// <summary>A workbook whose sheet ends in the middle of a row, though the zip around it is whole.</summary>
    private static async Task<byte[]> CutWorkbook(int rows, int whole)
    {
        var workbook = await Workbook(Enumerable.Range(0, rows).Select(i => new[] { $"Org {i}", $"{i}@exemple.cg" }));
        using var stream = new MemoryStream();
        await stream.WriteAsync(workbook);
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            var entry = zip.GetEntry("xl/worksheets/sheet1.xml")!;
            string xml;
            using (var reader = new StreamReader(await entry.OpenAsync()))
            {
                xml = await reader.ReadToEndAsync();
            }
            entry.Delete();
            using var writer = new StreamWriter(await zip.CreateEntry("xl/worksheets/sheet1.xml").OpenAsync());
            await writer.WriteAsync(xml[..xml.IndexOf($"{whole}@exemple.cg", StringComparison.Ordinal)]);
        }
        return stream.ToArray();
    }
}
