using Npgsql;

namespace Sankore.Tests.Platform;

/// <summary>
/// A database of an earlier version becomes what a new one is: nothing old is left beside it, and nothing is there twice.
/// </summary>
public sealed class SchemaUpgradeTests
{
    // The last version in which policies and triggers had the names of their files' authors.
    private const string Earlier = "a7cb68d5b05b499fe75ccf8747f279317a7298ac";

    private const string ObjectsSql = """
        select coalesce(array_agg(o order by o), '{}') from (
          select format('policy %s %s %s %s %s %s', p.polrelid::regclass, p.polname, p.polcmd,
              array(select r::regrole::text from unnest(p.polroles) r order by 1),
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) from pg_policy p
          union all select pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal
          union all select format('function %s %s %s %s', p.oid::regprocedure, md5(p.prosrc), p.proacl, p.proconfig) from pg_proc p
            where p.proowner = 'sankore_owner'::regrole
          union all select format('column %s.%s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod))
            from pg_attribute a join pg_class c on c.oid = a.attrelid
            where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v') and c.relowner = 'sankore_owner'::regrole
          union all select format('rights on %s %s', c.oid::regclass, c.relacl) from pg_class c
            where c.relkind in ('r', 'p', 'v') and c.relowner = 'sankore_owner'::regrole) x (o)
        """;

    [Fact]
    public async Task A_database_of_an_earlier_version_becomes_what_a_new_one_is()
    {
        var fresh = await Cluster.CreateDatabase(demo: false);
        var upgraded = await EarlierDatabase.Create(Earlier);
        await SankoreApp.PrepareDatabase(upgraded, _ => { }, CancellationToken.None);
        var (found, due) = (await Objects(upgraded), await Objects(fresh));
        found.Except(due).ShouldBeEmpty("left over");
        due.Except(found).ShouldBeEmpty("missing");
        found.Length.ShouldBe(due.Length);
    }

    private static async Task<string[]> Objects(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(ObjectsSql, connection);
        return (string[])(await command.ExecuteScalarAsync())!;
    }
}
