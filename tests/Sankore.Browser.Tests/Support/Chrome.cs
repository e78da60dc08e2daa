[assembly: AssemblyFixture(typeof(Sankore.Browser.Tests.Support.Chrome))]

namespace Sankore.Browser.Tests.Support;

/// <summary>How a person looks at a page.</summary>
public sealed record Look(string Language = "fr", bool Dark = false, int Width = 1280, int Height = 800, bool Script = true)
{
    /// <summary>The phone that everything must be right on.</summary>
    public static Look Phone { get; } = new(Width: 360, Height: 740);
}

/// <summary>The system's Chromium, once per run; each person has a context of their own.</summary>
public sealed class Chrome : IAsyncLifetime
{
    // The one without a window first: it draws in half the time.
    private static readonly string[] Names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
    private static readonly string[] Arguments = [
        "--no-sandbox", "--disable-gpu", "--in-process-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking"];

    private IPlaywright? _playwright;

    /// <summary>The browser.</summary>
    public IBrowser Browser { get; private set; } = default!;

    /// <summary>Somebody's browser, signed in unless <paramref name="email"/> is null. No page is open yet.</summary>
    public async Task<Person> Open(Uri address, string? email, Look? look = null)
    {
        look ??= new Look();
        var context = await Browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.ToString(),
            Locale = look.Language,
            ColorScheme = look.Dark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = look.Width, Height = look.Height },
            HasTouch = look.Width < 600,
            JavaScriptEnabled = look.Script,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(30_000);
        return await Person.Enter(context, email);
    }

    public async ValueTask InitializeAsync()
    {
        SetDefaultExpectTimeout(20_000);
        _playwright = await Playwright.CreateAsync();
        Browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Executable(), Args = Arguments });
    }

    public async ValueTask DisposeAsync()
    {
        await Browser.CloseAsync();
        _playwright?.Dispose();
    }

    private static string Executable() =>
        (from name in Names
         from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
         let path = Path.Combine(folder, name)
         where File.Exists(path)
         select path).FirstOrDefault()
             ?? throw new InvalidOperationException($"no Chromium on PATH: install one of {string.Join(", ", Names)}");
}
