using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>
/// Proving who one is: a password, and the second factor where the account has one. Nothing in an answer, nor in the time that it takes,
/// tells whether somebody has an account with an address.
/// </summary>
public sealed class SignIns(Db db, UserManager<Account> users, SignInManager<Account> signIn, IPasswordHasher<Account> hasher)
{
    private static string? _nobodys;

    /// <summary>The account of an address and its password. Refuses with INVALID_CREDENTIALS, LOCKED_OUT.</summary>
    public async Task<Account> Password(string? email, string? password)
    {
        var key = users.NormalizeEmail(email?.Trim() ?? "") ?? "";
        if (await db.Read(Caller.Service, session => Attempts.Password.AreExhausted(session, key), default))
        {
            throw new Refusal(Reason.LockedOut);
        }
        var account = await users.FindByEmailAsync(email?.Trim() ?? "");
        if (!await IsPassword(account, password ?? ""))
        {
            throw await Failed(Attempts.Password, key, Reason.InvalidCredentials);
        }
        await db.Run(Caller.Service, session => Attempts.Password.Forget(session, key), default);
        return account!;
    }

    /// <summary>
    /// The account of an address, its password, and its second factor where it has one. Refuses with INVALID_CREDENTIALS, LOCKED_OUT,
    /// TWO_FACTOR_REQUIRED.
    /// </summary>
    public async Task<Account> Whole(string? email, string? password, string? code, string? recoveryCode)
    {
        var account = await Password(email, password);
        if (account.TwoFactorEnabled)
        {
            if (string.IsNullOrEmpty(code) && string.IsNullOrEmpty(recoveryCode))
            {
                throw new Refusal(Reason.TwoFactorRequired);
            }
            await Factor(account, code, recoveryCode, Reason.InvalidCredentials);
        }
        return account;
    }

    /// <summary>
    /// Asks for the second factor: a code of the authenticator, or a recovery code, each of which works once. Refuses with
    /// <paramref name="otherwise"/>, LOCKED_OUT.
    /// </summary>
    public async Task Factor(Account account, string? code, string? recoveryCode, Reason otherwise)
    {
        var key = account.Id.ToString();
        if (await db.Read(Caller.Service, session => Attempts.Factor.AreExhausted(session, key), default))
        {
            throw new Refusal(Reason.LockedOut);
        }
        var isRight = !string.IsNullOrEmpty(code)
            ? await users.VerifyTwoFactorTokenAsync(account, users.Options.Tokens.AuthenticatorTokenProvider, Digits(code))
            : (await users.RedeemTwoFactorRecoveryCodeAsync(account, Digits(recoveryCode ?? ""))).Succeeded;
        if (!isRight)
        {
            throw await Failed(Attempts.Factor, key, otherwise);
        }
        await db.Run(Caller.Service, async session =>
        {
            await Attempts.Factor.Forget(session, key);
            await Recoveries.Found(session, account.Id);
        }, default);
    }

    /// <summary>
    /// Whoever changes how an account is signed in to, proves it again by the password and the factor: a session that was left open, or
    /// stolen, is not enough. Refuses with ACCOUNT_INVALID, LOCKED_OUT.
    /// </summary>
    public async Task Again(Account account, string? password, string? code)
    {
        try
        {
            await Password(account.Email, password);
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.InvalidCredentials)
        {
            throw IdentityRefusals.From([string.IsNullOrEmpty(password) ? "OldPasswordRequired" : "PasswordMismatch"]);
        }
        if (account.TwoFactorEnabled)
        {
            var isRecovery = Digits(code ?? "") is not { Length: 6 } digits || !digits.All(char.IsAsciiDigit);
            try
            {
                await Factor(account, isRecovery ? null : code, isRecovery ? code : null, Reason.InvalidCredentials);
            }
            catch (Refusal refusal) when (refusal.Reason == Reason.InvalidCredentials)
            {
                throw IdentityRefusals.From(["InvalidTwoFactorCode"]);
            }
        }
    }

    /// <summary>Remembers in this browser, for five minutes, who has given the password and is asked for the second factor.</summary>
    public Task AskForFactor(HttpContext http, Account account) => http.SignInAsync(
        IdentityConstants.TwoFactorUserIdScheme,
        new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim(ClaimTypes.Name, account.Id.ToString())], IdentityConstants.TwoFactorUserIdScheme)));

    /// <summary>Who has given the password in this browser. Refuses with TWO_FACTOR_REQUIRED when that was too long ago.</summary>
    public async Task<Account> AskedForFactor() =>
        await signIn.GetTwoFactorAuthenticationUserAsync() ?? throw new Refusal(Reason.TwoFactorRequired);

    private async Task<bool> IsPassword(Account? account, string password)
    {
        if (account?.PasswordHash is not null)
        {
            return await users.CheckPasswordAsync(account, password);
        }
        // As long as it takes for somebody.
        _nobodys ??= hasher.HashPassword(new Account(), Guid.NewGuid().ToString());
        hasher.VerifyHashedPassword(new Account(), _nobodys, password);
        return false;
    }

    private async Task<Refusal> Failed(Attempts attempts, string key, Reason reason) =>
        new(await db.Run(Caller.Service, session => attempts.Count(session, key), default) < attempts.Most ? reason : Reason.LockedOut);

    private static string Digits(string code) => code.Replace(" ", "", StringComparison.Ordinal);
}
