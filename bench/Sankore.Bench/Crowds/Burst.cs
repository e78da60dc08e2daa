using System.Diagnostics;
using Dapper;
using Npgsql;

namespace Sankore.Bench.Crowds;

/// <summary>
/// What a crowd is told while things break: modules that are renamed to "Rafale #1", "#2" … in transaction after transaction, what breaks
/// in the database, and the log of it. As the superuser.
/// </summary>
/// <param name="admin">The administrator's connection string, asked for each time: the database may die, and be another one then.</param>
public sealed class Burst(Func<string> admin)
{
    /// <summary>The rows that are renamed: "Rafale #0", with the codes <c>rafale-1</c> and so on. For <see cref="InsertSql"/>.</summary>
    public const string Word = "Rafale";

    /// <summary>Makes so many rows (<c>@rows</c>) of a name (<c>@word</c>).</summary>
    public const string InsertSql = """
        insert into tenancy.modules (id, code, name, category_id, route)
        select gen_random_uuid(), lower(@word) || '-' || n, @word || ' #0', c.id, 'https://exemple.cg/'
        from generate_series(1, @rows) n cross join tenancy.business_categories c where c.slug = 'scolarite'
        """;

    // As people are told: operators have entries of their own.
    private const string LogSql = """
        select id, row_id::uuid as row, substring(row ->> 'name' from '#(\d+)')::bigint as counter
        from live.changes where table_name = 'tenancy.modules' and id > @after and row is not null and not 'catalogue' = any(topics)
        order by id
        """;

    private const string Listening = "from pg_stat_activity where datname = current_database() and query = 'listen live'";

    private Guid[] _rows = [];
    private long _counter;

    /// <summary>Renames some rows in one transaction.</summary>
    /// <param name="rows">How many; 0: all.</param>
    /// <returns>The log's position afterwards.</returns>
    public async Task<long> Rename(int rows = 0)
    {
        if (_rows.Length == 0)
        {
            _rows = [.. await Query<Guid>("select id from tenancy.modules where code like 'rafale-%' order by code")];
        }
        var number = Interlocked.Increment(ref _counter);
        var chosen = rows == 0 ? _rows : [.. Random.Shared.GetItems(_rows, rows).Distinct()];
        await Execute("update tenancy.modules set name = 'Rafale #' || @number where id = any(@chosen)", new { number, chosen });
        return await Position();
    }

    /// <summary>
    /// Renames rows one transaction after the other, 50 at least, whatever becomes of the database, while something happens.
    /// </summary>
    /// <returns>How many transactions were committed.</returns>
    public async Task<int> RenameDuring(Func<Task> happening)
    {
        var happened = happening();
        var renamed = 0;
        while (!happened.IsCompleted || renamed < 50)
        {
            try
            {
                await Rename(1 + Random.Shared.Next(4));
                renamed++;
            }
            catch (Exception e) when (e is NpgsqlException or IOException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(20);
            }
        }
        await happened;
        return renamed;
    }

    /// <summary>Adds rows of another name, with the codes <c>pendant-1</c> and so on.</summary>
    public Task InsertMore(int rows) => Execute(InsertSql, new { word = "Pendant", rows });

    /// <summary>Cuts the nodes' LISTEN connections, and waits until they all listen again.</summary>
    public async Task CutListeners(int nodes)
    {
        await Execute($"select pg_terminate_backend(pid) {Listening}");
        for (var clock = Stopwatch.StartNew(); (await Query<long>($"select count(*) {Listening}"))[0] != nodes; await Task.Delay(20))
        {
            if (clock.Elapsed.TotalSeconds > 60)
            {
                throw new TimeoutException("not every node listens again");
            }
        }
    }

    /// <summary>
    /// Moves the feed's clock, as if the database's machine had been set, by an interval with its sign: <c>- interval '3 days'</c>.
    /// </summary>
    public Task MoveClock(string by) => Execute($"""
        do $$ begin
          execute regexp_replace(pg_get_functiondef('live.publish'::regproc), 'clock_timestamp\(\)[^,]*,',
              $new$clock_timestamp() {by},$new$);
        end $$
        """);

    /// <summary>The log as the crowd should be told it.</summary>
    public Task<IReadOnlyList<Told>> Log(long after) => Query<Told>(LogSql, new { after });

    /// <summary>The log's position.</summary>
    public async Task<long> Position() => (await Query<long>("select live.position()"))[0];

    /// <summary>Statements, as the superuser.</summary>
    public async Task Execute(string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(admin());
        await connection.ExecuteAsync(sql, args);
    }

    /// <summary>Rows, as the superuser.</summary>
    public async Task<IReadOnlyList<T>> Query<T>(string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(admin());
        return (await connection.QueryAsync<T>(sql, args)).AsList();
    }
}
