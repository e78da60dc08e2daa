using System.Data.Common;
using System.Text.Json;
using Npgsql;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Jobs;

/// <summary>Works <c>util.job_queue</c>: any number of nodes share it (<c>for update skip locked</c>), a dead node's jobs are taken over when their lease ends.</summary>
public sealed class JobWorker(Db db, NpgsqlDataSource source, IEnumerable<IJobHandler> handlers, ILogger<JobWorker> log) : BackgroundService
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(5);

    private const string ClaimSql = """
        with dead as (
          update util.job_queue set status = 'failed', locked_until = null, last_error = 'the worker died at every attempt'
          where status = 'running' and locked_until < now() and attempts >= max_attempts),
        due as (
          select id from util.job_queue
          where (status = 'pending' and run_at <= now()) or (status = 'running' and locked_until < now() and attempts < max_attempts)
          order by priority, run_at
          limit 10
          for update skip locked)
        update util.job_queue j
        set status = 'running', attempts = j.attempts + 1, locked_until = now() + interval '5 minutes'
        from due where j.id = due.id
        returning j.id, j.job_type, j.payload::text, j.attempts, j.max_attempts
        """;

    private const string CompleteSql = """
        update util.job_queue set status = 'completed', completed_at = now(), locked_until = null, last_error = null, payload = '{}' where id = @id
        """;

    // 10 s, 20 s, 40 s … up to an hour.
    private const string FailSql = """
        update util.job_queue
        set status = case when attempts >= max_attempts then 'failed' else 'pending' end, locked_until = null, last_error = left(@error, 500),
            run_at = now() + least(interval '10 seconds' * power(2, attempts - 1), interval '1 hour')
        where id = @id
        """;

    private sealed record Job(Guid Id, string JobType, string Payload, int Attempts, int MaxAttempts);

    private readonly Dictionary<string, IJobHandler> _handlers = handlers.ToDictionary(h => h.JobType);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var listener = await source.OpenConnectionAsync(stoppingToken);
                await using (var listen = new NpgsqlCommand("listen jobs", listener))
                {
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                }
                while (true)
                {
                    while (await WorkSome(stoppingToken) > 0)
                    {
                    }
                    await listener.WaitAsync(PollEvery, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or IOException or TimeoutException or Refusal)
            {
                log.JobQueueLost(e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken);
            }
        }
    }

    /// <summary>Claims what is due and works it; the number of jobs worked.</summary>
    public async Task<int> WorkSome(CancellationToken ct)
    {
        var jobs = await db.Run(Caller.Service, session => session.Query<Job>(ClaimSql), ct);
        foreach (var job in jobs)
        {
            await Work(job, ct);
        }
        return jobs.Count;
    }

    private async Task Work(Job job, CancellationToken ct)
    {
        try
        {
            var handler = _handlers.GetValueOrDefault(job.JobType) ?? throw new InvalidOperationException($"no handler for {job.JobType}");
            using var payload = JsonDocument.Parse(job.Payload);
            await handler.Run(job.Id, payload.RootElement, ct);
            await db.Run(Caller.Service, session => session.Execute(CompleteSql, new { job.Id }), ct);
        }
        catch (Exception e) when (!(e is OperationCanceledException && ct.IsCancellationRequested))
        {
            log.JobFailed(job.Id, job.JobType, job.Attempts, e.GetType().Name);
            await db.Run(Caller.Service, session => session.Execute(FailSql, new { job.Id, error = e.Message }), ct);
        }
    }
}
