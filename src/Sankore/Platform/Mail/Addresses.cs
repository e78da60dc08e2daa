using System.Globalization;
using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>
/// E-mail addresses in their one form: contacts', accounts', staff's, wherever they come from. What is typed, copied or read from a file
/// may have blanks and invisible characters around and in it, composed letters or not, a domain in its own letters or as it is asked for.
/// </summary>
public static class Addresses
{
    private const string Mailto = "mailto:";

    private static readonly IdnMapping Idna = new();

    /// <summary>
    /// An address as it is kept: without what is invisible and <c>mailto:</c>, composed (NFC), its domain as it is asked for (IDNA, RFC
    /// 5891), in lower case. What is none stays what it is, in that form; null: nothing.
    /// </summary>
    public static string? Normalize(string? text)
    {
        var visible = Visible(text ?? "");
        if (visible.StartsWith(Mailto, StringComparison.OrdinalIgnoreCase))
        {
            visible = visible[Mailto.Length..].Split('?')[0].Trim();
        }
        var (local, domain) = Parts(visible);
        return visible.Length == 0 ? null : (local + domain).ToLowerInvariant();
    }

    /// <summary>
    /// The key by which an address is found, whatever its spelling; of what is none, its text. The database makes the same one
    /// (<c>util.address_key</c>).
    /// </summary>
    public static string Key(string address)
    {
        var (local, domain) = Parts(Visible(address.Replace("\0", "", StringComparison.Ordinal)));
        // The two letters whose lower case depends on more than themselves.
        return local.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant().Replace('ς', 'σ')
            + domain.ToLowerInvariant();
    }

    private static (string Local, string Domain) Parts(string text)
    {
        var at = text.LastIndexOf('@');
        return at < 0 ? (text, "") : (text[..(at + 1)], Domain(text[(at + 1)..]));
    }

    private static string Visible(string text)
    {
        if (text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            text = string.Concat(text.EnumerateRunes().Where(IsVisible)).Trim();
        }
        return Composed(text);
    }

    // Blanks are left to be trimmed: within an address they make it none, as a NUL does anywhere.
    private static bool IsVisible(Rune rune) => Rune.IsWhiteSpace(rune) || rune.Value == 0
        || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.Control);

    private static string Composed(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // Halves of characters: no address, and nobody's key.
            return text;
        }
    }

    private static string Domain(string domain)
    {
        try
        {
            return Ascii.IsValid(domain) ? domain : Idna.GetAscii(domain);
        }
        catch (ArgumentException)
        {
            return domain;
        }
    }
}
