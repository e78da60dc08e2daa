using System.Collections;
using System.Globalization;
using System.Resources;
using System.Text.RegularExpressions;
using Sankore.Platform.Security;

namespace Sankore.Tests.Guards;

/// <summary>Every message exists in both languages, with the same blanks to fill in.</summary>
public sealed partial class TextGuards
{
    private static readonly CultureInfo French = CultureInfo.InvariantCulture, English = CultureInfo.GetCultureInfo("en");

    private static readonly Type[] Books = [
        .. typeof(SankoreApp).Assembly.GetTypes()
        .Where(t => t.Namespace?.StartsWith("Sankore", StringComparison.Ordinal) == true && t.Name is "Strings" or "UiStrings")];

    public static TheoryData<string> Names => [.. Books.Select(b => b.FullName!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_languages_have_the_same_keys_and_no_empty_text(string book)
    {
        var (french, english) = (Texts(book, French), Texts(book, English));
        french.ShouldNotBeEmpty();
        english.Keys.Order().ShouldBe(french.Keys.Order());
        french.Concat(english).Where(t => string.IsNullOrWhiteSpace(t.Value)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_languages_fill_in_the_same_blanks(string book)
    {
        var english = Texts(book, English);
        Texts(book, French).Where(t => english.ContainsKey(t.Key) && Blanks(t.Value) != Blanks(english[t.Key])).Select(t => t.Key)
            .ShouldBeEmpty();
    }

    /// <summary>A line may not begin with a colon, or end with a guillemet.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void French_marks_stay_beside_their_word(string book) =>
        Texts(book, French).Where(t => LooseMark().IsMatch(t.Value)).Select(t => t.Key).ShouldBeEmpty();

    [Theory, InlineData("Supprimer ?"), InlineData("le module « Transport\u00a0»"), InlineData("Objet : {0}")]
    public void A_mark_that_leaves_its_word_would_be_seen(string text) => LooseMark().IsMatch(text).ShouldBeTrue();

    [Fact]
    public void A_blank_missing_in_one_language_would_be_seen() =>
        Blanks("« {0} » a déjà {1:N0} lignes").ShouldNotBe(Blanks("“{0}” has lines already"));

    [Fact]
    public void Every_reason_has_its_message_in_both_languages() =>
        WithoutMessage(SankoreApp.Modules.SelectMany(m => m.Reasons).Concat(Reason.Common)).ShouldBeEmpty();

    [Fact]
    public void A_reason_without_a_message_is_named() =>
        WithoutMessage([new Reason("PLANTED", 400, typeof(Sankore.Platform.Strings))]).ShouldBe(["PLANTED"]);

    [Fact]
    public void Every_reason_of_a_constraint_is_one_of_a_module()
    {
        var listed = SankoreApp.Modules.SelectMany(m => m.Reasons).Concat(Reason.Common).ToHashSet();
        SankoreApp.Modules.SelectMany(m => m.Constraints).Where(c => !listed.Contains(c.Value)).Select(c => c.Key).ShouldBeEmpty();
    }

    /// <summary>A field's error is looked up in every module's texts (Problems.Message).</summary>
    [Fact]
    public void Every_error_of_a_field_has_its_message_in_both_languages()
    {
        var keys = Keys().ToList();
        var books = SankoreApp.Modules.Select(m => m.GetType().Namespace + ".Strings")
            .Where(b => typeof(SankoreApp).Assembly.GetType(b) is not null).ToList();
        keys.Count.ShouldBeGreaterThan(10);
        keys.Where(k => books.TrueForAll(b => !Texts(b, French).ContainsKey(k.Key) || !Texts(b, English).ContainsKey(k.Key)))
            .Select(k => $"{k.File}: {k.Key}").ShouldBeEmpty();
    }

    private static IEnumerable<(string File, string Key)> Keys() =>
        from file in Repository.SourceFiles("*.cs", "*.razor")
        let text = File.ReadAllText(file)
        from pattern in (Regex[])[FieldErrors(), Rules()]
        from match in pattern.Matches(text).Cast<Match>()
        select (Repository.Name(file), match.Groups[1].Value);

    private static IEnumerable<string> WithoutMessage(IEnumerable<Reason> reasons) =>
        reasons.Where(
            r => !Texts(r.Strings.FullName!, French).ContainsKey(r.Code)
            || !Texts(r.Strings.FullName!, English).ContainsKey(r.Code)).Select(r => r.Code);

    /// <summary>One language's own texts, without those it would fall back on.</summary>
    private static Dictionary<string, string> Texts(string book, CultureInfo culture) =>
        new ResourceManager(book, typeof(SankoreApp).Assembly).GetResourceSet(culture, createIfNotExists: true, tryParents: false)?
            .Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string)e.Value!) ?? [];

    private static string Blanks(string text) => string.Join(' ', Blank().Matches(text).Select(m => m.Groups[1].Value).Distinct().Order());

    [GeneratedRegex(@"\{(\d+)")]
    private static partial Regex Blank();

    [GeneratedRegex(@"\S [:;?!»]|« ")]
    private static partial Regex LooseMark();

    [GeneratedRegex("""(?:new FieldError\(|\] = new\(|\bAdd\(field, |=> \("\w*", )"([\w.]+)["]""")]
    private static partial Regex FieldErrors();

    [GeneratedRegex("""\.That\("\w+", (?:[^"()]|\((?:[^()]|\([^()]*\))*\)|'[^']*')*?"([\w.]+)"\)""")]
    private static partial Regex Rules();
}
