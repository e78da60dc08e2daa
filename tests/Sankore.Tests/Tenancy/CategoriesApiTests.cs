using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>The catalogue's categories through the API.</summary>
public sealed class CategoriesApiTests(World world) : IClassFixture<World>
{
    private static readonly string[] Fields = ["id", "name", "slug", "description", "icon", "color", "sortOrder", "status", "version"];

    [Fact]
    public async Task A_list_is_paged_searched_and_sorted()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        foreach (var (name, sortOrder) in new[] { ("Été", 30), ("Ecole", 20), ("Forum", 10) })
        {
            await admin.Ask(HttpMethod.Post, "/api/categories", new { name = $"{word} {name}", sortOrder }).Json(201);
        }

        (await Found("")).ShouldBe([$"{word} Forum", $"{word} Ecole", $"{word} Été"]);
        (await Found("&sort=name")).ShouldBe([$"{word} Ecole", $"{word} Été", $"{word} Forum"]);
        (await Found("&sort=-sortOrder")).ShouldBe([$"{word} Été", $"{word} Ecole", $"{word} Forum"]);
        (await Found("&sort=slug&page=2&size=2")).ShouldBe([$"{word} Forum"]);
        (await admin.Ask(HttpMethod.Get, "/api/categories?sort=colour").ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("sort");

        async Task<IReadOnlyList<string>> Found(string more)
        {
            var list = await admin.Ask(HttpMethod.Get, $"/api/categories?q={word}{more}").Json();
            list.GetProperty("total").GetInt32().ShouldBe(3);
            return list.GetProperty("items").Texts("name");
        }
    }

