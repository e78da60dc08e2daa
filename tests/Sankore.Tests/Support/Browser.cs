using System.Net;
using System.Text.RegularExpressions;

namespace Sankore.Tests.Support;

/// <summary>What a browser without scripts does: keeps cookies, shows pages, sends their forms back.</summary>
public sealed partial class Browser(Uri address, string language = "fr") : IDisposable
{
    private readonly HttpClient _client = new(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() })
    {
        BaseAddress = address,
        DefaultRequestHeaders =
        {
            { "Accept-Language", language }, { "Accept", "text/html" }, { "Origin", address.GetLeftPart(UriPartial.Authority) },
        },
    };

    /// <summary>The client underneath, with the cookies.</summary>
    public HttpClient Client => _client;

    /// <summary>Asks for a page, without following where it leads.</summary>
    public Task<HttpResponseMessage> Get(string path) => _client.Ask(HttpMethod.Get, path);

    /// <summary>The page's HTML.</summary>
    public async Task<string> Page(string path, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var answer = await Get(path);
        answer.StatusCode.ShouldBe(status, path);
        return await answer.Body();
    }

    /// <summary>Fills in the form of a page and sends it.</summary>
    /// <param name="path">The page.</param>
    /// <param name="form">What tells the form from others of the page: some text between its tags.</param>
    /// <param name="values">What is filled in; null leaves a field out.</param>
    public async Task<HttpResponseMessage> Submit(string path, string form, params (string Name, string? Value)[] values)
    {
        var (action, fields) = Form(await Page(path), form);
        foreach (var (name, value) in values)
        {
            fields[name] = value;
        }
        var body = new FormUrlEncodedContent(fields.Where(f => f.Value is not null).Select(f => KeyValuePair.Create(f.Key, f.Value!)));
        return await _client.Ask(HttpMethod.Post, action.Length > 0 ? action : path, body);
    }

    /// <summary>Signs in by the form.</summary>
    public Task<HttpResponseMessage> SignIn(string email, string password, string path = "/login") =>
        Submit(path, "Form.Email", ("Form.Email", email), ("Form.Password", password));

    /// <summary>A form's address and the fields that it has filled in already.</summary>
    public static (string Action, Dictionary<string, string?> Fields) Form(string html, string sign)
    {
        var form = Forms().Matches(html).Select(m => m.Value).FirstOrDefault(f => f.Contains(sign, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"no form with {sign} in: {html}");
        var fields = Inputs().Matches(form).Select(m => m.Value).Where(i => Attribute(i, "name").Length > 0)
            .DistinctBy(i => Attribute(i, "name")).ToDictionary(i => Attribute(i, "name"), i => (string?)Attribute(i, "value"));
        return (Attribute(form[..form.IndexOf('>', StringComparison.Ordinal)], "action"), fields);
    }

    public void Dispose() => _client.Dispose();

    private static string Attribute(string tag, string name) =>
        WebUtility.HtmlDecode(Regex.Match(tag, $"\\s{name}=\"([^\"]*)\"").Groups[1].Value);

    [GeneratedRegex("<form[^>]*>.*?</form>", RegexOptions.Singleline)]
    private static partial Regex Forms();

    [GeneratedRegex("<input[^>]*>")]
    private static partial Regex Inputs();
}
