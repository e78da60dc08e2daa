using System.Reflection;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace Sankore.Tests.Guards;

/// <summary>Every statement of the program is understood by the schema: PostgreSQL parses and plans it, with its parameters' types left to be inferred.</summary>
public sealed partial class StatementGuards(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private const string PlantedSql = "select name, nothing from tenancy.modules where id = @id";

    [Fact]
    public async Task Every_statement_fits_the_schema()
    {
        var statements = Statements(typeof(SankoreApp).Assembly).ToList();
        statements.Count.ShouldBeGreaterThan(25);
        (await Unfit(statements)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_adds_to_a_callers_rights_fits_the_schema() =>
        (await Unfit(SankoreApp.Modules.Where(m => m.RightsSql is not null).Select(m => (m.Name, m.RightsSql!)))).ShouldBeEmpty();

    [Fact]
    public async Task A_statement_that_does_not_fit_is_named()
    {
        var unfit = await Unfit(Statements(typeof(StatementGuards).Assembly));
        unfit.ShouldContain(u => u.StartsWith("Sankore.Tests.Guards.StatementGuards.PlantedSql: ", StringComparison.Ordinal) && u.Contains("\"nothing\"", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Name, string Sql)> Statements(Assembly assembly) =>
        from type in assembly.GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where field.IsLiteral && field.FieldType == typeof(string) && field.Name.EndsWith("Sql", StringComparison.Ordinal)
        select ($"{type.FullName}.{field.Name}", (string)field.GetRawConstantValue()!);

    private async Task<List<string>> Unfit(IEnumerable<(string Name, string Sql)> statements)
    {
        var unfit = new List<string>();
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        foreach (var (name, sql) in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            foreach (var parameter in Parameter().Matches(sql).Select(m => m.Groups[1].Value).Distinct())
            {
                command.Parameters.Add(new NpgsqlParameter(parameter, NpgsqlDbType.Unknown) { Value = DBNull.Value });
            }
            try
            {
                await command.PrepareAsync();
                await command.UnprepareAsync();
            }
            catch (PostgresException e)
            {
                unfit.Add($"{name}: {e.MessageText}");
            }
        }
        return unfit;
    }

    [GeneratedRegex(@"(?<![@\w<])@(\w+)")]
    private static partial Regex Parameter();
}
