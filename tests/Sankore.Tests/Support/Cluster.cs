using Dapper;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Npgsql;
using Sankore.Demo;
using Sankore.Identity;
using Sankore.Platform.Data;

[assembly: AssemblyFixture(typeof(Sankore.Tests.Support.Cluster))]

namespace Sankore.Tests.Support;

/// <summary>
/// One throwaway PostgreSQL for the whole run, with two templates: the schema alone, and the schema with the small demo network.
/// </summary>
public sealed class Cluster : IAsyncLifetime
{
    // A connection takes longer to open than most statements take; what is not used is soon closed, for there are many databases.
    private const string FewConnections =
        "Maximum Pool Size=8;Connection Idle Lifetime=5;Connection Pruning Interval=5;No Reset On Close=true";

    private static readonly SemaphoreSlim Cloning = new(1);
    private static readonly string Root = Path.Combine(Path.GetTempPath(), $"sankore-tests-{Environment.ProcessId}");
    private static readonly Lazy<Task<EmbeddedPostgres>> Postgres = new(Start);
    private static int _number;

    /// <summary>Rounds of a password's hash in tests.</summary>
    public const int HashIterations = 1000;

    /// <summary>The hash of the demo password, quickly made and checked: what makes one hard to guess would be a tenth of a run.</summary>
    public static string DemoPasswordHash { get; } =
        new PasswordHasher<Account>(Options.Create(new PasswordHasherOptions { IterationCount = HashIterations }))
            .HashPassword(new Account(), PasswordRules.Demo);

    // All databases are alike: Dapper makes its code for a statement once, and not once a database.
    static Cluster() => SqlMapper.ConnectionStringComparer = new AnyDatabase();

    /// <summary>A database of one's own.</summary>
    /// <param name="demo">With the small demo network, or empty.</param>
    /// <returns>The administrator's connection string.</returns>
    public static async Task<string> CreateDatabase(bool demo = true)
    {
        var postgres = await Postgres.Value;
        var name = $"test_{Interlocked.Increment(ref _number)}";
        await Cloning.WaitAsync();
        try
        {
            await Execute(
                postgres.ConnectionString + ";Database=postgres;Pooling=false",
                $"create database {name} template {(demo ? "template_demo" : "template_empty")} strategy file_copy");
        }
        finally
        {
            Cloning.Release();
        }
        return $"{postgres.ConnectionString};Database={name};{FewConnections}";
    }

    /// <summary>The bare server, for tests of the set-up itself.</summary>
    public static async Task<string> Server() => (await Postgres.Value).ConnectionString + ";Pooling=false";

    /// <summary>Runs statements on a connection string.</summary>
    public static async Task Execute(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Closes the connections that are kept for later.</summary>
    public static void ClearPool(string connectionString)
    {
        using var connection = new NpgsqlConnection(connectionString);
        NpgsqlConnection.ClearPool(connection);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (Postgres.IsValueCreated)
        {
            NpgsqlConnection.ClearAllPools();
            await (await Postgres.Value).DisposeAsync();
            Directory.Delete(Root, recursive: true);
        }
    }

    private sealed class AnyDatabase : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => true;

        public int GetHashCode(string obj) => 0;
    }

    private static async Task<EmbeddedPostgres> Start()
    {
        var postgres = await EmbeddedPostgres.Start(Root, throwaway: true, _ => { }, CancellationToken.None);
        var empty = postgres.ConnectionString + ";Database=template_empty;Pooling=false";
        await SankoreApp.PrepareDatabase(empty, _ => { }, CancellationToken.None);
        // A module that a test makes leads somewhere, unless the test says where.
        await Execute(empty, "alter table tenancy.modules alter column route set default 'https://exemple.cg/'");
        NpgsqlConnection.ClearAllPools();
        await Execute(
            postgres.ConnectionString + ";Database=postgres;Pooling=false", "create database template_demo template template_empty");
        await DemoNetwork.Load(
            postgres.ConnectionString + ";Database=template_demo;Pooling=false", "small", elsewhere: true, (_, _) => { },
            CancellationToken.None);
        await Execute(
            postgres.ConnectionString + ";Database=template_demo;Pooling=false",
            $"update auth.users set password_hash = '{DemoPasswordHash}'");
        return postgres;
    }
}
