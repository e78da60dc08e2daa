using Npgsql;

namespace Sankore.Tests.Platform;

/// <summary>Files are their uploader's, of kinds that a module lets them import: raw SQL as the role, whatever the code does.</summary>
public sealed class ImportPolicyTests(World world) : IClassFixture<World>, IAsyncLifetime
{
    private static readonly string[] Tables =
        ["util.imports where id", "util.import_parts where import_id", "util.import_rows where import_id"];

    private const string Touched = """
        with touched as (update util.imports set status = 'running' where id = @_import returning 1) select count(*) from touched
        """;

    private readonly Guid _import = Guid.CreateVersion7();
    private Guid _mine, _other, _teacher;

    /// <summary>A file of contacts of somebody who may import them, with a part and a row.</summary>
    public async ValueTask InitializeAsync()
    {
        (_mine, _other, _teacher) = (await world.IdOf(Cast.HeadOnPremium), await world.IdOf(Cast.Admin1), await world.IdOf(Cast.Teacher1));
        await As(_mine, """
            insert into util.imports (id, kind, file_name) values (@_import, 'contacts', 'a.csv');
            insert into util.import_parts (import_id, part, content) values (@_import, 0, 'a')
            """);
        await world.AsRole<int>("service_role", _mine, """
            insert into util.import_rows (import_id, number, cells, verdict) values (@_import, 1, '{}', 'empty')
            """, new { _import });
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Each_sees_their_own_and_nothing_of_anybody_elses()
    {
        foreach (var table in Tables)
        {
            (await Count(_mine, $"select count(*) from {table} = @_import")).ShouldBe(1, table);
            (await Count(_other, $"select count(*) from {table} = @_import")).ShouldBe(0, table);
            (await Should.ThrowAsync<PostgresException>(
                () => world.AsRole<long>("anon", null, $"select count(*) from {table} = @_import", new { _import })))
                .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, table);
        }
    }

    [Fact]
    public async Task Nobody_touches_a_file_of_somebody_elses_or_writes_in_their_name()
    {
        (await Count(_other, Touched)).ShouldBe(0);
        (await Count(_mine, Touched)).ShouldBe(1);
        await Refused(_other, "insert into util.imports (user_id, kind, file_name) values (@_mine, 'schools', 'x')");
        await Refused(_other, "insert into util.import_parts (user_id, import_id, part, content) values (@_mine, @_import, 1, 'x')");
        await Refused(_other, "insert into util.import_parts (import_id, part, content) values (@_import, 1, 'x')");
    }

    [Theory]
    [InlineData("update util.imports set kind = 'staff'")]
    [InlineData("delete from util.imports")]
    [InlineData("update util.import_parts set content = 'x'")]
    [InlineData("delete from util.import_parts")]
    [InlineData("insert into util.import_rows (import_id, number, cells, verdict) values (@_import, 2, '{}', 'imported')")]
    [InlineData("update util.import_rows set verdict = 'imported'")]
    [InlineData("delete from util.import_rows")]
    public Task What_becomes_of_a_file_is_written_by_the_server_alone(string statement) => Refused(_mine, statement);

    [Fact]
    public async Task A_kind_is_written_by_whoever_its_module_lets_and_an_unknown_one_by_nobody()
    {
        // A teacher of a group without the module, and nobody's administrator.
        foreach (var kind in new[] { "contacts", "groups", "schools", "staff", "unknown" })
        {
            await Refused(_teacher, $"insert into util.imports (kind, file_name) values ('{kind}', 'x')");
        }
        await Refused(_mine, "insert into util.imports (kind, file_name) values ('unknown', 'x')");
        await Refused(_other, "insert into util.imports (kind, file_name) values ('unknown', 'x')");
        await As(_other, "insert into util.imports (kind, file_name) values ('schools', 'x')");
    }

    [Fact]
    public async Task Whoever_has_lost_the_module_reads_their_file_and_does_not_start_it()
    {
        var (person, id) = (await world.IdOf("head.s0009@sankore.test"), Guid.CreateVersion7());
        await world.AsRole<int>(
            "authenticated", person, "insert into util.imports (id, kind, file_name) values (@id, 'contacts', 'a.csv')", new { id });
        await world.Execute("update tenancy.user_module_permissions set can_write = false where user_id = @person", new { person });
        (await Count(person, "select count(*) from util.imports")).ShouldBe(1);
        (await Count(person, "with touched as (update util.imports set status = 'running' returning 1) select count(*) from touched"))
            .ShouldBe(0);
        (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>(
            "authenticated", person, "insert into util.import_parts (import_id, part, content) values (@id, 0, 'x')", new { id })))
            .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    private Task<IReadOnlyList<int>> As(Guid user, string sql) => world.AsRole<int>("authenticated", user, sql, new { _import, _mine });

    private async Task<long> Count(Guid user, string sql) => (await world.AsRole<long>("authenticated", user, sql, new { _import }))[0];

    private async Task Refused(Guid user, string statement) =>
        (await Should.ThrowAsync<PostgresException>(() => As(user, statement)))
            .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
}
