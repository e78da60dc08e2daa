using Npgsql;
using Sankore.Platform.Data;

namespace Sankore.Tests.Platform;

/// <summary>The schema is applied once and in order, and a database that does not fit the program is refused.</summary>
public sealed class SchemaTests
{
    [Fact]
    public async Task A_schema_that_is_up_to_date_is_left_alone()
    {
        var database = await Cluster.CreateDatabase(demo: false);
        var said = new List<string>();
        await SankoreApp.PrepareDatabase(database, said.Add, CancellationToken.None);
        said.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_database_that_is_newer_than_the_program_is_refused()
    {
        var database = await Cluster.CreateDatabase(demo: false);
        await Cluster.Execute(
            database,
            "insert into util.migrations_meta (module, migration_name, checksum, duration_ms) values ('Tenancy', 'V999__future', 'x', 1)");
        var refusal =
            await Should.ThrowAsync<OperatorException>(() => SankoreApp.PrepareDatabase(database, _ => { }, CancellationToken.None));
        refusal.Message.ShouldContain("newer");
        refusal.Message.ShouldContain("Tenancy/V999__future");
        await Should.ThrowAsync<OperatorException>(() => SankoreApp.PrepareDatabase(AsApp(database), _ => { }, CancellationToken.None));
    }

    [Fact]
    public async Task A_released_file_that_was_changed_is_refused_and_nothing_is_applied()
    {
        var database = await Cluster.CreateDatabase(demo: false);
        await Cluster.Execute(
            database, "update util.migrations_meta set checksum = 'other' where migration_name in ('V001__tenancy', 'R__platform')");
        var refusal =
            await Should.ThrowAsync<OperatorException>(() => SankoreApp.PrepareDatabase(database, _ => { }, CancellationToken.None));
        refusal.Message.ShouldContain("Tenancy/V001__tenancy was changed");
        (await Scalar<string>(database, "select checksum from util.migrations_meta where migration_name = 'R__platform'"))
            .ShouldBe("other");
    }

    [Fact]
    public async Task A_repeatable_file_that_was_changed_is_applied_again()
    {
        var database = await Cluster.CreateDatabase(demo: false);
        await Cluster.Execute(
            database,
            "update util.migrations_meta set checksum = 'other'"
            + " where migration_name = 'R__tenancy_policies'; drop policy modules_member_select on tenancy.modules");
        (await Should.ThrowAsync<OperatorException>(() => SankoreApp.PrepareDatabase(AsApp(database), _ => { }, CancellationToken.None)))
            .Message.ShouldContain("Tenancy/R__tenancy_policies");

        var said = new List<string>();
        await SankoreApp.PrepareDatabase(database, said.Add, CancellationToken.None);
        said.ShouldHaveSingleItem().ShouldContain("Tenancy/R__tenancy_policies");
        (await Scalar<long>(database, "select count(*) from pg_policies where policyname = 'modules_member_select'")).ShouldBe(1);
        (await Scalar<long>(database, "select count(*) from util.migrations_meta where checksum = 'other'")).ShouldBe(0);
    }

    [Fact]
    public async Task Every_repeatable_file_can_be_applied_to_a_database_in_use()
    {
        var database = await Cluster.CreateDatabase();
        await Cluster.Execute(database, "update util.migrations_meta set checksum = 'other' where migration_name like 'R%'");
        var said = new List<string>();
        await SankoreApp.PrepareDatabase(database, said.Add, CancellationToken.None);
        said.Count.ShouldBeGreaterThanOrEqualTo(4);
        (await Scalar<long>(database, "select count(*) from tenancy.schools")).ShouldBe(60);
    }

    [Fact]
    public async Task Nodes_that_prepare_an_empty_database_at_once_all_succeed()
    {
        var server = await Cluster.Server();
        for (var round = 0; round < 3; round++)
        {
            var name = "race_" + Catalogue.Word();
            await Cluster.Execute(server + ";Database=postgres", $"create database {name} template template0");
            await PrepareAtOnce($"{server};Database={name}");
        }
    }

    [Fact]
    public async Task Nodes_that_find_no_database_at_once_all_succeed()
    {
        var server = await Cluster.Server();
        for (var round = 0; round < 3; round++)
        {
            await PrepareAtOnce($"{server};Database=race_{Catalogue.Word()}");
        }
    }

    private static async Task PrepareAtOnce(string database)
    {
        var apps = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Task.Run(() => SankoreApp.PrepareDatabase(database, _ => { }, CancellationToken.None))));
        apps.Distinct().ShouldHaveSingleItem();
        (await Scalar<long>(database, "select count(*) from rbac.roles")).ShouldBe(5);
    }

    private static string AsApp(string database) =>
        new NpgsqlConnectionStringBuilder(database) { Username = DatabaseSetup.AppRole }.ConnectionString;

    private static async Task<T> Scalar<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
