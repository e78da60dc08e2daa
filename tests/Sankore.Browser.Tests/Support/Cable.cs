namespace Sankore.Browser.Tests.Support;

/// <summary>A network cable, pulled out until this is disposed of.</summary>
public sealed class Cable : IAsyncDisposable
{
    private readonly Person _person;
    private bool _out = true;

    private Cable(Person person) => _person = person;

    /// <summary>Pulls it out, and waits until the page has noticed.</summary>
    public static async Task<Cable> Cut(Person person)
    {
        await person.Context.SetOfflineAsync(true);
        // An open stream outlives Chromium's offline mode: it breaks, as it would on a phone that lost its network.
        await person.Page.EvaluateAsync("window.__source.close(); window.__source.onerror()");
        await Expect(person.Page.Locator(".live")).ToHaveAttributeAsync("data-state", "wait");
        return new Cable(person);
    }

    public async ValueTask DisposeAsync()
    {
        if (_out)
        {
            _out = false;
            await _person.Context.SetOfflineAsync(false);
        }
    }
}
