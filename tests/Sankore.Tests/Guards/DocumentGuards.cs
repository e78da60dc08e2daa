using System.Globalization;
using System.Text.RegularExpressions;
using Sankore.Platform.Security;

namespace Sankore.Tests.Guards;

/// <summary>docs/errors.md lists what the program refuses with: every code once, with its status, in the order of statuses.</summary>
public sealed partial class DocumentGuards
{
    private const string Line = "| `LINK_INVALID` | 410 |";

    private static readonly string Errors = File.ReadAllText(Path.Combine(Repository.Root, "docs", "errors.md"));

    private static readonly Dictionary<string, int> Statuses = SankoreApp.Modules.SelectMany(m => m.Reasons).Concat(Reason.Common)
        .DistinctBy(r => r.Code).ToDictionary(r => r.Code, r => r.Status);

    [Fact]
    public void Every_refusal_is_documented_and_nothing_else_is() => Mistakes(Errors).ShouldBeEmpty();

    [Fact]
    public void A_refusal_that_is_not_documented_is_named() =>
        Mistakes(Errors.Replace("`LINK_INVALID`", "", StringComparison.Ordinal)).ShouldBe(["LINK_INVALID is not documented"]);

    [Fact]
    public void A_code_that_the_program_does_not_have_is_named() =>
        Mistakes(Errors.Replace(Line, "| `PLANTED` | 410 | |\n" + Line, StringComparison.Ordinal)).ShouldBe(["PLANTED is no refusal"]);

    [Fact]
    public void A_line_with_another_status_out_of_order_or_twice_is_named()
    {
        Mistakes(Errors.Replace(Line, "| `LINK_INVALID` | 411 |", StringComparison.Ordinal)).ShouldBe(["LINK_INVALID has status 410"]);
        Mistakes(Errors.Replace(Line, "| `STALE` | 412 | |\n" + Line, StringComparison.Ordinal))
            .ShouldBe(["LINK_INVALID is out of order", "STALE is documented twice"]);
    }

    private static List<string> Mistakes(string text)
    {
        var lines = Lines().Matches(text).Select(m => (Code: m.Groups[1].Value, Status: Number(m.Groups[2].Value))).ToList();
        var codes = lines.Select(l => l.Code).ToList();
        var wrong = lines.Where(l => Statuses.GetValueOrDefault(l.Code, l.Status) != l.Status);
        var early = lines.Zip(lines.Skip(1)).Where(pair => pair.First.Status > pair.Second.Status);
        return
        [
            .. Statuses.Keys.Except(codes).Select(code => $"{code} is not documented"),
            .. codes.Except(Statuses.Keys).Select(code => $"{code} is no refusal"),
            .. wrong.Select(l => $"{l.Code} has status {Statuses[l.Code]}"),
            .. early.Select(pair => $"{pair.Second.Code} is out of order"),
            .. codes.GroupBy(code => code).Where(same => same.Count() > 1).Select(same => $"{same.Key} is documented twice"),
        ];
    }

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| `([A-Z_]+)` \| (\d{3}) \|", RegexOptions.Multiline)]
    private static partial Regex Lines();
}
