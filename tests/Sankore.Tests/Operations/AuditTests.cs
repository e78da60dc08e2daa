using System.Net;
using System.Text.Json;
using Npgsql;

namespace Sankore.Tests.Operations;

/// <summary>
/// The audit log: who did what, when, to which row, in the transaction that did it; read by those who may, changed by nobody.
/// </summary>
public sealed class AuditTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_save_writes_who_what_when_before_and_after()
    {
        using var admin = await world.As(Cast.Super);
        var me = await world.IdOf(Cast.Super);
        var started = DateTime.UtcNow.AddSeconds(-1);
        var module = await Create(admin, "Journal de caisse");
        await Save(admin, module, "Journal des caisses");
        (await admin.Remove($"/api/modules/{Id(module)}")).Status.ShouldBe(HttpStatusCode.NoContent);

        var entries = (await admin.Ask($"/api/audit-logs?table=tenancy.modules&record={Id(module)}")).Items;
        entries.Select(e => e.GetProperty("action").GetString()).ShouldBe(["DELETE", "UPDATE", "INSERT"]);
        entries.ShouldAllBe(
            e => e.GetProperty("user").GetGuid() == me && e.GetProperty("role").GetString() == "authenticated"
            && e.GetProperty("record").GetString() == Id(module));
        entries.ShouldAllBe(
            e => e.GetProperty("at").GetDateTime() >= started && e.GetProperty("at").GetDateTime() <= DateTime.UtcNow.AddSeconds(1));
        entries[1].GetProperty("before").GetProperty("name").GetString().ShouldBe("Journal de caisse");
        entries[1].GetProperty("after").GetProperty("name").GetString().ShouldBe("Journal des caisses");
        entries[2].GetProperty("before").ValueKind.ShouldBe(JsonValueKind.Null);
        entries[0].GetProperty("after").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory, InlineData("fr"), InlineData("en")]
    public async Task The_page_finds_entries_of_every_table_under_audit_by_a_name_for_people(string language)
    {
        var audited = await world.Rows<string>("""
            select distinct tgrelid::regclass::text from pg_trigger
            where tgfoid in ('audit.log_change'::regproc, 'audit.log_version_change'::regproc)
            """);
        using var browser = new Browser(world.Address, language);
        await browser.SignIn(Cast.Super, Sankore.Identity.PasswordRules.Demo);
        var options = System.Text.RegularExpressions.Regex
            .Matches(await browser.Page("/admin/audit"), "<option value=\"([a-z_]+\\.[a-z_]+)\"[^>]*>([^<]*)<").ToList();
        options.Select(o => o.Groups[1].Value).ShouldBe(audited, ignoreOrder: true);
        options.ShouldAllBe(o => !o.Groups[2].Value.StartsWith("table.", StringComparison.Ordinal));
    }

    [Theory, InlineData("fr"), InlineData("en")]
    public async Task Every_column_and_state_under_audit_has_a_name_for_people(string language)
    {
        var columns = await world.Rows<string>("""
            select distinct a.attname::text
            from pg_trigger t join pg_attribute a on a.attrelid = t.tgrelid and a.attnum > 0 and not a.attisdropped
            where t.tgfoid in ('audit.log_change'::regproc, 'audit.log_version_change'::regproc)
              and not a.attname = any (string_to_array(encode(t.tgargs, 'escape'), '\000'))
              and not a.attname = any (@unsaid)
            """, new { unsaid = Sankore.Operations.AuditEntry.Unsaid });
        var states = await world.Rows<string>("""
            select distinct v[1]
            from pg_trigger t join pg_constraint c on c.conrelid = t.tgrelid and c.contype = 'c'
            cross join lateral regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''::text', 'g') v
            where t.tgfoid in ('audit.log_change'::regproc, 'audit.log_version_change'::regproc)
              and pg_get_constraintdef(c.oid) !~ 'jsonb_typeof'
            """);
        var culture = System.Globalization.CultureInfo.GetCultureInfo(language == "fr" ? "" : language);
        var texts = new System.Resources.ResourceManager(typeof(Sankore.Operations.Strings))
            .GetResourceSet(culture, createIfNotExists: true, tryParents: false)!;
        string[] unnamed =
        [
            .. columns.Where(c => texts.GetString("column." + c) is null),
            .. states.Except(Sankore.Tenancy.Memberships.Roles).Where(s => texts.GetString("value." + s) is null),
        ];
        unnamed.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_one_save_changes_is_one_act_with_names_for_ids()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        var plan = await admin.NewPlan(null, module.Id());
        // What looks like JSON is a name like any other.
        await admin.Ask(HttpMethod.Post, "/api/groups", new { name = "[Pilote] Lycée" }).Json(201);
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, Sankore.Identity.PasswordRules.Demo);

        var page = System.Net.WebUtility.HtmlDecode(await browser.Page($"/admin/audit?user={await world.IdOf(Cast.Super)}"));
        page.ShouldContain("[Pilote] Lycée");
        var acts = page[page.IndexOf("class=\"timeline\"", StringComparison.Ordinal)..].Split("<li>");
        var act = acts.Single(a => a.Contains($"«\u00a0{plan.Text("name")}\u00a0»", StringComparison.Ordinal));
        act.ShouldContain($"«\u00a0{plan.Text("name")} · {module.Text("name")}\u00a0»");
        act.ShouldContain("actif");
        act.ShouldNotMatch("(ins|del)>[0-9a-f]{8}-[0-9a-f]{4}", "ids are no names");
        act.ShouldNotMatch(@"\d{4}-\d{2}-\d{2}T", "moments are as people read them");
    }

    [Fact]
    public async Task Values_are_said_as_people_read_them_even_of_what_is_no_more()
    {
        using var admin = await world.As(Cast.Super);
        var category = await admin.NewCategory();
        var module = await admin.NewModule(null, category.Id());
        await admin.Ask(HttpMethod.Delete, $"/api/modules/{module.Id()}").Json(204);
        await admin.Ask(HttpMethod.Delete, $"/api/categories/{category.Id()}").Json(204);
        var group = (await admin.Ask(HttpMethod.Post, "/api/groups", new { name = "Le logo" }).Json(201)).Id();
        await admin.Ask(HttpMethod.Put, $"/api/groups/{group}/logo", PictureFiles.Form(PictureFiles.Of(90, 30))).Json(204);

        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, Sankore.Identity.PasswordRules.Demo);
        var page = await Page(module.Id());
        page.ShouldContain($"<ins>{category.Text("name")}</ins>");
        page.ShouldContain("<ins>oui</ins>");
        (await Page(group)).ShouldMatch("<ins><img class=\"logo\" src=\"/i/[0-9a-f-]{36}/small\" alt=\"une image\"");

        async Task<string> Page(Guid record) =>
            System.Net.WebUtility.HtmlDecode(await browser.Page($"/admin/audit?record={record}"));
    }

    [Fact]
    public async Task A_save_and_its_entry_are_one_transaction()
    {
        using var admin = await world.As(Cast.Super);
        var module = await Create(admin, "Une seule transaction");
        (await world.Sql<bool>(
            "select a.xmin = m.xmin from audit.audit_logs a join tenancy.modules m on m.id::text = a.record_id where m.id = @id",
            new { id = Guid.Parse(Id(module)) })).ShouldBeTrue();
    }

    [Fact]
    public async Task What_was_refused_or_rolled_back_leaves_no_entry()
    {
        using var admin = await world.As(Cast.Super);
        using var head = await world.As(Cast.HeadOnPremium);
        var module = await Create(admin, "Refus");
        var before = await Entries();

        (await admin.Post("/api/modules", new { name = "Refus", categoryId = await Category() })).Code.ShouldBe("CODE_TAKEN");
        (await admin.Put($"/api/modules/{Id(module)}", new { name = "Trop tard", categoryId = await Category(), version = 99 }))
            .Code.ShouldBe("STALE");
        (await admin.Put($"/api/modules/{Id(module)}", new { name = "", categoryId = await Category(), version = 1 }))
            .Code.ShouldBe("VALIDATION_FAILED");
        (await head.Put($"/api/modules/{Id(module)}", new { name = "Pas à moi", categoryId = await Category(), version = 1 }))
            .Code.ShouldBe("FORBIDDEN");
        await world.Execute(
            "begin; update tenancy.modules set name = 'Oublié' where id = @id; rollback", new { id = Guid.Parse(Id(module)) });

        (await Entries()).ShouldBe(before);
        Task<long> Entries() => world.Sql<long>(
            "select count(*) from audit.audit_logs where record_id = @id"
            + " or (table_name = 'tenancy.modules' and after ->> 'code' = 'refus')", new { id = Id(module) });
    }

    [Theory]
    [InlineData("anon"), InlineData("authenticated"), InlineData("service_role"), InlineData("sankore_app"), InlineData("sankore_owner")]
    public async Task Nobody_rewrites_the_log(string role)
    {
        using var admin = await world.As(Cast.Super);
        await Create(admin, $"Trace de {role}");
        var before = await Snapshot();
        foreach (var statement in (string[])[
            "update audit.audit_logs set user_id = null", "delete from audit.audit_logs", "truncate audit.audit_logs",
            "with gone as (delete from audit.audit_logs returning 1) select count(*) from gone",
            "alter table audit.audit_logs disable trigger audit_logs_immutable",
            "insert into audit.audit_logs (table_name, action, record_id, role) values ('planted', 'INSERT', 'x', 'x')",
        ])
        {
            // The owner can only switch its own trigger off, and write; whoever else is refused by the lack of a right.
            if (role != "sankore_owner"
                || !(statement.StartsWith("alter", StringComparison.Ordinal) || statement.StartsWith("insert", StringComparison.Ordinal)))
            {
                var refused = await Should.ThrowAsync<PostgresException>(() => Try(role, statement), $"{statement} as {role}");
                refused.SqlState.ShouldBeOneOf("42501", "SK001");
            }
        }
        (await Snapshot()).ShouldBe(before);
    }

    [Fact]
    public async Task Only_who_has_audit_read_reads_it()
    {
        (await world.AsRole<long>("authenticated", await world.IdOf(Cast.Super), "select count(*) from audit.audit_logs"))[0].ShouldBe(
            await world.Sql<long>("select count(*) from audit.audit_logs"));
        foreach (var email in (string[])[Cast.HeadOnPremium, Cast.Admin1, Cast.Teacher1])
        {
            (await world.AsRole<long>("authenticated", await world.IdOf(email), "select count(*) from audit.audit_logs"))[0].ShouldBe(
                0, email);
            using var client = await world.As(email);
            var answer = await client.Ask("/api/audit-logs");
            (answer.Status, answer.Code).ShouldBe((HttpStatusCode.Forbidden, "FORBIDDEN"), email);
        }
        await Should.ThrowAsync<PostgresException>(() => world.AsRole<long>("anon", null, "select count(*) from audit.audit_logs"));
        using var nobody = world.Nobody();
        (await nobody.Ask("/api/audit-logs")).Code.ShouldBe("UNAUTHENTICATED");
    }

    [Fact]
    public async Task The_list_is_narrowed_by_table_record_person_and_time()
    {
        using var admin = await world.As(Cast.Super);
        var early = await Create(admin, "Premier filtre");
        var from = DateTime.UtcNow;
        var late = await Create(admin, "Second filtre");
        await world.Execute("update tenancy.modules set name = 'Sans personne' where id = @id", new { id = Guid.Parse(Id(late)) });

        (await Found($"table=modules&record={Id(early)}")).ShouldBe(1);
        (await Found($"table=tenancy.modules&record={Id(early)}")).ShouldBe(1);
        (await Found($"table=business_categories&record={Id(early)}")).ShouldBe(0);
        (await Found($"record={Id(late)}")).ShouldBe(2);
        (await Found($"record={Id(late)}&user={await world.IdOf(Cast.Super)}")).ShouldBe(1);
        (await Found($"record={Id(late)}&user={Guid.CreateVersion7()}")).ShouldBe(0);
        (await Found($"record={Id(early)}&from={from:O}")).ShouldBe(0);
        (await Found($"record={Id(late)}&from={from:O}")).ShouldBe(2);
        (await Found($"record={Id(early)}&to={from:O}")).ShouldBe(1);
        (await Found($"record={Id(late)}&to={from:O}")).ShouldBe(0);
        (await admin.Ask("/api/audit-logs?user=nobody")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await admin.Ask("/api/audit-logs?from=yesterday")).Status.ShouldBe(HttpStatusCode.BadRequest);

        async Task<long> Found(string filter) => (await admin.Ask($"/api/audit-logs?{filter}")).Body.GetProperty("total").GetInt64();
    }

    [Fact]
    public async Task Secrets_never_enter_the_log()
    {
        using var admin = await world.As(Cast.Super);
        var key = await admin.Post("/api/api-keys", new { name = "Passerelle", permissions = new[] { "tenancy.read" } });
        (await admin.Post("/api/invitations", new { email = "nouvelle@sankore.test", role = "moderator" }))
            .Status.ShouldBe(HttpStatusCode.Accepted);

        var id = key.Body.GetProperty("apiKey").GetProperty("id").GetString();
        (await admin.Ask($"/api/audit-logs?table=rbac.api_keys&record={id}")).Items.Count.ShouldBe(1);
        var log = await world.Sql<string>("select string_agg(a::text, ' ') from audit.audit_logs a");
        foreach (var secret in (string[])[
            key.Text("secret"), await world.Sql<string>("select encode(key_hash, 'hex') from rbac.api_keys limit 1"),
            await world.Sql<string>("select encode(token_hash, 'hex') from rbac.invitations limit 1"),
            await world.Sql<string>("select password_hash from auth.users limit 1"), "key_hash", "token_hash", "password_hash",
        ])
        {
            log.ShouldNotContain(secret);
        }
    }

    private async Task<JsonElement> Create(HttpClient admin, string name)
    {
        var answer = await admin.Post("/api/modules", new { name, categoryId = await Category() });
        answer.Status.ShouldBe(HttpStatusCode.Created);
        return answer.Body;
    }

    private static async Task Save(HttpClient admin, JsonElement module, string name) =>
        (await admin.Put($"/api/modules/{Id(module)}", new { name, categoryId = module.GetProperty("categoryId").GetGuid(), version = 1 }))
            .Status.ShouldBe(HttpStatusCode.OK);

    private static string Id(JsonElement module) => module.GetProperty("id").GetString()!;

    private Task<Guid> Category() => world.Sql<Guid>("select id from tenancy.business_categories order by id limit 1");

    private Task<string> Snapshot() => world.Sql<string>("select count(*) || ' ' || sum(hashtext(a::text)) from audit.audit_logs a");

    /// <summary>As one of the callers' roles, or as a login that takes none: always rolled back.</summary>
    private async Task Try(string role, string statement)
    {
        await using var connection = new NpgsqlConnection(role == "sankore_app" ? world.AppConnection : world.AdminConnection);
        await connection.OpenAsync();
        await using var command =
            new NpgsqlCommand($"begin; {(role == "sankore_app" ? "" : $"set local role {role};")} {statement}; commit", connection);
        await command.ExecuteNonQueryAsync();
    }
}
