using System.Globalization;
using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>
/// The one form by which an address is found, whatever its spelling: without what is invisible, composed (NFC), its domain as it is asked
/// for (IDNA), in upper case.
/// </summary>
public static class AddressKey
{
    private static readonly IdnMapping Idna = new();

    /// <summary>The key of an address; of what is none, its text in upper case.</summary>
    public static string Of(string address)
    {
        var text = string.Concat(address.EnumerateRunes().Where(IsVisible)).Trim();
        text = Composed(text);
        var at = text.LastIndexOf('@');
        return (at < 0 ? text : text[..(at + 1)] + Domain(text[(at + 1)..])).ToUpperInvariant();
    }

    private static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.Control);

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
            return Idna.GetAscii(domain);
        }
        catch (ArgumentException)
        {
            return domain;
        }
    }
}
