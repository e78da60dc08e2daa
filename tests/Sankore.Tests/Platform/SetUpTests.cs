using Npgsql;
using Sankore.Platform.Data;

namespace Sankore.Tests.Platform;

/// <summary>A start against a database that is not as it should be says in one sentence what to do.</summary>
public sealed class SetUpTests
{
    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Username=postgres;Timeout=2", "127.0.0.1:1")]
    [InlineData("Host=/nowhere/at/all;Username=postgres;Timeout=2", "/nowhere/at/all")]
    [InlineData("Host=127.0.0.1,/nowhere,127.0.0.1:2;Port=1;Username=postgres;Timeout=2", "127.0.0.1:1, /nowhere, 127.0.0.1:2 ")]
    [InlineData("Host=no-such-host.invalid;Username=postgres;Timeout=2", "no-such-host.invalid")]
    public async Task A_server_that_cannot_be_reached_is_named(string connectionString, string where)
    {
        var sentence = await Refused(connectionString);
        sentence.ShouldContain(where);
        sentence.ShouldContain("cannot be reached");
    }

    [Theory]
    [InlineData("postgres://me:secret@host/db")]
    [InlineData("Host=x;Port=many")]
    [InlineData("rubbish")]
    public async Task What_is_no_connection_string_is_said_to_be_none(string connectionString)
    {
        var sentence = await Refused(connectionString);
        sentence.ShouldContain("SANKORE_DATABASE");
        sentence.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("13.2")]
    [InlineData("14.19 (Debian 14.19-1)")]
    [InlineData("9.6.24")]
    public async Task A_server_that_is_too_old_is_refused_with_its_version(string version)
    {
        await using var server = OldPostgres.OfVersion(version);
        var sentence = await Refused(server.ConnectionString);
        sentence.ShouldContain(version.Split(' ')[0]);
        sentence.ShouldContain("15 or later");
    }

    [Theory]
    [InlineData("28P01", "password authentication failed for user \"postgres\"")]
    [InlineData("28000", "no pg_hba.conf entry for host \"10.0.0.1\", user \"postgres\", database \"sankore\"")]
    public async Task A_login_that_the_server_refuses_is_named(string sqlState, string message)
    {
        await using var server = OldPostgres.Refusing(sqlState, message);
        var sentence = await Refused(server.ConnectionString);
        sentence.ShouldContain("'postgres'");
        sentence.ShouldContain("Password");
        sentence.ShouldNotContain("guess");
    }

    [Theory]
    [InlineData("57P03", "the database system is starting up")]
    [InlineData("53300", "sorry, too many clients already")]
    public async Task A_server_that_is_busy_says_so_in_one_sentence(string sqlState, string message)
    {
        await using var server = OldPostgres.Refusing(sqlState, message);
        (await Refused(server.ConnectionString)).ShouldContain(message);
    }

    [Fact]
    public async Task A_login_that_does_not_exist_is_named() =>
        (await Refused(await As("nobody_of_that_name", await Cluster.CreateDatabase(demo: false)))).ShouldContain("'nobody_of_that_name'");

    [Fact]
    public async Task A_login_that_may_not_create_roles_is_told_what_it_needs()
    {
        var login = await Login("login");
        var database = await EmptyDatabase();
        (await Refused(await As(login, database))).ShouldContain($"alter role {login} createrole");
    }

    [Fact]
    public async Task A_login_that_may_not_create_the_database_is_told_what_it_needs()
    {
        var login = await Login("login createrole");
        (await Refused(
            new NpgsqlConnectionStringBuilder(await Cluster.Server()) { Username = login, Database = "never_" + login }.ConnectionString))
            .ShouldContain("createdb");
    }

    [Fact]
    public async Task An_ordinary_owner_with_CREATEROLE_prepares_an_existing_database()
    {
        var login = await Login("login createrole");
        var database = await EmptyDatabase(login);
        var app = await SankoreApp.PrepareDatabase(await As(login, database), _ => { }, CancellationToken.None);
        (await Scalar<string>(app, "select current_user::text")).ShouldBe(DatabaseSetup.AppRole);
        (await Scalar<long>(database, "select count(*) from tenancy.school_groups")).ShouldBe(0);
        (await Scalar<string>(database, "select tableowner::text from pg_tables where schemaname = 'tenancy' and tablename = 'modules'"))
            .ShouldBe(DatabaseSetup.OwnerRole);
        // And again, as at the next start.
        await SankoreApp.PrepareDatabase(await As(login, database), _ => { }, CancellationToken.None);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("{0},/nowhere")]
    [InlineData("/nowhere,{0}")]
    public async Task Of_several_hosts_it_is_the_one_that_is_a_primary_that_is_prepared(string hosts)
    {
        var server = new NpgsqlConnectionStringBuilder(
            await Cluster.Server())
        { Database = "several_" + Catalogue.Word(), TargetSessionAttributes = "primary" };
        server.Host = hosts.Replace("{0}", server.Host, StringComparison.Ordinal);
        var app = await SankoreApp.PrepareDatabase(server.ConnectionString, _ => { }, CancellationToken.None);
        (await Scalar<string>(app, "select current_user::text")).ShouldBe(DatabaseSetup.AppRole);
    }

    [Fact]
    public async Task The_programs_own_login_works_where_the_schema_is_up_to_date()
    {
        var database = await Cluster.CreateDatabase(demo: false);
        var app = await SankoreApp.PrepareDatabase(await As(DatabaseSetup.AppRole, database), _ => { }, CancellationToken.None);
        (await Scalar<string>(app, "select current_user::text")).ShouldBe(DatabaseSetup.AppRole);
    }

    [Fact]
    public async Task The_programs_own_login_is_refused_where_there_is_no_schema() =>
        (await Refused(await As(DatabaseSetup.AppRole, await EmptyDatabase()))).ShouldContain("no Sankoré schema");

    [Fact]
    public async Task The_programs_own_login_is_refused_where_the_schema_is_behind()
    {
        var database = await Cluster.CreateDatabase(demo: false);
        await Cluster.Execute(database, "delete from util.migrations_meta where module = 'Tenancy'");
        (await Refused(await As(DatabaseSetup.AppRole, database))).ShouldContain("behind");
    }

    /// <summary>One sentence: what is wrong, and what to do.</summary>
    private static async Task<string> Refused(string connectionString)
    {
        var refusal = await Should.ThrowAsync<OperatorException>(
            () => SankoreApp.PrepareDatabase(connectionString, _ => { }, CancellationToken.None));
        refusal.Message.ShouldNotContain("\n");
        refusal.Message.ShouldNotContain("   at ");
        refusal.Message.ShouldNotContain("Exception");
        refusal.Message.ShouldEndWith(".");
        return refusal.Message;
    }

    private static async Task<string> Login(string attributes)
    {
        var name = "login_" + Catalogue.Word();
        await Cluster.Execute(await Cluster.Server() + ";Database=postgres", $"create role {name} {attributes}");
        return name;
    }

    private static async Task<string> EmptyDatabase(string? owner = null)
    {
        var name = "bare_" + Catalogue.Word();
        await Cluster.Execute(
            await Cluster.Server() + ";Database=postgres",
            $"create database {name} template template0 {(owner is null ? "" : "owner " + owner)}");
        return await Cluster.Server() + ";Database=" + name;
    }

    private static Task<string> As(string login, string database) =>
        Task.FromResult(new NpgsqlConnectionStringBuilder(database) { Username = login }.ConnectionString);

    private static async Task<T> Scalar<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
