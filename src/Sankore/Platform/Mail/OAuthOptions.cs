using Sankore.Platform.Data;

namespace Sankore.Platform.Mail;

/// <summary>How access tokens for the mail server are had (<c>Sankore:Mail:Smtp:OAuth</c>).</summary>
/// <param name="Endpoint">The token endpoint.</param>
/// <param name="ClientId">As whom the program is registered there.</param>
public sealed record OAuthOptions(Uri Endpoint, string ClientId)
{
    /// <summary>The secret of that registration.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>The consent of the mailbox's owner; null: the program asks in its own name (client credentials).</summary>
    public string? RefreshToken { get; init; }

    /// <summary>What the token is for.</summary>
    public string? Scope { get; init; }

    public override string ToString() => Endpoint.Authority;

    /// <summary>Reads the settings; null: there are none.</summary>
    /// <exception cref="OperatorException">One of them is wrong.</exception>
    internal static OAuthOptions? Read(IConfigurationSection oauth)
    {
        if (!oauth.GetChildren().Any(c => c.Value is { Length: > 0 }))
        {
            return null;
        }
        var (provider, secret, refresh) = (Text("Provider")?.ToLowerInvariant(), Text("ClientSecret"), Text("RefreshToken"));
        var client = Text("ClientId") ?? throw Wrong("ClientId", "is missing: name the program as it is registered with the provider");
        if (provider is not (null or "microsoft" or "google"))
        {
            throw Wrong("Provider", "is neither microsoft nor google: for another one leave it out and give Endpoint and Scope");
        }
        if (refresh is null && (secret is null || provider == "google"))
        {
            throw provider == "google" ? Wrong("RefreshToken", "is missing: Google gives tokens for a mailbox by its owner's consent only")
                : Wrong("ClientSecret", "is missing, and so is RefreshToken: one of them is needed");
        }
        return new OAuthOptions(Endpoint(provider), client)
        {
            ClientSecret = secret,
            RefreshToken = refresh,
            Scope = Text("Scope") ?? UsualScope(provider, refresh),
        };

        string? Text(string key) => oauth[key]?.Trim() is { Length: > 0 } value ? value : null;

        Uri Endpoint(string? of) => of switch
        {
            "google" => new Uri("https://oauth2.googleapis.com/token"),
            "microsoft" when Text("Tenant") is { } tenant && Uri.CheckHostName(tenant) == UriHostNameType.Dns =>
                new Uri($"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
            "microsoft" => throw Wrong("Tenant", "is no directory: give its id or its domain"),
            _ => Uri.TryCreate(Text("Endpoint"), UriKind.Absolute, out var given)
            && (given.Scheme == "https" || given is { Scheme: "http", IsLoopback: true })
                ? given : throw Wrong("Endpoint", "is no https address: name the token endpoint, or a Provider"),
        };
    }

    private static string? UsualScope(string? provider, string? refresh) => (provider, refresh) switch
    {
        ("microsoft", null) => "https://outlook.office365.com/.default",
        ("microsoft", _) => "https://outlook.office.com/SMTP.Send offline_access",
        _ => null,
    };

    private static OperatorException Wrong(string key, string what) => new($"Sankore:Mail:Smtp:OAuth:{key} {what}.");
}
