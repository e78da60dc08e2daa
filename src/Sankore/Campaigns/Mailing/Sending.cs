using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;

namespace Sankore.Campaigns;

/// <summary>Why a campaign sends no more for now.</summary>
/// <param name="Fault">Whom it concerns: <see cref="MailFault.Sender"/> and <see cref="MailFault.Message"/> pause it,
/// <see cref="MailFault.Limit"/> and <see cref="MailFault.Connection"/> wait.</param>
/// <param name="Phase">What was being done.</param>
/// <param name="Words">What the server said.</param>
internal sealed record ServerReply(MailFault Fault, SmtpPhase Phase, string Words);

/// <summary>
/// A run over a batch: how far it is, what became of its messages, and whether what the server says concerns more than one of them
/// (<c>docs/mail-faults.md</c>).
/// </summary>
internal sealed class Sending(Job job, Guid campaign, PreparedCampaign mailing)
{
    /// <summary>
    /// How often a message is tried that the mail server puts off (4xx), before it fails: with growing pauses, about ten hours.
    /// </summary>
    internal const int MaxAttempts = 8;

    /// <summary>How many refusals one after the other that may concern us are taken to concern us.</summary>
    internal const int RefusalsInARow = 3;

    // Refusals that may concern everybody, since the server last took a message: whether they do is seen by the next ones.
    private readonly List<(Message Message, SmtpResult Result)> _doubtful = [];
    private int _dropped;

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

    /// <summary>Why no more leaves; null: nothing stands against it.</summary>
    public ServerReply? Said { get; private set; }

    /// <summary>Whether the server took a message.</summary>
    public bool HasArrived { get; private set; }

    public void Begin(IReadOnlyList<Message> group) => (Group, Left) = (group, null);

    /// <summary>Notes what the server answered for a message.</summary>
    /// <param name="message">Which.</param>
    /// <param name="result">What it answered.</param>
    /// <param name="isCalledOff">Whether it was us who broke off: nothing that had not left was tried then.</param>
    public void Take(Message message, SmtpResult result, bool isCalledOff)
    {
        var fault = result.Outcome switch
        {
            SmtpOutcome.Accepted or SmtpOutcome.Unknown => (MailFault?)null,
            SmtpOutcome.NotSent when isCalledOff => MailFault.Connection,
            _ => result.Fault,
        };
        // A limit that is named for the same recipient again is theirs.
        fault = fault == MailFault.Limit && result.Phase >= SmtpPhase.Recipient && message.LastCode == "SERVER_LIMIT"
            ? MailFault.Moment : fault;
        if (fault == MailFault.Message && (message.LastCode != "REFUSED" || message.Attempts + 1 < RefusalsInARow))
        {
            _doubtful.Add((message, result));
        }
        else
        {
            Results.Add(Judge(message, result, fault));
        }
        if (result.Outcome == SmtpOutcome.Accepted)
        {
            (HasArrived, _dropped) = (true, 0);
            Settle();
        }
        // A connection that is lost again and again is lost to everybody.
        _dropped += fault == MailFault.Moment && result.Outcome == SmtpOutcome.NotSent ? 1 : 0;
        Said = fault is MailFault.Sender or MailFault.Limit or MailFault.Connection ? Reply(fault.Value, result)
            : _doubtful.Count == RefusalsInARow ? Reply(MailFault.Message, result)
            : _dropped == RefusalsInARow ? Reply(MailFault.Connection, result) : null;
    }

    /// <summary>All were tried: what was refused so is the messages' own fault where the campaign has reached anybody.</summary>
    /// <param name="hasArrived">Asks whether it has.</param>
    public async Task End(Func<Task<bool>> hasArrived)
    {
        if (Said is not null || _doubtful.Count == 0)
        {
            return;
        }
        if (await hasArrived())
        {
            Settle();
        }
        else
        {
            Said = Reply(MailFault.Message, _doubtful[^1].Result);
        }
    }

    /// <summary>Those that were to leave, and did not come to it, wait again; so do those of which it is open whose fault it is.</summary>
    public void PutBack()
    {
        Results.AddRange(_doubtful.Select(d => new SendResult(d.Message.Id, "pending", "REFUSED", d.Result.Reply)));
        _doubtful.Clear();
        Results.AddRange(Group.Where(m => Left?.Contains(m.Id) == true && !Results.Exists(r => r.Id == m.Id))
            .Select(m => new SendResult(m.Id, "pending", IsTried: false)));
    }

    /// <summary>What a result means for the message.</summary>
    /// <param name="message">Which.</param>
    /// <param name="result">What the server answered.</param>
    /// <param name="fault">Whom that concerns; null: nobody, as far as is known the message has arrived.</param>
    internal static SendResult Judge(Message message, SmtpResult result, MailFault? fault) => fault switch
    {
        // What no server answered to was written into the outbox, and has reached nobody.
        null when result.Outcome == SmtpOutcome.Accepted => new SendResult(message.Id, "sent", result.Code == 0 ? "NOT_SENT" : null),
        null => new SendResult(message.Id, "failed", "OUTCOME_UNKNOWN", result.Text),
        MailFault.Address or MailFault.Recipient or MailFault.Message => new SendResult(
            message.Id, "bounced", result.Status ?? (result.Code > 0 ? $"{result.Code}" : "REJECTED"), result.Text,
            Suppresses: fault == MailFault.Address),
        MailFault.Moment when message.Attempts + 1 >= MaxAttempts => new SendResult(message.Id, "failed", "DEFERRED", result.Reply),
        MailFault.Moment => new SendResult(
            message.Id, "pending", "DEFERRED", result.Reply, TimeSpan.FromMinutes(Math.Pow(2, message.Attempts))),
        // Others go first when it is over: it may have been this one's limit alone.
        MailFault.Limit => new SendResult(message.Id, "pending", "SERVER_LIMIT", result.Reply, TimeSpan.Zero, IsTried: false),
        _ => new SendResult(message.Id, "pending", "SERVER_AWAY", result.Reply, IsTried: false),
    };

    // A message that is too large is refused for its size, wherever that is said.
    private static ServerReply Reply(MailFault fault, SmtpResult result) =>
        new(fault, result.Status?.EndsWith(".3.4", StringComparison.Ordinal) == true ? SmtpPhase.Data : result.Phase, result.Reply);

    private void Settle()
    {
        Results.AddRange(_doubtful.Select(d => Judge(d.Message, d.Result, MailFault.Message)));
        _doubtful.Clear();
    }
}
