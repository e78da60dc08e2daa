using System.Text.Json;
using Sankore.Platform.Data;

namespace Sankore.Platform.Jobs;

/// <summary>A job that was claimed.</summary>
/// <param name="Payload">What it needs.</param>
/// <param name="Attempt">From 1, and more with each claim: who holds the job has its last attempt, whoever lost it an earlier one.</param>
public sealed record Job(Guid Id, JsonElement Payload, int Attempt);

/// <summary>
/// What a job does. Runs as <c>service_role</c>, without any ambient caller, and may run twice for the same job: it is idempotent.
/// </summary>
public interface IJobHandler
{
    /// <summary>The job's type, e.g. <c>email_send</c> (document 004, job_queue).</summary>
    string JobType { get; }

    /// <summary>How many of its jobs a node works at once; jobs of other types never wait for them.</summary>
    int AtOnce => 1;

    /// <summary>
    /// Does the job. Throwing means trying again later, with a growing pause; <see cref="FinalFailure"/> means never again. It is cancelled
    /// when the node stops, or has lost the job to another.
    /// </summary>
    Task Run(Job job, CancellationToken ct);
}

/// <summary>A job failed, and would fail again however often it is tried.</summary>
public sealed class FinalFailure(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Puts jobs into <c>util.job_queue</c>, in the transaction of whoever wants them done.</summary>
public static class Jobs
{
    private const string EnqueueSql = """
        with job as (
          insert into util.job_queue (id, job_type, payload, priority, run_at)
          select j.id, @jobType, j.payload::jsonb, @priority, coalesce(@runAt::timestamptz, now())
          from unnest(@ids::uuid[], @payloads::text[]) as j (id, payload)
          returning 1)
        select count(*) from job, (select pg_notify('jobs', '')) n
        """;

    /// <summary>Enqueues one job; it becomes visible to the workers when the transaction commits.</summary>
    /// <param name="session">The caller's unit of work; the insert itself is made as the server.</param>
    /// <param name="jobType">Which handler.</param>
    /// <param name="payload">What it needs; forgotten when the job is done.</param>
    /// <param name="priority">Smaller is sooner.</param>
    /// <param name="runAt">Not before; null: now.</param>
    public static async Task<Guid> Enqueue(
        this Session session, string jobType, object payload, int priority = 100, DateTimeOffset? runAt = null) =>
        (await session.EnqueueAll(jobType, [payload], priority, runAt))[0];

    /// <summary>Enqueues jobs of one type, in one statement; none, if there are no payloads.</summary>
    public static async Task<Guid[]> EnqueueAll(
        this Session session, string jobType, IReadOnlyList<object> payloads, int priority = 100, DateTimeOffset? runAt = null)
    {
        Guid[] ids = [.. payloads.Select(_ => Guid.CreateVersion7())];
        if (ids.Length == 0)
        {
            return ids;
        }
        await session.AsService(s => s.Value<long>(
            EnqueueSql,
            new
            {
                ids,
                jobType,
                payloads = payloads.Select(p => JsonSerializer.Serialize(p)).ToArray(),
                priority,
                runAt = runAt?.UtcDateTime,
            }));
        return ids;
    }
}
