using System.Collections.Concurrent;

namespace Sankore.Browser.Tests.Pages;

/// <summary>
/// Every page, light and dark, on a desktop and on a phone: nothing wider than the screen, nothing covered by something else, nothing
/// too small to touch, nothing in the console,
/// and WCAG 2.2 AA as far as axe can tell. Browsers are slow: pages are in French and in English by turns, and axe looks at each
/// in one of two looks, and in the other at what it has not yet seen in it; in a long run, which CI makes of every change of a page, it
/// looks at all pages in all looks of both languages. In two halves, side by side.
/// </summary>
public abstract class AccessibilityTests(Places places, Chrome chrome) : IClassFixture<Places>
{
    private static readonly Look[] Looks =
        [new("fr"), Look.Phone with { Dark = true }, Look.Phone with { Language = "en" }, new("en", Dark: true)];

    // The classes that axe has seen in each look so far.
    private static readonly ConcurrentDictionary<(string Class, Look Look), bool> Seen = [];

    private const string Classes =
        "[...new Set([...document.querySelectorAll('[class]')].flatMap(e => [...e.classList]))].map(c => '.' + CSS.escape(c))";

    // What a finger finds 21 px above, below and beside the middle of each control must be the control itself, or its label.
    private const string TooSmall = """
        () => {
          const within = document.querySelector('dialog[open], .more[open] .sheet, .account[open] .menu') ?? document;
          const tooSmall = [];
          const controls = 'nav a, nav summary, header summary, form button, form a, form select, form input, form textarea, .btn';
          for (const control of within.querySelectorAll(controls)) {
            if (!control.checkVisibility({ checkVisibilityCSS: true }) || control.type === 'hidden') continue;
            control.scrollIntoView({ block: 'center' });
            const label = control.closest('label') ?? (control.matches('[type=radio], [type=checkbox]') ? control.labels[0] : null);
            const box = (label ?? control).getBoundingClientRect();
            const foreign = (dx, dy) => {
              const found = document.elementFromPoint(box.x + box.width / 2 + dx, box.y + box.height / 2 + dy);
              return control.contains(found) || label?.contains(found) ? null : found ?? document;
            };
            const other = foreign(0, -21) ?? foreign(0, 21) ?? foreign(-21, 0) ?? foreign(21, 0);
            if (other)
              tooSmall.push(`${control.tagName} « ${(control.textContent || control.name || '').trim()} » at `
                + `${box.x} ${box.y}, ${box.width}×${box.height}, beside ${other.outerHTML?.slice(0, 120)}`);
          }
          return tooSmall;
        }
        """;

    // What a pointer finds in the middle of each control: the control itself, what is in it, or its label.
    private const string Covered = """
        () => {
          const within = document.querySelector('dialog[open], .more[open] .sheet, .account[open] .menu') ?? document;
          const covered = [];
          for (const control of within.querySelectorAll('a[href], button, summary, input, select, textarea')) {
            if (!control.checkVisibility({ checkVisibilityCSS: true }) || control.type === 'hidden' || control.disabled
              || control.matches('.skip')) continue;
            control.scrollIntoView({ block: 'center', inline: 'center' });
            const box = control.getClientRects()[0];
            const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            if (control.contains(found) || found?.closest('label')?.control === control) continue;
            covered.push(`${control.tagName} « ${(control.textContent || control.name || '').trim()} »`
              + ` by ${found?.outerHTML.slice(0, 120)}`);
          }
          return covered;
        }
        """;

    protected static TheoryData<string> Half(int half) => [.. Places.Names.Chunk((Places.Names.Length + 1) / 2).ElementAt(half)];

    protected async Task IsAccessible(string name)
    {
        var faults = new List<string>();
        foreach (var looks in Looks.GroupBy(l => l.Language).Where(l => Effort.IsLong || l.Key == LookOf(name).Language))
        {
            var person = await places.Visit(chrome, name, looks.First());
            (await person.Page.GetAttributeAsync("html", "lang")).ShouldBe(looks.Key);
            // What it wears already first: a change takes longer than a look.
            foreach (var look in looks.OrderBy(look => look != person.Look))
            {
                await person.Wear(look);
                var fresh = (await person.Page.EvaluateAsync<string[]>(Classes)).Where(c => Seen.TryAdd((c, look), true)).ToList();
                if (look == LookOf(name) || Effort.IsLong)
                {
                    faults.AddRange(await AxeFaults(person, look));
                }
                else if (fresh.Count > 0)
                {
                    faults.AddRange(await AxeFaults(person, look, within: string.Join(',', fresh)));
                }
                faults.AddRange(await Misfits(person, look));
            }
        }
        faults.ShouldBeEmpty();
    }

    protected async Task MenusAreAccessible(string name)
    {
        var person = await places.Visit(chrome, name, Look.Phone);
        // Another test's page may be a wide one yet, which has no bottom bar.
        await person.Wear(Look.Phone);
        await person.Page.ClickAsync(".more > summary");
        await person.Wear(Look.Phone);
        // What lies half under an open menu is not to be touched: the menu is looked at.
        List<string> faults = [.. await AxeFaults(person, Look.Phone, within: ".bottom"), .. await Misfits(person, Look.Phone)];
        await person.Page.ClickAsync(".more > summary", new PageClickOptions { Position = new Position { X = 20, Y = 40 } });
        await person.Page.ClickAsync(".account > summary");
        await person.Wear(Look.Phone);
        faults.AddRange([.. await AxeFaults(person, Look.Phone, within: ".top"), .. await Misfits(person, Look.Phone)]);
        faults.ShouldBeEmpty();
    }

    private static Look LookOf(string name) => Looks[Array.IndexOf(Places.Names, name) % Looks.Length];

    private static string Where(Look look) => $"{look.Language} {(look.Dark ? "dark" : "light")} {look.Width}";

    private static async Task<IEnumerable<string>> AxeFaults(Person person, Look look, string? within = null) =>
        (await Axe.Faults(person.Page, within)).Select(fault => $"{Where(look)}: {fault}");

    private static async Task<IEnumerable<string>> Misfits(Person person, Look look)
    {
        var page = person.Page;
        var (width, wanted) =
            (await page.EvaluateAsync<int>("innerWidth"), await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        string[] wide = wanted > width ? [$"{wanted} px wide"] : [];
        var covered = await page.EvaluateAsync<string[]>(Covered);
        var small = look.Width < 960 ? await page.EvaluateAsync<string[]>(TooSmall) : [];
        return wide.Concat(covered.Select(control => $"covered: {control}"))
            .Concat(small.Select(control => $"too small to touch: {control}")).Concat(person.Errors)
            .Select(fault => $"{Where(look)}: {fault}");
    }
}

/// <summary>The first half of the pages, and what opens on them.</summary>
public sealed class FirstAccessibilityTests(Places places, Chrome chrome) : AccessibilityTests(places, chrome)
{
    public static TheoryData<string> Names => Half(0);

    [Theory, MemberData(nameof(Names))]
    public Task A_page_is_accessible_fits_and_is_quiet(string name) => IsAccessible(name);

    [Theory, InlineData("home"), InlineData("modules")]
    public Task The_drawer_and_the_account_menu_are_accessible_when_open(string name) => MenusAreAccessible(name);
}

/// <summary>The other half.</summary>
public sealed class SecondAccessibilityTests(Places places, Chrome chrome) : AccessibilityTests(places, chrome)
{
    public static TheoryData<string> Names => Half(1);

    [Theory, MemberData(nameof(Names))]
    public Task A_page_is_accessible_fits_and_is_quiet(string name) => IsAccessible(name);
}
