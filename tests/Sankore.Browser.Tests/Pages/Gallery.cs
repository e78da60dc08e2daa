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
            var person = await places.Visit(chrome, name, new Look(language));
            foreach (var (width, height) in ((int, int)[])[(1280, 800), (360, 740)])
            {
                foreach (var dark in (bool[])[false, true])
                {
                    await person.Wear(new Look(language, dark, width, height));
                    var file = $"{name}-{language}-{(dark ? "dark" : "light")}-{width}.png";
                    await person.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, file) });
                }
            }
        }
    }

    [Theory(Explicit = true), InlineData(1280, 800), InlineData(360, 740)]
    public async Task Pictures_of_a_change_and_of_a_lost_connection(int width, int height)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "screens")).FullName;
        var person = await places.Visit(chrome, "home", new Look(Width: width, Height: height));
        await places.World.Execute(
            "update tenancy.modules set name = 'Classes et groupes ' || @width where code = 'gestion-classes'", new { width });
        await person.Toasts(1);
        await person.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"live-toast-{width}.png") });
        await using var cable = await Cable.Cut(person);
        await person.Page.EvaluateAsync("document.querySelector('.stale').hidden = false");
        await person.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"live-wait-{width}.png") });
    }
}
