using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;

namespace Sankore.Browser.Tests.Pages;

/// <summary>Every page in French: light on a desktop, dark on a phone.</summary>
public sealed class AccessibilityInFrenchTests(Places places, Chrome chrome) : AccessibilityTests(places, chrome, new Look("fr"), Look.Phone with { Dark = true })
{
    [Theory, InlineData("home"), InlineData("modules")]
    public async Task The_drawer_and_the_account_menu_are_accessible_when_open(string name)
    {
        var faults = new List<string>();
        await using var person = await Places.Visit(Chrome, name, Look.Phone);
        await person.Page.ClickAsync(".more > summary");
        // What lies half under an open menu is not to be touched: the menu is looked at.
        await Examine(person, Look.Phone, faults, within: ".bottom");
        await person.Page.ClickAsync(".more > summary", new PageClickOptions { Position = new Position { X = 20, Y = 40 } });
        await person.Page.ClickAsync(".account > summary");
        await Examine(person, Look.Phone, faults, within: ".top");
        faults.ShouldBeEmpty();
    }
}

/// <summary>Every page in English: light on a phone, dark on a desktop.</summary>
public sealed class AccessibilityInEnglishTests(Places places, Chrome chrome) : AccessibilityTests(places, chrome, Look.Phone with { Language = "en" }, new Look("en", Dark: true));

/// <summary>Every page, in both languages, light and dark, on a desktop and on a phone: WCAG 2.2 AA as far as axe can tell, nothing wider than the screen, nothing too small to touch, nothing in the console.</summary>
public abstract class AccessibilityTests(Places places, Chrome chrome, params Look[] looks) : IClassFixture<Places>
{
    private static readonly AxeRunOptions Wcag = new()
    {
        RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"] },
        ResultTypes = [ResultType.Violations],
        // A frame that runs no script runs no axe either, and would be waited for.
        Iframes = false,
    };

    // What a finger finds 21 px above, below and beside the middle of each control: the control itself, or its label.
    private const string TooSmall = """
        () => {
          const within = document.querySelector('dialog[open], .more[open] .sheet, .account[open] .menu') ?? document;
          const tooSmall = [];
          for (const control of within.querySelectorAll('nav a, nav summary, header summary, form button, form a, form select, form input, form textarea, .btn')) {
            if (!control.checkVisibility({ checkVisibilityCSS: true }) || control.type === 'hidden') continue;
            control.scrollIntoView({ block: 'center' });
            const box = (control.closest('label') ?? control).getBoundingClientRect();
            const finds = (dx, dy) => {
              const found = document.elementFromPoint(box.x + box.width / 2 + dx, box.y + box.height / 2 + dy);
              return found && (control.contains(found) || control.closest('label')?.contains(found));
            };
            if (![[0, -21], [0, 21], [-21, 0], [21, 0]].every(([dx, dy]) => finds(dx, dy)))
              tooSmall.push(`${control.tagName} « ${(control.textContent || control.name || '').trim()} » ${Math.round(box.width)}×${Math.round(box.height)}`);
          }
          return tooSmall;
        }
        """;

    public static TheoryData<string> Names => [.. Places.Names];

    [Theory, MemberData(nameof(Names))]
    public async Task A_page_is_accessible_fits_and_is_quiet(string name)
    {
        var faults = new List<string>();
        await using var person = await Places.Visit(Chrome, name, looks[0]);
        (await person.Page.GetAttributeAsync("html", "lang")).ShouldBe(looks[0].Language);
        foreach (var look in looks)
        {
            await Examine(person, look, faults);
        }
        faults.ShouldBeEmpty();
    }

    protected Places Places { get; } = places;

    protected Chrome Chrome { get; } = chrome;

    protected static async Task Examine(Person person, Look look, List<string> faults, string? within = null)
    {
        var page = person.Page;
        await page.SetViewportSizeAsync(look.Width, look.Height);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = look.Dark ? ColorScheme.Dark : ColorScheme.Light });
        await page.EvaluateAsync("scrollTo(0, 0)");
        await person.Settle();
        var result = within is null ? await page.RunAxe(Wcag) : await page.Locator(within).RunAxe(Wcag);
        var where = $"{look.Language} {(look.Dark ? "dark" : "light")} {look.Width}";
        faults.AddRange(result.Violations.SelectMany(v => v.Nodes, (v, node) => $"{where}: {v.Id} at {node.Target}: {node.Html} ({string.Join("; ", node.Any.Concat(node.All).Select(c => c.Message))})"));
        var (width, wanted) = (await page.EvaluateAsync<int>("innerWidth"), await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        if (wanted > width)
        {
            faults.Add($"{where}: {wanted} px wide");
        }
        if (look.Width < 960)
        {
            faults.AddRange((await page.EvaluateAsync<string[]>(TooSmall)).Select(control => $"{where}: too small to touch: {control}"));
        }
        faults.AddRange(person.Errors.Select(e => $"{where}: {e}"));
    }
}
