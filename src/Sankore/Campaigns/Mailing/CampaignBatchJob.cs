using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// Sends a batch of a campaign's messages, one after the other; as many batches at once as there are connections. A message leaves at
/// most once: it is written down before it does (<see cref="SendLedger"/>), a few at a time, and what a dead node had written down is of
/// unknown outcome. What the mail server put off is tried again by a later job.
/// </summary>
public sealed class CampaignBatchJob(
    Db db, CampaignMailer mailer, SendLedger ledger, ProgressFeed progress, TimeProvider time, ILogger<CampaignBatchJob> log) : IJobHandler
{
    public const string Type = "campaign_batch";

    internal const int Priority = 100;

    /// <summary>
    /// How often a message is tried that the mail server puts off (4xx), before it fails: with growing pauses, about ten hours.
    /// </summary>
    internal const int MaxAttempts = 8;

    // As many leave together as the mail server takes in so long: what a node that dies leaves unknown is this much of its work, and a
    // slow server's mails leave one by one.
    private static readonly TimeSpan GroupTime = TimeSpan.FromMilliseconds(25);
    internal const int LargestGroup = 32;

    // Of the node: it has one mail server.
    private volatile int _groupSize = 1;

    private const string SuppressedSql = """
        update campaigns.emails_sent e set status = 'failed', error_code = 'SUPPRESSED'
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending'
          and exists (select 1 from campaigns.suppressions s where s.user_id = e.user_id and s.email = lower(e.recipient_email))
        """;

    private const string MessagesSql = """
        select e.id, e.recipient_email as email, k.name, e.recipient_organization as organization, e.attempts
        from campaigns.emails_sent e
        left join campaigns.contacts k on k.user_id = e.user_id and k.id = e.contact_id
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending'
          and (e.next_attempt_at is null or e.next_attempt_at <= now())
        order by e.id
        """;

    // When those that were put off are due again; null: there are none.
    private const string LaterSql = """
        select min(coalesce(next_attempt_at, now())) from campaigns.emails_sent e
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending'
          and exists (select 1 from campaigns.email_campaigns c where c.id = e.campaign_id and c.status = 'sending')
        """;

    /// <summary>What the job needs to know.</summary>
    public sealed record Payload(Guid Campaign, int Batch);

    public string JobType => Type;

    public int AtOnce => mailer.Connections;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>()!;
        if (await mailer.Prepare(payload.Campaign, anyState: false, ct) is not { } mailing)
        {
            return;
        }
        var args = new { mailing.UserId, payload.Campaign, payload.Batch };
        var messages = await db.Run(Caller.Service, async session =>
        {
            await session.GiveUpLost([payload.Campaign], payload.Batch);
            await session.Execute(SuppressedSql, args);
            return await session.Query<Message>(MessagesSql, args);
        }, ct);
        var refused = await Send(new Sending(job, payload.Campaign, mailing), messages, ct);
        await db.Run(Caller.Service, async session =>
        {
            await session.Execute(SuppressedSql, args);
            if (refused is null && await session.Value<DateTime?>(LaterSql, args) is { } due)
            {
                await session.Enqueue(Type, payload, Priority, new DateTimeOffset(due, TimeSpan.Zero));
            }
            await session.Finish([payload.Campaign]);
        }, ct);
        progress.Changed([payload.Campaign]);
        if (refused is not null)
        {
            // The queue tries again, with its growing pause.
            throw new IOException(refused);
        }
    }

    /// <summary>
    /// Sends until the messages are through, or may not leave any more; says why the mail server takes none, if it does not.
    /// </summary>
    private async Task<string?> Send(Sending sending, IReadOnlyList<Message> messages, CancellationToken ct)
    {
        var campaign = sending.Campaign;
        try
        {
            for (var next = 0; next < messages.Count; next += sending.Group.Count)
            {
                sending.Begin([.. messages.Skip(next).Take(_groupSize)]);
                foreach (var message in sending.Group.Where(m => sending.Left?.Contains(m.Id) != false))
                {
                    if (await Try(sending, message, ct) is { Outcome: SmtpOutcome.NotSent } result)
                    {
                        log.ServerAway(campaign, result.Text);
                        return result.Text;
                    }
                }
                if (sending.Left is { Count: 0 } && await mailer.Prepare(campaign, anyState: false, ct) is null)
                {
                    return null;
                }
                Adapt(time.GetElapsedTime(sending.Since));
            }
            return null;
        }
        finally
        {
            sending.PutBack();
            await ledger.Write(campaign, sending.Results, [], sending.Job, CancellationToken.None);
        }
    }

    /// <summary>Sends one message; null: it may not leave any more.</summary>
    private async Task<SmtpResult?> Try(Sending sending, Message message, CancellationToken ct)
    {
        try
        {
            var result = await mailer.Send(sending.Mailing, message, MailKind.Bulk, async leaving =>
            {
                if (sending.Left is null)
                {
                    sending.Left = await ledger.Write(
                        sending.Campaign, [.. sending.Results], [.. sending.Group.Select(m => m.Id)], sending.Job, leaving);
                    sending.Results.Clear();
                    sending.Since = time.GetTimestamp();
                }
                if (!sending.Left.Contains(message.Id))
                {
                    throw new CampaignStoppedException();
                }
            }, ct);
            sending.Results.Add(Judge(message, result));
            return result;
        }
        catch (CampaignStoppedException)
        {
            return null;
        }
    }

    private void Adapt(TimeSpan taken) => _groupSize = mailer.IsPaced ? 1
        : taken > GroupTime ? Math.Max(1, _groupSize / 2)
        : taken < GroupTime / 2 ? Math.Min(LargestGroup, _groupSize * 2)
        : _groupSize;

    /// <summary>
    /// What a result means for the message: 4xx is tried again after 1, 2, 4 … minutes; 5xx is a bounce, and the address is not written
    /// to again, unless the enhanced status (RFC 3463) says that the fault is not the address's: the system's (x.3), the protocol's
    /// (x.5), the content's (x.6) or a policy's (x.7).
    /// </summary>
    internal static SendResult Judge(Message message, SmtpResult result) => result.Outcome switch
    {
        SmtpOutcome.Accepted => new SendResult(message.Id, "sent"),
        SmtpOutcome.Unknown => new SendResult(message.Id, "failed", "OUTCOME_UNKNOWN", result.Text),
        SmtpOutcome.Rejected => new SendResult(
            message.Id, "bounced", result.Status ?? (result.Code > 0 ? $"{result.Code}" : "REJECTED"), result.Text,
            Suppresses: result.Status?.Split('.')[1] is not ("3" or "5" or "6" or "7")),
        SmtpOutcome.Deferred when message.Attempts + 1 >= MaxAttempts => new SendResult(message.Id, "failed", "DEFERRED", result.Text),
        SmtpOutcome.Deferred => new SendResult(
            message.Id, "pending", "DEFERRED", result.Text, TimeSpan.FromMinutes(Math.Pow(2, message.Attempts))),
        _ => new SendResult(message.Id, "pending", "SERVER_AWAY", result.Text, IsTried: false),
    };

    /// <summary>A run over a batch: how far it is.</summary>
    private sealed class Sending(Job job, Guid campaign, PreparedCampaign mailing)
    {
        public Job Job => job;

        public Guid Campaign => campaign;

        public PreparedCampaign Mailing => mailing;

        /// <summary>What became of messages, and is not written down yet.</summary>
        public List<SendResult> Results { get; } = [];

        /// <summary>The messages that leave together.</summary>
        public IReadOnlyList<Message> Group { get; private set; } = [];

        /// <summary>Those of the group that were written down, so that they may leave; null: none is yet.</summary>
        public IReadOnlySet<Guid>? Left { get; set; }

        /// <summary>When the group was written down.</summary>
        public long Since { get; set; }

        public void Begin(IReadOnlyList<Message> group) => (Group, Left) = (group, null);

        /// <summary>Those that were to leave, and did not come to it, wait again.</summary>
        public void PutBack() =>
            Results.AddRange(Group.Where(m => Left?.Contains(m.Id) == true && !Results.Exists(r => r.Id == m.Id))
                .Select(m => new SendResult(m.Id, "pending", IsTried: false)));
    }

    private sealed class CampaignStoppedException : Exception;
}
