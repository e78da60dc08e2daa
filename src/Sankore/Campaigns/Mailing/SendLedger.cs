using System.Data.Common;
using System.Threading.Channels;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>What became of a message.</summary>
/// <param name="Id">Which.</param>
/// <param name="Status"><c>sent</c>, <c>pending</c> (to be tried again), <c>failed</c> or <c>bounced</c>.</param>
/// <param name="Code">Why, in short; of <c>sent</c> <c>NOT_SENT</c> where it was written into the outbox, else null.</param>
/// <param name="Error">What the mail server said.</param>
/// <param name="Pause">How long to wait before it is tried again.</param>
/// <param name="Suppresses">Whether the address is not to be written to again.</param>
/// <param name="IsTried">Whether the mail server was asked to take it.</param>
internal sealed record SendResult(
    Guid Id,
    string Status,
    string? Code = null,
    string? Error = null,
    TimeSpan? Pause = null,
    bool Suppresses = false,
    bool IsTried = true);

/// <summary>
/// Writes down which messages leave, before they do, and what became of them: for all of a node's connections in one statement at a time,
/// so that a message costs a share of a commit. A message that was written down as leaving and never as arrived is of unknown outcome,
/// and is not sent again by anybody.
/// </summary>
public sealed class SendLedger : IAsyncDisposable
{
    private const int MaxAtOnce = 1000;

    // Whoever has lost the job, and whoever writes to somebody who has left, or has another address by now, or for a campaign that was
    // paused, is not let go.
    private const string WriteSql = """
        with arrived as (
          update campaigns.emails_sent e
          set status = a.status, attempts = e.attempts - (not a.is_tried)::int, error_code = a.code, error = left(a.error, 500),
              sent_at = case when a.status = 'sent' then now() else e.sent_at end, next_attempt_at = now() + a.pause
          from unnest(@arrived::uuid[], @statuses::text[], @codes::text[], @errors::text[], @pauses::interval[], @tried::boolean[])
            as a (id, status, code, error, pause, is_tried)
          where e.id = a.id
            and (e.status = 'sending' or (e.status = 'failed' and e.error_code = 'OUTCOME_UNKNOWN' and a.status in ('sent', 'bounced')))
          returning e.id, e.user_id, e.campaign_id, e.recipient_email, e.email_key, e.error),
        suppressed as (
          insert into campaigns.suppressions (user_id, email, reason, campaign_id, detail)
          select distinct on (user_id, email_key) user_id, recipient_email, 'bounced', campaign_id, error
          from arrived where id = any (@suppressed::uuid[])
          on conflict on constraint suppressions_user_id_email_key_unique do nothing),
        left_now as (
          update campaigns.emails_sent e
          set status = 'sending', attempts = e.attempts + 1, job_id = l.job_id, job_attempt = l.attempt,
              error_code = null, error = null, next_attempt_at = null
          from unnest(@leaving::uuid[], @emails::text[], @jobs::uuid[], @attempts::int[]) as l (id, email, job_id, attempt)
          join util.job_queue j on j.id = l.job_id and j.attempts = l.attempt and j.status = 'running'
          where e.id = l.id and e.status = 'pending' and e.recipient_email = l.email
            and exists (select 1 from campaigns.email_campaigns c where c.id = e.campaign_id and c.status = 'sending')
            and not exists (select 1 from campaigns.suppressions s where s.user_id = e.user_id and s.email_key = e.email_key)
          returning e.id)
        select id from left_now
        """;

    private readonly Db _db;
    private readonly ProgressFeed _progress;
    private readonly ILogger<SendLedger> _log;
    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(MaxAtOnce);
    private readonly Task _writing;
    private volatile bool _isClosed;

    private sealed record Entry(Guid Campaign, IReadOnlyList<SendResult> Results, IReadOnlyList<Message> Leaving, Guid Job, int Attempt)
    {
        public TaskCompletionSource<IReadOnlySet<Guid>> Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Why nothing of it leaves.</summary>
        public Exception? Lost { get; set; }

