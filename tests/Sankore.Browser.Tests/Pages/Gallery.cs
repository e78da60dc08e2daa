namespace Sankore.Browser.Tests.Pages;

/// <summary>Pictures of every page, for people to look at: artifacts/screens/NAME-LANGUAGE-SCHEME-WIDTH.png.</summary>
public sealed class Gallery(Places places, Chrome chrome) : IClassFixture<Places>
{
    public static TheoryData<string> Names => [.. Places.Names];

    [Theory(Explicit = true), MemberData(nameof(Names))]
    public async Task Pictures_of(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "screens")).FullName;
        foreach (var language in (string[])["fr", "en"])
        {
            await using var person = await places.Visit(chrome, name, new Look(language));
            foreach (var (width, height) in ((int, int)[])[(1280, 800), (360, 740)])
            {
                await person.Page.SetViewportSizeAsync(width, height);
                foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
                {
                    await person.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
                    await person.Settle();
                    await person.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}-{language}-{scheme.ToString().ToLowerInvariant()}-{width}.png") });
                }
            }
        }
    }
}
