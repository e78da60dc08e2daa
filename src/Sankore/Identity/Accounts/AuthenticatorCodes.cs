using Microsoft.AspNetCore.Identity;
using OtpNet;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>The authenticator's codes (RFC 6238), in place of the framework's: each works once (RFC 6238, 5.2).</summary>
public sealed class AuthenticatorCodes(Db db, TimeProvider time) : IUserTwoFactorTokenProvider<Account>
{
    // A code of the minute before, and of a clock that is ahead by half a minute.
    private static readonly VerificationWindow Window = new(previous: 2, future: 1);

    private const string UseSql = "update auth.users set last_code_step = @step where id = @Id and last_code_step < @step";

    /// <summary>Whether a code is right, and has not been used; from here on it has.</summary>
    public async Task<bool> ValidateAsync(string purpose, string token, UserManager<Account> manager, Account user)
    {
        var key = await manager.GetAuthenticatorKeyAsync(user);
        return !string.IsNullOrEmpty(key)
            && new Totp(Base32Encoding.ToBytes(key)).VerifyTotp(time.GetUtcNow().UtcDateTime, token, out var step, Window)
            && await db.Run(Caller.Service, session => session.Execute(UseSql, new { user.Id, step }), default) > 0;
    }

    /// <summary>Codes are made by the person's own authenticator.</summary>
    public Task<string> GenerateAsync(string purpose, UserManager<Account> manager, Account user) => Task.FromResult("");

    public async Task<bool> CanGenerateTwoFactorTokenAsync(UserManager<Account> manager, Account user) =>
        !string.IsNullOrEmpty(await manager.GetAuthenticatorKeyAsync(user));
}
