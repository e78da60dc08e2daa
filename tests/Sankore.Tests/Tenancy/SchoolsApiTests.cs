using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Schools through the API: the operator's and the group's administrators' to keep, and entitled from the start.</summary>
public sealed class SchoolsApiTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_new_school_of_operator_or_group_administrator_has_the_plans_modules(bool asOperator)
    {
        using var admin = await world.As(Cast.Super);
        var (module, other) = (await admin.NewModule(), await admin.NewModule());
        var tenant = await world.NewTenantWith(admin, module, other);
        using var client = await world.As(asOperator ? Cast.Super : tenant.Admin);
        var word = Catalogue.Word();

        using var answer = await client.Ask(
            HttpMethod.Post, $"/api/groups/{tenant.GroupId}/schools", new { name = $" Lycée d’Été {word} ", city = "Dolisie" });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Body());
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var school = JsonElement.Parse(await answer.Body());
        answer.Headers.Location?.OriginalString.ShouldBe(Path(school));
        (school.Text("name"), school.Text("code"), school.Text("level"), school.Text("city"), school.Text("status"))
            .ShouldBe(($"Lycée d’Été {word}", $"lycee-ete-{word}", "secondary", "Dolisie", "active"));
        school.GetProperty("groupId").GetGuid().ShouldBe(tenant.GroupId);
        Modules(school).ShouldBe([module.Text("code"), other.Text("code")], ignoreOrder: true);
        JsonElement.DeepEquals(await client.Ask(HttpMethod.Get, Path(school)).Json(), school).ShouldBeTrue();

        var saved = await client.Ask(
            HttpMethod.Put, Path(school), school.With(("name", "Renommée"), ("level", "technical"), ("city", null))).Json();
        (saved.Text("name"), saved.Text("level"), saved.GetProperty("version").GetInt32()).ShouldBe(("Renommée", "technical", 2));
        Modules(saved).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_school_that_is_closed_has_no_modules_until_it_opens()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        var tenant = await world.NewTenantWith(admin, module);
        await world.AssignToEverybody(module);
        using var client = await world.As(tenant.Admin);
        Modules(await client.Ask(
            HttpMethod.Post, $"/api/groups/{tenant.GroupId}/schools",
            new { name = $"Fermée {Catalogue.Word()}", status = "inactive" }).Json(201)).ShouldBeEmpty();

        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([module.Text("code")]);
        Modules(await client.Ask(HttpMethod.Put, Path(tenant.School), tenant.School.With(("status", "inactive"))).Json()).ShouldBeEmpty();
        (await world.MenuOf(tenant.Teacher)).ShouldBeEmpty();
        Modules(await client.Ask(HttpMethod.Put, Path(tenant.School), tenant.School.With(("status", "active"), ("version", 2))).Json())
            .ShouldBe([module.Text("code")]);
        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([module.Text("code")]);
    }

    [Fact]
    public async Task A_school_of_a_group_without_a_plan_has_no_modules()
    {
        using var admin = await world.As(Cast.Super);
        var group = await admin.NewGroup();
        var school = await admin.NewSchool(group.Id());
        Modules(school).ShouldBeEmpty();
        var module = await admin.NewModule();
        await admin.NewSubscription(group.Id(), (await admin.NewPlan(null, module.Id())).Id());
        Modules(await admin.Ask(HttpMethod.Get, Path(school)).Json()).ShouldBe([module.Text("code")]);
    }

    [Fact]
    public async Task A_group_that_is_anothers_gets_no_school_and_loses_none()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        var code = Catalogue.Word();
        var before = await Row();
        (string Email, int Create, int Change)[] cases =
        [
            (Cast.Admin2, 404, 404), (tenant.Teacher, 403, 403), (Cast.Teacher1, 404, 404),
            (await world.NewPerson(platformRole: "moderator"), 403, 403), (await world.NewPerson(), 404, 404),
        ];
        foreach (var (email, create, change) in cases)
        {
            using var client = await world.As(email);
            await client.Ask(HttpMethod.Post, $"/api/groups/{tenant.GroupId}/schools", new { name = "Prise", code })
                .ShouldRefuse(create, create == 403 ? "FORBIDDEN" : "NOT_FOUND");
            await client.Ask(HttpMethod.Put, Path(tenant.School), tenant.School.With(("name", "Prise")))
                .ShouldRefuse(change, change == 403 ? "FORBIDDEN" : "NOT_FOUND");
        }
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Post, $"/api/groups/{tenant.GroupId}/schools", new { name = "Prise", code })
            .ShouldRefuse(401, "UNAUTHENTICATED");
        await nobody.Ask(HttpMethod.Put, Path(tenant.School), tenant.School.With()).ShouldRefuse(401, "UNAUTHENTICATED");
        await admin.Ask(HttpMethod.Post, $"/api/groups/{Guid.NewGuid()}/schools", new { name = "Nulle part", code })
            .ShouldRefuse(404, "NOT_FOUND");
        (await Row()).ShouldBe(before);
        (await world.Sql<int>("select count(*)::int from tenancy.schools where code = @code", new { code })).ShouldBe(0);

        Task<string> Row() => world.Sql<string>("select s::text from tenancy.schools s where id = @id", new { id = tenant.SchoolId });
    }

    [Fact]
    public async Task A_schools_group_and_modules_are_not_the_requests_to_say()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        using var client = await world.As(tenant.Admin);
        var other = await world.GroupId("g002");
        var saved = await client.Ask(
            HttpMethod.Put, Path(tenant.School), tenant.School.With(("groupId", other), ("activeModules", new[] { "finances" }))).Json();
        saved.GetProperty("groupId").GetGuid().ShouldBe(tenant.GroupId);
        Modules(saved).ShouldBe(Modules(tenant.School));
    }

    [Fact]
    public async Task A_code_a_version_and_every_field_are_checked()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        using var client = await world.As(tenant.Admin);
        var (path, schools) = (Path(tenant.School), $"/api/groups/{tenant.GroupId}/schools");
        // The code of a school that the caller cannot see, in another spelling.
        (await client.Ask(HttpMethod.Post, schools, new { name = "Autre", code = " S0002 " }).ShouldRefuse(409, "SCHOOL_CODE_TAKEN"))
            .ErrorOf("code");
        (await client.Ask(HttpMethod.Put, path, tenant.School.With(("code", "S0002"))).ShouldRefuse(409, "SCHOOL_CODE_TAKEN"))
            .ErrorOf("code");
        (await client.Ask(HttpMethod.Post, schools, new { name = "…" }).ShouldRefuse(422, "CODE_INVALID")).ErrorOf("code");
        (string Field, string Value)[] cases =
        [
            ("name", " "), ("name", new string('n', 161)), ("level", "university"), ("city", new string('v', 121)), ("status", "asleep"),
        ];
        foreach (var (field, value) in cases)
        {
            (await client.Ask(HttpMethod.Post, schools, tenant.School.With(("code", Catalogue.Word()), (field, value)))
                .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(field);
            (await client.Ask(HttpMethod.Put, path, tenant.School.With((field, value))).ShouldRefuse(400, "VALIDATION_FAILED"))
                .ErrorOf(field);
        }
        await client.Ask(HttpMethod.Put, path, tenant.School.With(("version", null))).ShouldRefuse(428, "VERSION_REQUIRED");
        await client.Ask(HttpMethod.Put, path, tenant.School.With(("name", "Première")), ifMatch: "\"1\"").Json();
        (await client.Ask(HttpMethod.Put, path, tenant.School.With(("name", "Seconde")), language: "en").ShouldRefuse(412, "STALE"))
            .Text("title").ShouldContain("“Première”");
    }

    private static string Path(JsonElement school) => $"/api/schools/{school.Id()}";

    private static IReadOnlyList<string?> Modules(JsonElement school) =>
        [.. school.GetProperty("activeModules").EnumerateArray().Select(m => m.GetString())];
}
