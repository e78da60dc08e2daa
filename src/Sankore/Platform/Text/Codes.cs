using System.Globalization;
using System.Text;

namespace Sankore.Platform.Text;

/// <summary>Codes and slugs: one spelling for what people write in many ways (document 002, « Codes de Modules »).</summary>
public static class Codes
{
    private static readonly string[] Elisions = ["l", "d", "c", "j", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu"];

    /// <summary>
    /// Lower case, without accents, words joined by single hyphens; an elided article goes with its apostrophe:
    /// <c>gestion_equipe</c>, <c>Gestion d'équipe</c> and <c>gestion-équipe</c> are all <c>gestion-equipe</c>.
    /// </summary>
    /// <returns>The code; empty when the text has no letter or digit of a to z, 0 to 9 once its accents are gone.</returns>
    public static string Normalize(string? text)
    {
        var code = new StringBuilder();
        var word = 0;
        foreach (var rune in (text ?? "").Replace('´', '\'').Normalize(NormalizationForm.FormKD).ToLowerInvariant().EnumerateRunes())
        {
            if (Spell(rune) is { } letters)
            {
                code.Append(letters);
            }
            else if (IsApostrophe(rune))
            {
                if (Elisions.Contains(code.ToString(word, code.Length - word)))
                {
                    code.Length = word;
                }
                else
                {
                    EndWord();
                }
            }
            else if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.Format))
            {
                EndWord();
            }
        }
        return code.ToString().Trim('-');

        void EndWord()
        {
            if (code.Length > 0 && code[^1] != '-')
            {
                code.Append('-');
            }
            word = code.Length;
        }
    }

    private static string? Spell(Rune rune) => rune.Value switch
    {
        >= 'a' and <= 'z' or >= '0' and <= '9' => ((char)rune.Value).ToString(),
        'œ' => "oe",
        'æ' => "ae",
        'ß' => "ss",
        'ø' => "o",
        'đ' => "d",
        'ł' => "l",
        _ => null,
    };

    private static bool IsApostrophe(Rune rune) => rune.Value is '\'' or '’' or 'ʼ' or '‘' or '`' or '′';
}
