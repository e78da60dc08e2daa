using System.Text.RegularExpressions;

namespace Sankore.Platform.Mail;

/// <summary>
/// Whom a refusal concerns. It follows from the phase, the reply's code, the enhanced status (RFC 3463) and, where a server says no more,
/// its words: <c>docs/mail-faults.md</c> is the whole rule, and a test holds this to it.
/// </summary>
public enum MailFault
{
    /// <summary>The address: there is no such mailbox.</summary>
    Address,

    /// <summary>This recipient cannot have this message, though the address is one.</summary>
    Recipient,

    /// <summary>Not now: the recipient's server is busy, or the mailbox is full.</summary>
    Moment,

    /// <summary>The message, or what the server thinks of us: others may be refused for the same reason.</summary>
    Message,

    /// <summary>So much is not taken of us in so short a time: everything waits.</summary>
    Limit,

    /// <summary>Us: the sign-in, the sender's address, the server's trust. Everybody would be refused.</summary>
    Sender,

    /// <summary>Nobody: there is no server to talk to at the moment.</summary>
    Connection,
}

/// <summary>Tells whom a refusal concerns.</summary>
public static partial class MailFaults
{
    /// <summary>What a mail server answered while a mail was given to it.</summary>
    /// <param name="phase">What was being done.</param>
    /// <param name="code">The reply's code; 0: there was none.</param>
    /// <param name="status">The enhanced status, such as 5.1.1.</param>
    /// <param name="text">The reply's words.</param>
    public static MailFault Of(SmtpPhase phase, int code, string? status, string text)
    {
        var (isForGood, detail, words) = (code is >= 500 and < 600, Detail(status), Unaddressed(text));
        if (isForGood && (detail is "1.7" or "1.8" || code is 530 or 534 or 535 or 538))
        {
            return MailFault.Sender;
        }
        var isRecipients = phase == SmtpPhase.Recipient && IsOfRecipient(detail, words);
        var isLater = phase is SmtpPhase.Connect or SmtpPhase.SignIn && !isForGood;
        if (code >= 400 && !isLater && !isRecipients && IsLimit(detail, words))
        {
            return MailFault.Limit;
        }
        return phase switch
        {
            SmtpPhase.Connect or SmtpPhase.SignIn => isForGood ? MailFault.Sender : MailFault.Connection,
            SmtpPhase.Sender => isForGood ? MailFault.Sender : code is 0 or 421 ? MailFault.Connection : MailFault.Limit,
            _ when !isForGood => MailFault.Moment,
            SmtpPhase.Recipient => OfRecipient(code, detail, words),
            _ => detail == "2.2" ? MailFault.Moment : MailFault.Message,
        };
    }

    /// <summary>What was told of a mail that had been taken: that it came back for good.</summary>
    /// <param name="status">The enhanced status that was told, or the reply's code; null: none.</param>
    /// <param name="text">The words beside it, where the status of the server that refused may stand.</param>
    /// <param name="isMailbox">Whether the teller itself says that there is no such mailbox, where neither status nor words
    /// do.</param>
    public static MailFault OfBounce(string? status, string? text, bool isMailbox = false)
    {
        var words = Unaddressed(text ?? "");
        var said = Inner().Match(words) is { Success: true } inner ? inner.Value : status;
        return said is ['4', ..] || (Detail(said) is null && Later().IsMatch(words)) ? MailFault.Moment
            : Detail(said) is { } detail ? OfRecipient(550, detail, words)
            : isMailbox && !Policy().IsMatch(words) && !Full().IsMatch(words) ? MailFault.Address
            : OfRecipient(550, null, words);
    }

    /// <summary>Words without the addresses in them: fit for logs.</summary>
    public static string Unaddressed(string words) => Address().Replace(words, "…");

    private static MailFault OfRecipient(int code, string? detail, string text) => detail switch
    {
        "1.1" or "1.2" or "1.6" or "1.10" or "2.1" => MailFault.Address,
        "2.2" => MailFault.Moment,
        ['1' or '2' or '6', '.', ..] => MailFault.Recipient,
        not null => MailFault.Message,
        _ when Full().IsMatch(text) || (code == 552 && !Policy().IsMatch(text)) => MailFault.Moment,
        _ => IsNobody(text) ? MailFault.Address : MailFault.Message,
    };