        public IReadOnlyList<Message> Left => Lost is null ? Leaving : [];
    }

    /// <summary>Begins to wait for what is to be written.</summary>
    public SendLedger(Db db, ProgressFeed progress, ILogger<SendLedger> log)
    {
        (_db, _progress, _log) = (db, progress, log);
        _writing = Task.Run(WriteAll);
    }

    /// <summary>Writes down what became of messages, and which leave next; done when it is written.</summary>
    /// <returns>
    /// Those that may leave: none for a job that is another's by now or a campaign that is not being sent, and nobody who has left.
    /// </returns>
    /// <exception cref="IOException">It cannot be written down that they leave: none does. What had arrived is written by then.</exception>
    internal async Task<IReadOnlySet<Guid>> Write(
        Guid campaign, IReadOnlyList<SendResult> results, IReadOnlyList<Message> leaving, Job job, CancellationToken ct)
    {
        var entry = new Entry(campaign, results, leaving, job.Id, job.Attempt);
        await _entries.Writer.WriteAsync(entry, ct);
        return await entry.Written.Task;
    }

    /// <summary>Writes what is still to be written: everything that sends has stopped by now.</summary>
    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        _entries.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAll()
    {
        var entries = new List<Entry>();
        while (await _entries.Reader.WaitToReadAsync())
        {
            while (entries.Sum(e => e.Results.Count + e.Leaving.Count) < MaxAtOnce && _entries.Reader.TryRead(out var entry))
            {
                entries.Add(entry);
            }
            await Write(entries);
            entries.Clear();
        }
    }

    private async Task Write(List<Entry> entries)
    {
        while (entries.Count > 0)
        {
            try
            {
                var written = await _db.Run(
                    Caller.Service, session => session.Query<Guid>(WriteSql, Values(entries)), CancellationToken.None);
                var left = written.ToHashSet();
                foreach (var entry in entries)
                {
                    _ = entry.Lost is null ? entry.Written.TrySetResult(left) : entry.Written.TrySetException(entry.Lost);
                }
                _progress.Changed(entries.Select(e => e.Campaign));
                return;
            }
            catch (Exception e) when (e is DbException or IOException or TimeoutException or Refusal)
            {
                _log.LedgerLost(e.Message);
                // Nothing leaves that is not written down; what has arrived is a fact, and waits until it can be.
                entries.ForEach(entry => entry.Lost ??= entry.Leaving.Count == 0 ? null
                    : new IOException("it cannot be written down that the message leaves", e));
                entries.FindAll(entry => entry.Results.Count == 0 || _isClosed)
                    .ForEach(entry => entry.Written.TrySetException(entry.Lost ?? e));
                entries.RemoveAll(entry => entry.Results.Count == 0 || _isClosed);
                await Task.Delay(TimeSpan.FromMilliseconds(500));
            }
        }
    }

    private static object Values(List<Entry> entries)
    {
        var arrived = entries.SelectMany(e => e.Results).ToList();
        return new
        {
            arrived = arrived.Select(a => a.Id).ToArray(),
            statuses = arrived.Select(a => a.Status).ToArray(),
            codes = arrived.Select(a => a.Code).ToArray(),
            errors = arrived.Select(a => a.Error).ToArray(),
            pauses = arrived.Select(a => a.Pause).ToArray(),
            tried = arrived.Select(a => a.IsTried).ToArray(),
            suppressed = arrived.Where(a => a.Suppresses).Select(a => a.Id).ToArray(),
            leaving = entries.SelectMany(e => e.Left.Select(m => m.Id)).ToArray(),
            emails = entries.SelectMany(e => e.Left.Select(m => m.Email)).ToArray(),
            jobs = entries.SelectMany(e => e.Left.Select(_ => e.Job)).ToArray(),
            attempts = entries.SelectMany(e => e.Left.Select(_ => e.Attempt)).ToArray(),
        };
    }
}
