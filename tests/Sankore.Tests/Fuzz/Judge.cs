using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sankore.Tests.Fuzz;

/// <summary>An answer that must not be.</summary>
/// <param name="Rule">What it breaks.</param>
/// <param name="Expected">What it should have been; null: the rule says it.</param>
internal sealed record Violation(string Rule, FuzzCaller Caller, FuzzRequest Request, FuzzAnswer Answer, string? Expected = null)
{
    private const int MostShown = 300;

    /// <summary>Violations that are alike have the same.</summary>
    public (string Rule, string Method, string Route, int Status) Kind => (Rule, Request.Method, Request.Route, Answer.Status);

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Rule}: {Caller.Name} sent {Request} and got {Shown($"{Answer.Status} {Answer.Body}")}"
        + (Expected is null ? "" : $", not {Shown(Expected)}");

    private static string Shown(string text) => text[..Math.Min(text.Length, MostShown)];
}

/// <summary>Says what is wrong with answers.</summary>
internal static partial class Judge
{
    private const int MostShown = 20;

    private static readonly Dictionary<string, int> Codes =
        Line().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "errors.md")))
            .ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>What an answer breaks.</summary>
    public static IEnumerable<Violation> Judged(FuzzCaller caller, FuzzRequest request, FuzzAnswer answer)
    {
        if (answer.Status is 0 or >= 500)
        {
            yield return new Violation("the server fails", caller, request, answer);
        }
        else if (answer.Status >= 400 && request.Route.StartsWith("/api/", StringComparison.Ordinal) && !IsProblem(answer))
        {
            yield return new Violation("a refusal is no problem of docs/errors.md", caller, request, answer);
        }
        var text = answer.Headers + answer.Body;
        var told = caller.Hidden.FirstOrDefault(word => text.Contains(word, StringComparison.OrdinalIgnoreCase) && !request.Contains(word));
        if (told is not null && caller.Entitled != request.Route)
        {
            yield return new Violation($"the answer tells of {told}", caller, request, answer);
        }
    }

    /// <summary>An answer without what differs each time: ids, moments, the trace.</summary>
    public static string Silent(FuzzAnswer answer) => $"{answer.Status} {Changing().Replace(answer.Body, "…")}";

    /// <summary>The shortest violation of each kind, as lines for people, the first few of them.</summary>
    public static IReadOnlyList<string> Report(int seed, IEnumerable<Violation> violations) =>
        [.. violations.GroupBy(v => v.Kind).Select(alike => alike.MinBy(v => v.Request.Length)!)
            .OrderBy(v => v.Request.Route, StringComparer.Ordinal).Select(v => $"seed {seed}: {v}").Take(MostShown)];

    private static bool IsProblem(FuzzAnswer answer)
    {
        if (answer.MediaType != "application/problem+json")
        {
            return false;
        }
        var problem = JsonElement.Parse(answer.Body);
        return problem.TryGetProperty("code", out var code) && Codes.GetValueOrDefault(code.GetString() ?? "") == answer.Status;
    }

    [GeneratedRegex(@"^\| `([A-Z_0-9]+)` \| (\d{3}) \|", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(
        """"traceId":"[0-9a-f]*"|[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z?|"version":\d+"""")]
    private static partial Regex Changing();
}
