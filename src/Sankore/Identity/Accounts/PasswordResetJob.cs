using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>
/// Mails somebody the link to set a password anew, if they have an account: apart from the request, so that its time tells nothing. At most
/// five an hour to one address.
/// </summary>
public sealed class PasswordResetJob(IServiceScopeFactory scopes) : IJobHandler
{
    internal const string Type = "password_reset";

    internal sealed record Payload(string Email, string Culture);

    public string JobType => Type;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>() ?? throw new FinalFailure("no address in the job");
        CultureInfo.CurrentUICulture = CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(payload.Culture);
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Account>>();
        if (await users.FindByEmailAsync(payload.Email) is not { } account)
        {
            return;
        }
        var code = Accounts.Encode(await users.GeneratePasswordResetTokenAsync(account));
        var mail = scope.ServiceProvider.GetRequiredService<AccountMails>().ResetLink(account, code);
        await scope.ServiceProvider.GetRequiredService<Db>().Run(Caller.Service, async session =>
        {
            if (await Attempts.Mail.Count(session, account.NormalizedEmail!))
            {
                await session.SendMail(mail);
            }
        }, ct);
    }
}
