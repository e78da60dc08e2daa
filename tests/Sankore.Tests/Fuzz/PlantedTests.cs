using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tests.Fuzz;

/// <summary>The fuzzer is not blind: of routes that break its rules, each is named.</summary>
public sealed class PlantedTests(PlantedRoutes world) : IClassFixture<PlantedRoutes>, IAsyncLifetime
{
    private Stage _stage = default!;

    [Theory]
    [InlineData("/api/planted/text", "the server fails", "\"name\":null")]
    [InlineData("/api/planted/moment", "the server fails", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("/api/planted/query", "the server fails", "%00")]
    [InlineData("/api/planted/plain", "a refusal is no problem of docs/errors.md", "")]
    [InlineData("/api/planted/unlisted", "a refusal is no problem of docs/errors.md", "")]
    [InlineData("/api/planted/leak", "the answer tells of Xq7Alpha", "")]
    public async Task An_answer_that_must_not_be_is_named(string route, string rule, string asked)
    {
        var fuzzer = new Fuzzer(_stage, seed: 1, route);
        await fuzzer.Noise(values: 5, rounds: 2);
        var violation = fuzzer.Violations.FirstOrDefault(v => v.Rule == rule && v.Request.Contains(asked)).ShouldNotBeNull();
        Judge.Report(seed: 1, [violation]).ShouldHaveSingleItem().ShouldStartWith($"seed 1: {rule}: {violation.Caller.Name} sent ");
    }

    [Theory]
    [InlineData("/api/planted/groups/{id}", true)]
    [InlineData("/api/planted/chosen/{id}", true)]
    [InlineData("/api/planted/schools/{id}", false)]
    public async Task Whatever_tells_a_foreign_id_from_none_is_named(string route, bool tells)
    {
        var fuzzer = new Fuzzer(_stage, seed: 1, route);
        await fuzzer.Silence(2);
        fuzzer.Violations.Select(v => v.Request.Route).Distinct().ShouldBe(tells ? [route] : []);
    }

    [Fact]
    public async Task Whoever_may_see_a_group_is_told_of_it()
    {
        var fuzzer = new Fuzzer(_stage, seed: 1, "/api/planted/leak");
        await fuzzer.Noise(values: 5, rounds: 2);
        var told = fuzzer.Violations.Select(v => v.Caller.Name).ToList();
        told.ShouldContain("the administrator of Beta");
        told.ShouldNotContain("the administrator of Alpha");
        told.ShouldNotContain("a moderator");
    }

    public async ValueTask InitializeAsync() => _stage = await world.Stage();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>What a planted route reads.</summary>
public sealed record PlantedInput(string? Name, DateTime? EndsAt, Guid? GroupId);

/// <summary>A world with routes that break the rules.</summary>
public sealed class PlantedRoutes : World
{
    private Task<Stage>? _stage;

    /// <summary>The stage in this world, set up once.</summary>
    internal Task<Stage> Stage() => _stage ??= Fuzz.Stage.Of(this);

    protected override void Map(WebApplication app)
    {
        var routes = app.MapGroup("/api/planted").AllowAnonymous();
        routes.MapPost("/text", (PlantedInput input) => input.Name!.Length);
        routes.MapPost("/moment", (PlantedInput input) => input.EndsAt?.AddDays(1));
        routes.MapGet("/query", (string? q) => q?.Contains('\0') == true ? throw new InvalidOperationException("a NUL") : q ?? "");
        routes.MapGet("/plain", () => Results.Text("no", statusCode: 400));
        routes.MapGet("/unlisted", () => Results.Problem(Problems.Describe(Reason.Stale with { Code = "UNLISTED" }, "no")));
        routes.MapGet("/leak", () => "of Xq7Alpha");
        routes.MapGet("/schools/{id:guid}", (Guid id) => id == Guid.Empty);
        routes.MapGet("/groups/{id:guid}", async (Guid id, Db db, CancellationToken ct) => await Exists(db, id, ct));
        routes.MapPost("/chosen/{id:guid}", async (Guid id, PlantedInput input, Db db, CancellationToken ct) =>
            input.GroupId is { } group && id != Guid.Empty && await Exists(db, group, ct));
    }

    private static Task<bool> Exists(Db db, Guid id, CancellationToken ct) => db.Read(
        Caller.Service, s => s.Value<bool>("select exists (select 1 from tenancy.school_groups where id = @id)", new { id }), ct);
}
