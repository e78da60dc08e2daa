using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;

namespace Sankore.Identity;

/// <summary>Mails somebody the link to set a password anew, if they have an account.</summary>
public sealed class PasswordResetJob(IServiceScopeFactory scopes) : AddressMailJob(scopes)
{
    internal const string Type = "password_reset";

    public override string JobType => Type;

    protected override async Task<Mail?> Write(IServiceProvider services, Session server, string email, Account? account) =>
        account is null ? null : services.GetRequiredService<AccountMails>().ResetLink(
            account,
            Accounts.Encode(await services.GetRequiredService<UserManager<Account>>().GeneratePasswordResetTokenAsync(account)));
}
