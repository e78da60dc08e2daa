using Dapper;
using Npgsql;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>
/// Tails <c>live.changes</c>: woken by NOTIFY, and by a slow poll behind it, reads on from the last id, keeps the window, and hands
/// each batch to the hub. LISTEN only wakes; what is read is the log, so a lost connection loses nothing. Where the log itself has lost
/// what was read of it (the new primary lacked it, a backup was restored), the window begins anew and every stream is told to read
/// everything again.
/// </summary>
public sealed class ChangeLog(Db db, NpgsqlDataSource source, LiveHub hub, LiveMeters meters, RightsCache rights, ILogger<ChangeLog> log)
    : BackgroundService
{
    private const int BatchSize = 2000;
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);

    // And whether the log still holds what was read last. Its ids may be given again by a log that has lost some: the entry is the same if
    // its time is.
    private const string NewSql = """
        select id, at, topics, table_name, op, row_id, row::text, extract(epoch from clock_timestamp() - at)::float8 as age
        from live.changes where id > @after order by id limit @BatchSize;
        select id = @after or id < @after and exists (select 1 from live.changes c where c.id = @after and c.at = @lastAt) from live.horizon
        """;

    // The newest part that fits the window, oldest first.
    private const string RecentSql = """
        select id, at, topics, table_name, op, row_id, row::text, extract(epoch from clock_timestamp() - at)::float8 as age
        from (select * from live.changes order by id desc limit @Capacity) c order by id
        """;

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTime _lastAt = DateTime.UnixEpoch;

    /// <summary>Completes when the window is loaded and the log is being followed.</summary>
    public Task Started => _started.Task;

    /// <summary>Whether the last look at the log succeeded.</summary>
    public bool Healthy { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Follow(() => pause = TimeSpan.Zero, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                Healthy = false;
                log.LiveLogLost(e.Message);
                pause = TimeSpan.FromMilliseconds(Math.Clamp(pause.TotalMilliseconds * 2, 100, 2000));
                await Task.Delay(pause, stoppingToken);
            }
        }
    }

    private async Task Follow(Action wentWell, CancellationToken ct)
    {
        await using var listener = await source.OpenConnectionAsync(ct);
        await using (var listen = new NpgsqlCommand("listen live", listener))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        try
        {
            if (!Started.IsCompleted)
            {
                hub.Start(await LoadWindow(ct));
                _started.TrySetResult();
            }
            while (true)
            {
                while (await ReadOn(ct))
                {
                }
                Healthy = true;
                wentWell();
                await listener.WaitAsync(PollEvery, ct);
            }
        }
        finally
        {
            // A pooled connection that still listens would collect notifications for whoever rents it next.
            await using var unlisten = new NpgsqlCommand("unlisten *", listener);
            try
            {
                await unlisten.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or IOException or ObjectDisposedException)
            {
                // The connection is what failed.
            }
        }
    }

    /// <summary>Sets the window's beginning.</summary>
    /// <returns>What is in it.</returns>
    private async Task<Change[]> LoadWindow(CancellationToken ct)
    {
        var (recent, horizon) = await db.Read(Caller.Service, async session => (
            await session.Query<ChangeRow>(RecentSql, new { hub.Window.Capacity }),
            await session.Value<long>("select id from live.horizon")), ct);
        var floor = recent.Count < hub.Window.Capacity ? horizon : Math.Max(horizon, recent[0].Id);
        hub.Window.Start(floor);
        return Decode([.. recent.Where(row => row.Id > floor)]);
    }

    private async Task BeginAnew(CancellationToken ct)
    {
        log.LiveLogBeganAnew(hub.Position);
        await db.Run(Caller.Service, session => session.Execute("select live.begin_anew(@Position)", new { hub.Position }), ct);
        rights.ForgetEverybody();
        // The window now begins after what anybody here was told: the shards see that and have every stream read everything again.
        hub.Publish(await LoadWindow(ct));
    }

    private async Task<bool> ReadOn(CancellationToken ct)
    {
        var (rows, holds) = await db.Read(Caller.Service, async session =>
        {
            await using var grid = await session.Queries(NewSql, new { after = hub.Position, lastAt = _lastAt, BatchSize });
            return ((await grid.ReadAsync<ChangeRow>()).AsList(), await grid.ReadFirstAsync<bool>());
        }, ct);
        if (!holds)
        {
            await BeginAnew(ct);
            return true;
        }
        if (rows.Count > 0)
        {
            meters.Behind(rows[0].Age * 1000);
            var changes = Decode(rows);
            if (changes.Where(c => c.IsRights).ToList() is { Count: > 0 } told)
            {
                rights.Forget(told.SelectMany(c => c.People), told.SelectMany(c => c.Topics).ToHashSet());
            }
            hub.Publish(changes);
        }
        return rows.Count == BatchSize;
    }

    private Change[] Decode(List<ChangeRow> rows)
    {
        _lastAt = rows.Count > 0 ? rows[^1].At : _lastAt;
        return [.. rows.Select(row => new Change(row))];
    }
}
