using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Sankore.Platform.Data;

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
        var files = Git("ls-tree", "-r", "--name-only", Earlier, "src/Sankore")?.Split('\n')
            .Where(f => f.EndsWith(".sql", StringComparison.Ordinal)).ToList();
        Assert.SkipWhen(files is null, "this checkout has no history");
        var fresh = await Cluster.CreateDatabase(demo: false);
        var upgraded = await EarlierDatabase(files!);
        await SankoreApp.PrepareDatabase(upgraded, _ => { }, CancellationToken.None);
        var (found, due) = (await Objects(upgraded), await Objects(fresh));
        found.Except(due).ShouldBeEmpty("left over");
        due.Except(found).ShouldBeEmpty("missing");
        found.Length.ShouldBe(due.Length);
    }

    private static async Task<string> EarlierDatabase(List<string> files)
    {
        var name = "earlier_" + Catalogue.Word();
        await Cluster.Execute(
            await Cluster.Server() + ";Database=postgres", $"create database {name} template template0 owner {DatabaseSetup.OwnerRole}");
        var database = $"{await Cluster.Server()};Database={name}";
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await Run(connection, $"""
            set role {DatabaseSetup.OwnerRole}; create schema util;
            create table util.migrations_meta (
              id bigint generated always as identity, module text not null, migration_name text not null, checksum text not null,
                applied_at timestamptz not null default now(),
              duration_ms integer not null, constraint migrations_meta_pkey primary key (id),
                constraint migrations_meta_module_migration_name_unique unique (module, migration_name))
            """);
        foreach (var (module, file) in SankoreApp.Modules.Select(m => m.Name)
            .SelectMany(m => files.Where(f => f.StartsWith($"src/Sankore/{m}/", StringComparison.Ordinal))
            .OrderBy(f => Path.GetFileName(f)[0] == 'R').ThenBy(f => Path.GetFileName(f), StringComparer.Ordinal), (m, f) => (m, f)))
        {
            var sql = Git("show", $"{Earlier}:{file}")!.ReplaceLineEndings("\n");
            await Run(connection, sql);
            await using var command = new NpgsqlCommand(
                "insert into util.migrations_meta (module, migration_name, checksum, duration_ms) values ($1, $2, $3, 0)", connection)
            {
                Parameters =
                {
                    new() { Value = module }, new() { Value = Path.GetFileNameWithoutExtension(file) },
                    new() { Value = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))) },
                },
            };
            await command.ExecuteNonQueryAsync();
        }
        return database;
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string[]> Objects(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(ObjectsSql, connection);
        return (string[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What git says; null where it has nothing to say.</summary>
    private static string? Git(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo(
                "git", arguments)
            { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
            git.ErrorDataReceived += (_, _) => { };
            git.BeginErrorReadLine();
            var said = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? said : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
