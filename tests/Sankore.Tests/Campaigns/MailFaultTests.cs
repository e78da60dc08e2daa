using Sankore.Campaigns;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Campaigns;

/// <summary>Whose fault it is that a mail was not taken: the program does what <c>docs/mail-faults.md</c> says, reply by reply.</summary>
public sealed class MailFaultTests
{
    private static readonly Dictionary<string, SmtpPhase> Phases = new()
    {
        ["connect"] = SmtpPhase.Connect,
        ["auth"] = SmtpPhase.SignIn,
        ["mail"] = SmtpPhase.Sender,
        ["rcpt"] = SmtpPhase.Recipient,
        ["data"] = SmtpPhase.Data,
        ["dot"] = SmtpPhase.End,
    };

    private static readonly Dictionary<string, string[]> Words = new()
    {
        ["nobody"] =
        [
            "No such user here", "<awa.limit@spam.cg>: Recipient address rejected: User unknown in local recipient table", "Unknown user",
            "Requested action not taken: mailbox unavailable", "This user doesn't have an account; account does not exist",
            "Unrouteable address", "Utilisateur inconnu", "The email account that you tried to reach is disabled", "Invalid recipient",
            "unknown user in relay recipient table", "mailbox not found", "Cette adresse n’existe pas",
        ],
        ["full"] =
        [
            "Mailbox is full", "user is over quota", "The email account that you tried to reach is over quota", "insufficient storage",
            "storage limit exceeded",
        ],
        ["limit"] =
        [
            "Daily user sending limit exceeded", "you have reached your hourly sending quota", "Too many messages, slow down",
            "rate limited", "Message rate limit exceeded for this sender", "Throttled", "Daily SMTP relay limit exceeded",
            "Connection rate limit exceeded", "too many recipients in the last hour",
        ],
        ["policy"] =
        [
            "Relay access denied", "Message rejected as spam", "blocked using zen.example.org", "relay not permitted", "SPF check failed",
            "Access denied, not from you", "Client host is on our blacklist",
        ],
        ["other"] =
        [
            "Sorry", "", "Rejected", "Temporary problem", "Transaction failed",
            "message size exceeds fixed limit", "too many hops",
        ],
    };

    private static readonly string?[] Statuses =
    [
        null, "0.0", "1.1", "1.2", "1.3", "1.6", "1.7", "1.8", "1.10", "2.1", "2.2", "2.3", "3.2", "3.4", "4.1", "4.5", "4.6", "5.1", "5.3",
        "6.7", "7.1", "7.28",
    ];

    private static readonly int[] Codes = [0, 421, 450, 451, 452, 500, 501, 503, 530, 534, 535, 538, 550, 551, 552, 553, 554];

    private sealed record Row(string[] Phases, string[] Replies, string[] Statuses, string[] Words, string[] Effects);

    private sealed record Case(string Phase, int Code, string? Status, string Words);

