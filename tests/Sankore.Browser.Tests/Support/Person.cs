using System.Text.Json;
using Sankore.Identity;

namespace Sankore.Browser.Tests.Support;

/// <summary>An event as a page got it.</summary>
public sealed record PageEvent(string Type, string Id, JsonElement Data);

/// <summary>Somebody at a browser with one tab.</summary>
public sealed class Person : IAsyncDisposable
{
    private static readonly Lazy<string> Recorder = new(() =>
    {
        using var reader = new StreamReader(typeof(Person).Assembly.GetManifestResourceStream("recorder.js")!);
        return reader.ReadToEnd();
    });

    private readonly List<string> _errors = [];
    private DirectoryInfo? _files;

    private Person(IBrowserContext context, IPage page) => (Context, Page) = (context, page);

    public IBrowserContext Context { get; }
    public IPage Page { get; }

    /// <summary>How the tab is looked at; null: as its context was made.</summary>
    public Look? Look { get; private set; }

    /// <summary>How many documents the tab has shown.</summary>
    public int Navigations { get; private set; }

    /// <summary>What the console complained about.</summary>
    public IReadOnlyList<string> Errors => _errors;

    public static async Task<Person> Enter(IBrowserContext context, string? email, string? password = null)
    {
        await context.AddInitScriptAsync(Recorder.Value);
        var person = new Person(context, await context.NewPageAsync());
        person.Page.FrameNavigated += (_, _) => person.Navigations++;
        person.Page.PageError += (_, error) => person._errors.Add(error);
        person.Page.Console += (_, message) =>
        {
            // Chromium logs a document's 4xx, which is meant to be one, a stream that the server ended, which it may, and that a sandbox
            // keeps out the recorder too.
            if (message.Type == "error" && !message.Text.Contains("the server responded with a status of 4", StringComparison.Ordinal)
                && !message.Location.Contains("/live?", StringComparison.Ordinal)
                && !message.Text.Contains("the document's frame is sandboxed", StringComparison.Ordinal))
            {
                person._errors.Add($"{message.Text} ({message.Location})");
            }
        };
        if (email is not null)
        {
            await person.SignIn(email, password ?? PasswordRules.Demo);
        }
        return person;
    }

    /// <summary>Gets the cookie, as the form would.</summary>
    public async Task SignIn(string email, string password)
    {
        var answer = await Context.APIRequest.PostAsync(
            "/api/auth/login?useCookies=true", new APIRequestContextOptions { DataObject = new { email, password } });
        answer.Ok.ShouldBeTrue(await answer.TextAsync());
    }

    /// <summary>Opens a page and waits until it is live; from then on nothing may reload it.</summary>
    public async Task<IPage> Watch(string path)
    {
        await Page.GotoAsync(path);
        await IsLive();
        await Page.EvaluateAsync("window.__same = 1");
        Navigations = 0;
        return Page;
    }

    /// <summary>Waits until the page is live: at once, where an assertion asks again after a while only.</summary>
    public Task IsLive() =>
        Page.WaitForSelectorAsync(".live[data-state=on]", new PageWaitForSelectorOptions { State = WaitForSelectorState.Attached });

    /// <summary>Another tab of the same person.</summary>
    public async Task<IPage> Tab(string path)
    {
        var page = await Context.NewPageAsync();
        await page.GotoAsync(path);
        return page;
    }

    /// <summary>The page is still the document that was watched.</summary>
    public async Task WasNotReloaded()
    {
        (await Page.EvaluateAsync<int?>("window.__same")).ShouldBe(1);
        Navigations.ShouldBe(0);
    }

    /// <summary>What the stream has brought to this document.</summary>
    public async Task<PageEvent[]> Events() =>
        JsonSerializer.Deserialize<PageEvent[]>(
            await Page.EvaluateAsync<string>("JSON.stringify(window.__events)"), JsonSerializerOptions.Web)!;

    /// <summary>The toasts that this document has shown.</summary>
    public Task<string[]> Toasts() => Page.EvaluateAsync<string[]>("window.__toasts");

    /// <summary>Waits for a number of toasts in all, and says what they were.</summary>
    public async Task<string[]> Toasts(int count)
    {
        await Waiting.Until(async () => (await Toasts()).Length >= count, $"{count} toasts have been shown");
        return await Toasts();
    }

    /// <summary>Changes how the page is looked at, in the language that it is in.</summary>
    public async Task Wear(Look look)
    {
        if (look != Look)
        {
            Look = look;
            await Page.SetViewportSizeAsync(look.Width, look.Height);
            await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = look.Dark ? ColorScheme.Dark : ColorScheme.Light });
        }
        await Page.EvaluateAsync("scrollTo(0, 0)");
        await Settle();
    }

    /// <summary>Opens another page in the same tab: what the console says from here on is that page's.</summary>
    public Task Visit(string path)
    {
        _errors.Clear();
        return Page.GotoAsync(path);
    }

    /// <summary>Waits until the page has painted what it has just been told: nothing moves for who wants nothing to.</summary>
    public Task Settle() => Page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");

    /// <summary>Chooses a large file, by its path: megabytes take longer through the browser's driver than a busy machine allows.</summary>
    public async Task Choose(string selector, string name, byte[] content)
    {
        _files ??= Directory.CreateTempSubdirectory("sankore-files-");
        var path = Path.Combine(_files.FullName, name);
        await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
        await Page.SetInputFilesAsync(selector, path);
    }

    public async ValueTask DisposeAsync()
    {
        await Context.DisposeAsync();
        _files?.Delete(recursive: true);
    }
}