    [Fact]
    public async Task What_is_left_out_of_a_new_category_has_its_default()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        using var answer = await admin.Ask(HttpMethod.Post, "/api/categories", new { name = $" Vie de l’école {word}" });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var category = JsonElement.Parse(await answer.Body());
        answer.Headers.Location?.OriginalString.ShouldBe($"/api/categories/{category.Id()}");
        Fields.ShouldBeSubsetOf(category.Names());
        category.Text("name").ShouldBe($"Vie de l’école {word}");
        category.Text("slug").ShouldBe($"vie-de-ecole-{word}");
        category.Text("icon").ShouldBe("grid");
        category.Text("color").ShouldBe("green");
        category.Text("status").ShouldBe("active");
        category.GetProperty("sortOrder").GetInt32().ShouldBe(100);
        JsonElement.DeepEquals(await admin.Ask(HttpMethod.Get, Path(category)).Json(), category).ShouldBeTrue();
    }

    [Fact]
    public async Task Every_field_that_is_said_is_kept()
    {
        using var admin = await world.As(Cast.Super);
        var said = new
        {
            name = $"N {Catalogue.Word()}",
            slug = Catalogue.Word(),
            description = "Élèves 🎓",
            icon = "heart",
            color = "purple",
            sortOrder = 9999,
            status = "inactive",
        };
        var kept = await admin.Ask(HttpMethod.Post, "/api/categories", said).Json(201);
        var expected = JsonSerializer.SerializeToElement(said);
        foreach (var field in expected.Names())
        {
            kept.GetProperty(field).ToString().ShouldBe(expected.GetProperty(field).ToString(), field);
        }
    }

    public static TheoryData<string, object?> WrongFields => new()
    {
        { "name", null }, { "name", " " }, { "name", new string('x', 121) }, { "name", "nul\0" }, { "name", "bell\u0007" },
        { "slug", new string('x', 201) }, { "slug", "nul\0" }, { "description", new string('x', 501) }, { "description", "nul\0" },
        { "icon", "skull" }, { "color", "pink" }, { "color", "green\0" }, { "color", "#ff0000" }, { "sortOrder", -1 },
        { "sortOrder", 10_000 }, { "status", "gone" },
    };

    [Theory]
    [MemberData(nameof(WrongFields))]
    public async Task A_wrong_field_is_named(string field, object? value)
    {
        using var admin = await world.As(Cast.Super);
        var body = new Dictionary<string, object?> { ["name"] = "Catégorie", [field] = value };
        var problem = await admin.Ask(HttpMethod.Post, "/api/categories", body).ShouldRefuse(400, "VALIDATION_FAILED");
        problem.GetProperty("errors").Names().ShouldBe([field]);
        problem.ErrorOf(field);
        var category = await admin.NewCategory();
        await admin.Ask(HttpMethod.Put, Path(category), category.With((field, value))).ShouldRefuse(400, "VALIDATION_FAILED");
    }

    [Theory]
    [InlineData("fr", "Cet identifiant existe déjà\u00a0: «\u00a0{0}\u00a0» ({1}).")]
    [InlineData("en", "This identifier exists already: “{0}” ({1}).")]
    public async Task A_slug_that_is_taken_names_the_category_that_has_it(string language, string message)
    {
        using var admin = await world.As(Cast.Super);
        var first = await admin.NewCategory();
        var said = string.Format(System.Globalization.CultureInfo.InvariantCulture, message, first.Text("slug"), first.Text("name"));
        var problem = await admin.Ask(
            HttpMethod.Post, "/api/categories", new { name = first.Text("name").ToUpperInvariant() },
            language: language).ShouldRefuse(409, "SLUG_TAKEN");
        problem.Text("title").ShouldBe(said);
        problem.ErrorOf("slug").ShouldBe(said);
    }

    [Theory]
    [InlineData("学校")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_slug_of_which_nothing_or_too_much_is_left_is_refused(string slug)
    {
        using var admin = await world.As(Cast.Super);
        (await admin.Ask(HttpMethod.Post, "/api/categories", new { name = "Catégorie", slug }).ShouldRefuse(422, "SLUG_INVALID"))
            .ErrorOf("slug");
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_is_based_on()
    {
        using var admin = await world.As(Cast.Super);
        var category = await admin.NewCategory();
        await admin.Ask(HttpMethod.Put, Path(category), category.With(("version", null))).ShouldRefuse(428, "VERSION_REQUIRED");
        (await admin.Ask(HttpMethod.Put, Path(category), category.With(("color", "red"), ("version", null)), ifMatch: "\"1\"").Json())
            .Text("color").ShouldBe("red");
        await admin.Ask(HttpMethod.Put, Path(category), category.With(("color", "teal"))).ShouldRefuse(412, "STALE");
        (await admin.Ask(HttpMethod.Put, Path(category), category.With(("color", "teal"), ("version", 2))).Json()).GetProperty("version")
            .GetInt32().ShouldBe(3);
        await admin.Ask(HttpMethod.Delete, Path(category), ifMatch: "\"2\"").ShouldRefuse(412, "STALE");
        (await admin.Ask(HttpMethod.Delete, Path(category), ifMatch: "\"3\"")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await admin.Ask(HttpMethod.Get, Path(category)).ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Of_two_changes_at_once_on_the_same_version_one_wins()
    {
        using var admin = await world.As(Cast.Super);
        var category = await admin.NewCategory();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => admin.Ask(HttpMethod.Put, Path(category), category.With(("sortOrder", i)))));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 412, 412, 412]);
    }

    [Fact]
    public async Task What_does_not_exist_cannot_be_changed()
    {
        using var admin = await world.As(Cast.Super);
        var category = await admin.NewCategory();
        await admin.Ask(HttpMethod.Put, $"/api/categories/{Guid.NewGuid()}", category.With(("slug", Catalogue.Word())))
            .ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"/api/categories/{Guid.NewGuid()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("fr", "déplacez-les")]
    [InlineData("en", "move them")]
    public async Task A_category_that_has_modules_is_not_deleted(string language, string advice)
    {
        using var admin = await world.As(Cast.Super);
        var category = await admin.NewCategory();
        var module = await admin.NewModule(categoryId: category.Id());
        (await admin.Ask(HttpMethod.Delete, Path(category), language: language).ShouldRefuse(409, "CATEGORY_IN_USE")).Text("title")
            .ShouldContain(advice);
        (await admin.Ask(HttpMethod.Get, Path(category)).Json()).GetProperty("moduleCount").GetInt32().ShouldBe(1);
        await admin.Ask(HttpMethod.Delete, $"/api/modules/{module.Id()}").Json(204);
        await admin.Ask(HttpMethod.Delete, Path(category)).Json(204);
    }

    private static string Path(JsonElement category) => $"/api/categories/{category.Id()}";
}
