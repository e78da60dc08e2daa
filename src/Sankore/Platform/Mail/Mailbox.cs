using System.Buffers;
using System.Globalization;
using System.Text;
using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>
/// One address, with the name shown for it. Its domain is always ASCII: an internationalised one is kept in punycode (RFC 5891).
/// </summary>
public sealed record Mailbox
{
    private const int MaxAddress = 254;

    // RFC 5322 atext and the dot; wherever the dots stand, since addresses with two in a row exist and work.
    private static readonly SearchValues<char> Atom =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.");
    private static readonly SearchValues<char> DomainCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    // MimeKit takes what is in use, though no standard allows it, as we do.
    private static readonly ParserOptions Lenient = new() { AddressParserComplianceMode = RfcComplianceMode.Looser };

    private Mailbox(string name, string local, string domain) =>
        (Name, Address, Domain, NeedsSmtpUtf8) = (name, $"{local}@{domain}", domain, !Ascii.IsValid(local));

    /// <summary>The name shown, or nothing.</summary>
    public string Name { get; }

    /// <summary>The address as it stands in the envelope: <c>local@domain</c>.</summary>
    public string Address { get; }

    /// <summary>What stands behind the last @.</summary>
    public string Domain { get; }

    /// <summary>
    /// Whether the part before the @ has other letters than ASCII, so that only a server with SMTPUTF8 takes it (RFC 6531).
    /// </summary>
    public bool NeedsSmtpUtf8 { get; }

    /// <summary>Reads <c>a@b.org</c>, <c>Name &lt;a@b.org&gt;</c> or <c>"Name" &lt;a@b.org&gt;</c>.</summary>
    /// <exception cref="FormatException">It is not one address.</exception>
    public static Mailbox Parse(string text) => TryParse(text) ?? throw new FormatException("not one address");

    /// <summary>As <see cref="Parse"/>; null when it is not one address.</summary>
    public static Mailbox? TryParse(string text)
    {
        text = text.Trim(' ');
        if (!text.EndsWith('>'))
        {
            return Of(text);
        }
        var open = text.LastIndexOf('<');
        var name = open < 0 ? "" : text[..open].Trim(' ');
        if (name.Length >= 2 && name[0] == '"' && name[^1] == '"')
        {
            name = name[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Replace(@"\\", @"\", StringComparison.Ordinal);
        }
        return open < 0 || name.AsSpan().ContainsAny('\r', '\n', '\0') ? null : Of(text[(open + 1)..^1], name);
    }

    /// <summary>An address with a name beside it, whatever the name's letters.</summary>
    /// <exception cref="FormatException">The address is none, or the name has a line break.</exception>
    public static Mailbox Named(string name, string address) =>
        name.AsSpan().ContainsAny('\r', '\n', '\0') ? throw new FormatException("a name has no line breaks")
            : Of(address, name) ?? throw new FormatException("not one address");

    /// <summary>The same as MimeKit has it. A new one each time, since it belongs to one message.</summary>
    internal MailboxAddress ToMimeKit()
    {
        var mailbox = MailboxAddress.Parse(Lenient, Address);
        mailbox.Name = Name.Length > 0 ? Name : null;
        return mailbox;
    }

    public override string ToString() => Name.Length == 0 ? Address : $"{Name} <{Address}>";

    private static Mailbox? Of(string address, string name = "")
    {
        var at = address.LastIndexOf('@');
        if (at < 1 || address.Length > MaxAddress || AsciiDomain(address[(at + 1)..]) is not { } domain)
        {
            return null;
        }
        // A file has a hundred thousand addresses, nearly all of them plain, and MimeKit takes every plain one.
        var local = address[..at];
        return IsPlain(local) || (IsLocal(local) && MailboxAddress.TryParse(Lenient, $"{local}@{domain}", out _))
            ? new Mailbox(name.Trim(), local, domain) : null;
    }

    private static bool IsPlain(string local) => !local.AsSpan().ContainsAnyExcept(Atom) && AreDotsApart(local);

    private static bool AreDotsApart(string text) =>
        text.Length > 0 && text[0] != '.' && text[^1] != '.' && !text.Contains("..", StringComparison.Ordinal);

    private static bool IsLocal(ReadOnlySpan<char> local)
    {
        if (local is ['"', .. var quoted, '"'] && local.Length > 2)
        {
            return !quoted.ContainsAny('"', '\\') && !quoted.ContainsAnyExceptInRange(' ', '~');
        }
        foreach (var rune in local.EnumerateRunes())
        {
            if (rune.IsAscii ? !Atom.Contains((char)rune.Value) : rune == Rune.ReplacementChar || Rune.IsWhiteSpace(rune)
                || Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format)
            {
                return false;
            }
        }
        return true;
    }

    private static string? AsciiDomain(string domain)
    {
        try
        {
            var ascii = Ascii.IsValid(domain) ? domain : new IdnMapping().GetAscii(domain);
            return AreDotsApart(ascii) && !ascii.AsSpan().ContainsAnyExcept(DomainCharacters) ? ascii : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
