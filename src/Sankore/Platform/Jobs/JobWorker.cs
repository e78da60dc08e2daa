using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using Npgsql;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Jobs;

/// <summary>How long a node holds a job without a word; a node that lives renews it three times in that time.</summary>
public sealed record JobLease(TimeSpan Length);

/// <summary>
/// Works <c>util.job_queue</c>: any number of nodes share it (<c>for update skip locked</c>), a dead node's jobs are taken over when their
/// lease ends. Each type of job has loops of its own, so that a long one holds up none of another type; a type that no handler of this node
/// knows is left to others.
/// </summary>
public sealed class JobWorker(Db db, NpgsqlDataSource source, IEnumerable<IJobHandler> handlers, JobLease lease, ILogger<JobWorker> log)
    : BackgroundService
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(5);

    private const string ClaimSql = """
        with dead as (
          update util.job_queue set status = 'failed', locked_until = null, last_error = 'the worker died at every attempt'
          where job_type = @JobType and status = 'running' and locked_until < now() and attempts >= max_attempts),
        due as (
          select id from util.job_queue
          where job_type = @JobType
            and (status = 'pending' and run_at <= now() or status = 'running' and locked_until < now() and attempts < max_attempts)
          order by priority, run_at
          limit 1
          for update skip locked)
        update util.job_queue j
        set status = 'running', attempts = j.attempts + 1, locked_until = now() + @Length
        from due where j.id = due.id
        returning j.id, j.payload::text, j.attempts
        """;

    private const string RenewSql = """
        update util.job_queue j set locked_until = now() + @Length
        from unnest(@ids::uuid[], @attempts::int[]) as held (id, attempt)
        where j.id = held.id and j.attempts = held.attempt and j.status = 'running'
        returning j.id
        """;

    private const string CompleteSql = """
        update util.job_queue set status = 'completed', completed_at = now(), locked_until = null, last_error = null, payload = '{}'
        where id = @Id and attempts = @Attempt and status = 'running'
        """;

    // 10 s, 20 s, 40 s … up to an hour.
    private const string FailSql = """
        update util.job_queue
        set status = case when @final or attempts >= max_attempts then 'failed' else 'pending' end,
            locked_until = null, last_error = left(@error, 500),
            run_at = now() + least(interval '10 seconds' * power(2, attempts - 1), interval '1 hour')
        where id = @Id and attempts = @Attempt and status = 'running'
        """;

    // A node that stops gives its jobs back: stopping is no attempt.
    private const string ReleaseSql = """
        update util.job_queue set status = 'pending', attempts = attempts - 1, locked_until = null
        where id = @Id and attempts = @Attempt and status = 'running'
        """;

    private sealed record Claimed(Guid Id, string Payload, int Attempts);

    private readonly List<IJobHandler> _handlers = [.. handlers];
    private readonly ConcurrentDictionary<(Guid Id, int Attempt), CancellationTokenSource> _held = new();
    private TaskCompletionSource _enqueued = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
    [
        Again(Listen, stoppingToken),
        Again(Renew, stoppingToken),
        .. _handlers.SelectMany(handler => Enumerable.Range(0, handler.AtOnce).Select(_ => Again(ct => Loop(handler, ct), stoppingToken))),
    ]);

    /// <summary>Works what is due of every type, one after the other, until nothing is; the number of jobs worked.</summary>
    public async Task<int> WorkSome(CancellationToken ct)
    {
        var worked = 0;
        foreach (var handler in _handlers)
        {
            while (await WorkOne(handler, ct))
            {
                worked++;
            }
        }
        return worked;
    }

    private async Task Loop(IJobHandler handler, CancellationToken ct)
    {
        var enqueued = Volatile.Read(ref _enqueued).Task;
        while (await WorkOne(handler, ct))
        {
        }
        await Task.WhenAny(enqueued, Task.Delay(PollEvery, ct));
    }

    private async Task Listen(CancellationToken ct)
    {
        await using var listener = await source.OpenConnectionAsync(ct);
        await using (var listen = new NpgsqlCommand("listen jobs", listener))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            Interlocked.Exchange(ref _enqueued, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            await listener.WaitAsync(ct);
        }
    }

    /// <summary>A job that is not this node's any more (it was taken for dead) is given up.</summary>
    private async Task Renew(CancellationToken ct)
    {
        await Task.Delay(lease.Length / 3, ct);
        var held = _held.ToArray();
        if (held.Length == 0)
        {
            return;
        }
        var renewed = await db.Run(Caller.Service, session => session.Query<Guid>(RenewSql, new
        {
            lease.Length,
            ids = held.Select(h => h.Key.Id).ToArray(),
            attempts = held.Select(h => h.Key.Attempt).ToArray(),
        }), ct);
        foreach (var lost in held.Where(h => !renewed.Contains(h.Key.Id)))
        {
            try
            {
                await lost.Value.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // Nothing was lost: it ended meanwhile.
            }
        }
    }

    /// <summary>Does something again and again, whatever happens to the database meanwhile.</summary>
    private async Task Again(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await work(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception e) when (e is DbException or IOException or TimeoutException or Refusal)
            {
                log.JobQueueLost(e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), stopping).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    private async Task<bool> WorkOne(IJobHandler handler, CancellationToken ct)
    {
        if (await db.Run(Caller.Service, session => session.Find<Claimed>(ClaimSql, new { handler.JobType, lease.Length }), ct)
            is not { } claimed)
        {
            return false;
        }
        using var payload = JsonDocument.Parse(claimed.Payload);
        await Work(handler, new Job(claimed.Id, payload.RootElement, claimed.Attempts), ct);
        return true;
    }

    private async Task Work(IJobHandler handler, Job job, CancellationToken ct)
    {
        using var mine = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _held[(job.Id, job.Attempt)] = mine;
        try
        {
            await handler.Run(job, mine.Token);
            await End(CompleteSql);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await End(ReleaseSql);
        }
        catch (Exception e) when (!(e is OperationCanceledException && mine.IsCancellationRequested))
        {
            log.JobFailed(job.Id, handler.JobType, job.Attempt, e.GetType().Name);
            await End(FailSql, e.Message, e is FinalFailure);
        }
        catch (OperationCanceledException)
        {
            // Another node has the job.
        }
        finally
        {
            _held.TryRemove((job.Id, job.Attempt), out _);
        }

        // Said whatever happens: a job that is done is not to be done again because the node stops.
        Task End(string sql, string? error = null, bool final = false) =>
            db.Run(Caller.Service, session => session.Execute(sql, new { job.Id, job.Attempt, error, final }), CancellationToken.None);
    }
}
