using Dapper;
using Npgsql;

namespace Sankore.Tests.Guards;

/// <summary>The migrated schema against its rules; each guard is also seen failing.</summary>
public sealed class SchemaGuards(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    public static TheoryData<SchemaRule> Rules => [.. SchemaRules.All];

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public async Task The_schema_keeps_its_rule(SchemaRule rule)
    {
        await using var connection = await Open();
        (await Offenders(connection, rule)).ShouldBeEmpty(rule.Name);
    }

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public async Task A_planted_offence_is_named(SchemaRule rule)
    {
        await using var connection = await Open();
        // Never committed: the offence goes with the connection.
        await connection.ExecuteAsync("begin;" + rule.Plant);
        (await Offenders(connection, rule)).ShouldContain(rule.Offence);
    }

    [Fact]
    public async Task The_schemas_of_every_module_are_looked_at()
    {
        await using var connection = await Open();
        var schemas = await connection.QueryAsync<string>(
            "select distinct n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p')"
            + " and n.nspname !~ '^(pg_|information_schema$)'");
        foreach (var schema in (string[])["auth", "public", "rbac", "tenancy", "audit", "live", "util"])
        {
            schemas.ShouldContain(schema);
        }
    }

    private static async Task<IReadOnlyList<string>> Offenders(NpgsqlConnection connection, SchemaRule rule) =>
        [.. await connection.QueryAsync<string>(rule.OffendersSql)];

    /// <summary>Without a search path PostgreSQL names everything in full.</summary>
    private async Task<NpgsqlConnection> Open()
    {
        var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        await connection.ExecuteAsync("set search_path = ''");
        return connection;
    }
}
