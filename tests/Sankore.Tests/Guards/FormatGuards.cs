using System.Text.RegularExpressions;

namespace Sankore.Tests.Guards;

/// <summary>
/// What the format asks for and the build does not look at (it does at spaces, braces, namespaces and unused usings). <c>dotnet format</c>
/// puts it right.
/// </summary>
public sealed partial class FormatGuards
{
    private static readonly string[] Folders = ["src", "tests", "bench", "samples"];

    [Fact]
    public void Every_file_has_the_format() =>
        Repository.Files(Folders, "*.cs")
            .Where(path => !path.EndsWith($"{nameof(FormatGuards)}.cs", StringComparison.Ordinal))
            .SelectMany(
                path => Faults(File.ReadAllText(path, System.Text.Encoding.Latin1)),
                (path, fault) => $"{Repository.Name(path)}: {fault}").ShouldBeEmpty();

    [Theory]
    [InlineData("\u00ef\u00bb\u00bfclass A;\n", "a byte order mark")]
    [InlineData("class A;\r\n", "a line that ends with CR")]
    [InlineData("class A;", "no newline at the end")]
    [InlineData("class A { int F() => this.G(); }\n", "this.")]
    [InlineData("class A { Int32 x; }\n", "Int32")]
    [InlineData("class A { string x = String.Empty; }\n", "String")]
    [InlineData("using Xunit;\nusing System.Text;\n\nclass A;\n", "usings out of order")]
    public void What_is_out_of_format_is_named(string text, string fault) => Faults(text).ShouldBe([fault]);

    private static IEnumerable<string> Faults(string text)
    {
        string[] usings = [.. Using().Matches(text).Select(m => m.Groups[1].Value)];
        var ordered = usings.OrderBy(u => !$"{u}.".StartsWith("System.", StringComparison.Ordinal))
            .ThenBy(u => u, StringComparer.OrdinalIgnoreCase);
        return ((string?[])
        [
            text.StartsWith("\u00ef\u00bb\u00bf", StringComparison.Ordinal) ? "a byte order mark" : null,
            text.Contains('\r', StringComparison.Ordinal) ? "a line that ends with CR" : null,
            text.EndsWith('\n') ? null : "no newline at the end",
            text.Contains("this.", StringComparison.Ordinal) && Qualified().IsMatch(text) ? "this." : null,
            FrameworkName().Match(text) is { Success: true, Value: var name } ? name : null,
            usings.SequenceEqual(ordered) ? null : "usings out of order",
        ]).OfType<string>();
    }

    [GeneratedRegex(@"^(?:global )?using (?!static )([\w.]+);$", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"(?<![""\w])this\.\w")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"(?<![.\w""'])(?:U?Int(?:16|32|64)|String|Boolean|Object|Double|Single|Decimal|Char|S?Byte)(?=[.?>]\w|\[\]| [a-z_])")]
    private static partial Regex FrameworkName();
}
