using Sankore.Platform.Files;
using Sankore.Platform.Imports;

namespace Sankore.Tests.Platform;

/// <summary>Which column is what, as the first rows of a sheet suggest.</summary>
public sealed class ColumnGuessTests
{
    private static readonly ImportColumn[] Columns =
    [
        new("organization", false, "Organisation", "Organisation", "") { IsFirstLeft = true },
        new("email", true, "Courriel", "E-mail", "") { Holds = cell => cell.Contains('@', StringComparison.Ordinal) },
        new("name", false, "Nom", "Name", ""),
    ];

    [Fact]
    public void The_words_of_the_head_count_before_the_contents() =>
        Guess("Autre;Courriel;Nom", "a@b.cg;c@d.cg;Marie", "e@f.cg;;Jean").ShouldBe("head email=1 name=2");

    [Fact]
    public void A_head_with_nothing_below_it_that_the_column_is_for_does_not_count() =>
        Guess("Courriel;Adresse", "rien;a@b.cg").ShouldBe("head email=1 organization=0");

    [Fact]
    public void Without_a_header_the_column_with_most_addresses_is_the_email() =>
        Guess("Courriel Express;a@b.cg;x@y.cg", "Nom;c@d.cg;").ShouldBe("no head email=1 organization=0");

    [Fact]
    public void What_is_nowhere_is_not_guessed() => Guess("Courriel", "rien").ShouldBe("head organization=0");

    private static string Guess(params string[] rows)
    {
        var sheet = SheetGuess.Of("", [.. rows.Select((r, n) => new SheetRow(n + 1, r.Split(';')))], Columns);
        return $"{(sheet.HasHeader ? "head" : "no head")} "
            + $"{string.Join(' ', sheet.Columns.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}={c.Value}"))}";
    }
}
