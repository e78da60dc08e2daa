using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>What somebody proves with that an account is theirs: the password, and beside it a second factor.</summary>
/// <param name="Code">A code of the authenticator, or a recovery code.</param>
/// <param name="Passkey">A passkey's answer, in place of a code.</param>
public sealed record Proof(string? Password, string? Code, PasskeyAnswer? Passkey)
{
    /// <summary>Whether it says anything of the second factor.</summary>
    public bool HasFactor => !string.IsNullOrEmpty(Code) || Passkey is not null;
}

/// <summary>
/// Proving who one is: a password, and the second factor where the account has one. Nothing in an answer, nor in the time that it takes,
/// tells whether somebody has an account with an address.
/// </summary>
public sealed class SignIns(
    Db db, UserManager<Account> users, SignInManager<Account> signIn, IPasswordHasher<Account> hasher, WebAuthn webAuthn)
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
    public async Task<Account> Whole(string? email, Proof proof)
    {
        var account = await Password(email, proof.Password);
        if (account.TwoFactorEnabled)
        {
            if (!proof.HasFactor)
            {
                throw new Refusal(Reason.TwoFactorRequired);
            }
            await Factor(account, proof, Reason.InvalidCredentials);
        }
        return account;
    }

    /// <summary>
    /// Whose passkey signed: a whole sign-in, since the device has verified its owner before it signs. Refuses with PASSKEY_REFUSED.
    /// </summary>
    public async Task<Account> Passkey(PasskeyAnswer answer)
    {
        var account = await webAuthn.Verify(answer, besidePassword: false);
        await HasFactor(account);
        return account;
    }

    /// <summary>
    /// Asks for the second factor: a code of the authenticator, a recovery code, or an answer of one of the account's passkeys, each of
    /// which works once. Refuses with <paramref name="otherwise"/>, LOCKED_OUT.
    /// </summary>
    public async Task Factor(Account account, Proof proof, Reason otherwise)
    {
        var key = account.Id.ToString();
        if (await db.Read(Caller.Service, session => Attempts.Factor.AreExhausted(session, key), default))
        {
            throw new Refusal(Reason.LockedOut);
        }
        if (!await IsFactor(account, proof))
        {
            throw await Failed(Attempts.Factor, key, otherwise);
        }
        await HasFactor(account);
    }

    /// <summary>
    /// Whoever changes how an account is signed in to, proves it again by the password and the factor: a session that was left open, or
    /// stolen, is not enough. Refuses with ACCOUNT_INVALID, LOCKED_OUT.
    /// </summary>
    public async Task Again(Account account, Proof proof)
    {
        try
        {
            await Password(account.Email, proof.Password);
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.InvalidCredentials)
        {
            throw IdentityRefusals.From([string.IsNullOrEmpty(proof.Password) ? "OldPasswordRequired" : "PasswordMismatch"]);
        }
        if (account.TwoFactorEnabled)
        {
            await FactorAgain(account, proof);
        }
    }

    /// <summary>Asks for the second factor beside other fields. Refuses with ACCOUNT_INVALID, LOCKED_OUT.</summary>
    public async Task FactorAgain(Account account, Proof proof)
    {
        try
        {
            await Factor(account, proof, Reason.InvalidCredentials);
        }
        catch (Refusal refusal) when (refusal.Reason == Reason.InvalidCredentials)
        {
            throw IdentityRefusals.From([proof.Passkey is null ? "InvalidTwoFactorCode" : "InvalidPasskey"]);
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

    private async Task<bool> IsFactor(Account account, Proof proof)
    {
        if (proof.Passkey is { } answer)
        {
            try
            {
                return (await webAuthn.Verify(answer, besidePassword: true)).Id == account.Id;
            }
            catch (Refusal refusal) when (refusal.Reason == Reason.PasskeyRefused)
            {
                return false;
            }
        }
        var code = (proof.Code ?? "").Replace(" ", "", StringComparison.Ordinal);
        return code.Length == 6 && code.All(char.IsAsciiDigit)
            ? await users.VerifyTwoFactorTokenAsync(account, users.Options.Tokens.AuthenticatorTokenProvider, code)
            : (await users.RedeemTwoFactorRecoveryCodeAsync(account, code)).Succeeded;
    }

    // Whoever has the factor has not lost it.
    private Task HasFactor(Account account) => db.Run(Caller.Service, async session =>
    {
        await Attempts.Factor.Forget(session, account.Id.ToString());
        await Recoveries.Found(session, account.Id);
    }, default);

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
}
