using System.Text.RegularExpressions;

namespace Sankore.Platform.Mail;

/// <summary>Who a mail is from and for on its way; both apart from what the message itself says.</summary>
/// <param name="From">Where it goes back to when it cannot be delivered; null: nowhere (<c>&lt;&gt;</c>).</param>
/// <param name="To">Whom it is for.</param>
public sealed record Envelope(Mailbox? From, Mailbox To);

/// <summary>What became of a mail.</summary>
public enum SmtpOutcome
{
    /// <summary>The server has it and answers for it.</summary>
    Accepted,

    /// <summary>The server does not take it now (4xx): try again later.</summary>
    Deferred,

    /// <summary>The server does not take it (5xx), or cannot (too large, an address it has no letters for): do not try again.</summary>
    Rejected,

    /// <summary>It has not left: the end of its data was never written. Try again, here or elsewhere.</summary>
    NotSent,

    /// <summary>Its end may have left and no answer came: it may have been delivered. Never send it again.</summary>
    Unknown,
}

/// <summary>What became of a mail, and what the server said to it.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Phase">What was being done when that was decided.</param>
/// <param name="Code">The reply's code; 0: there was none.</param>
/// <param name="Status">The enhanced status (RFC 3463), such as 5.1.1, where there is one that agrees with the code.</param>
/// <param name="Text">The reply's text, or what went wrong. It may name the recipient: not for logs.</param>
public sealed partial record SmtpResult(SmtpOutcome Outcome, SmtpPhase Phase, int Code, string? Status, string Text)
{
    /// <summary>Whom it concerns that the mail was not taken.</summary>
    public MailFault Fault => MailFaults.Of(Phase, Code, Status, Text);

    /// <summary>What the server said, as it said it.</summary>
    public string Reply => Code > 0 ? $"{Code} {Text}" : Text;

    /// <summary>
    /// What the server's reply means. Before the end of the data 421 speaks of the connection, not of the mail, and what is no refusal is
    /// no SMTP.
    /// </summary>
    internal static SmtpResult Replied(SmtpPhase phase, int code, string text)
    {
        var outcome = (phase, code) switch
        {
            (SmtpPhase.End, >= 200 and < 300) => SmtpOutcome.Accepted,
            (SmtpPhase.End, < 400 or >= 600) => SmtpOutcome.Unknown,
            (not SmtpPhase.End, 421 or < 400 or >= 600) => SmtpOutcome.NotSent,
            (_, < 500) => SmtpOutcome.Deferred,
            _ => SmtpOutcome.Rejected,
        };
        return new SmtpResult(outcome, phase, code, StatusOf(code, text), Clean(text));
    }

    /// <summary>No reply, in a phase.</summary>
    internal static SmtpResult NoReply(SmtpPhase phase, string text) =>
        new(phase == SmtpPhase.End ? SmtpOutcome.Unknown : SmtpOutcome.NotSent, phase, 0, null, text);

    // One line, without what no text holds.
    private static string Clean(string text) => string.Concat(text.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? ' ' : c));

    /// <summary>The enhanced status that a reply begins with.</summary>
    internal static string? StatusOf(int code, string text) =>
        StatusCode().Match(text) is { Success: true } match && match.Value[0] - '0' == code / 100 ? match.Value : null;

    [GeneratedRegex(@"\A[245]\.[0-9]{1,3}\.[0-9]{1,3}(?=\s|\z)")]
    private static partial Regex StatusCode();
}
