using System.Text.Json;

namespace Sankore.Tests.Platform;

/// <summary>What machines ask: whether the node lives, whether it is ready, and what it offers.</summary>
public sealed class HealthTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("/health/live", "live")]
    [InlineData("/health/ready", "ready")]
    public async Task A_node_says_how_it_is_to_anybody(string path, string status)
    {
        using var nobody = world.Nobody();
        (await nobody.Ask(HttpMethod.Get, path).Json()).Text("status").ShouldBe(status);
    }

    [Fact]
    public async Task A_node_without_its_database_lives_but_is_not_ready()
    {
        using var nobody = world.Nobody();
        var database = new Npgsql.NpgsqlConnectionStringBuilder(world.AdminConnection).Database!;
        var server = await Cluster.Server() + ";Database=postgres";
        await Cluster.Execute(server, $"alter database {database} connection limit 0");
        try
        {
            await Cluster.Execute(server, $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'");
            await Waiting.Until(
                async () => (int)(await nobody.Ask(HttpMethod.Get, "/health/ready")).StatusCode == 503, "the node is not ready");
            await nobody.Ask(HttpMethod.Get, "/health/ready").ShouldRefuse(503, "UNAVAILABLE");
            await nobody.Ask(HttpMethod.Get, "/health/live").Json();
            await nobody.Ask(HttpMethod.Post, "/api/auth/login", new { email = Cast.Super, password = "sankore-demo" })
                .ShouldRefuse(503, "UNAVAILABLE");
        }
        finally
        {
            await Cluster.Execute(server, $"alter database {database} connection limit -1");
        }
        await Waiting.Until(async () => (await nobody.Ask(HttpMethod.Get, "/health/ready")).IsSuccessStatusCode, "the node is ready again");
    }

    [Fact]
    public async Task The_description_names_every_fixed_address()
    {
        using var nobody = world.Nobody();
        var paths = (await nobody.Ask(HttpMethod.Get, "/openapi/v1.json").Json()).GetProperty("paths");
        foreach (var (path, methods) in new[]
        {
            ("/api/auth/login", "post"), ("/api/auth/register", "post"), ("/api/auth/refresh", "post"),
                ("/api/auth/forgotPassword", "post"), ("/api/auth/resetPassword", "post"),
            ("/api/me", "get"), ("/api/me/menu", "get"), ("/api/modules", "get post"), ("/api/modules/{id}", "get put delete"),
            ("/api/categories", "get post"),
            ("/api/categories/{id}", "get put delete"), ("/api/plans", "get"), ("/api/groups", "get"), ("/api/schools", "get"),
            ("/api/audit-logs", "get"), ("/live", "get"),
            ("/health/live", "get"), ("/health/ready", "get"),
        })
        {
            paths.TryGetProperty(path, out var operations).ShouldBeTrue(path);
            methods.Split(' ').ShouldBeSubsetOf(operations.Names(), path);
        }
        paths.Names().ShouldNotContain("/logout");
        Parameters(paths.GetProperty("/api/modules").GetProperty("get")).ShouldBe(["page", "size", "q", "sort"], ignoreOrder: true);
        Parameters(paths.GetProperty("/api/audit-logs").GetProperty("get"))
            .ShouldBe(["page", "size", "q", "sort", "table", "record", "user", "key", "from", "to", "action"], ignoreOrder: true);
    }

    private static IEnumerable<string> Parameters(JsonElement operation) =>
        operation.GetProperty("parameters").EnumerateArray().Select(p => p.Text("name").ToLowerInvariant());
}
