using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Groups through the API, as the operator and as others.</summary>
public sealed class GroupsApiTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task What_is_left_out_of_a_new_group_has_its_default()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        using var answer = await admin.Ask(HttpMethod.Post, "/api/groups", new { name = $"  Écoles de l’Espoir {word} " });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var group = JsonElement.Parse(await answer.Body());
        answer.Headers.Location?.OriginalString.ShouldBe(Path(group));
        group.Text("name").ShouldBe($"Écoles de l’Espoir {word}");
        group.Text("code").ShouldBe($"ecoles-de-espoir-{word}");
        group.Text("country").ShouldBe("CG");
        group.Text("status").ShouldBe("active");
        string[] fields =
        [
            "city", "contactEmail", "contactPhone", "plan", "planId", "subscriptionStatus", "subscriptionEndsAt",
        ];
        foreach (var field in fields)
        {
            group.GetProperty(field).ValueKind.ShouldBe(JsonValueKind.Null, field);
        }
        group.GetProperty("schools").GetInt32().ShouldBe(0);
        JsonElement.DeepEquals(await admin.Ask(HttpMethod.Get, Path(group)).Json(), group).ShouldBeTrue();
    }

    [Fact]
    public async Task Every_field_that_is_said_is_kept_and_can_be_changed()
    {
        using var admin = await world.As(Cast.Super);
        var word = Catalogue.Word();
        var group = await admin.Ask(HttpMethod.Post, "/api/groups", new
        {
            name = $"Groupe {word}",
            code = $" Réseau_Nord {word} ",
            city = " Ouesso ",
            country = "cm",
            contactEmail = "  bonjour@example.org",
            contactPhone = "+242 06 000 00 00",
            status = "inactive",
        }).Json(201);
        (group.Text("code"), group.Text("city"), group.Text("country"), group.Text("contactEmail"), group.Text("contactPhone"),
            group.Text("status"))
            .ShouldBe(($"reseau-nord-{word}", "Ouesso", "CM", "bonjour@example.org", "+242 06 000 00 00", "inactive"));

        var saved = await admin.Ask(
            HttpMethod.Put, Path(group), group.With(("name", "Autre"), ("city", " "), ("country", "GA"), ("status", "active"))).Json();
        (saved.Text("name"), saved.Text("country"), saved.Text("status"), saved.GetProperty("version").GetInt32())
            .ShouldBe(("Autre", "GA", "active", 2));
        saved.GetProperty("city").ValueKind.ShouldBe(JsonValueKind.Null);
        JsonElement.DeepEquals(await admin.Ask(HttpMethod.Get, Path(group)).Json(), saved).ShouldBeTrue();
    }

    [Fact]
    public async Task A_code_that_another_group_has_is_refused_beside_the_field()
    {
        using var admin = await world.As(Cast.Super);
        var (group, other) = (await admin.NewGroup(), await admin.NewGroup());
        var spelling = other.Text("code").Replace('-', ' ').ToUpperInvariant();
        (await admin.Ask(HttpMethod.Post, "/api/groups", new { name = "Autre", code = spelling }).ShouldRefuse(409, "GROUP_CODE_TAKEN"))
            .ErrorOf("code");
        (await admin.Ask(HttpMethod.Put, Path(group), group.With(("code", spelling))).ShouldRefuse(409, "GROUP_CODE_TAKEN"))
            .ErrorOf("code");
        (await admin.Ask(HttpMethod.Post, "/api/groups", new { name = "…" }).ShouldRefuse(422, "CODE_INVALID")).ErrorOf("code");
        (await admin.Ask(HttpMethod.Post, "/api/groups", new { name = "Long", code = new string('c', 65) })
            .ShouldRefuse(422, "CODE_INVALID")).ErrorOf("code");
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 4)
            .Select(_ => admin.Ask(HttpMethod.Post, "/api/groups", new { name = "Double", code = group.Text("code") + "-x" })));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([201, 409, 409, 409]);
    }

    [Theory]
    [InlineData("name", " ")]
    [InlineData("name", null)]
    [InlineData("city", "\u0007")]
    [InlineData("country", "Congo")]
    [InlineData("country", "C1")]
    [InlineData("contactEmail", "nobody")]
    [InlineData("contactEmail", "a@example.org\r\nBcc: b@example.org")]
    [InlineData("contactPhone", "00000000000000000000000000000000000000000")]
    [InlineData("status", "asleep")]
    public async Task What_is_wrong_is_said_beside_its_field(string field, string? value)
    {
        using var admin = await world.As(Cast.Super);
        var group = await admin.NewGroup();
        (await admin.Ask(HttpMethod.Put, Path(group), group.With((field, value))).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(field);
        (await admin.Ask(HttpMethod.Post, "/api/groups", group.With((field, value))).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(field);
        (await admin.Ask(HttpMethod.Get, Path(group)).Json()).GetProperty("version").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_is_based_on()
    {
        using var admin = await world.As(Cast.Super);
        var group = await admin.NewGroup();
        await admin.Ask(HttpMethod.Put, Path(group), group.With(("version", null))).ShouldRefuse(428, "VERSION_REQUIRED");
        await admin.Ask(HttpMethod.Put, Path(group), group.With(("name", "Première"), ("version", null)), ifMatch: "\"1\"").Json();
        (await admin.Ask(HttpMethod.Put, Path(group), group.With(("name", "Seconde")), language: "en").ShouldRefuse(412, "STALE"))
            .Text("title").ShouldContain("“Première”");
        await admin.Ask(HttpMethod.Put, $"/api/groups/{Guid.NewGuid()}", group.With(("code", Catalogue.Word())))
            .ShouldRefuse(404, "NOT_FOUND");
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => admin.Ask(HttpMethod.Put, Path(group), group.With(("name", $"Main {i}"), ("version", 2)))));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 412, 412, 412]);
    }

    [Fact]
    public async Task Groups_are_the_operators_to_change()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        var code = Catalogue.Word();
        string?[] others = [tenant.Admin, tenant.Teacher, Cast.Admin2, await world.NewPerson(platformRole: "moderator"), null];
        foreach (var email in others)
        {
            using var client = email is null ? world.Nobody() : await world.As(email);
            var (status, reason) = email is null ? (401, "UNAUTHENTICATED") : (403, "FORBIDDEN");
            await client.Ask(HttpMethod.Post, "/api/groups", new { name = "À moi", code }).ShouldRefuse(status, reason);
            await client.Ask(HttpMethod.Put, Path(tenant.Group), tenant.Group.With(("code", code))).ShouldRefuse(status, reason);
        }
        (await world.Sql<int>("select count(*)::int from tenancy.school_groups where code = @code", new { code })).ShouldBe(0);
        (await admin.Ask(HttpMethod.Get, Path(tenant.Group)).Json()).GetProperty("version").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_group_that_is_closed_closes_all_for_its_people_and_opens_again()
    {
        using var admin = await world.As(Cast.Super);
        var (module, theirs) = (await admin.NewModule(), await admin.NewModule());
        var (tenant, neighbour) = (await world.NewTenantWith(admin, module), await world.NewTenantWith(admin, module, theirs));
        await world.AssignToEverybody(module);
        foreach (var email in new[] { tenant.Admin, tenant.Teacher })
        {
            (await world.MenuOf(email)).Keys.ShouldBe([module.Text("code")]);
        }
        await world.Heard();
        await using var stream = await world.Listen(tenant.Teacher);
        await using var other = await world.Listen(neighbour.Admin);

        await admin.Ask(HttpMethod.Put, Path(tenant.Group), tenant.Group.With(("status", "inactive"))).Json();
        await IsOpen(false);
        await Waiting.Until(() => stream.Resets() == 1, "the page is to be read again");
        await admin.Ask(HttpMethod.Put, Path(tenant.Group), tenant.Group.With(("status", "active"), ("version", 2))).Json();
        await IsOpen(true);
        await Waiting.Until(() => stream.Resets() == 2, "and again");
        await world.Rename(theirs, "Chez les voisins");
        await other.Hears(theirs, "Chez les voisins");
        other.Resets().ShouldBe(0);

        async Task IsOpen(bool open)
        {
            foreach (var email in new[] { tenant.Admin, tenant.Teacher })
            {
                (await world.MenuOf(email)).Count.ShouldBe(open ? 1 : 0, email);
            }
            (await world.MenuOf(neighbour.Admin)).Count.ShouldBe(2);
            (await admin.Ask(HttpMethod.Get, $"/api/schools/{tenant.SchoolId}").Json()).GetProperty("activeModules").GetArrayLength()
                .ShouldBe(open ? 1 : 0);
        }
    }

    private static string Path(JsonElement group) => $"/api/groups/{group.Id()}";
}
