using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Text;

namespace Sankore.Tests.Platform;

/// <summary>One spelling for what people write in many ways (document 002, « Codes de Modules »).</summary>
public sealed partial class CodesTests
{
    private static readonly string[] Fragments =
    [
        "gestion", "Équipe", "équipe", "e\u0301quipe", "d'", "D’", "l'", "qu’", "Lorsqu'", "aujourd’hui", "s", "'", "’", "`", "´", "ʼ", " ",
            "  ", "\u00a0", "\t", "_", "-", "--", "–", "/", ".",
        "œuvre", "ŒUVRE", "æ", "Æ", "ß", "ø", "Ø", "Łódź", "Đ", "ﬁn", "①", "№", "™", "İ", "ç", "Ç", "ñ", "42", "٣", "学校", "школа", "مدرسة",
        "🎓", "👩‍🏫", "\u200d", "\u00ad", "\u0000", "\u0007", "",
    ];

    private static readonly Arbitrary<string> Texts = Arb.From(
        from parts in Gen.Elements(Fragments).ListOf()
        select string.Concat(parts));

    [Theory]
    [InlineData("gestion-equipe", "gestion-equipe")]
    [InlineData("gestion_equipe", "gestion-equipe")]
    [InlineData("gestion d'équipe", "gestion-equipe")]
    [InlineData("Gestion d'équipe", "gestion-equipe")]
    [InlineData("GESTION D’ÉQUIPE", "gestion-equipe")]
    [InlineData("gestion-équipe", "gestion-equipe")]
    [InlineData("gestion d`équipe", "gestion-equipe")]
    [InlineData("gestion-projets", "gestion-projets")]
    [InlineData("Gestion_Collaborateurs", "gestion-collaborateurs")]
    [InlineData("  Messagerie   interne  ", "messagerie-interne")]
    [InlineData("Œuvres & Cætera", "oeuvres-caetera")]
    [InlineData("Aujourd’hui", "aujourd-hui")]
    [InlineData("lorsqu’il", "il")]
    [InlineData("Cours à l’école 🎓", "cours-a-ecole")]
    [InlineData("gestion d´équipe", "gestion-equipe")]
    [InlineData("Formation™", "formationtm")]
    [InlineData("İstanbul", "istanbul")]
    [InlineData("Niveau №3", "niveau-no3")]
    [InlineData("--a--", "a")]
    public void Every_spelling_has_one_code(string text, string code) => Codes.Normalize(text).ShouldBe(code);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("🎓")]
    [InlineData("学校")]
    [InlineData("مدرسة")]
    [InlineData("'’_-–")]
    [InlineData("\0")]
    public void A_text_without_a_letter_or_digit_has_no_code(string? text) => Codes.Normalize(text).ShouldBe("");

    [Fact]
    public void A_code_is_words_joined_by_single_hyphens() =>
        Prop.ForAll(Texts, text => Codes.Normalize(text) is "" || Code().IsMatch(Codes.Normalize(text))).QuickCheckThrowOnFailure();

    [Fact]
    public void The_code_of_a_code_is_itself() =>
        Prop.ForAll(Texts, text => Codes.Normalize(Codes.Normalize(text)) == Codes.Normalize(text)).QuickCheckThrowOnFailure();

    [Fact]
    public void Capitals_make_no_difference() =>
        Prop.ForAll(
            Texts, text => Codes.Normalize(text.ToUpperInvariant()) == Codes.Normalize(text)
            && Codes.Normalize(text.ToLowerInvariant()) == Codes.Normalize(text)).QuickCheckThrowOnFailure();

    [Fact]
    public void Accents_make_no_difference() =>
        Prop.ForAll(Texts, text => Codes.Normalize(WithoutAccents(text)) == Codes.Normalize(text)).QuickCheckThrowOnFailure();

    [Fact]
    public void The_code_is_what_a_chain_of_replacements_gives() =>
        Prop.ForAll(Texts, text => Codes.Normalize(text) == Oracle(text)).QuickCheckThrowOnFailure();

    private static string WithoutAccents(string text) =>
        string.Concat(
            text.Normalize(NormalizationForm.FormD).Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark));

    private static string Oracle(string text)
    {
        var plain = Marks().Replace(text.Replace('´', '\'').Normalize(NormalizationForm.FormKD).ToLowerInvariant(), "");
        foreach (var (letter, spelled) in new[] { ("œ", "oe"), ("æ", "ae"), ("ß", "ss"), ("ø", "o"), ("đ", "d"), ("ł", "l") })
        {
            plain = plain.Replace(letter, spelled, StringComparison.Ordinal);
        }
        return Separators().Replace(Elisions().Replace(plain, ""), "-").Trim('-');
    }

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex Code();

    [GeneratedRegex(@"[\p{Mn}\p{Cf}]")]
    private static partial Regex Marks();

    [GeneratedRegex("(?<![a-z0-9])(?:[ldcjmnst]|qu|jusqu|lorsqu|puisqu)['’ʼ‘`′]")]
    private static partial Regex Elisions();

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex Separators();
}
