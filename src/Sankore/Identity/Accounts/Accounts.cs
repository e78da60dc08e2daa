using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>What the second factor of an account is.</summary>
/// <param name="SharedKey">The key for an authenticator, in base 32, while the factor is off; once it is on, nobody reads it again.</param>
/// <param name="RecoveryCodes">Codes that were made just now; each works once, in place of the authenticator.</param>
public sealed record TwoFactorView(string? SharedKey, int RecoveryCodesLeft, IReadOnlyList<string>? RecoveryCodes, bool IsTwoFactorEnabled);

/// <summary>Passwords, addresses and second factors of accounts. What changes how somebody signs in ends all sessions and links.</summary>
public sealed class Accounts(
    Db db, UserManager<Account> users, IUserAuthenticatorKeyStore<Account> keys, SignIns signIns, Sessions sessions, AccountMails mails)
{
    private const int Codes = 10;

    /// <summary>The caller's account. Refuses with NOT_FOUND when it is gone.</summary>
    public async Task<Account> Own(Caller caller) =>
        await users.FindByIdAsync(caller.UserId.ToString()!) ?? throw new Refusal(Reason.NotFound);

    /// <summary>
    /// Has the link mailed with which an account's password can be set anew, if there is such an account; says nothing either way, and
    /// takes the same time.
    /// </summary>
    public Task Forgotten(string? email, CancellationToken ct) => Addresses.Normalize(email) is { } address && Mail.IsAddress(address)
        ? db.Run(Caller.Service, session => AddressMailJob.Ask(session, PasswordResetJob.Type, address), ct)
        : Task.CompletedTask;

    /// <summary>
    /// Sets a forgotten password, which proves that the address is the person's: what somebody else may have set up in an account whose
    /// address nobody had proved (a second factor, sessions) is gone. Passkeys go too; where there is a second factor they stay, and sign
    /// in beside the new password only until they have done so. Refuses with LINK_INVALID, ACCOUNT_INVALID.
    /// </summary>
    public async Task Reset(string? email, string? code, string? password)
    {
        var account = await users.FindByEmailAsync(email?.Trim() ?? "");
        if (account is null || !TryDecode(code, out var token))
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        if (!account.EmailConfirmed)
        {
            (account.TwoFactorEnabled, account.AuthenticatorKey, account.RecoveryCodes) = (false, null, []);
        }
        // Whoever knew the password alone could add one: it is nothing any more, or, where a second factor is asked for, that and no more.
        var lost = !account.TwoFactorEnabled && await Passkeys.Lose(users, account);
        account.HalvesPasskeys = account.TwoFactorEnabled;
        account.EmailConfirmed = true;
        // All of it is saved, if the code is right and the password keeps the rules, or none.
        var result = await users.ResetPasswordAsync(account, token, password ?? "");
        if (result.Errors.Any(e => e.Code == nameof(IdentityErrorDescriber.InvalidToken)))
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        result.Check();
        await db.Run(
            Caller.Service, session => Attempts.Password.Forget(session, account.NormalizedEmail!), default);
        await mails.Notice(account.Email!, "password");
        if (lost)
        {
            await mails.Notice(account.Email!, "passkey");
        }
    }

    /// <summary>
    /// Changes the password. This browser stays signed in by a session of its own; all others end. Refuses with ACCOUNT_INVALID,
    /// LOCKED_OUT.
    /// </summary>
    public async Task ChangePassword(Account account, Proof proof, string? password)
    {
        await signIns.Again(account, proof);
        (await users.ChangePasswordAsync(account, proof.Password!, password ?? "")).Check();
        await mails.Notice(account.Email!, "password");
    }

    /// <summary>
    /// Mails a link to a new address; following it makes it the account's. Refuses with EMAIL_INVALID, ACCOUNT_INVALID, LOCKED_OUT. Whether
    /// somebody else has the address is not said here.
    /// </summary>
    public async Task ChangeEmail(Account account, Proof proof, string? email)
    {
        email = Addresses.Normalize(email);
        if (!Mail.IsAddress(email))
        {
            throw Refusal.At("newEmail", Reason.EmailInvalid);
        }
        await signIns.Again(account, proof);
        await mails.ChangeLink(account, email!, Encode(await users.GenerateChangeEmailTokenAsync(account, email!)));
    }

    /// <summary>Makes a new address the account's, by the link that was mailed there. Refuses with LINK_INVALID.</summary>
    public async Task ConfirmEmail(Guid? userId, string? email, string? code)
    {
        var account = await users.FindByIdAsync(userId.ToString() ?? "");
        if (account is null || string.IsNullOrEmpty(email) || !TryDecode(code, out var token))
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        var before = account.Email!;
        (account.UserName, account.NormalizedUserName) = (email, users.NormalizeName(email));
        if (!(await users.ChangeEmailAsync(account, email, token)).Succeeded)
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        await mails.Notice(before, "email");
    }

    /// <summary>
    /// The second factor as it is. While it is off, there is a key for an authenticator; reading it, or making it, changes nothing of any
    /// session.
    /// </summary>
    public async Task<TwoFactorView> TwoFactor(Account account)
    {
        if (!account.TwoFactorEnabled && string.IsNullOrEmpty(await users.GetAuthenticatorKeyAsync(account)))
        {
            await NewKey(account);
        }
        return new TwoFactorView(
            account.TwoFactorEnabled ? null : await users.GetAuthenticatorKeyAsync(account), account.RecoveryCodes.Length, null,
            account.TwoFactorEnabled);
    }

    /// <summary>
    /// Turns the second factor on, by the password, and a code that its authenticator made, or a passkey of the account. Refuses with
    /// ACCOUNT_INVALID, LOCKED_OUT.
    /// </summary>
    public async Task<TwoFactorView> TurnOn(Account account, Proof proof)
    {
        if (account.TwoFactorEnabled || !proof.HasFactor)
        {
            throw IdentityRefusals.From(["InvalidTwoFactorCode"]);
        }
        await signIns.Again(account, proof);
        await signIns.FactorAgain(account, proof);
        if (proof.Passkey is not null)
        {
            // A key that was shown, and no authenticator has proved that it has it.
            account.AuthenticatorKey = null;
        }
        (await users.SetTwoFactorEnabledAsync(account, true)).Check();
        await mails.Notice(account.Email!, "two_factor_on");
        return await NewCodes(account);
    }

    /// <summary>Turns the second factor off. Refuses with ACCOUNT_INVALID, LOCKED_OUT.</summary>
    public async Task<TwoFactorView> TurnOff(Account account, Proof proof)
    {
        await signIns.Again(account, proof);
        (account.AuthenticatorKey, account.RecoveryCodes) = (null, []);
        (await users.SetTwoFactorEnabledAsync(account, false)).Check();
        await mails.Notice(account.Email!, "two_factor");
        return await TwoFactor(account);
    }

    /// <summary>Makes new recovery codes; the earlier ones end. Refuses with ACCOUNT_INVALID, LOCKED_OUT.</summary>
    public async Task<TwoFactorView> RenewCodes(Account account, Proof proof)
    {
        await signIns.Again(account, proof);
        return await NewCodes(account);
    }

    /// <summary>Keeps this browser signed in after what ended all sessions. Whoever came with a token signs in again.</summary>
    public Task StaySignedIn(Account account) => sessions.AreOfBrowser ? sessions.SignIn(account, isPersistent: true) : Task.CompletedTask;

    private async Task<TwoFactorView> NewCodes(Account account)
    {
        var made = await users.GenerateNewTwoFactorRecoveryCodesAsync(account, Codes) ?? [];
        return new TwoFactorView(null, Codes, [.. made], account.TwoFactorEnabled);
    }

    private async Task NewKey(Account account)
    {
        await keys.SetAuthenticatorKeyAsync(account, users.GenerateNewAuthenticatorKey(), default);
        (await users.UpdateAsync(account)).Check();
    }

    internal static string Encode(string token) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(token));

    private static bool TryDecode(string? text, out string token)
    {
        try
        {
            token = Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(text ?? ""));
            return token.Length > 0;
        }
        catch (FormatException)
        {
            token = "";
            return false;
        }
    }
}
