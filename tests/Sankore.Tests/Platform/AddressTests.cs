using FsCheck.Fluent;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>An address has one form and one key, in the program and in the database, whatever its spelling.</summary>
public sealed class AddressTests(World world) : IClassFixture<World>
{
    private static readonly string[] Scripts =
    [
        "abcXYZ0189._+-", "éèêëàâäçôöûüïîÉÈÊÀÇÔŒœæÆßñÑ", "İıŞşĞğȘșŁłØøĐđŹź", "ĀāṢṣƐɛƆɔŊŋƁɓẸẹ", "ΑΣΟΣςσάΩω", "ЖжИйЁёЩщ", "ơƯắẫỵĐặ",
        "日本語テスト", "アドレス한국어", "שלום", "مدرسة",
    ];

    // RFC 3492, 7.1, and domains that there are.
    [Theory]
    [InlineData("école", "cole-9oa"), InlineData("bücher", "bcher-kva"), InlineData("münchen", "mnchen-3ya"), InlineData("ü", "tda")]
    [InlineData("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"), InlineData("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l")]
    [InlineData("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"), InlineData("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b")]
    [InlineData("そのスピードで", "d9juau41awczczp"), InlineData("faß", "fa-hia")]
    public async Task Labels_become_what_the_standard_says(string label, string ascii) =>
        (await world.Sql<string>("select util.punycode(@label)", new { label })).ShouldBe(ascii);

    [Theory]
    [InlineData("by@école.cg", "by@xn--cole-9oa.cg"), InlineData(" By@École.CG ", "by@xn--cole-9oa.cg")]
    [InlineData("by@e\u0301cole.cg", "by@xn--cole-9oa.cg"), InlineData("by@xn--cole-9oa.cg", "by@xn--cole-9oa.cg")]
    [InlineData("by@XN--COLE-9OA.cg\u200B", "by@xn--cole-9oa.cg"), InlineData("\uFEFFby@exem\u00ADple.cg\u00A0", "by@exemple.cg")]
    [InlineData("MailTo:By@exemple.cg?subject=x", "by@exemple.cg"), InlineData("jose\u0301@exemple.cg", "josé@exemple.cg")]
    [InlineData("\"a@b\"@École.cg", "\"a@b\"@xn--cole-9oa.cg"), InlineData("by@école。cg", "by@xn--cole-9oa.cg")]
    [InlineData("pas d'adresse", "pas d'adresse"), InlineData("\u200B \uFEFF", null), InlineData(null, null)]
    public async Task An_address_has_one_form_and_one_key(string? typed, string? kept)
    {
        Addresses.Normalize(typed).ShouldBe(kept);
        if (typed is not null && kept is not null && !typed.StartsWith("MailTo", StringComparison.Ordinal))
        {
            Addresses.Key(typed).ShouldBe(kept);
            (await world.Sql<string>("select util.address_key(@typed)", new { typed })).ShouldBe(kept);
        }
    }

    [Fact]
    public async Task The_program_and_the_database_make_the_same_key_of_every_address()
    {
        var addresses = Spellings().Sample(60, 1500).Distinct().ToList();
        var keys = await world.Sql<string[]>(
            "select array_agg(util.address_key(a) order by n) from unnest(@given::text[]) with ordinality u (a, n)",
            new { given = addresses.ToArray() });
        var odd = addresses.Zip(keys).Where(p => Mail.IsAddress(Addresses.Normalize(p.First)) && Addresses.Key(p.First) != p.Second)
            .Select(p => $"{p.First} → {Addresses.Key(p.First)} | {p.Second}").Take(10);
        odd.ShouldBeEmpty();
        addresses.Count(a => Mail.IsAddress(Addresses.Normalize(a))).ShouldBeGreaterThan(addresses.Count / 3);
        addresses.Where(a => Addresses.Key(Addresses.Normalize(a) ?? "") != Addresses.Key(a))
            .ShouldBeEmpty("what is kept is found by what was typed");
    }

    [Fact]
    public async Task The_program_and_the_database_lower_every_letter_alike()
    {
        var letters = Enumerable.Range(0x21, 0x2FFFF).Where(c => c is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32)
            .Where(c => Mail.IsAddress($"a{c}b@exemple.cg")).ToArray();
        var keys = await world.Sql<string[]>(
            "select array_agg(util.address_key('a' || c || 'b@exemple.cg') order by n)"
            + " from unnest(@letters::text[]) with ordinality u (c, n)", new { letters });
        letters.Zip(keys).Where(p => Addresses.Key($"a{p.First}b@exemple.cg") != p.Second).Select(p => p.First).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Lycée Élève", "lycee eleve"), InlineData("  L’École\tÀ  Œuvre ", "l'ecole a oeuvre"), InlineData("ÇA", "ca")]
    [InlineData("plain TEXT", "plain text"), InlineData("two  blanks", "two blanks"), InlineData("`a", "'a"), InlineData("%\\_", "%\\_")]
    public async Task Words_are_found_without_case_accents_and_doubled_blanks(string text, string folded) =>
        (await world.Sql<string>("select util.fold(@text)", new { text })).ShouldBe(folded);

    private static FsCheck.Gen<string> Spellings()
    {
        var invisible = Gen.Elements("", "", "", "\u200B", "\uFEFF", "\u00AD", "\u2060");
        FsCheck.Gen<string> Word(int max) =>
            from script in Gen.Elements(Scripts)
            from length in Gen.Choose(1, max)
            from letters in Gen.Elements(script.ToCharArray()).ArrayOf(length)
            from odd in invisible
            select new string(letters).Insert(length / 2, odd);
        return from local in Word(8)
               from labels in Word(6).ArrayOf(2)
               from end in Gen.Elements(".cg", ".CG", ".org", "。sn")
               from blank in Gen.Elements("", " ", "\u00A0", "\t")
               from form in Gen.Elements(System.Text.NormalizationForm.FormC, System.Text.NormalizationForm.FormD)
               select $"{blank}{$"{local}@{string.Join('.', labels)}{end}".Normalize(form)}{blank}";
    }
}
