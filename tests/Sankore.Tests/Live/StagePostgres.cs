using System.Diagnostics;
using Dapper;
using Npgsql;
using Sankore.Platform.Data;

namespace Sankore.Tests.Live;

/// <summary>
/// The durable PostgreSQL of a stage, to be crashed; a standby may follow it, and take its place as Patroni would have it. Primary and
/// standby stand side by side in a folder.
/// </summary>
public sealed class StagePostgres(string folder) : IAsyncDisposable
{
    private EmbeddedPostgres _primary = default!;
    private EmbeddedPostgres? _standby;

    /// <summary>The administrator's connection string to whichever is the primary.</summary>
    public string Admin => Database(_primary);

    /// <summary>
    /// The administrator's connection string with both hosts, whether they run or not, as a node is given it: the primary is not the first
    /// of them.
    /// </summary>
    public string EveryHost =>
        new NpgsqlConnectionStringBuilder(Admin) { Host = $"{Sockets("second")},{Sockets("first")}" }.ConnectionString;

    private string Serving => new NpgsqlConnectionStringBuilder(_primary.ConnectionString).Host == Sockets("first") ? "first" : "second";

    /// <summary>Starts the first one, alone.</summary>
    public async Task Start() => _primary = await Started("first");

    public async ValueTask DisposeAsync()
    {
        if (_standby is not null)
        {
            await _standby.DisposeAsync();
        }
        await _primary.DisposeAsync();
    }

    /// <summary>
    /// Crashes the primary (« immediate »: nobody is told, nothing is finished) and starts it again, which recovers from its log.
    /// </summary>
    public async Task Crash()
    {
        await Kill();
        _primary = await Started(Serving);
    }

    /// <summary>
    /// Has a second one follow the first (streaming replication). Where it does so synchronously, nothing is committed before it has it.
    /// </summary>
    public async Task Follow(bool synchronously)
    {
        Directory.CreateDirectory(Path.Combine(folder, "second"));
        await Run(
            Path.Combine(await Programs(), "pg_basebackup"), "-h", Sockets("first"), "-U", "sankore_admin", "-D", Cluster("second"), "-R",
            "-X", "stream", "-c", "fast");
        // It runs as whoever the first one runs as.
        await Run("chown", "-R", $"--reference={Cluster("first")}", Cluster("second"));
        _standby = await Started("second");
        if (synchronously)
        {
            // Its own settings were copied before: once it is promoted, it waits for nobody.
            await Execute(Admin, "alter system set synchronous_standby_names = '*'");
            await Execute(Admin, "select pg_reload_conf()");
        }
        await Waiting.Until(() => Holds(
            Admin, "select exists (select 1 from pg_stat_replication where state = 'streaming' and (sync_state = 'sync') = @synchronously)",
            new { synchronously }), "the standby follows", 60);
    }

    /// <summary>From now on the standby is sent nothing more.</summary>
    public async Task CutStandby()
    {
        var standby = Database(_standby!);
        await Execute(standby, "alter system set primary_conninfo = ''");
        await Execute(standby, "select pg_reload_conf()");
        await Waiting.Until(() => Holds(standby, "select not exists (select 1 from pg_stat_wal_receiver)"), "the standby is cut off", 60);
    }

    /// <summary>Crashes the primary and leaves it dead; the standby is promoted.</summary>
    public async Task FailOver()
    {
        await Kill();
        (_primary, _standby) = (_standby!, null);
        (await Holds(Admin, "select pg_promote()")).ShouldBeTrue("the standby is promoted");
    }

    private static string Database(EmbeddedPostgres postgres) => $"{postgres.ConnectionString};Database=sankore;Pooling=false";

    private static async Task Execute(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<bool> Holds(string database, string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(database);
        return await connection.ExecuteScalarAsync<bool>(sql, args);
    }

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        (await process.Ended()).ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
    }

    private string Cluster(string name) => Path.Combine(folder, name, "cluster");

    private string Sockets(string name) => Path.Combine(folder, name, "socket");

    private Task<EmbeddedPostgres> Started(string name) =>
        EmbeddedPostgres.Start(Path.Combine(folder, name), throwaway: false, _ => { }, CancellationToken.None);

    private string Postmaster() => File.ReadLines(Path.Combine(Cluster(Serving), "postmaster.pid")).First();

    /// <summary>Where PostgreSQL's programs are: beside the one that runs.</summary>
    private async Task<string> Programs()
    {
        await using var connection = new NpgsqlConnection(Admin);
        return (await connection.ExecuteScalarAsync<string>("select setting from pg_config where name = 'BINDIR'"))!;
    }

    private async Task Kill()
    {
        var pid = Postmaster();
        await Run("kill", "-QUIT", pid);
        await Waiting.Until(
            () => !Directory.Exists($"/proc/{pid}")
            || File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal), "PostgreSQL is down", 60);
    }
}
