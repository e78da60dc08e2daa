using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Identity;
using Sankore.Platform.Files;
using Sankore.Platform.Imports;
using Sankore.Tenancy;
using SpreadCheetah;
using SpreadCheetah.Worksheets;

namespace Sankore.Tests.Tenancy;

/// <summary>Files of groups, schools and staff: looked at row by row, imported whole or not at all.</summary>
public sealed class ImportTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("groups"), InlineData("schools"), InlineData("staff")]
    public async Task A_template_has_the_heads_in_the_readers_language_and_reads_back(string kind)
    {
        using var super = await world.As(Cast.Super);
        foreach (var language in new[] { "fr", "en" })
        {
            using var answer = await super.Ask(HttpMethod.Get, $"/api/imports/{kind}/template?many=true", language: language);
            ((int)answer.StatusCode).ShouldBe(200);
            var (content, columns) = (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken), Kind(kind).Columns);
            using var file = SheetFile.Open(new MemoryStream(content), Kind(kind).Limits);
            var rows = file.Rows().ToList();
            rows[0].Cells.ShouldBe(columns.Select(c => language == "en" ? c.English : c.French));
            rows[1].Cells.ShouldBe(columns.Select(c => c.Example));
        }
    }

    [Fact]
    public async Task Rows_say_what_is_wrong_with_them_and_nothing_is_imported()
    {
        using var admin = await world.As(Cast.Admin1);
        var word = Catalogue.Word();
        var import = await Upload(admin, "staff", $"""
            Nom;Courriel;Rôle;École
            Marie;{word}.a@exemple.cg;Enseignant;s0001
            ;pas une adresse;Enseignant;s0001
            Jean;{word}.b@exemple.cg;Pilote;s0001
            Ruth;{word}.c@exemple.cg;Secrétaire;
            Serge;{word}.d@exemple.cg;Admin de groupe;s0001
            Aimé;{word}.e@exemple.cg;Enseignant;s0002
            Marie;{word}.A@exemple.cg;teacher;s0001
            """, await Group("g001"));
        import.GetProperty("errors").GetInt32().ShouldBe(6);
        var errors = import.GetProperty("rows").EnumerateArray()
            .ToDictionary(
                r => r.GetProperty("number").GetInt32(), r =>
                    r.GetProperty("errors").EnumerateArray().Select(e => $"{e.Text("column")} {e.Text("key")}").ToArray());
        errors[2].ShouldBeEmpty();
        errors[3].ShouldBe(["email EMAIL_INVALID", "name field.required"], ignoreOrder: true);
        errors[4].ShouldBe(["role import.role"]);
        errors[5].ShouldBe(["school field.required"]);
        errors[6].ShouldBe(["school school.none"]);
        errors[7].ShouldBe(["school SCHOOL_UNKNOWN"], "a school of another group");
        errors[8].ShouldBe(["email import.twice"]);
        await Run(admin, import).ShouldRefuse(422, "IMPORT_INVALID");
        (await world.Sql<int>("select count(*) from auth.users where email like @like", new { like = word + "%" })).ShouldBe(0);
    }

    [Fact]
    public async Task Staff_get_accounts_places_and_mails_once_however_often_it_is_said()
    {
        using var admin = await world.As(Cast.Admin1);
        var word = Catalogue.Word();
        var group = await Group("g001");
        var import = await Upload(
            admin, "staff",
            $"Name,E-mail,Role,School,Phone\nMarie Samba,{word}.m@exemple.cg,Teacher,s0001,+242 06\nMarie "
            + $"Samba,{word}.m@exemple.cg,Bursar,s0006,\nJean Loemba,{word}.j@exemple.cg,group_admin,,\n", group);
        import.GetProperty("errors").GetInt32().ShouldBe(0, import.ToString());

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Run(admin, import).Json()));

        answers.Select(a => a.GetProperty("result").ToString()).Distinct().ShouldHaveSingleItem();
        answers[0].GetProperty("result").GetProperty("created").GetInt32().ShouldBe(2);
        answers[0].GetProperty("result").GetProperty("placed").GetInt32().ShouldBe(1);
        (await world.Sql<int>(
            "select count(*) from tenancy.memberships m join auth.users u on u.id = m.user_id where u.email like @like"
            + " and m.school_group_id = @group", new { like = word + "%", group })).ShouldBe(3);
        (await world.Sql<int>(
            "select count(*) from rbac.invitations where email like @like and user_id is not null", new { like = word + "%" })).ShouldBe(2);
        (await world.Sql<string>("select phone from public.profiles where email = @email", new { email = $"{word}.m@exemple.cg" }))
            .ShouldBe("+242 06");
        await Waiting.Until(
            () => Directory.GetFiles(world.OutboxFolder, "*.eml")
            .Count(f => File.ReadAllText(f).Contains($"{word}.", StringComparison.Ordinal)) == 2, "two mails");
    }

    [Fact]
    public async Task Groups_come_with_their_subscription_and_first_administrator()
    {
        using var super = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var import = await Upload(
            super, "groups",
            $"Nom;Ville;Plan;Dernier jour;Nom de l'administrateur;Courriel de l'administrateur\n{word} "
            + $"Nord;Ouesso;Premium;2031-06-30;Amina;{word}@exemple.cg\n{word} Sud;Dolisie;;;;\n", null);
        import.GetProperty("errors").GetInt32().ShouldBe(0, import.ToString());
        var result = (await Run(super, import).Json()).GetProperty("result");
        (result.GetProperty("groups").GetInt32(), result.GetProperty("subscriptions").GetInt32(), result.GetProperty("invited").GetInt32())
            .ShouldBe((2, 1, 1));
        (await world.Sql<string>(
            "select p.slug from tenancy.live_subscriptions u join tenancy.subscription_plans p on p.id = u.plan_id"
            + " join tenancy.school_groups g on g.id = u.school_group_id where g.code = @code",
            new { code = word + "-nord" })).ShouldBe("premium");
        (await world.Sql<string>(
            "select m.role from tenancy.memberships m join auth.users u on u.id = m.user_id where u.email = @email",
            new { email = $"{word}@exemple.cg" })).ShouldBe("group_admin");
    }

    [Fact]
    public async Task The_operator_imports_schools_and_staff_of_many_groups_at_once()
    {
        using var super = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var schools = await Upload(
            super, "schools", $"Groupe;Nom;Code\ng001;A;{word}-a\nG002;B;{word}-b\n;C;{word}-c\nnulle-part;D;{word}-d\n", null);
        schools.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("errors").GetArrayLength()).ShouldBe([0, 0, 1, 1]);
        schools = await Upload(super, "schools", $"Groupe;Nom;Code\ng001;A;{word}-a\nG002;B;{word}-b\n", null);
        (await Run(super, schools).Json()).GetProperty("result").GetProperty("schools").GetInt32().ShouldBe(2);
        (await world.Sql<string>(
            "select g.code from tenancy.schools s join tenancy.school_groups g on g.id = s.school_group_id where s.code = @code",
            new { code = word + "-b" })).ShouldBe("g002");

        var staff = await Upload(
            super, "staff",
            $"Groupe;Nom;Courriel;Rôle;École\ng001;Marie;{word}.m@exemple.cg;Enseignant;{word}-a\ng002;Jean;{word}.j@exemple.cg;Chef "
            + $"d’établissement;{word}-b\ng001;Ruth;{word}.r@exemple.cg;Enseignant;{word}-b\n", null);
        staff.GetProperty("rows")[2].GetProperty("errors")[0].Text("key").ShouldBe("SCHOOL_UNKNOWN", "a school of the other group");
        staff = await Upload(
            super, "staff",
            $"Groupe;Nom;Courriel;Rôle;École\ng001;Marie;{word}.m@exemple.cg;Enseignant;{word}-a\ng002;Jean;{word}.j@exemple.cg;Chef "
            + $"d’établissement;{word}-b\n", null);
        (await Run(super, staff).Json()).GetProperty("result").GetProperty("created").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task What_has_changed_since_the_file_was_looked_at_stops_all_of_it()
    {
        using var admin = await world.As(Cast.Admin1);
        var word = Catalogue.Word();
        var group = await Group("g001");
        var import = await Upload(admin, "schools", $"Nom;Code\nA;{word}-a\nB;{word}-b\n", group);
        await admin.Ask(HttpMethod.Post, $"/api/groups/{group}/schools", new { name = "B", code = word + "-b" }).Json(201);
        await Run(admin, import).ShouldRefuse(409, "SCHOOL_CODE_TAKEN");
        (await world.Sql<int>("select count(*) from tenancy.schools where code = @code", new { code = word + "-a" })).ShouldBe(0);
        (await Upload(admin, "schools", $"Nom;Code\nA;{word}-a\nB;{word}-b\n", group)).GetProperty("errors").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Imports_are_for_who_may_make_what_they_make()
    {
        using var admin = await world.As(Cast.Admin1);
        using var other = await world.As(Cast.Admin2);
        using var teacher = await world.As(Cast.Teacher1);
        using var nobody = world.Nobody();
        var group = await Group("g001");
        var import = await Upload(admin, "schools", $"Nom\n{Catalogue.Word()}\n", group);
        foreach (var client in new[] { other, teacher })
        {
            await Run(client, import).ShouldRefuse(404, "NOT_FOUND");
            await client.Ask(HttpMethod.Get, $"/api/imports/{import.Id()}").ShouldRefuse(404, "NOT_FOUND");
        }
        await Post(teacher, "staff", "Nom;Courriel;Rôle\n", group).ShouldRefuse(403, "FORBIDDEN");
        await Post(other, "staff", "Nom;Courriel;Rôle\n", group).ShouldRefuse(404, "NOT_FOUND");
        await Post(admin, "groups", "Nom\nX\n", null).ShouldRefuse(403, "FORBIDDEN");
        await Post(admin, "schools", "Groupe;Nom\ng001;X\n", null).ShouldRefuse(403, "FORBIDDEN");
        await Post(admin, "modules", "Nom\nX\n", group).ShouldRefuse(404, "NOT_FOUND");
        await Post(nobody, "schools", "Nom\nX\n", group).ShouldRefuse(401, "UNAUTHENTICATED");
    }

    [Fact]
    public async Task What_is_no_table_is_refused()
    {
        using var admin = await world.As(Cast.Admin1);
        var group = await Group("g001");
        await Send(admin, "schools", [0x50, 0x4B, 0x03, 0x04, 1, 2, 3], group).ShouldRefuse(422, "FILE_INVALID");
        await Send(admin, "schools", [0xD0, 0xCF, 0x11, 0xE0, 0, 0], group).ShouldRefuse(422, "FILE_INVALID");
        await Send(admin, "schools", [0, 1, 2, 3], group).ShouldRefuse(422, "FILE_INVALID");
        await Send(admin, "schools", [], group).ShouldRefuse(422, "COLUMN_MISSING");
        (await Post(admin, "schools", "Ville\nOuesso\n", group).ShouldRefuse(422, "COLUMN_MISSING")).Text("title").ShouldContain("Nom");
        var many = await Read(
            admin,
            Send(
            admin, "schools", Encoding.UTF8.GetBytes("Nom\n" + string.Concat(Enumerable.Repeat("x\n", Kind("schools").Limits.Rows + 1))),
            group));
        (many.Text("status"), many.Text("failure")).ShouldBe(("failed", "TOO_LARGE"));
        await Send(admin, "schools", new byte[NetworkKind.MaxBytes + 1], group).ShouldRefuse(413, "TOO_LARGE");
        (await Upload(admin, "schools", "Nom\n", group)).GetProperty("rows").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task The_sheet_of_a_workbook_is_chosen_and_hidden_ones_are_not_offered()
    {
        using var admin = await world.As(Cast.Admin1);
        var (word, group) = (Catalogue.Word(), await Group("g001"));
        var workbook = await Workbook(
            ("Notes", true, [["À lire"], ["Rien"]]), ("Caché", false, [["Nom"], ["Non"]]),
            ("Écoles", true, [["Nom", "Code"], ["A", word + "-a"]]));

        var notes = await Workbook(("Notes", true, [["À lire"], ["Rien"]]), ("Caché", false, [["Nom"], ["Non"]]));
        await Send(admin, "schools", notes, group).ShouldRefuse(422, "COLUMN_MISSING");
        var looked = await Send(admin, "schools", workbook, group, "&start=false").Json(201);
        looked.GetProperty("sheets").EnumerateArray().Select(s => s.Text("name")).ShouldBe(["Notes", "Écoles"]);
        // Notes come before the sheet that they are about.
        looked.GetProperty("settings").GetProperty("sheet").GetInt32().ShouldBe(1);
        await Start(admin, looked, new { sheet = 2 }).ShouldRefuse(400, "VALIDATION_FAILED");
        var import = await Read(admin, Start(admin, looked, new { sheet = 1 }));

        import.GetProperty("rows").EnumerateArray().ShouldHaveSingleItem().GetProperty("values").Text("code").ShouldBe(word + "-a");
        await Start(admin, looked, new { sheet = 1 }).ShouldRefuse(409, "IMPORT_STARTED");
    }

    [Fact]
    public async Task Columns_are_changed_on_the_preview_without_scripts()
    {
        using var admin = await world.As(Cast.Admin1);
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Admin1, PasswordRules.Demo);
        var (word, group) = (Catalogue.Word(), await Group("g001"));
        var file = Encoding.UTF8.GetBytes($"Nom;Surnom;Contact;Poste;Lieu\nX;Marie Samba;{word}@exemple.cg;Enseignant;s0001\n");
        var id = (await Send(admin, "staff", file, group, "&start=false").Json(201)).Id();

        WebUtility.HtmlDecode(await browser.Page($"/imports/{id}")).ShouldContain("B · Surnom");
        using var missing = await Choose(("name", "1"), ("email", "2"));
        WebUtility.HtmlDecode(await missing.Body()).ShouldContain("Il manque au fichier la colonne «\u00a0Rôle\u00a0»");
        using var twice = await Choose(("name", "1"), ("email", "1"), ("role", "3"));
        twice.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var started = await Choose(("name", "1"), ("email", "2"), ("role", "3"), ("school", "4"));
        started.StatusCode.ShouldBe(HttpStatusCode.Redirect);

        var import = await Read(admin, id);
        import.GetProperty("errors").GetInt32().ShouldBe(0, import.ToString());
        using var done = await browser.Submit($"/imports/{id}", "Importer 1 ligne");
        done.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await world.Sql<string>("select display_name from public.profiles where email = @email", new { email = $"{word}@exemple.cg" }))
            .ShouldBe("Marie Samba");

        Task<HttpResponseMessage> Choose(params (string Column, string Place)[] columns) => browser.Submit($"/imports/{id}", "Form.Sheet",
            [.. new[] { "name", "email", "role", "school", "phone" }.Select(c => ($"Form.Columns[{c}]", (string?)"")),
            .. columns.Select(c => ($"Form.Columns[{c.Column}]", (string?)c.Place))]);
    }

    [Theory]
    [InlineData("csv"), InlineData("xlsx")]
    public async Task The_report_is_a_file_in_the_readers_language(string format)
    {
        using var admin = await world.As(Cast.Admin1);
        var word = Catalogue.Word();
        var import = await Upload(
            admin, "staff", $"Nom;Courriel;Rôle;École\nMarie;{word}@exemple.cg;Enseignant;s0001\nJean;{word}.j@exemple.cg;Pilote;s0001\n",
            await Group("g001"));
        (string Language, string Head, string Verdict, string Mistake)[] cases =
        [
            ("fr", "Rôle", "À corriger", "Rôle: rôle inconnu"), ("en", "Role", "To correct", "Role: unknown role"),
        ];
        foreach (var (language, head, verdict, mistake) in cases)
        {
            using var answer = await admin.Ask(HttpMethod.Get, $"/api/imports/{import.Id()}/report?format={format}", language: language);
            using var file = SheetFile.Open(
                new MemoryStream(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)), Kind("staff").Limits);
            var rows = file.Rows().Select(r => r.Cells).ToList();
            rows[0].ShouldContain(head);
            rows[1][1].ShouldBe("Marie");
            (rows[2][0], rows[2][5]).ShouldBe(("3", verdict));
            rows[2][6].ShouldStartWith(mistake);
        }
        (await admin.Ask(HttpMethod.Get, $"/api/imports/{import.Id()}/rows?verdict=invalid").Json()).GetArrayLength().ShouldBe(1);
        await admin.Ask(HttpMethod.Get, $"/api/imports/{import.Id()}/rows?verdict=nope").ShouldRefuse(400, "VALIDATION_FAILED");
    }

    private static async Task<byte[]> Workbook(params (string Name, bool IsVisible, string[][] Rows)[] sheets)
    {
        using var file = new MemoryStream();
        await using (var book = await Spreadsheet.CreateNewAsync(file))
        {
            foreach (var (name, isVisible, rows) in sheets)
            {
                await book.StartWorksheetAsync(
                    name, new WorksheetOptions { Visibility = isVisible ? WorksheetVisibility.Visible : WorksheetVisibility.Hidden });
                foreach (var row in rows)
                {
                    await book.AddRowAsync(row.Select(c => new DataCell(c)).ToArray());
                }
            }
            await book.FinishAsync();
        }
        return file.ToArray();
    }

    private Task<Guid> Group(string code) => world.Sql<Guid>("select id from tenancy.school_groups where code = @code", new { code });

    private ImportKind Kind(string name)
    {
        using var scope = world.App.Services.CreateScope();
        return scope.ServiceProvider.GetServices<ImportKind>().Single(k => k.Name == name);
    }

    private static Task<JsonElement> Upload(HttpClient client, string kind, string csv, Guid? group) =>
        Read(client, Post(client, kind, csv, group));

    /// <summary>A file that was taken, once it has been read.</summary>
    private static async Task<JsonElement> Read(HttpClient client, Task<HttpResponseMessage> taken)
    {
        return await Read(client, (await taken.Json(202)).Id());
    }

    private static async Task<JsonElement> Read(HttpClient client, Guid id)
    {
        JsonElement import = default;
        await Waiting.Until(async () =>
        {
            import = await client.Ask(HttpMethod.Get, $"/api/imports/{id}").Json();
            return import.Text("status") != "running";
        }, "the file is read");
        return import;
    }

    private static Task<HttpResponseMessage> Post(HttpClient client, string kind, string csv, Guid? group) =>
        Send(client, kind, Encoding.UTF8.GetBytes(csv), group);

    private static Task<HttpResponseMessage> Start(HttpClient client, JsonElement import, object choice) =>
        client.Ask(HttpMethod.Post, $"/api/imports/{import.Id()}/start", choice);

    private static Task<HttpResponseMessage> Send(HttpClient client, string kind, byte[] file, Guid? group, string more = "")
    {
        var body = new ByteArrayContent(file);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return client.Ask(HttpMethod.Post, $"/api/imports/{kind}?name=fichier.csv{(group is null ? "" : "&group=" + group)}{more}", body);
    }

    private static Task<HttpResponseMessage> Run(HttpClient client, JsonElement import) =>
        client.Ask(HttpMethod.Post, $"/api/imports/{import.Id()}/run");
}
