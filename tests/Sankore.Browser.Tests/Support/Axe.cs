using Deque.AxeCore.Commons;

namespace Sankore.Browser.Tests.Support;

/// <summary>
/// What axe finds wrong by WCAG 2.2 AA. It runs in the page itself: its package for Playwright opens a second page for each run, which
/// takes longer than the run; and each document of a context has it from the start: brought to one after the other, its half a megabyte
/// takes longer than the run too.
/// </summary>
internal static class Axe
{
    private static readonly Lazy<string> Source = new(() =>
    {
        using var reader =
            new StreamReader(typeof(AxeResult).Assembly.GetManifestResourceStream("Deque.AxeCore.Commons.Resources.axe.min.js")!);
        return reader.ReadToEnd();
    });

    // A frame that runs no script runs no axe either, and would be waited for.
    private const string Run = """
        async within => {
          const found = await axe.run(within ? { include: document.querySelectorAll(within) } : document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'], resultTypes: ['violations'], iframes: false });
          return found.violations.flatMap(v => v.nodes.map(n =>
            `${v.id} at ${n.target}: ${n.html} (${[...n.any, ...n.all].map(c => c.message).join('; ')})`));
        }
        """;

    /// <summary>Has every document of a context bring it along.</summary>
    public static Task Enter(IBrowserContext context) => context.AddInitScriptAsync(Source.Value);

    /// <summary>Looks at a page of a context that it has entered.</summary>
    /// <param name="page">The page.</param>
    /// <param name="within">A selector of what is looked at, with all that is in it; null: everything.</param>
    /// <returns>A line for each element and rule that it breaks.</returns>
    public static Task<string[]> Faults(IPage page, string? within = null) => page.EvaluateAsync<string[]>(Run, within);
}
