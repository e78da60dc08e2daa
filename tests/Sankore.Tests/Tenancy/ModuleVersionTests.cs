using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Nobody overwrites what somebody else saved meanwhile.</summary>
public sealed class ModuleVersionTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("\"1\"")]
    [InlineData("W/\"1\"")]
    public async Task A_change_names_its_version_in_If_Match(string tag)
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        using var answer =
            await admin.Ask(HttpMethod.Put, Path(module), module.With(("description", "changed"), ("version", null)), ifMatch: tag);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.ETag?.Tag.ShouldBe("\"2\"");
        var saved = JsonElement.Parse(await answer.Body());
        saved.Text("description").ShouldBe("changed");
        saved.GetProperty("version").GetInt32().ShouldBe(2);
        saved.GetProperty("updatedAt").GetDateTime().ShouldBeGreaterThan(module.GetProperty("updatedAt").GetDateTime());
    }

    [Fact]
    public async Task A_change_may_name_its_version_in_the_body()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        var saved = await admin.Ask(HttpMethod.Put, Path(module), module.With(("icon", "users"))).Json();
        saved.GetProperty("version").GetInt32().ShouldBe(2);
        (await admin.Ask(HttpMethod.Put, Path(module), saved.With(("icon", "book"))).Json()).GetProperty("version").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task If_Match_counts_before_the_body()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        await admin.Ask(HttpMethod.Put, Path(module), module.With(("version", 1)), ifMatch: "\"7\"").ShouldRefuse(412, "STALE");
        await admin.Ask(HttpMethod.Put, Path(module), module.With(("version", 7)), ifMatch: "\"1\"").Json();
    }

    [Fact]
    public async Task A_change_without_a_version_is_refused()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        await admin.Ask(HttpMethod.Put, Path(module), module.With(("version", null))).ShouldRefuse(428, "VERSION_REQUIRED");
    }

    [Theory]
    [InlineData("\"one\"")]
    [InlineData("\"-1\"")]
    [InlineData("\"99999999999\"")]
    [InlineData("\"1 0\"")]
    [InlineData("\"1\", \"2\"")]
    public async Task An_entity_tag_that_is_no_version_is_refused(string tag)
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        await admin.Ask(HttpMethod.Put, Path(module), module.With(), ifMatch: tag).ShouldRefuse(400, "BAD_REQUEST");
    }

    [Fact]
    public async Task A_stale_change_is_refused_and_changes_nothing()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        await admin.Ask(HttpMethod.Put, Path(module), module.With(("name", "Première"))).Json();

        var problem = await admin.Ask(HttpMethod.Put, Path(module), module.With(("name", "Seconde")), language: "en")
            .ShouldRefuse(412, "STALE");
        problem.Text("title").ShouldContain("“Première”");
        await admin.Ask(HttpMethod.Delete, Path(module), ifMatch: "\"1\"").ShouldRefuse(412, "STALE");
        (await admin.Ask(HttpMethod.Get, Path(module)).Json()).Text("name").ShouldBe("Première");
        (await admin.Ask(HttpMethod.Delete, Path(module), ifMatch: "\"2\"")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Of_two_changes_at_once_on_the_same_version_one_wins()
    {
        using var admin = await world.As(Cast.Super);
        for (var round = 0; round < 10; round++)
        {
            var module = await admin.NewModule();
            var names = Enumerable.Range(1, 4).Select(i => $"Main {i}").ToArray();
            var answers = await Task.WhenAll(names.Select(name => admin.Ask(HttpMethod.Put, Path(module), module.With(("name", name)))));

            answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 412, 412, 412]);
            var winner = names[Array.FindIndex(answers, a => a.IsSuccessStatusCode)];
            var kept = await admin.Ask(HttpMethod.Get, Path(module)).Json();
            kept.Text("name").ShouldBe(winner);
            kept.GetProperty("version").GetInt32().ShouldBe(2);
        }
    }

    [Fact]
    public async Task Of_two_new_modules_at_once_with_one_code_one_is_made()
    {
        using var admin = await world.As(Cast.Super);
        var category = (await admin.NewCategory()).Id();
        for (var round = 0; round < 5; round++)
        {
            var name = $"Double {Catalogue.Word()}";
            var answers = await Task.WhenAll(
                Enumerable.Range(0, 4).Select(_ => admin.Ask(HttpMethod.Post, "/api/modules", new { name, categoryId = category })));
            answers.Select(a => (int)a.StatusCode).Order().ShouldBe([201, 409, 409, 409]);
        }
    }

    [Fact]
    public async Task What_does_not_exist_cannot_be_changed()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        await admin.Ask(HttpMethod.Put, $"/api/modules/{Guid.NewGuid()}", module.With(("code", Catalogue.Word())))
            .ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"/api/modules/{Guid.NewGuid()}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"/api/modules/{Guid.NewGuid()}", ifMatch: "\"1\"").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Get, $"/api/modules/{Guid.NewGuid()}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Get, "/api/modules/first").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Patch, Path(module), module.With()).ShouldRefuse(405, "METHOD_NOT_ALLOWED");
    }

    private static string Path(JsonElement module) => $"/api/modules/{module.Id()}";
}
