using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;
using Sankore.Platform.Web;

namespace Sankore.Tests.Guards;

/// <summary>
/// Every statement of the program is understood by the schema: PostgreSQL parses and plans it, with its parameters' types left to be
/// inferred. A statement is whatever text of the compiled program begins like one, so none hides in a method.
/// </summary>
public sealed partial class StatementGuards(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    /// <summary>Statements for the guard to name: a constant, one inside a method, and an order of a list.</summary>
    private const string PlantedSql = "select name, nothing from tenancy.modules where id = @id";

    private static readonly PagedSql PlantedPages =
        new("select count(*) from tenancy.modules", "select id from tenancy.modules", ("name", "nam"));

    /// <summary>
    /// Pieces that setting up a database or its demo network completes with names of the program's own, before it serves anybody.
    /// </summary>
    private static readonly string[] SettingUp =
    [
        "select exists (select 1 from pg_roles where rolname = '", "select pg_advisory_xact_lock(",
        "insert into ", " select * from copied; drop table copied",
    ];

    [Fact]
    public async Task Every_statement_fits_the_schema()
    {
        var statements = Literals(typeof(SankoreApp).Assembly).Except(SettingUp).ToList();
        statements.Count.ShouldBeGreaterThan(150);
        (await Unfit(statements)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_list_can_be_read_in_every_order_that_it_offers()
    {
        var statements = Lists(typeof(SankoreApp).Assembly).ToList();
        statements.Count.ShouldBeGreaterThan(50);
        (await Unfit(statements)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_adds_to_a_callers_rights_fits_the_schema() =>
        (await Unfit(SankoreApp.Modules.Select(m => m.RightsSql).OfType<string>())).ShouldBeEmpty();

    [Fact]
    public async Task A_statement_that_does_not_fit_is_named()
    {
        // Used, so that the compiler keeps it.
        var inMethod = "update tenancy.modules set nowhere = 1 where id = @id";
        var unfit = await Unfit(Literals(typeof(StatementGuards).Assembly).Concat(Lists(typeof(StatementGuards).Assembly)));
        unfit.ShouldContain(u => u.Contains(PlantedSql, StringComparison.Ordinal) && u.Contains("\"nothing\"", StringComparison.Ordinal));
        unfit.ShouldContain(u => u.Contains(inMethod, StringComparison.Ordinal) && u.Contains("\"nowhere\"", StringComparison.Ordinal));
        unfit.Count(u => u.Contains("order by nam ", StringComparison.Ordinal)).ShouldBe(2);
        PlantedPages.Statements.Count().ShouldBe(2);
    }

    /// <summary>
    /// The texts of an assembly that begin like a statement, as its file has them: constants where they are used, and all others.
    /// </summary>
    private static HashSet<string> Literals(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        var found = new HashSet<string>();
        for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
        {
            var text = metadata.GetUserString(handle);
            if (Statement().IsMatch(text))
            {
                found.Add(text);
            }
        }
        return found;
    }

    private static IEnumerable<string> Lists(Assembly assembly) =>
        from type in assembly.GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where field.FieldType == typeof(PagedSql)
        from statement in ((PagedSql)field.GetValue(null)!).Statements
        select statement;

    private async Task<List<string>> Unfit(IEnumerable<string> statements)
    {
        var unfit = new List<string>();
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        foreach (var sql in statements)
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
                unfit.Add($"{e.MessageText}: {sql}");
            }
        }
        return unfit;
    }

    [GeneratedRegex(@"(?<![@\w<])@(\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^\s*(with \w+( \(|\s+as)|select |insert into |update \w+\.|delete from )")]
    private static partial Regex Statement();
}
