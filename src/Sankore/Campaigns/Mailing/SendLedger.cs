using System.Data.Common;
using System.Threading.Channels;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns.Mailing;

/// <summary>What became of a message.</summary>
/// <param name="Status"><c>sent</c>, <c>pending</c> (to be tried again), <c>failed</c> or <c>bounced</c>.</param>
/// <param name="Code">Why, in short; null for <c>sent</c>.</param>
/// <param name="Error">What the mail server said.</param>
/// <param name="Pause">How long to wait before it is tried again.</param>
/// <param name="Suppresses">Whether the address is not to be written to again.</param>
internal sealed record Arrival(Guid Id, string Status, string? Code = null, string? Error = null, TimeSpan? Pause = null, bool Suppresses = false);

/// <summary>
/// Writes down which messages leave, before they do, and what became of them: for all of a node's connections in one statement at a time, so that a message costs
/// a share of a commit. A message that was written down as leaving and never as arrived is of unknown outcome, and is not sent again by anybody.
/// </summary>
public sealed class SendLedger(Db db, ProgressFeed progress, ILogger<SendLedger> log) : BackgroundService
{
    private const int MaxAtOnce = 500;

    // Whoever has lost the job, and whoever writes to somebody who has left or for a campaign that was paused, is not let go.
    private const string WriteSql = """
        with arrived as (
          update campaigns.emails_sent e
          set status = a.status, error_code = a.code, error = left(a.error, 500), sent_at = case when a.status = 'sent' then now() else e.sent_at end, next_attempt_at = now() + a.pause
          from unnest(@arrived::uuid[], @statuses::text[], @codes::text[], @errors::text[], @pauses::interval[]) as a (id, status, code, error, pause)
          where e.id = a.id and (e.status = 'sending' or (e.status = 'failed' and e.error_code = 'OUTCOME_UNKNOWN' and a.status in ('sent', 'bounced')))
          returning e.id, e.user_id, e.campaign_id, e.recipient_email, e.error),
        suppressed as (
          insert into campaigns.suppressions (user_id, email, reason, campaign_id, detail)
          select distinct on (user_id, lower(recipient_email)) user_id, lower(recipient_email), 'bounced', campaign_id, error from arrived where id = any (@suppressed::uuid[])
          on conflict on constraint suppressions_user_id_email_unique do nothing),
        left_now as (
          update campaigns.emails_sent e
          set status = 'sending', attempts = e.attempts + 1, job_id = l.job_id, job_attempt = l.attempt, error_code = null, error = null, next_attempt_at = null
          from unnest(@leaving::uuid[], @jobs::uuid[], @attempts::int[]) as l (id, job_id, attempt)
          join util.job_queue j on j.id = l.job_id and j.attempts = l.attempt and j.status = 'running'
          where e.id = l.id and e.status = 'pending'
            and exists (select 1 from campaigns.email_campaigns c where c.id = e.campaign_id and c.status = 'sending')
            and not exists (select 1 from campaigns.suppressions s where s.user_id = e.user_id and s.email = lower(e.recipient_email))
          returning e.id)
        select id from left_now
        """;

    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(MaxAtOnce * 4);

    private sealed record Entry(Guid Campaign, Arrival? Arrival, Guid Leaving, Guid Job, int Attempt, TaskCompletionSource<bool> Written);

    /// <summary>Writes down that a message leaves.</summary>
    /// <returns>Whether it may: not for a job that is another's by now, a campaign that is not being sent, or a recipient who has left.</returns>
    internal Task<bool> Leave(Guid campaign, Guid message, Guid job, int attempt, CancellationToken ct) => Write(new Entry(campaign, null, message, job, attempt, Promise()), ct);

    /// <summary>Writes down what became of a message; done when it is written.</summary>
    internal Task Arrive(Guid campaign, Arrival arrival) => Write(new Entry(campaign, arrival, Guid.Empty, Guid.Empty, 0, Promise()), CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Stopping, it still writes what the connections have to say.
        using var stopped = stoppingToken.Register(() => _entries.Writer.TryComplete());
        var entries = new List<Entry>();
        while (await _entries.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (entries.Count < MaxAtOnce && _entries.Reader.TryRead(out var entry))
            {
                entries.Add(entry);
            }
            await Write(entries);
            entries.Clear();
        }
    }

    private async Task Write(List<Entry> entries)
    {
        while (true)
        {
            try
            {
                var left = (await db.Run(Caller.Service, session => session.Query<Guid>(WriteSql, Values(entries)), CancellationToken.None)).ToHashSet();
                foreach (var entry in entries)
                {
                    entry.Written.TrySetResult(entry.Arrival is not null || left.Contains(entry.Leaving));
                }
                progress.Changed(entries.Select(e => e.Campaign));
                return;
            }
            catch (Exception e) when (e is DbException or IOException or TimeoutException or Refusal)
            {
                log.LedgerLost(e.Message);
                // Nothing leaves that is not written down; what has arrived is a fact, and waits until it can be.
                entries.FindAll(entry => entry.Arrival is null).ForEach(entry => entry.Written.TrySetException(new IOException("it cannot be written down that the message leaves", e)));
                entries.RemoveAll(entry => entry.Arrival is null);
                if (entries.Count == 0)
                {
                    return;
                }
                await Task.Delay(TimeSpan.FromMilliseconds(500));
            }
        }
    }

    private async Task<bool> Write(Entry entry, CancellationToken ct)
    {
        await _entries.Writer.WriteAsync(entry, ct);
        return await entry.Written.Task;
    }

    private static TaskCompletionSource<bool> Promise() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static object Values(List<Entry> entries)
    {
        var (arrived, leaving) = (entries.Select(e => e.Arrival).OfType<Arrival>().ToList(), entries.FindAll(e => e.Arrival is null));
        return new
        {
            arrived = arrived.Select(a => a.Id).ToArray(),
            statuses = arrived.Select(a => a.Status).ToArray(),
            codes = arrived.Select(a => a.Code).ToArray(),
            errors = arrived.Select(a => a.Error).ToArray(),
            pauses = arrived.Select(a => a.Pause).ToArray(),
            suppressed = arrived.Where(a => a.Suppresses).Select(a => a.Id).ToArray(),
            leaving = leaving.Select(e => e.Leaving).ToArray(),
            jobs = leaving.Select(e => e.Job).ToArray(),
            attempts = leaving.Select(e => e.Attempt).ToArray(),
        };
    }
}
