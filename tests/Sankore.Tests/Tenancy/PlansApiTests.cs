using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Plans through the API: a plan and all that it includes are saved in one request, or not at all.</summary>
public sealed class PlansApiTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task What_is_left_out_of_a_new_plan_has_its_default()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        using var answer = await admin.Ask(HttpMethod.Post, "/api/plans", new { name = $"  Formule d’Été {word} " });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var plan = JsonElement.Parse(await answer.Body());
        answer.Headers.Location?.OriginalString.ShouldBe(Path(plan));
        plan.Text("name").ShouldBe($"Formule d’Été {word}");
        plan.Text("slug").ShouldBe($"formule-ete-{word}");
        plan.Text("currency").ShouldBe("XAF");
        plan.Text("status").ShouldBe("active");
        (string Field, int Value)[] cases =
        [
            ("monthlyPrice", 0), ("yearlyPrice", 0), ("sortOrder", 100), ("modules", 0), ("groups", 0), ("version", 1),
        ];
        foreach (var (field, value) in cases)
        {
            plan.GetProperty(field).GetInt64().ShouldBe(value, field);
        }
        plan.GetProperty("description").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_plan_is_saved_with_its_modules_categories_and_prices_in_one_request()
    {
        using var admin = await world.As(Cast.Super);
        var category = (await admin.NewCategory()).Id();
        var (kept, excluded, single) =
            (await admin.NewModule(categoryId: category), await admin.NewModule(categoryId: category), await admin.NewModule());
        var plan = await admin.Ask(HttpMethod.Post, "/api/plans", new
        {
            name = $"Plan {Catalogue.Word()}",
            slug = $"Formule_Complète {Catalogue.Word()}",
            description = "Tout ce qu’il faut.",
            monthlyPrice = 25_000,
            yearlyPrice = 1_000_000_000_000,
            currency = " eur ",
            sortOrder = 7,
            status = "inactive",
            categoryIds = new[] { category, category },
            modules = new object[]
            {
                new { moduleId = excluded.Id(), included = false },
                new { moduleId = single.Id(), monthlyPrice = 1500, yearlyPrice = 15_000 },
            },
        }).Json(201);
        plan.Text("slug").ShouldStartWith("formule-complete-w");
        plan.Text("description").ShouldBe("Tout ce qu’il faut.");
        plan.Text("currency").ShouldBe("EUR");
        plan.Text("status").ShouldBe("inactive");
        plan.GetProperty("yearlyPrice").GetInt64().ShouldBe(1_000_000_000_000);
        plan.GetProperty("modules").GetInt64().ShouldBe(2);

        var found = await admin.Ask(HttpMethod.Get, Path(plan)).Json();
        JsonElement.DeepEquals(found.GetProperty("plan"), plan).ShouldBeTrue(found.ToString());
        (await ModulesOf(admin, plan)).ShouldBe([(kept.Id(), null, null), (single.Id(), 1500, 15_000)], ignoreOrder: true);
    }

    [Fact]
    public async Task What_the_lists_leave_out_is_gone_afterwards()
    {
        using var admin = await world.As(Cast.Super);
        var (first, second) = ((await admin.NewCategory()).Id(), (await admin.NewCategory()).Id());
        var (a, b, c) = (await admin.NewModule(categoryId: first), await admin.NewModule(categoryId: second), await admin.NewModule());
        var plan = await admin.NewPlan([first], c.Id());
        (await ModulesOf(admin, plan)).Select(m => m.Id).ShouldBe([a.Id(), c.Id()], ignoreOrder: true);

        var saved = await Save(admin, plan, [second], new { moduleId = a.Id(), monthlyPrice = 9 });
        saved.GetProperty("version").GetInt32().ShouldBe(2);
        (await ModulesOf(admin, plan)).ShouldBe([(a.Id(), 9, null), (b.Id(), null, null)], ignoreOrder: true);

        // The line of its own stays, and now says no.
        saved = await Save(admin, saved, [first, second], new { moduleId = a.Id(), included = false });
        (await ModulesOf(admin, plan)).Select(m => m.Id).ShouldBe([b.Id()]);
        await admin.Ask(HttpMethod.Put, Path(plan), new { name = saved.Text("name"), version = 3 }).Json();
        (await ModulesOf(admin, plan)).ShouldBeEmpty();
        (await world.Sql<int>(
            "select (select count(*) from tenancy.plan_modules where plan_id = @id)::int + (select count(*) from tenancy.plan_categories"
            + " where plan_id = @id)::int", new { id = plan.Id() })).ShouldBe(0);
    }

    [Theory]
    [InlineData(true, "MODULE_UNKNOWN")]
    [InlineData(false, "CATEGORY_UNKNOWN")]
    public async Task Nothing_of_a_save_is_kept_when_a_part_of_it_is_unknown(bool module, string code)
    {
        using var admin = await world.As(Cast.Super);
        var (old, other) = (await admin.NewModule(), await admin.NewModule());
        var plan = await admin.NewPlan(null, old.Id());
        var slug = Catalogue.Word();
        object body = new
        {
            name = "À ne pas garder",
            slug,
            monthlyPrice = 77,
            version = 1,
            modules = new[] { new { moduleId = other.Id() }, new { moduleId = module ? Guid.NewGuid() : old.Id() } },
            categoryIds =
            new[] { other.GetProperty("categoryId").GetGuid(), module ? old.GetProperty("categoryId").GetGuid() : Guid.NewGuid() },
        };
        await admin.Ask(HttpMethod.Put, Path(plan), body).ShouldRefuse(422, code);
        await admin.Ask(HttpMethod.Post, "/api/plans", body).ShouldRefuse(422, code);

        JsonElement.DeepEquals((await admin.Ask(HttpMethod.Get, Path(plan)).Json()).GetProperty("plan"), plan).ShouldBeTrue();
        (await ModulesOf(admin, plan)).ShouldBe([(old.Id(), null, null)]);
        (await world.Sql<int>("select count(*)::int from tenancy.subscription_plans where slug = @slug", new { slug })).ShouldBe(0);
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_is_based_on()
    {
        using var admin = await world.As(Cast.Super);
        var plan = await admin.NewPlan();
        await admin.Ask(HttpMethod.Put, Path(plan), plan.Body(("version", null))).ShouldRefuse(428, "VERSION_REQUIRED");
        await admin.Ask(HttpMethod.Put, Path(plan), plan.Body(), ifMatch: "\"one\"").ShouldRefuse(400, "BAD_REQUEST");
        using var answer =
            await admin.Ask(HttpMethod.Put, Path(plan), plan.Body(("name", "Première"), ("version", null)), ifMatch: "W/\"1\"");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Body());
        answer.Headers.ETag?.Tag.ShouldBe("\"2\"");

        var problem = await admin.Ask(HttpMethod.Put, Path(plan), plan.Body(("name", "Seconde")), language: "en")
            .ShouldRefuse(412, "STALE");
        problem.Text("title").ShouldContain("“Première”");
        await admin.Ask(HttpMethod.Delete, Path(plan), ifMatch: "\"1\"").ShouldRefuse(412, "STALE");
        using var found = await admin.Ask(HttpMethod.Get, Path(plan));
        found.Headers.ETag?.Tag.ShouldBe("\"2\"");
        await admin.Ask(HttpMethod.Put, $"/api/plans/{Guid.NewGuid()}", plan.Body(("slug", Catalogue.Word())))
            .ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"/api/plans/{Guid.NewGuid()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_slug_that_another_plan_has_is_refused_beside_the_field()
    {
        using var admin = await world.As(Cast.Super);
        var (plan, other) = (await admin.NewPlan(), await admin.NewPlan());
        var spelling = other.Text("slug").Replace('-', '_').ToUpperInvariant();
        (await admin.Ask(HttpMethod.Post, "/api/plans", new { name = "Autre", slug = spelling }).ShouldRefuse(409, "PLAN_SLUG_TAKEN"))
            .ErrorOf("slug");
        (await admin.Ask(HttpMethod.Put, Path(plan), plan.Body(("slug", spelling))).ShouldRefuse(409, "PLAN_SLUG_TAKEN")).ErrorOf("slug");
        (await admin.Ask(HttpMethod.Post, "/api/plans", new { name = "…" }).ShouldRefuse(422, "SLUG_INVALID")).ErrorOf("slug");
        (await admin.Ask(HttpMethod.Post, "/api/plans", new { name = "Long", slug = new string('s', 65) })
            .ShouldRefuse(422, "SLUG_INVALID")).ErrorOf("slug");
        (await admin.Ask(HttpMethod.Put, Path(plan), plan.Body(("slug", $" {plan.Text("slug").ToUpperInvariant()} "))).Json()).Text("slug")
            .ShouldBe(plan.Text("slug"));
    }

    [Theory]
    [InlineData("name", "\" \"", "name")]
    [InlineData("name", null, "name")]
    [InlineData("monthlyPrice", "-1", "monthlyPrice")]
    [InlineData("yearlyPrice", "1000000000001", "yearlyPrice")]
    [InlineData("yearlyPrice", "9223372036854775807", "yearlyPrice")]
    [InlineData("currency", "\"EURO\"", "currency")]
    [InlineData("currency", "\"€€€\"", "currency")]
    [InlineData("sortOrder", "10000", "sortOrder")]
    [InlineData("status", "\"asleep\"", "status")]
    [InlineData("description", "\"\\u0007\"", "description")]
    [InlineData(
        "modules",
        """[{"moduleId":"019f0000-0000-7000-8000-000000000001"},{"moduleId":"019f0000-0000-7000-8000-000000000001","included":false}]""",
        "modules")]
    [InlineData("modules", """[{"moduleId":"019f0000-0000-7000-8000-000000000001","monthlyPrice":-5}]""", "modules")]
    public async Task What_is_wrong_is_said_beside_its_field(string field, string? json, string named)
    {
        using var admin = await world.As(Cast.Super);
        var body = new Dictionary<string,
            object?>
        { ["name"] = $"Plan {Catalogue.Word()}", [field] = json is null ? null : JsonElement.Parse(json) };
        (await admin.Ask(HttpMethod.Post, "/api/plans", body).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(named);
        var plan = await admin.NewPlan();
        body["version"] = 1;
        (await admin.Ask(HttpMethod.Put, Path(plan), body).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(named);
        (await admin.Ask(HttpMethod.Post, $"{Path(plan)}/preview", body).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(named);
    }

    [Theory]
    [InlineData("""{"name":"X","monthlyPrice":"many"}""")]
    [InlineData("""{"name":"X","monthlyPrice":1.5}""")]
    [InlineData("""{"name":"X","yearlyPrice":92233720368547758070}""")]
    [InlineData("""{"name":"X","categoryIds":["first"]}""")]
    [InlineData("""{"name":"X","categoryIds":[null]}""")]
    [InlineData("""{"name":"X","modules":{}}""")]
    [InlineData("""{"name":"X","modules":[null]}""")]
    [InlineData("""{"name":["X"]}""")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task What_is_no_plan_is_refused(string json)
    {
        using var admin = await world.As(Cast.Super);
        using var answer =
            await admin.Ask(HttpMethod.Post, "/api/plans", new StringContent(json, System.Text.Encoding.UTF8, "application/json"));
        ((int)answer.StatusCode).ShouldBe(400, await answer.Body());
    }

    private static string Path(JsonElement plan) => $"/api/plans/{plan.Id()}";

    private static Task<JsonElement> Save(HttpClient admin, JsonElement plan, Guid[] categories, params object[] modules) =>
        admin.Ask(HttpMethod.Put, Path(plan), plan.Body(("categoryIds", categories), ("modules", modules))).Json();

    private static async Task<IReadOnlyList<(Guid Id, long? Monthly, long? Yearly)>> ModulesOf(HttpClient admin, JsonElement plan) =>
        [.. (await admin.Ask(HttpMethod.Get, Path(plan)).Json()).GetProperty("modules").EnumerateArray()
            .Select(m => (m.Id(), Price(m, "monthlyPrice"), Price(m, "yearlyPrice")))];

    private static long? Price(JsonElement module, string field) =>
        module.GetProperty(field) is { ValueKind: JsonValueKind.Number } price ? price.GetInt64() : null;
}
