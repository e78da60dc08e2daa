using System.Text.Json;
using Sankore.Platform.Data;

namespace Sankore.Platform.Jobs;

/// <summary>What a job does. Runs as <c>service_role</c>, without any ambient caller, and may run twice for the same job: it is idempotent.</summary>
public interface IJobHandler
{
    /// <summary>The job's type, e.g. <c>email_send</c> (document 004, job_queue).</summary>
    string JobType { get; }

    /// <summary>Does the job. Throwing means trying again later, with a growing pause.</summary>
    Task Run(Guid jobId, JsonElement payload, CancellationToken ct);
}

/// <summary>Puts jobs into <c>util.job_queue</c>, in the transaction of whoever wants them done.</summary>
public static class Jobs
{
    private const string EnqueueSql = """
        with job as (
          insert into util.job_queue (id, job_type, payload, priority)
          select j.id, @jobType, j.payload::jsonb, @priority from unnest(@ids::uuid[], @payloads::text[]) as j (id, payload)
          returning 1)
        select count(*) from job, (select pg_notify('jobs', '')) n
        """;

    /// <summary>Enqueues one job; it becomes visible to the workers when the transaction commits.</summary>
    /// <param name="session">The caller's unit of work; the insert itself is made as the server.</param>
    /// <param name="jobType">Which handler.</param>
    /// <param name="payload">What it needs; forgotten when the job is done.</param>
    /// <param name="priority">Smaller is sooner.</param>
    public static async Task<Guid> Enqueue(this Session session, string jobType, object payload, int priority = 100) =>
        (await session.EnqueueAll(jobType, [payload], priority))[0];

    /// <summary>Enqueues many jobs of one type, in one statement.</summary>
    public static async Task<Guid[]> EnqueueAll(this Session session, string jobType, IReadOnlyList<object> payloads, int priority = 100)
    {
        Guid[] ids = [.. payloads.Select(_ => Guid.CreateVersion7())];
        await session.AsService(s => s.Value<long>(EnqueueSql, new { ids, jobType, payloads = payloads.Select(p => JsonSerializer.Serialize(p)).ToArray(), priority }));
        return ids;
    }
}
