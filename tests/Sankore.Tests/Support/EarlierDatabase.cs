using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Sankore.Platform.Data;

namespace Sankore.Tests.Support;

/// <summary>Databases as earlier versions of the program left them, out of the repository's history.</summary>
public static class EarlierDatabase
{
    /// <summary>
    /// A database with the schema that the program had at a commit; its connection string, the superuser's. Skips the test where the
    /// checkout has no history.
    /// </summary>
    public static async Task<string> Create(string commit)
    {
        var files = Git("ls-tree", "-r", "--name-only", commit, "src/Sankore")?.Split('\n')
            .Where(f => f.EndsWith(".sql", StringComparison.Ordinal)).ToList();
        Assert.SkipWhen(files is null, "this checkout has no history");
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
            .SelectMany(m => files!.Where(f => f.StartsWith($"src/Sankore/{m}/", StringComparison.Ordinal))
            .OrderBy(f => Path.GetFileName(f)[0] == 'R').ThenBy(f => Path.GetFileName(f), StringComparer.Ordinal), (m, f) => (m, f)))
        {
            var sql = Git("show", $"{commit}:{file}")!.ReplaceLineEndings("\n");
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
