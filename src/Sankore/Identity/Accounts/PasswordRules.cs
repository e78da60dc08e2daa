using Microsoft.AspNetCore.Identity;

namespace Sankore.Identity;

/// <summary>
/// The demo network's password, printed by <c>./run</c>, is for demo accounts only; and a password is not the account's own address.
/// </summary>
public sealed class PasswordRules : IPasswordValidator<Account>
{
    /// <summary>The password of every demo account.</summary>
    public const string Demo = "sankore-demo";

    public Task<IdentityResult> ValidateAsync(UserManager<Account> manager, Account user, string? password) =>
        Task.FromResult(!user.IsDemo && password == Demo ? Failed("PasswordIsDemo")
            : string.Equals(password, user.Email, StringComparison.OrdinalIgnoreCase) ? Failed("PasswordIsEmail")
            : IdentityResult.Success);

    internal static IdentityResult Failed(string code) => IdentityResult.Failed(new IdentityError { Code = code, Description = code });
}

/// <summary>An address that mail can be sent to.</summary>
public sealed class AddressRule : IUserValidator<Account>
{
    public Task<IdentityResult> ValidateAsync(UserManager<Account> manager, Account user) =>
        Task.FromResult(Platform.Jobs.Mail.IsAddress(user.Email) ? IdentityResult.Success : PasswordRules.Failed("InvalidEmail"));
}
