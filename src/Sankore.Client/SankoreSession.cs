using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sankore.Client;

/// <summary>
/// Somebody's session: signs in when a token is first asked for (<c>POST /api/auth/login</c>), renews it before it expires
/// (<c>/api/auth/refresh</c>), and signs in again when renewing is refused. May be shared by threads.
/// </summary>
/// <param name="http">How to reach the server; its base address is the server's. Neither changed nor disposed.</param>
/// <param name="email">Whose account.</param>
/// <param name="password">Its password. An account with a second factor cannot sign in here.</param>
/// <param name="time">The clock; null: the system's.</param>
public sealed class SankoreSession(HttpClient http, string email, string password, TimeProvider? time = null) : IDisposable
{
    /// <summary>A token is renewed when no more than this part of its life is left.</summary>
    private const double Margin = 0.1;

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly SemaphoreSlim _one = new(1);
    private Tokens? _tokens;
    private DateTimeOffset _renewAt;

    /// <summary>An access token that is good now. Fits <see cref="LiveFeedOptions.Token"/>, and any other request to the API.</summary>
    /// <param name="refused">A token that the server has refused, which is not given again.</param>
    /// <param name="ct">Cancels the asking.</param>
    /// <exception cref="RefusedException">The server refuses the sign-in: wrong address or password, locked out, second factor asked
    /// for.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, or asks to come back later.</exception>
    public async ValueTask<string> Token(string? refused = null, CancellationToken ct = default)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_tokens is null || _tokens.AccessToken == refused || _time.GetUtcNow() >= _renewAt)
            {
                _tokens = await Renew(ct).ConfigureAwait(false) ?? await SignIn(ct).ConfigureAwait(false);
                _renewAt = _time.GetUtcNow() + TimeSpan.FromSeconds(_tokens.ExpiresIn * (1 - Margin));
            }
            return _tokens.AccessToken;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<Tokens?> Renew(CancellationToken ct)
    {
        if (_tokens is null)
        {
            return null;
        }
        try
        {
            return await Post("api/auth/refresh", new RefreshInput(_tokens.RefreshToken), WireContext.Default.RefreshInput, ct)
                .ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Status == HttpStatusCode.Unauthorized)
        {
            // Too old, or the account's password has changed.
            return null;
        }
    }

    private Task<Tokens> SignIn(CancellationToken ct) =>
        Post("api/auth/login", new Credentials(email, password), WireContext.Default.Credentials, ct);

    private async Task<Tokens> Post<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, type, ct).ConfigureAwait(false);
        if (answer.IsSuccessStatusCode)
        {
            return (await answer.Content.ReadFromJsonAsync(WireContext.Default.Tokens, ct).ConfigureAwait(false))!;
        }
        throw RefusedException.IsPassing(answer.StatusCode) ? BusyException.From(answer, _time)
            : await RefusedException.From(answer, ct).ConfigureAwait(false);
    }
}

internal sealed record Credentials(string Email, string Password);

internal sealed record RefreshInput(string RefreshToken);

internal sealed record Tokens(string AccessToken, string RefreshToken, int ExpiresIn);
