using System.Globalization;

namespace Sankore.Platform.Text;

/// <summary>Texts as people write them.</summary>
public static class Texts
{
    /// <summary>The current language, as one of those that the platform speaks: <c>fr</c> or <c>en</c>.</summary>
    public static string Language => CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en" ? "en" : "fr";

    /// <summary>A text without blanks around it; null for one that says nothing.</summary>
    public static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
