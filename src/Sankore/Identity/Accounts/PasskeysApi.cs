using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>Who asks for a new passkey proves it by the password, and the factor where there is one.</summary>
public sealed record ProofInput(string? Password, string? TwoFactorCode, PasskeyAnswer? Passkey)
{
    internal Proof Proof => new(Password, TwoFactorCode, Passkey);
}

/// <summary>A new passkey, as the device made it, and what its owner calls it: 1 to 80 characters.</summary>
public sealed record PasskeyInput(string? Name, PasskeyAnswer? Passkey);

/// <summary>Passkeys over HTTP.</summary>
internal static class PasskeysApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapApi("/api/auth/passkeys", "auth").MapGet("/request", Ask).AllowAnonymous();
        var own = routes.MapApi("/api/auth/passkeys", "auth").ForPeople().RequireRateLimiting(IdentityModule.SignInLimit);
        own.MapGet("/", Own);
        own.MapPost("/request", Begin);
        own.MapPost("/", Add);
        own.MapPost("/{id:guid}/remove", Remove);
    }

    private static Task<PasskeyRequest> Ask(HttpContext http, WebAuthn webAuthn)
    {
        http.Response.Headers.CacheControl = "no-store";
        return webAuthn.Ask();
    }

    private static Task<IReadOnlyList<PasskeyLine>> Own(Caller caller, Passkeys passkeys, CancellationToken ct) =>
        passkeys.Own(caller, ct);

    private static async Task<PasskeyRequest> Begin(Caller caller, ProofInput input, Accounts accounts, Passkeys passkeys) =>
        await passkeys.Begin(await accounts.Own(caller), input.Proof);

    private static async Task Add(Caller caller, PasskeyInput input, Accounts accounts, Passkeys passkeys, CancellationToken ct)
    {
        var account = await accounts.Own(caller);
        await passkeys.Add(account, input.Passkey, input.Name, ct);
        await accounts.StaySignedIn(account);
    }

    private static async Task Remove(
        Caller caller, Guid id, ProofInput input, Accounts accounts, Passkeys passkeys, CancellationToken ct)
    {
        var account = await accounts.Own(caller);
        await passkeys.Remove(account, id, input.Proof, ct);
        await accounts.StaySignedIn(account);
    }
}
