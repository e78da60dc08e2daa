using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>What somebody signs in with.</summary>
/// <param name="Passkey">A passkey's answer: in place of a code, or, without an address, of everything.</param>
public sealed record LoginInput(
    string? Email, string? Password, string? TwoFactorCode, string? TwoFactorRecoveryCode, PasskeyAnswer? Passkey)
{
    internal Proof Proof => new(Password, string.IsNullOrEmpty(TwoFactorCode) ? TwoFactorRecoveryCode : TwoFactorCode, Passkey);
}

/// <summary>The token that a session goes on with.</summary>
public sealed record RefreshInput(string? RefreshToken);

/// <summary>Whose password is forgotten.</summary>
public sealed record ForgottenInput(string? Email);

/// <summary>A password, set by the code of a mail.</summary>
public sealed record ResetInput(string? Email, string? ResetCode, string? NewPassword);

/// <summary>A new address, confirmed by the code that was mailed there.</summary>
public sealed record ConfirmInput(Guid? UserId, string? Email, string? Code);

/// <summary>The own account.</summary>
public sealed record AccountInfo(string Email, bool IsEmailConfirmed);

/// <summary>A change of address, or of password, proved by the old password, and the factor where there is one.</summary>
public sealed record AccountInput(
    string? NewEmail, string? NewPassword, string? OldPassword, string? TwoFactorCode, PasskeyAnswer? Passkey)
{
    internal Proof Proof => new(OldPassword, TwoFactorCode, Passkey);
}

/// <summary>A change of the second factor; nothing said: as it is. It is proved by password and factor.</summary>
public sealed record TwoFactorInput(
    bool? Enable, string? TwoFactorCode, string? Password, bool? ResetRecoveryCodes, PasskeyAnswer? Passkey)
{
    internal Proof Proof => new(Password, TwoFactorCode, Passkey);
}

/// <summary>Signing in and one's own account over HTTP: the framework's routes, with our rules.</summary>
internal static class AccountsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var open = routes.MapApi("/api/auth", "auth").AllowAnonymous().RequireRateLimiting(IdentityModule.SignInLimit);
        open.MapPost("/login", Login).Produces<AccessTokenResponse>();
        open.MapPost("/refresh", Refresh).Produces<AccessTokenResponse>();
        open.MapPost("/forgotPassword", Forgotten);
        open.MapPost("/resetPassword", Reset);
        open.MapPost("/confirmEmail", Confirm);
        var own = routes.MapApi("/api/auth", "auth").ForPeople().RequireRateLimiting(IdentityModule.SignInLimit);
        own.MapPost("/logout", Logout);
        own.MapGet("/sessions", Own);
        own.MapDelete("/sessions", EndOthers);
        own.MapDelete("/sessions/{id:guid}", End);
        own.MapGet("/manage/info", Info);
        own.MapPost("/manage/info", Change);
        own.MapPost("/manage/2fa", TwoFactor);
    }

    private static async Task<SignInHttpResult> Login(
        LoginInput input, [FromQuery] bool? useCookies, [FromQuery] bool? useSessionCookies, SignIns signIns, Sessions sessions)
    {
        var account = input switch
        {
            { Email: not null, Password: not null } => await signIns.Whole(input.Email, input.Proof),
            { Email: null, Password: null, Passkey: { } answer } => await signIns.Passkey(answer),
            _ => throw new Refusal(Reason.BadRequest),
        };
        return useCookies == true || useSessionCookies == true
            ? TypedResults.SignIn(
                await sessions.Begin(account), new() { IsPersistent = useSessionCookies != true }, IdentityConstants.ApplicationScheme)
            : TypedResults.SignIn(await sessions.Begin(account), authenticationScheme: IdentityConstants.BearerScheme);
    }

    private static async Task<SignInHttpResult> Refresh(
        RefreshInput input, IOptionsMonitor<BearerTokenOptions> options, TimeProvider time, UserManager<Account> users, Sessions sessions)
    {
        var ticket = options.Get(IdentityConstants.BearerScheme).RefreshTokenProtector.Unprotect(input.RefreshToken);
        return ticket?.Properties.ExpiresUtc > time.GetUtcNow()
            && Guid.TryParse(ticket.Principal.FindFirstValue(CallerFeature.SessionClaim), out var session)
            && await users.GetUserAsync(ticket.Principal) is { } account
            && await sessions.GoOn(account, session) is { } principal
            ? TypedResults.SignIn(principal, authenticationScheme: IdentityConstants.BearerScheme)
            : throw new Refusal(Reason.Unauthenticated);
    }

    private static async Task<Ok> Forgotten(ForgottenInput input, Accounts accounts, CancellationToken ct)
    {
        await accounts.Forgotten(input.Email, ct);
        return TypedResults.Ok();
    }

    private static async Task<Ok> Reset(ResetInput input, Accounts accounts)
    {
        try
        {
            await accounts.Reset(input.Email, input.ResetCode, input.NewPassword);
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.LinkInvalid)
        {
            throw IdentityRefusals.From(["InvalidToken"]);
        }
        return TypedResults.Ok();
    }

    private static Task Confirm(ConfirmInput input, Accounts accounts) => accounts.ConfirmEmail(input.UserId, input.Email, input.Code);

    private static Task Logout(Sessions sessions) => sessions.SignOut();

    private static Task<IReadOnlyList<SessionLine>> Own(Caller caller, Sessions sessions, CancellationToken ct) => sessions.Own(caller, ct);

    private static Task EndOthers(Caller caller, Sessions sessions, CancellationToken ct) => sessions.EndOthers(caller, ct);

    private static Task End(Caller caller, Guid id, Sessions sessions, CancellationToken ct) => sessions.End(caller, id, ct);

    private static async Task<AccountInfo> Info(Caller caller, Accounts accounts)
    {
        var account = await accounts.Own(caller);
        return new AccountInfo(account.Email!, account.EmailConfirmed);
    }

    private static async Task<AccountInfo> Change(Caller caller, AccountInput input, Accounts accounts)
    {
        var account = await accounts.Own(caller);
        if (input.NewEmail is not null)
        {
            await accounts.ChangeEmail(account, input.Proof, input.NewEmail);
        }
        else if (input.NewPassword is not null)
        {
            await accounts.ChangePassword(account, input.Proof, input.NewPassword);
            await accounts.StaySignedIn(account);
        }
        return new AccountInfo(account.Email!, account.EmailConfirmed);
    }

    private static async Task<TwoFactorView> TwoFactor(Caller caller, TwoFactorInput input, Accounts accounts)
    {
        var account = await accounts.Own(caller);
        var view = input switch
        {
            { Enable: true } => await accounts.TurnOn(account, input.Proof),
            { Enable: false } => await accounts.TurnOff(account, input.Proof),
            { ResetRecoveryCodes: true } => await accounts.RenewCodes(account, input.Proof),
            _ => await accounts.TwoFactor(account),
        };
        if (input.Enable is not null)
        {
            await accounts.StaySignedIn(account);
        }
        return view;
    }
}
