using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sankore.Platform.Mail;

/// <summary>
/// Access tokens for the mail server (OAuth 2.0, RFC 6749), by client credentials or a refresh token: asked for when one is needed, kept
/// until shortly before it ends, for all connections of a node. Neither secrets nor tokens stand in any text that leaves this class.
/// </summary>
public sealed class AccessTokens(OAuthOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(5);

    // What carries the secret goes to that address and no other.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(30),
        MaxResponseContentBufferSize = 64 * 1024,
    };

    private readonly SemaphoreSlim _asking = new(1);
    private string? _refreshToken = options.RefreshToken;
    private volatile Token? _token;

    private sealed record Token(string Value, DateTimeOffset Until);

    private sealed record Answer(
        [property: JsonPropertyName("access_token")] string? AccessToken,
        [property: JsonPropertyName("expires_in")] double? ExpiresIn,
        [property: JsonPropertyName("refresh_token")] string? RefreshToken,
        [property: JsonPropertyName("error")] string? Error);

    /// <summary>A token that is good for a while.</summary>
    /// <exception cref="SmtpConnectionException">There is none to be had.</exception>
    public async Task<string> Get(CancellationToken ct)
    {
        if (Current is { } current)
        {
            return current;
        }
        await _asking.WaitAsync(ct);
        try
        {
            return Current ?? (_token = await Ask(ct)).Value;
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>A token that the mail server did not take is not given out again.</summary>
    public void Discard(string token) => _token = _token is { } kept && kept.Value == token ? null : _token;

    public void Dispose() => _http.Dispose();

    private string? Current => _token is { } token && time.GetUtcNow() < token.Until ? token.Value : null;

    private async Task<Token> Ask(CancellationToken ct)
    {
        try
        {
            using var form = new FormUrlEncodedContent(Form());
            using var answer = await _http.PostAsync(options.Endpoint, form, ct);
            var read = Read(await answer.Content.ReadAsByteArrayAsync(ct));
            if (!answer.IsSuccessStatusCode || read?.AccessToken is not { Length: > 0 } token
                || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            {
                throw Failed($"answered {(int)answer.StatusCode} {Word(read?.Error)}".TrimEnd());
            }
            _refreshToken = read.RefreshToken ?? _refreshToken;
            var life = read.ExpiresIn is > 0 and < 1e8 and var seconds ? TimeSpan.FromSeconds(seconds) : Usual;
            return new Token(token, time.GetUtcNow() + (life > 2 * Margin ? life - Margin : life / 2));
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw Failed(e is HttpRequestException http ? $"cannot be used ({http.HttpRequestError})" : "did not answer in time");
        }
    }

    private Dictionary<string, string> Form()
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = options.ClientId };
        if (options.ClientSecret is { } secret)
        {
            form["client_secret"] = secret;
        }
        if (_refreshToken is { } refresh)
        {
            (form["grant_type"], form["refresh_token"]) = ("refresh_token", refresh);
        }
        if (options.Scope is { } scope)
        {
            form["scope"] = scope;
        }
        return form;
    }

    private static Answer? Read(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<Answer>(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>An error code such as <c>invalid_grant</c>; what comes beside it may repeat what was sent.</summary>
    private static string Word(string? error) =>
        error is { Length: <= 60 } && error.All(c => char.IsAsciiLetter(c) || c == '_') ? error : "";

    private SmtpConnectionException Failed(string what) =>
        new(SmtpPhase.SignIn, 0, $"The token endpoint {options.Endpoint.Authority} {what}");
}
