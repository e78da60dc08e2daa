using System.Globalization;
using System.Text;

namespace Sankore.Platform.Files;

/// <summary>Names of files that people send.</summary>
public static class FileNames
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 200;

    /// <summary>
    /// A file's own name: without folders, composed, and without what is not seen (line breaks, marks that turn the direction of letters
    /// round and make <c>exe.fdp</c> out of <c>pdf.exe</c>, halves of characters); empty where nothing is left.
    /// </summary>
    public static string Of(string? fileName)
    {
        var whole = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(fileName ?? ""));
        var last = whole[(whole.LastIndexOfAny(['/', '\\']) + 1)..];
        var seen = string.Concat(
            last.EnumerateRunes()
            .Where(
                r => Rune.GetUnicodeCategory(r)
                is not (
                    UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                    or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)));
        return seen.Normalize(NormalizationForm.FormC).Trim().TrimEnd('.', ' ');
    }
}