    /// <summary>Whether a refusal at RCPT speaks of the mailbox, so that no word in it speaks of what we send.</summary>
    private static bool IsOfRecipient(string? detail, string text) =>
        detail is ['1' or '2' or '6', '.', ..] and not ("1.7" or "1.8") || (detail is null && (Full().IsMatch(text) || IsNobody(text)));

    private static bool IsLimit(string? detail, string text) => detail is "4.5" or "5.3" or "7.28"
        || (detail is not ("2.3" or "3.4" or "4.6") && Limit().IsMatch(text) && !Size().IsMatch(text) && !Full().IsMatch(text));

    private static bool IsNobody(string text) => Nobody().IsMatch(text) && !Policy().IsMatch(text);

    /// <summary>What a status says beside its class, such as 1.1; null: nothing, as 5.0.0 does.</summary>
    private static string? Detail(string? status) =>
        status?.Split('.') is [_, var subject, var detail] && (subject, detail) != ("0", "0") ? $"{subject}.{detail}" : null;

    // A reply that puts off, where it stands first.
    [GeneratedRegex(@"\A\s*(?:smtp;\s*)?4[0-9]{2}\b", RegexOptions.IgnoreCase)]
    private static partial Regex Later();

    [GeneratedRegex(@"\S+@\S+")]
    private static partial Regex Address();

    [GeneratedRegex(@"\b(?:size|length|hops?)\b|\btoo (?:big|large)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Size();

    // The status of the server that refused, which a report repeats, and that says something.
    [GeneratedRegex(@"(?<![0-9.])[45]\.(?!0\.0(?![0-9]))[0-9]{1,2}\.[0-9]{1,3}(?![0-9.])")]
    private static partial Regex Inner();

    [GeneratedRegex(
        @"\b(?:daily|hourly|monthly|sending|send|sender|outgoing|outbound|relay|message|mail|rate|sms?tp)\b[ -]+(?:\w+[ -]+){0,3}?"
        + @"(?:limit|quota)|\b(?:limit|quota|rate)\b (?:\w+ ){0,3}?(?:exceeded|reached)|\btoo (?:many|fast)\b|\brate[ -]?limit|\bthrottl|"
        + @"\b(?:sent|sending) too (?:many|much|fast)|\b(?:per|an?|each) (?:hour|day|minute)\b.*\b(?:limit|exceeded|reached)",
        RegexOptions.IgnoreCase)]
    private static partial Regex Limit();

    [GeneratedRegex(
        @"\b(?:mailbox|inbox|account|user|recipient|storage|disk|boîte)\b.{0,40}\b(?:full|over ?quota|quota|pleine|no space|"
        + @"storage)\b|\b(?:mailbox|inbox|storage|disk)\b.{0,40}\b(?:limit|allocation)\b|\bover ?quota\b|"
        + @"\binsufficient (?:mailbox |disk )?(?:storage|space)",
        RegexOptions.IgnoreCase)]
    private static partial Regex Full();

    [GeneratedRegex(
        @"\b(?:users?|mailbox|recipient|account|address|destinataire|utilisateur|adresse|compte|boîte)\b.{0,60}\b(?:unknown|not found|"
        + @"(?:does|do) ?n['o’]t exist|doesnt exist|not exist|no such|disabled|inactive|invalid|unavailable|not (?:a )?valid|inconnue?|"
        + @"n['’]existe pas)\b|\b(?:no such|unknown|invalid|unrouteable|unroutable|non-?existent|no|inexistante?) (?:\w+ ){0,2}?"
        + @"(?:users?|mailbox|recipient|account|address|person|destinataire|utilisateur|adresse)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex Nobody();

    [GeneratedRegex(
        @"\brelay(?:ing)?\b(?! recipient)|spam|polic|block|black ?list|denied|reputation|authenticat|\b(?:spf|dkim|dmarc|rbl|dnsbl)\b|"
        + @"not permitted|not allowed|banned|listed|sender|from you|prohibited|virus|content|authori[sz]ed",
        RegexOptions.IgnoreCase)]
    private static partial Regex Policy();
}
