using System.Text.RegularExpressions;

namespace Sankore.Tests.Guards;

/// <summary>Every public type says what it is.</summary>
public sealed partial class DocstringGuards
{
    [Fact]
    public void Every_public_type_says_what_it_is() =>
        Repository.SourceFiles("*.cs")
            .SelectMany(path => Silent(File.ReadAllLines(path)), (path, name) => $"{Path.GetFileName(path)}: {name}")
            .ShouldBeEmpty();

    [Theory]
    [InlineData("/// <summary>A.</summary>", "public sealed record A(int B);", "")]
    [InlineData("/// <summary>A.</summary>", "    [Flags]\n    public enum A", "")]
    [InlineData("// A.", "public sealed record A(int B);", "A")]
    [InlineData("", "[Flags]\npublic static partial class A", "A")]
    [InlineData("", "public delegate Task<int> A(int b);", "A")]
    [InlineData("", "internal sealed class A", "")]
    [InlineData("", "    public static A Class(int b) => new();", "")]
    public void A_type_that_says_nothing_is_named(string above, string declaration, string found) =>
        Silent([above, .. declaration.Split('\n')]).ShouldBe(found == "" ? [] : [found]);

    private static IEnumerable<string> Silent(string[] text) =>
        from at in Enumerable.Range(0, text.Length)
        let type = PublicType().Match(text[at])
        let above = text[..at].LastOrDefault(line => !line.TrimStart().StartsWith('[')) ?? ""
        where type.Success && !above.TrimStart().StartsWith("///", StringComparison.Ordinal)
        select type.Groups[1].Value;

    [GeneratedRegex(
        @"^ *public (?:(?:static|sealed|abstract|readonly|partial) )*(?:class|record struct|record|struct|interface|enum|delegate [^(]+) "
        + @"(\w+)")]
    private static partial Regex PublicType();
}
