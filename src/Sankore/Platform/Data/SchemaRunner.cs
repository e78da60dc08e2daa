using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Npgsql;

namespace Sankore.Platform.Data;

/// <summary>
/// Applies the SQL that stands beside the code: <c>V</c> files once and in order, <c>R</c> files whenever their text has changed,
/// module by module, all in one transaction. What was applied is in <c>util.migrations_meta</c> (document 004).
/// </summary>
public static class SchemaRunner
{
    private const long Lock = 7205759403792793603;

    private const string MetaSql = """
        create schema if not exists util;
        create table if not exists util.migrations_meta (
          id              bigint generated always as identity,
          module          text not null,
          migration_name  text not null,
          checksum        text not null,
          applied_at      timestamptz not null default now(),
          duration_ms     integer not null,
          constraint migrations_meta_pkey primary key (id),
          constraint migrations_meta_module_migration_name_unique unique (module, migration_name)
        );
        """;

    private sealed record Script(string Module, string Name, string Sql, string Checksum)
    {
        public bool Repeatable => Name.StartsWith('R');
    }

    private sealed record Applied(string Module, string MigrationName, string Checksum);

    /// <summary>Brings the schema up to date. <paramref name="connection"/> must be able to become <c>sankore_owner</c>.</summary>
    /// <exception cref="OperatorException">A file that was applied before has changed since, or the database is newer than the
    /// program.</exception>
    public static async Task Apply(NpgsqlConnection connection, IReadOnlyList<string> modules, Action<string> say, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync($"select pg_advisory_xact_lock({Lock})");
        await connection.ExecuteAsync($"set local role {DatabaseSetup.OwnerRole}");
        await connection.ExecuteAsync(MetaSql);
        var pending = Pending(modules, await AppliedScripts(connection));
        foreach (var script in pending)
        {
            say($"schema: {script.Module}/{script.Name}");
            var clock = Stopwatch.StartNew();
            await using (var command = new NpgsqlCommand(script.Sql, connection, transaction))
            {
                await command.ExecuteNonQueryAsync(ct);
            }
            await connection.ExecuteAsync(
                """
                insert into util.migrations_meta (module, migration_name, checksum, duration_ms) values (@Module, @Name, @Checksum, @ms)
                on conflict (module, migration_name) do update
                  set checksum = excluded.checksum, applied_at = now(), duration_ms = excluded.duration_ms
                """,
                new { script.Module, script.Name, script.Checksum, ms = (int)clock.ElapsedMilliseconds });
        }
        if (pending.Count > 0)
        {
            await connection.ExecuteAsync("set constraints all immediate; select util.keep_moments()");
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>Checks, for a login that may not change the schema, that nothing is left to apply.</summary>
    /// <exception cref="OperatorException">Something is.</exception>
    public static async Task Verify(NpgsqlConnection connection, IReadOnlyList<string> modules, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync("set local role service_role");
        try
        {
            var missing = Pending(modules, await AppliedScripts(connection));
            if (missing.Count > 0)
            {
                throw new OperatorException(
                    $"The database is behind this version ({missing[0].Module}/{missing[0].Name} and {missing.Count - 1} more are not "
                    + $"applied): start once with the owner's login in SANKORE_DATABASE.");
            }
        }
        catch (PostgresException e) when (
            e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName
            or PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new OperatorException(
                "The database has no Sankoré schema yet: start once with an administrator's login in SANKORE_DATABASE.", e);
        }
    }

    private static async Task<List<Applied>> AppliedScripts(NpgsqlConnection connection) =>
        (await connection.QueryAsync<Applied>("select module, migration_name as MigrationName, checksum from util.migrations_meta"))
            .AsList();

    private static List<Script> Pending(IReadOnlyList<string> modules, List<Applied> applied)
    {
        var known = applied.ToDictionary(a => (a.Module, a.MigrationName), a => a.Checksum);
        var scripts = Scripts(modules);
        var unknown = applied.FirstOrDefault(
            a => !a.MigrationName.StartsWith('R') && !scripts.Exists(s => s.Module == a.Module && s.Name == a.MigrationName));
        if (unknown is not null)
        {
            throw new OperatorException(
                $"The database is newer than this program (it has {unknown.Module}/{unknown.MigrationName}): start the version that "
                + $"applied it, or a later one.");
        }
        var pending = new List<Script>();
        foreach (var script in scripts)
        {
            if (!known.TryGetValue((script.Module, script.Name), out var checksum))
            {
                pending.Add(script);
            }
            else if (checksum != script.Checksum)
            {
                pending.Add(
                    script.Repeatable ? script
                    : throw new OperatorException(
                    $"{script.Module}/{script.Name} was changed after it had been applied to this database: restore the file and put the "
                    + $"change into a new V file."));
            }
        }
        return pending;
    }

    private static List<Script> Scripts(IReadOnlyList<string> modules)
    {
        var assembly = typeof(SchemaRunner).Assembly;
        var files = assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal))
            .Select(n => n.Replace('\\', '/').Split('/')).ToList();
        return [
            .. modules.SelectMany(
                module => files.Where(f => f[0] == module).OrderBy(f => f[^1][0] == 'R').ThenBy(f => f[^1], StringComparer.Ordinal))
            .Select(parts => Read(assembly, parts))];
    }

    private static Script Read(Assembly assembly, string[] parts)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(string.Join('/', parts))!);
        var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
        return new Script(
            parts[0], Path.GetFileNameWithoutExtension(parts[^1]), sql,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
    }
}
