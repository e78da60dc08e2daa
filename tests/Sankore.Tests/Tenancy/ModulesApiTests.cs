using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>The catalogue's modules through the API, as somebody who may change them.</summary>
public sealed class ModulesApiTests(World world) : IClassFixture<World>
{
    private static readonly string[] Fields =
        ["id", "code", "name", "description", "categoryId", "kind", "sector", "priority", "status", "isBuilt", "icon", "route", "version"];

    [Fact]
    public async Task A_list_comes_in_pages_with_its_total()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var category = await admin.NewCategory();
        for (var i = 1; i <= 5; i++)
        {
            await admin.NewModule($"{word} {i}", category.Id());
        }

        var second = await admin.Ask(HttpMethod.Get, $"/api/modules?q={word}&sort=name&page=2&size=2").Json();
        second.Names().ShouldBe(["items", "total", "page", "size"], ignoreOrder: true);
        second.GetProperty("total").GetInt32().ShouldBe(5);
        second.GetProperty("page").GetInt32().ShouldBe(2);
        second.GetProperty("size").GetInt32().ShouldBe(2);
        second.GetProperty("items").Texts("name").ShouldBe([$"{word} 3", $"{word} 4"]);
        (await admin.Ask(HttpMethod.Get, $"/api/modules?q={word}&page=4&size=2").Json()).GetProperty("items").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("size=0", 1, 1)]
    [InlineData("size=1000", 1, 100)]
    [InlineData("page=-3", 1, 25)]
    [InlineData("", 1, 25)]
    public async Task A_page_has_its_bounds(string query, int page, int size)
    {
        using var admin = await world.As(Cast.Super);
        var list = await admin.Ask(HttpMethod.Get, $"/api/modules?{query}").Json();
        list.GetProperty("page").GetInt32().ShouldBe(page);
        list.GetProperty("size").GetInt32().ShouldBe(size);
    }

    [Theory]
    [InlineData("name", "Ecole", "Été", "Forum")]
    [InlineData("-name", "Forum", "Été", "Ecole")]
    [InlineData("priority", "Forum", "Ecole", "Été")]
    [InlineData("-priority", "Été", "Ecole", "Forum")]
    [InlineData("code", "Ecole", "Été", "Forum")]
    [InlineData("", "Forum", "Ecole", "Été")]
    public async Task A_list_is_sorted_as_asked(string sort, params string[] expected)
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var category = (await admin.NewCategory()).Id();
        foreach (var (name, priority) in new[] { ("Été", 30), ("Ecole", 20), ("Forum", 10) })
        {
            await admin.Ask(HttpMethod.Post, "/api/modules", new { name = $"{word} {name}", categoryId = category, priority }).Json(201);
        }

        var list = await admin.Ask(HttpMethod.Get, $"/api/modules?q={word}&sort={sort}").Json();
        list.GetProperty("items").Texts("name").ShouldBe(expected.Select(e => $"{word} {e}"));
    }

    [Fact]
    public async Task A_search_finds_names_and_codes_and_takes_signs_literally()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        await admin.NewModule($"100% {word}");

        foreach (var q in new[] { word, word.ToUpperInvariant(), $"100% {word}", $"100-{word}" })
        {
            (await admin.Ask(HttpMethod.Get, "/api/modules?q=" + Uri.EscapeDataString(q)).Json()).GetProperty("total").GetInt32()
                .ShouldBe(1, q);
        }
        foreach (var q in new[] { $"1_0% {word}", $"%%{word}", @"\" + word, $"' or true --{word}", $"{word}\0x" })
        {
            (await admin.Ask(HttpMethod.Get, "/api/modules?q=" + Uri.EscapeDataString(q)).Json()).GetProperty("total").GetInt32()
                .ShouldBe(0, q);
        }
    }

    [Theory]
    [InlineData("/api/modules?sort=colour", "sort")]
    [InlineData("/api/modules?sort=id;drop table x", "sort")]
    [InlineData("/api/modules?sort=-", "sort")]
    public async Task An_unknown_sort_is_refused(string path, string field)
    {
        using var admin = await world.As(Cast.Super);
        var problem = await admin.Ask(HttpMethod.Get, path).ShouldRefuse(400, "VALIDATION_FAILED");
        problem.ErrorOf(field).ShouldContain("priority");
    }

    [Fact]
    public async Task A_page_that_is_no_number_is_refused()
    {
        using var admin = await world.As(Cast.Super);
        await admin.Ask(HttpMethod.Get, "/api/modules?page=two").ShouldRefuse(400, "BAD_REQUEST");
    }

    [Fact]
    public async Task A_module_says_its_version_as_an_entity_tag()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();

        using var answer = await admin.Ask(HttpMethod.Get, $"/api/modules/{module.Id()}");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var body = JsonElement.Parse(await answer.Body());
        Fields.ShouldBeSubsetOf(body.Names());
        body.GetProperty("version").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task What_is_left_out_of_a_new_module_has_its_default()
    {
        using var admin = await world.As(Cast.Super);
        var category = (await admin.NewCategory()).Id();
        var word = Catalogue.Word();

        using var answer =
            await admin.Ask(HttpMethod.Post, "/api/modules", new { name = $"  Suivi d’élèves {word} ", categoryId = category });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var module = JsonElement.Parse(await answer.Body());
        answer.Headers.Location?.OriginalString.ShouldBe($"/api/modules/{module.Id()}");
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        module.Text("name").ShouldBe($"Suivi d’élèves {word}");
        module.Text("code").ShouldBe($"suivi-eleves-{word}");
        module.Text("kind").ShouldBe("core");
        module.Text("status").ShouldBe("active");
        module.Text("icon").ShouldBe("grid");
        module.GetProperty("priority").GetInt32().ShouldBe(100);
        module.GetProperty("isBuilt").GetBoolean().ShouldBeFalse("it leads nowhere");
        module.GetProperty("description").ValueKind.ShouldBe(JsonValueKind.Null);
        module.GetProperty("route").ValueKind.ShouldBe(JsonValueKind.Null);
        JsonElement.DeepEquals(await admin.Ask(HttpMethod.Get, answer.Headers.Location!.OriginalString).Json(), module).ShouldBeTrue();
    }

    [Fact]
    public async Task Every_field_that_is_said_is_kept()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var said = new
        {
            code = $"Gestion_d'Équipe {word}",
            name = $"Équipe {word}",
            description = "Postes,\néquipes 🎓",
            categoryId = (await admin.NewCategory()).Id(),
            kind = "premium",
            sector = "Lycées",
            priority = 7,
            status = "inactive",
            isBuilt = false,
            icon = "users",
            route = $"https://equipe.exemple.cg/{word}?ecole=1",
        };

        var module = await admin.Ask(HttpMethod.Post, "/api/modules", said).Json(201);
        module.Text("code").ShouldBe($"gestion-equipe-{word}");
        var kept = JsonSerializer.SerializeToElement(said);
        foreach (var field in kept.Names().Where(f => f != "code"))
        {
            module.GetProperty(field).ToString().ShouldBe(kept.GetProperty(field).ToString(), field);
        }
    }

    [Fact]
    public async Task A_module_that_is_deleted_is_gone()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        (await admin.Ask(HttpMethod.Delete, $"/api/modules/{module.Id()}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await admin.Ask(HttpMethod.Get, $"/api/modules/{module.Id()}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"/api/modules/{module.Id()}").ShouldRefuse(404, "NOT_FOUND");
    }
}
