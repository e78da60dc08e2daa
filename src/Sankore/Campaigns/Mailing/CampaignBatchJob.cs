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

    // As many leave together as the mail server takes in so long: what a node that dies leaves unknown is this much of its work, and a
    // slow server's mails leave one by one.
    private static readonly TimeSpan GroupTime = TimeSpan.FromMilliseconds(25);
    internal const int LargestGroup = 32;

    // Of the node: it has one mail server.
    private volatile int _groupSize = 1;

    private const string SuppressedSql = """
        update campaigns.emails_sent e set status = 'failed', error_code = 'SUPPRESSED'
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending'
          and exists (select 1 from campaigns.suppressions s where s.user_id = e.user_id and s.email_key = e.email_key)
        """;

    // What was in hand while its contact changed or went, and was put back.
    private const string FollowSql = """
        update campaigns.emails_sent e set status = 'failed', error_code = 'CONTACT_DELETED'
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending' and e.contact_id is null;
        select campaigns.readdress(array(
          select e.id from campaigns.emails_sent e join campaigns.contacts k on k.user_id = e.user_id and k.id = e.contact_id
          where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending'
            and e.email_key <> k.email_key))
        """;

    private const string MessagesSql = """
        select e.id, e.recipient_email as email, k.name, e.recipient_organization as organization, e.attempts,
          e.error_code as last_code, k.phone, coalesce(k.fields, '{}')::text as fields
        from campaigns.emails_sent e
        left join campaigns.contacts k on k.user_id = e.user_id and k.id = e.contact_id
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending'
          and (e.next_attempt_at is null or e.next_attempt_at <= now())
        order by e.attempts, e.next_attempt_at nulls first, e.id
        """;

    // When those that were put off are due again; null: there are none.
    private const string LaterSql = """
        select greatest(min(coalesce(e.next_attempt_at, now())), max(c.resumes_at))
        from campaigns.emails_sent e join campaigns.email_campaigns c on c.user_id = e.user_id and c.id = e.campaign_id
        where e.user_id = @UserId and e.campaign_id = @Campaign and e.batch = @Batch and e.status = 'pending' and c.status = 'sending'
        """;

    private const string WaitsSql = "select exists (select from campaigns.email_campaigns where id = @Campaign and resumes_at > now())";

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
            await session.Execute(FollowSql, args);
            await session.Execute(SuppressedSql, args);
            return await session.Value<bool>(WaitsSql, args) ? [] : await session.Query<Message>(MessagesSql, args);
        }, ct);
        var sending = new Sending(job, payload.Campaign, mailing);
        await Send(sending, messages, ct);
        var isAway = await db.Run(Caller.Service, async session =>
        {
            await session.Execute(SuppressedSql, args);
            await session.Answered(payload.Campaign, sending.Said, sending.HasArrived);
            var isAway = sending.Said is { Fault: MailFault.Connection };
            if (!isAway && await session.Value<DateTime?>(LaterSql, args) is { } due)
            {
                await session.Enqueue(Type, payload, Priority, new DateTimeOffset(due, TimeSpan.Zero));
            }
            await session.Finish([payload.Campaign]);
            return isAway;
        }, ct);
        progress.Changed([payload.Campaign]);
        if (isAway)
        {
            // The queue tries again, with its growing pause.
            throw new IOException(sending.Said!.Words);
        }
    }

    /// <summary>Sends until the messages are through, or no more may leave.</summary>
    private async Task Send(Sending sending, IReadOnlyList<Message> messages, CancellationToken ct)
    {
        try
        {
            for (var next = 0; next < messages.Count && sending.Said is null; next += sending.Group.Count)
            {
                sending.Begin([.. messages.Skip(next).Take(_groupSize)]);
                foreach (var message in sending.Group.Where(m => sending.Said is null && sending.Left?.Contains(m.Id) != false))
                {
                    if (await Try(sending, message, ct) is { } result)
                    {
                        sending.Take(message, result, ct.IsCancellationRequested);
                    }
                }
                if (sending.Left is { Count: 0 } && await mailer.Prepare(sending.Campaign, anyState: false, ct) is null)
                {
                    return;
                }
                Adapt(time.GetElapsedTime(sending.Since));
            }
            await sending.End(() => db.Read(Caller.Service, s => s.Value<bool>(CampaignEnds.HasArrivedSql, new { sending.Campaign }), ct));
        }
        finally
        {
            if (sending.Said is { } said)
            {
                log.ServerSaid(sending.Campaign, said.Fault, said.Phase, MailFaults.Unaddressed(said.Words));
            }
            sending.PutBack();
            await ledger.Write(sending.Campaign, sending.Results, [], sending.Job, CancellationToken.None);
        }
    }

    /// <summary>Sends one message; null: it may not leave any more.</summary>
    private async Task<SmtpResult?> Try(Sending sending, Message message, CancellationToken ct)
    {
        try
        {
            return await mailer.Send(sending.Mailing, message, MailKind.Bulk, async leaving =>
            {
                if (sending.Left is null)
                {
                    sending.Left = await ledger.Write(
                        sending.Campaign, [.. sending.Results], sending.Group, sending.Job, leaving);
                    sending.Results.Clear();
                    sending.Since = time.GetTimestamp();
                }
                if (!sending.Left.Contains(message.Id))
                {
                    throw new CampaignStoppedException();
                }
            }, ct);
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

    private sealed class CampaignStoppedException : Exception;
}
