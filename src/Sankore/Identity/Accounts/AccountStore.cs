using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>
/// ASP.NET Identity's store on <c>auth.users</c>. It works as <c>service_role</c>: before sign-in there is nobody yet, and no person's role
/// may read password hashes.
/// </summary>
public sealed partial class AccountStore(Db db, RightsCache rights, IDataProtectionProvider protection) :
    IUserPasswordStore<Account>, IUserEmailStore<Account>, IUserSecurityStampStore<Account>, IUserLockoutStore<Account>,
    IUserTwoFactorStore<Account>, IUserAuthenticatorKeyStore<Account>, IUserTwoFactorRecoveryCodeStore<Account>,
    IUserPasskeyStore<Account>
{
    private const string SelectSql = """
        select id, email, normalized_email, email_confirmed, password_hash, security_stamp, concurrency_stamp, two_factor_enabled,
               authenticator_key, recovery_codes, lockout_end, lockout_enabled, access_failed_count, is_demo
        from auth.users
        """;

    private const string InsertSql = """
        insert into auth.users (id, email, normalized_email, email_confirmed, password_hash, security_stamp, concurrency_stamp,
          two_factor_enabled, authenticator_key, recovery_codes, lockout_end, lockout_enabled, access_failed_count, is_demo)
        values (@Id, @Email, @NormalizedEmail, @EmailConfirmed, @PasswordHash, @SecurityStamp, @ConcurrencyStamp,
          @TwoFactorEnabled, @AuthenticatorKey, @RecoveryCodes, @LockoutEndAt, @LockoutEnabled, @AccessFailedCount, @IsDemo);
        insert into public.profiles (id, email, display_name) values (@Id, @Email, @DisplayName);
        """;

    private const string UpdateSql = """
        with account as (
          update auth.users
          set email = @Email, normalized_email = @NormalizedEmail, email_confirmed = @EmailConfirmed, password_hash = @PasswordHash,
              security_stamp = @SecurityStamp, concurrency_stamp = @next, two_factor_enabled = @TwoFactorEnabled,
              authenticator_key = @AuthenticatorKey, recovery_codes = @RecoveryCodes, lockout_end = @LockoutEndAt,
              lockout_enabled = @LockoutEnabled, access_failed_count = @AccessFailedCount
          where id = @Id and concurrency_stamp = @ConcurrencyStamp
          returning id),
        lost as (delete from auth.passkeys where @LosesPasskeys and user_id = (select id from account)),
        halved as (update auth.passkeys set is_whole = false where @HalvesPasskeys and user_id = (select id from account))
        update public.profiles p set email = @Email, updated_at = now() from account where p.id = account.id
        """;

    private readonly IDataProtector _protector = protection.CreateProtector("Sankore.Identity.AuthenticatorKey");

    public async Task<IdentityResult> CreateAsync(Account user, CancellationToken cancellationToken)
    {
        try
        {
            await db.Run(Caller.Service, session => session.Execute(InsertSql, Row(user, user.ConcurrencyStamp!)), cancellationToken);
            return IdentityResult.Success;
        }
        catch (Refusal refusal) when (refusal.Reason.Code is "EMAIL_TAKEN")
        {
            return IdentityResult.Failed(new IdentityErrorDescriber().DuplicateEmail(user.Email!));
        }
    }

    public async Task<IdentityResult> UpdateAsync(Account user, CancellationToken cancellationToken)
    {
        var next = Guid.NewGuid().ToString("N");
        var rows = await db.Run(Caller.Service, session => session.Execute(UpdateSql, Row(user, next)), cancellationToken);
        if (rows == 0)
        {
            return IdentityResult.Failed(new IdentityErrorDescriber().ConcurrencyFailure());
        }
        user.ConcurrencyStamp = next;
        // What ended sessions ends them here at once; the log tells the other nodes.
        rights.Forget([user.Id], []);
        return IdentityResult.Success;
    }

    public async Task<IdentityResult> DeleteAsync(Account user, CancellationToken cancellationToken)
    {
        await db.Run(
            Caller.Service, session => session.Execute("delete from auth.users where id = @Id", new { user.Id }), cancellationToken);
        return IdentityResult.Success;
    }

    public async Task<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        Guid.TryParse(userId, out var id) ? await Find(SelectSql + " where id = @id", new { id }, cancellationToken) : null;

    public Task<Account?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
        FindByEmailAsync(normalizedUserName, cancellationToken);

    public Task<Account?> FindByEmailAsync(string normalizedEmail, CancellationToken cancellationToken) =>
        Find(SelectSql + " where normalized_email = @email", new { email = normalizedEmail }, cancellationToken);

    private async Task<Account?> Find(string sql, object args, CancellationToken ct)
    {
        var row = await db.Read(Caller.Service, session => session.Find<AccountRow>(sql, args), ct);
        return row?.ToAccount();
    }

    private static object Row(Account a, string next) => new
    {
        a.Id,
        a.Email,
        a.NormalizedEmail,
        a.EmailConfirmed,
        a.PasswordHash,
        a.SecurityStamp,
        a.ConcurrencyStamp,
        a.TwoFactorEnabled,
        a.AuthenticatorKey,
        a.RecoveryCodes,
        LockoutEndAt = a.LockoutEnd?.UtcDateTime,
        a.LockoutEnabled,
        a.AccessFailedCount,
        a.IsDemo,
        a.LosesPasskeys,
        a.HalvesPasskeys,
        DisplayName = string.IsNullOrWhiteSpace(a.DisplayName) ? a.Email!.Split('@')[0] : a.DisplayName.Trim(),
        next,
    };

    private sealed record AccountRow(Guid Id, string Email, string NormalizedEmail, bool EmailConfirmed, string? PasswordHash,
        string SecurityStamp, string ConcurrencyStamp, bool TwoFactorEnabled, string? AuthenticatorKey, string[] RecoveryCodes,
        DateTime? LockoutEnd, bool LockoutEnabled,
        int AccessFailedCount, bool IsDemo)
    {
        public Account ToAccount() => new()
        {
            Id = Id,
            Email = Email,
            NormalizedEmail = NormalizedEmail,
            UserName = Email,
            NormalizedUserName = NormalizedEmail,
            EmailConfirmed = EmailConfirmed,
            PasswordHash = PasswordHash,
            SecurityStamp = SecurityStamp,
            ConcurrencyStamp = ConcurrencyStamp,
            TwoFactorEnabled = TwoFactorEnabled,
            AuthenticatorKey = AuthenticatorKey,
            RecoveryCodes = RecoveryCodes,
            LockoutEnd = LockoutEnd is { } end ? new DateTimeOffset(end) : null,
            LockoutEnabled = LockoutEnabled,
            AccessFailedCount = AccessFailedCount,
            IsDemo = IsDemo,
        };
    }

    private static Task Set(Action set)
    {
        set();
        return Task.CompletedTask;
    }

    private static string HashCode(string code) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(code)));

