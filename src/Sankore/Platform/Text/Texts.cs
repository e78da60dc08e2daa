using System.Globalization;

namespace Sankore.Platform.Text;

/// <summary>Texts as people write them.</summary>
public static class Texts
{
    /// <summary>A text that begins a sentence.</summary>
    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>The current language, as one of those that the platform speaks: <c>fr</c> or <c>en</c>.</summary>
    public static string Language => CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en" ? "en" : "fr";

    /// <summary>A text without blanks around it; null for one that says nothing.</summary>
    public static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>The first characters of a text, and no half of one.</summary>
    public static string Cut(string text, int max) =>
        text.Length <= max ? text : text[..(max > 0 && char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];

    /// <summary>A text as far as it can be shown; dots say that there is more.</summary>
    public static string Shortened(string text, int max) => text.Length <= max ? text : Cut(text, max) + "…";
}
