using System.Text;

namespace Sankore.Tests.Tenancy;

/// <summary>What the API refuses of a module, with which code.</summary>
public sealed class ModuleRefusalTests(World world) : IClassFixture<World>
{
    public static TheoryData<string, object?> WrongFields => new()
    {
        { "name", null }, { "name", "" }, { "name", "   " }, { "name", new string('x', 121) }, { "name", "bell\u0007" },
            { "name", "nul\0" },
        { "code", new string('x', 201) }, { "code", "a\u0001b" }, { "code", "a\0b" },
        { "description", new string('x', 501) }, { "description", "esc\u001b[0m" }, { "description", "nul\0" },
        { "categoryId", null },
        { "kind", "gold" }, { "kind", "" }, { "kind", "Core" }, { "kind", "core\0" },
        { "sector", new string('x', 121) }, { "sector", "nul\0" },
        { "priority", -1 }, { "priority", 10_000 }, { "priority", int.MaxValue },
        { "status", "gone" }, { "status", "ACTIVE" },
        { "icon", "skull" }, { "icon", new string('x', 500) }, { "icon", "grid\0" },
        { "route", "elsewhere" }, { "route", "http://exemple.cg/" }, { "route", "https://a b.cg/" }, { "route", "https://" },
        { "route", "https://moi:secret@exemple.cg/" }, { "route", "https://exemple.cg/#ici" }, { "route", "HTTPS://exemple.cg/" },
        { "route", "https://exemple.cg/" + new string('x', 500) }, { "route", "/Équipe" }, { "route", "/campaigns" }, { "route", "/a\0" },
    };

    [Fact]
    public async Task A_module_in_service_leads_somewhere()
    {
        using var admin = await world.As(Cast.Super);
        var body = new { name = $"M {Catalogue.Word()}", categoryId = await Category(admin), isBuilt = true };
        var problem = await admin.Ask(HttpMethod.Post, "/api/modules", body).ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe(["route"]);

        var refused = await Should.ThrowAsync<Npgsql.PostgresException>(() => world.Execute(
            "update tenancy.modules set route = null where code = 'annonces'"));
        refused.ConstraintName.ShouldBe("modules_is_built_check");
    }