#pragma warning disable CS1591 // The interfaces' own members say what they mean.
    public Task<string> GetUserIdAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.Id.ToString());
    public Task<string?> GetUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.UserName);
    public Task SetUserNameAsync(Account user, string? userName, CancellationToken cancellationToken) =>
        Set(() => user.UserName = userName);
    public Task<string?> GetNormalizedUserNameAsync(Account user, CancellationToken cancellationToken) =>
        Task.FromResult(user.NormalizedUserName);
    public Task SetNormalizedUserNameAsync(Account user, string? normalizedName, CancellationToken cancellationToken) =>
        Set(() => user.NormalizedUserName = normalizedName);
    public Task SetPasswordHashAsync(Account user, string? passwordHash, CancellationToken cancellationToken) =>
        Set(() => user.PasswordHash = passwordHash);
    public Task<string?> GetPasswordHashAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash);
    public Task<bool> HasPasswordAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash is not null);
    public Task SetEmailAsync(Account user, string? email, CancellationToken cancellationToken) => Set(() => user.Email = email);
    public Task<string?> GetEmailAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.Email);
    public Task<bool> GetEmailConfirmedAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.EmailConfirmed);
    public Task SetEmailConfirmedAsync(Account user, bool confirmed, CancellationToken cancellationToken) =>
        Set(() => user.EmailConfirmed = confirmed);
    public Task<string?> GetNormalizedEmailAsync(Account user, CancellationToken cancellationToken) =>
        Task.FromResult(user.NormalizedEmail);
    public Task SetNormalizedEmailAsync(Account user, string? normalizedEmail, CancellationToken cancellationToken) =>
        Set(() => user.NormalizedEmail = normalizedEmail);
    public Task SetSecurityStampAsync(Account user, string stamp, CancellationToken cancellationToken) =>
        Set(() => user.SecurityStamp = stamp);
    public Task<string?> GetSecurityStampAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.SecurityStamp);
    public Task<DateTimeOffset?> GetLockoutEndDateAsync(Account user, CancellationToken cancellationToken) =>
        Task.FromResult(user.LockoutEnd);
    public Task SetLockoutEndDateAsync(Account user, DateTimeOffset? lockoutEnd, CancellationToken cancellationToken) =>
        Set(() => user.LockoutEnd = lockoutEnd);
    public Task<int> IncrementAccessFailedCountAsync(Account user, CancellationToken cancellationToken) =>
        Task.FromResult(++user.AccessFailedCount);
    public Task ResetAccessFailedCountAsync(Account user, CancellationToken cancellationToken) => Set(() => user.AccessFailedCount = 0);
    public Task<int> GetAccessFailedCountAsync(Account user, CancellationToken cancellationToken) =>
        Task.FromResult(user.AccessFailedCount);
    public Task<bool> GetLockoutEnabledAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.LockoutEnabled);
    public Task SetLockoutEnabledAsync(Account user, bool enabled, CancellationToken cancellationToken) =>
        Set(() => user.LockoutEnabled = enabled);
    public Task SetTwoFactorEnabledAsync(Account user, bool enabled, CancellationToken cancellationToken) =>
        Set(() => user.TwoFactorEnabled = enabled);
    public Task<bool> GetTwoFactorEnabledAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.TwoFactorEnabled);
    public Task SetAuthenticatorKeyAsync(Account user, string key, CancellationToken cancellationToken) =>
        Set(() => user.AuthenticatorKey = _protector.Protect(key));
    public Task<string?> GetAuthenticatorKeyAsync(Account user, CancellationToken cancellationToken) =>
        Task.FromResult(user.AuthenticatorKey is { } key ? _protector.Unprotect(key) : null);
    public Task ReplaceCodesAsync(Account user, IEnumerable<string> recoveryCodes, CancellationToken cancellationToken) =>
        Set(() => user.RecoveryCodes = [.. recoveryCodes.Select(HashCode)]);
    public Task<int> CountCodesAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.RecoveryCodes.Length);

    public async Task<bool> RedeemCodeAsync(Account user, string code, CancellationToken cancellationToken)
    {
        var hash = HashCode(code);
        if (!user.RecoveryCodes.Contains(hash))
        {
            return false;
        }
        user.RecoveryCodes = [.. user.RecoveryCodes.Where(c => c != hash)];
        return (await UpdateAsync(user, cancellationToken)).Succeeded;
    }

    public void Dispose()
    {
    }
#pragma warning restore CS1591
}
