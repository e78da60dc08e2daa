using System.Text.RegularExpressions;

namespace Sankore.Tests.Guards;

/// <summary>
/// No line is longer than 140 characters, no method longer than 40 lines, no file than 400, and no test's name longer than 15 words. Found
/// in the text: the format is fixed, a block closes where it was opened.
/// </summary>
public sealed partial class LengthGuards
{
    private const int LongestLine = 140;
    private const int LongestMethod = 40;
    private const int LongestFile = 400;
    private const int LongestName = 15;

    private static readonly string[] Folders = ["src", "tests", "bench", "samples"];

    [Fact]
    public void No_line_is_too_long() =>
        Files("*.cs", "*.razor", "*.sql")
            .SelectMany(path => LongLines(File.ReadAllLines(path)), (path, line) => $"{Repository.Name(path)}: {line}")
            .ShouldBeEmpty();

    [Theory]
    [InlineData(140, 0)]
    [InlineData(141, 1)]
    public void A_line_that_is_too_long_is_named(int characters, int found) =>
        LongLines(["// short", $"// 🎓{new string('é', characters - 4)}"])
            .ShouldBe(Enumerable.Repeat($"line 2 has {characters} characters", found));

    [Fact]
    public void No_file_is_too_long() =>
        Files("*.cs", "*.razor", "*.sql", "*.js").Where(path => File.ReadLines(path).Count() > LongestFile).Select(Repository.Name)
            .ShouldBeEmpty();

    [Fact]
    public void No_method_is_too_long() =>
        Files("*.cs")
            .SelectMany(path => LongMethods(File.ReadAllLines(path)), (path, method) => $"{Repository.Name(path)}: {method}")
            .ShouldBeEmpty();

    [Theory]
    [InlineData("    public int F(", "    }", 37, "")]
    [InlineData("    public int F(", "    }", 38, "line 5 has 41 lines")]
    [InlineData("    public int F(", "    }, ct);", 38, "line 5 has 41 lines")]
    [InlineData("    public int this[", "    }", 38, "line 5 has 41 lines")]
    [InlineData("    public sealed class F(", "    }", 38, "")]
    [InlineData("    extension(F f", "    }", 38, "")]
    public void A_method_that_is_too_long_is_named(string head, string end, int inside, string found)
    {
        string[] text =
        [
            "class A", "{", "    /// <summary>F.</summary>", "    [Fact]", head, "        int n) => x.Run(() =>", "    {",
            .. Enumerable.Repeat("        x++;", inside - 1), end, "}",
        ];
        LongMethods(text).ShouldBe(found == "" ? [] : [found]);
    }

    [Fact]
    public void What_looks_like_an_end_in_a_raw_string_is_none()
    {
        string[] text =
        [
            "class A", "{", "    void F()", "    {", "        Run(\"\"\"", "    {", "    }", "            \"\"\");",
            .. Enumerable.Repeat("        x++;", 34), "    }", "}",
        ];
        LongMethods(text).ShouldBe(["line 3 has 41 lines"]);
        LongMethods([.. text[..8], .. text[9..]]).ShouldBeEmpty();
    }

    [Fact]
    public void No_name_of_a_test_is_too_long() =>
        Files("*.cs").SelectMany(path => LongNames(File.ReadAllText(path)), (path, name) => $"{Repository.Name(path)}: {name}")
            .ShouldBeEmpty();

    [Theory]
    [InlineData(15, 0)]
    [InlineData(16, 1)]
    public void A_name_that_is_too_long_is_named(int words, int found)
    {
        var name = string.Join('_', Enumerable.Repeat("word", words));
        LongNames($"    [Fact]\n    public async Task {name}()\n").ShouldBe(Enumerable.Repeat($"{name} has {words} words", found));
    }

    private static IEnumerable<string> Files(params string[] patterns) =>
        Repository.Files(Folders, patterns).Where(path => !Skipped().IsMatch(Repository.Name(path).Replace('\\', '/')));

    private static IEnumerable<string> LongLines(string[] text) =>
        text.Select((line, i) => (Number: i + 1, Length: line.EnumerateRunes().Count())).Where(line => line.Length > LongestLine)
            .Select(line => $"line {line.Number} has {line.Length} characters");

    private static IEnumerable<string> LongNames(string text) =>
        Sentence().Matches(text).Select(m => (Name: m.Groups[1].Value, Words: m.Groups[1].Value.Split('_').Length))
            .Where(test => test.Words > LongestName).Select(test => $"{test.Name} has {test.Words} words");

    /// <summary>
    /// The methods that have too many lines, from the first of the declaration to the last: each block that no other but types' is
    /// around.
    /// </summary>
    private static IEnumerable<string> LongMethods(string[] text)
    {
        var lines = WithoutRawStrings(text);
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() != "{")
            {
                continue;
            }
            var indent = lines[i].IndexOf('{', StringComparison.Ordinal);
            var first = Declaration(lines, i, indent);
            if (indent == 0 || Type().IsMatch(Quoted().Replace(lines[first], "")))
            {
                continue;
            }
            var end = Array.FindIndex(lines, i, line => line.StartsWith(new string(' ', indent) + "}", StringComparison.Ordinal));
            if (end < 0)
            {
                yield return $"line {i + 1} begins a block without an end";
                yield break;
            }
            if (end - first + 1 > LongestMethod)
            {
                yield return $"line {first + 1} has {end - first + 1} lines";
            }
            i = end;
        }
    }

    /// <summary>The first line of what a block belongs to: below the nearest one that is empty, an end, or about the declaration.</summary>
    private static int Declaration(string[] lines, int block, int indent)
    {
        var before = Array.FindLastIndex(lines, Math.Max(block - 1, 0), line =>
        {
            var inside = line.TrimStart();
            var depth = line.Length - inside.Length;
            return inside == "" || depth < indent || depth == indent && (inside[0] is '}' or '/' or '[' or '{' || inside[^1] == ';');
        });
        return Math.Min(before + 1, block);
    }

    /// <summary>A raw string of several lines opens at a line's end and closes at a line's beginning.</summary>
    private static string[] WithoutRawStrings(string[] text)
    {
        const string Mark = "\"\"\"";
        var isInside = false;
        return
        [
            .. text.Select(line =>
            {
                var (wasInside, closes) = (isInside, line.TrimStart().StartsWith(Mark, StringComparison.Ordinal));
                isInside = wasInside ? !closes
                    : line.EndsWith(Mark, StringComparison.Ordinal) && (line.Split(Mark).Length - 1) % 2 == 1;
                return wasInside && !closes ? "" : line;
            }),
        ];
    }

    // What stays as it was run once, and what others wrote.
    [GeneratedRegex(@"/Schema/V\d|^bench/peers/|/(?:bin|obj|node_modules)/")]
    private static partial Regex Skipped();

    [GeneratedRegex(@"^[^(=]*\b(?:class|record|struct|interface|enum|extension)\b")]
    private static partial Regex Type();

    [GeneratedRegex(@"\bpublic [^\n(=]*?\b(\w+_\w+)\(")]
    private static partial Regex Sentence();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();
}