    [Theory]
    [MemberData(nameof(WrongFields))]
    public async Task A_wrong_field_is_named(string field, object? value)
    {
        using var admin = await world.As(Cast.Super);
        var category = await Category(admin);
        var body = new Dictionary<string, object?> { ["name"] = "Module", ["categoryId"] = category, [field] = value };

        foreach (var language in new[] { "fr", "en" })
        {
            var problem = await admin.Ask(HttpMethod.Post, "/api/modules", body, language: language).ShouldRefuse(400, "VALIDATION_FAILED");
            problem.GetProperty("errors").Names().ShouldBe([field]);
            problem.ErrorOf(field);
        }
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_said_at_once()
    {
        using var admin = await world.As(Cast.Super);
        var problem = await admin.Ask(HttpMethod.Post, "/api/modules", new { name = " ", kind = "gold", priority = -1 })
            .ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe(["name", "categoryId", "kind", "priority"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_protocol_relative_route_does_not_lead_off_the_site()
    {
        using var admin = await world.As(Cast.Super);
        var problem = await admin.Ask(
            HttpMethod.Post, "/api/modules",
            new { name = "Module", categoryId = await Category(admin), route = "//evil/x" }).ShouldRefuse(400, "VALIDATION_FAILED");
        problem.ErrorOf("route");
    }

    [Theory]
    [InlineData("""{"name":"x",""")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("""{"name":{"a":1}}""")]
    [InlineData("""{"name":"x","priority":"soon"}""")]
    [InlineData("""{"name":"x","priority":1.5}""")]
    [InlineData("""{"name":"x","priority":99999999999}""")]
    [InlineData("""{"name":"x","isBuilt":"maybe"}""")]
    [InlineData("""{"name":"x","categoryId":"first"}""")]
    [InlineData("{\"name\":\"\\ud83c\",\"kind\":\"core\"}")]
    [InlineData("""{"name":["x"]}""")]
    public async Task A_body_that_is_no_module_is_refused(string body)
    {
        using var admin = await world.As(Cast.Super);
        await admin.Ask(HttpMethod.Post, "/api/modules", new StringContent(body, Encoding.UTF8, "application/json"))
            .ShouldRefuse(400, "BAD_REQUEST");
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_refused()
    {
        using var admin = await world.As(Cast.Super);
        var body = new ByteArrayContent([.. "{\"name\":\""u8, 0xff, 0xfe, .. "\"}"u8]);
        body.Headers.ContentType = new("application/json");
        await admin.Ask(HttpMethod.Post, "/api/modules", body).ShouldRefuse(400, "BAD_REQUEST");
    }

    [Fact]
    public async Task More_than_a_megabyte_is_too_large()
    {
        using var admin = await world.As(Cast.Super);
        await admin.Ask(HttpMethod.Post, "/api/modules", new { name = new string('x', 1_100_000) }).ShouldRefuse(413, "TOO_LARGE");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/xml")]
    public async Task Only_json_is_read(string mediaType)
    {
        using var admin = await world.As(Cast.Super);
        await admin.Ask(HttpMethod.Post, "/api/modules", new StringContent("""{"name":"x"}""", Encoding.UTF8, mediaType))
            .ShouldRefuse(415, "UNSUPPORTED_MEDIA_TYPE");
    }

    [Theory]
    [InlineData("fr", "Ce code existe déjà\u00a0: «\u00a0{0}\u00a0» ({1}).")]
    [InlineData("en", "This code exists already: “{0}” ({1}).")]
    [InlineData("de", "Ce code existe déjà\u00a0: «\u00a0{0}\u00a0» ({1}).")]
    public async Task A_code_that_is_taken_names_the_module_that_has_it(string language, string message)
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var first = await admin.NewModule($"Gestion d’équipe {word}");
        var said = string.Format(System.Globalization.CultureInfo.InvariantCulture, message, first.Text("code"), first.Text("name"));

        foreach (var code in new[] { $"gestion_equipe_{word}", $"GESTION-ÉQUIPE {word}" })
        {
            var problem = await admin.Ask(
                HttpMethod.Post, "/api/modules", new { code, name = "Autre", categoryId = await Category(admin) },
                language: language).ShouldRefuse(409, "CODE_TAKEN");
            problem.Text("title").ShouldBe(said);
            problem.ErrorOf("code").ShouldBe(said);
        }
        var other = await admin.NewModule();
        (await admin.Ask(HttpMethod.Put, $"/api/modules/{other.Id()}", other.With(("code", first.Text("code"))), language: language)
            .ShouldRefuse(409, "CODE_TAKEN")).Text("title").ShouldBe(said);
    }

    [Theory]
    [InlineData("学校")]
    [InlineData("🎓")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_code_of_which_nothing_or_too_much_is_left_is_refused(string code)
    {
        using var admin = await world.As(Cast.Super);
        var problem = await admin.Ask(HttpMethod.Post, "/api/modules", new { code, name = "Module", categoryId = await Category(admin) })
            .ShouldRefuse(422, "CODE_INVALID");
        problem.ErrorOf("code");
    }

    [Fact]
    public async Task An_unknown_category_is_refused()
    {
        using var admin = await world.As(Cast.Super);
        await admin.Ask(HttpMethod.Post, "/api/modules", new { name = $"M {Catalogue.Word()}", categoryId = Guid.NewGuid() })
            .ShouldRefuse(422, "CATEGORY_UNKNOWN");
        var module = await admin.NewModule();
        await admin.Ask(HttpMethod.Put, $"/api/modules/{module.Id()}", module.With(("categoryId", Guid.NewGuid())))
            .ShouldRefuse(422, "CATEGORY_UNKNOWN");
    }

    private static async Task<Guid> Category(HttpClient admin) =>
        (await admin.Ask(HttpMethod.Get, "/api/categories?size=1").Json()).GetProperty("items")[0].Id();
}