    private static readonly List<Row> Table =
    [
        .. File.ReadLines(Path.Combine(Repository.Root, "docs/mail-faults.md")).Where(l => l.StartsWith("| ", StringComparison.Ordinal))
            .Skip(2).Select(l => l.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries))
            .Select(c => new Row(List(c[0]), List(c[1]), List(c[2]), List(c[3]), [.. c[4..].Concat(["", "", ""])])),
    ];

    [Fact]
    public void Each_reply_of_a_server_has_the_fault_and_the_effects_that_the_table_gives()
    {
        var seen = new HashSet<Row>();
        foreach (var (phase, code, status, words, text) in Replies(Phases.Keys))
        {
            var row = RowOf(new Case(phase, code, status, words));
            seen.Add(row);
            var said = $"{(status is null ? "" : $"{code / 100}.{status} ")}{text}";
            var result = code == 0 ? SmtpResult.NoReply(Phases[phase], text) : SmtpResult.Replied(Phases[phase], code, said);
            var sending = new Sending(new Job(Guid.NewGuid(), default, 1), Guid.NewGuid(), null!);

            sending.Take(new Message(Guid.NewGuid(), "awa@exemple.cg", null, null, 0), result, isCalledOff: false);

            if (row.Effects[0].Length > 0)
            {
                result.Fault.ShouldBe(Enum.Parse<MailFault>(row.Effects[0]), $"{phase}: {code} {said}");
            }
            Effects(sending).ShouldBe((row.Effects[1], row.Effects[2], row.Effects[3]), $"{phase}: {code} {said}");
        }
        Table.Where(r => r.Effects[1].Length > 0 && !r.Phases.Contains("report") && !r.Phases.Contains("webhook")).Except(seen)
            .ShouldBeEmpty("every row of the table is of use");
    }

    [Fact]
    public void Each_bounce_that_is_told_suppresses_the_address_or_not_as_the_table_says()
    {
        var seen = new HashSet<Row>();
        foreach (var (phase, code, status, words, text) in Replies(["report", "webhook"]).Where(r => r.Code >= 400 && r.Words != "limit"))
        {
            var row = RowOf(new Case(phase, code, status, words));
            seen.Add(row);
            var full = status is null ? $"{code}" : $"{code / 100}.{status}";
            // As it stands beside the words, and as the server that refused said it, within them.
            var quoted = $"smtp; {code} {(status is null ? "" : full)} {text}";
            foreach (var (told, detail) in new[] { (full, text), ($"{code / 100}.0.0", quoted) })
            {
                DeliveryEvent.Of("x", Guid.NewGuid(), "bounced", null, told, detail, isMailbox: phase == "webhook").Suppresses
                    .ShouldBe(row.Effects[1] == "suppressed", $"{phase}: {told} {detail}");
            }
        }
        Table.Where(r => r.Phases.Contains("report") || r.Phases.Contains("webhook")).Except(seen).ShouldBeEmpty();
    }

    [Fact]
    public void A_refusal_that_may_be_everybodys_is_the_messages_only_if_the_server_takes_others()
    {
        var (refused, fine) = (SmtpResult.Replied(SmtpPhase.Recipient, 554, "5.7.1 Relay access denied"),
            SmtpResult.Replied(SmtpPhase.End, 250, "OK"));
        var sending = Run(refused, refused, fine, refused);
        sending.Said.ShouldBeNull();
        sending.Results.Select(r => r.Status).ShouldBe(["sent", "bounced", "bounced"]);
        sending.Results.ShouldAllBe(r => !r.Suppresses);
        Run(refused, refused, refused).Said!.Words.ShouldBe("554 5.7.1 Relay access denied");
        sending.PutBack();
        sending.Results[^1].ShouldBeEquivalentTo(sending.Results[^1] with { Status = "pending", Code = "REFUSED", IsTried = true });
    }

    [Theory]
    [InlineData(true, null, "bounced"), InlineData(false, MailFault.Message, "pending")]
    public async Task Refusals_alone_pause_a_campaign_that_has_reached_nobody(bool hasArrived, object? fault, string status)
    {
        var sending = Run(SmtpResult.Replied(SmtpPhase.End, 554, "5.6.0 no"));
        await sending.End(() => Task.FromResult(hasArrived));
        sending.PutBack();
        (sending.Said?.Fault).ShouldBe((MailFault?)fault);
        sending.Results.Single().Status.ShouldBe(status);
    }

    [Fact]
    public void A_message_refused_thrice_is_refused_for_good_and_one_put_off_eight_times_fails()
    {
        var message = new Message(Guid.NewGuid(), "awa@exemple.cg", null, null, 2) { LastCode = "REFUSED" };
        var sending = Run();
        sending.Take(message, SmtpResult.Replied(SmtpPhase.Data, 554, "5.6.0 no"), isCalledOff: false);
        sending.Results.Single().Status.ShouldBe("bounced");
        sending.Take(message with { Attempts = 7 }, SmtpResult.Replied(SmtpPhase.Recipient, 421, "later"), isCalledOff: false);
        (sending.Results[1].Status, sending.Results[1].Code).ShouldBe(("failed", "DEFERRED"));
    }

    [Fact]
    public void Lost_connections_in_a_row_stop_the_batch_and_breaking_off_costs_no_try()
    {
        var lost = SmtpResult.NoReply(SmtpPhase.Data, "cut");
        Run(lost, lost, SmtpResult.Replied(SmtpPhase.End, 250, "OK"), lost, lost).Said.ShouldBeNull();
        Run(lost, lost, lost).Said!.Fault.ShouldBe(MailFault.Connection);
        var ours = Run();
        ours.Take(new Message(Guid.NewGuid(), "awa@exemple.cg", null, null, 0), lost, isCalledOff: true);
        (ours.Results.Single().IsTried, ours.Said!.Fault).ShouldBe((false, MailFault.Connection));
    }

    private static Sending Run(params SmtpResult[] results)
    {
        var sending = new Sending(new Job(Guid.NewGuid(), default, 1), Guid.NewGuid(), null!);
        Array.ForEach(
            results, r => sending.Take(new Message(Guid.NewGuid(), "awa@exemple.cg", null, null, 0), r, isCalledOff: false));
        return sending;
    }

    private static (string Address, string Message, string Campaign) Effects(Sending sending)
    {
        var result = sending.Results.SingleOrDefault();
        var message = result switch
        {
            null => "doubt",
            { Status: "pending", IsTried: false } => "waits",
            { Status: "pending", Pause: not null } => "later",
            { Status: "bounced" } => "refused",
            { Status: "failed", Code: "OUTCOME_UNKNOWN" } => "unknown",
            _ => $"{result}",
        };
        var campaign = sending.Said?.Fault switch { null => "goes on", MailFault.Sender or MailFault.Message => "paused", _ => "waits" };
        return (result?.Suppresses == true ? "suppressed" : "stays", message, campaign);
    }

    private static IEnumerable<(string Phase, int Code, string? Status, string Words, string Text)> Replies(IEnumerable<string> phases) =>
        from phase in phases
        from code in Codes
        from status in Statuses
        from words in Words
        from text in words.Value
        where code > 0 || (status is null && words.Key == "other")
        select (phase, code, status, words.Key, text);

    private static Row RowOf(Case reply)
    {
        var row = Table.First(r => r.Phases.Contains(reply.Phase) && IsReply(r, reply.Code) && IsStatus(r, reply.Status)
            && (r.Words is ["any"] || r.Words.Contains(reply.Words)));
        return row.Effects[0].StartsWith("as ", StringComparison.Ordinal) ? RowOf(reply with { Words = "other" }) : row;
    }

    private static bool IsReply(Row row, int code) => row.Replies.Any(
        r => r switch { "none" => code == 0, "4xx" => code / 100 == 4, "5xx" => code / 100 == 5, _ => r == $"{code}" });

    private static bool IsStatus(Row row, string? status) =>
        row.Statuses is ["any"] || row.Statuses.Contains(status is null or "0.0" ? "–" : status);

    private static string[] List(string cell) => cell.Split(',', StringSplitOptions.TrimEntries);
}
