using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>
/// A mail that somebody who is not signed in has asked for, to an address: written apart from the request, so that its time does not tell
/// whether there is an account. At most five an hour to one address.
/// </summary>
public abstract class AddressMailJob(IServiceScopeFactory scopes) : IJobHandler
{
    /// <summary>What such a job needs: the address, and the language of whoever asked.</summary>
    private sealed record Payload(string Email, string Culture);

    public abstract string JobType { get; }

    /// <summary>Asks for one, in the request's language.</summary>
    public static Task Ask(Session session, string jobType, string email) =>
        session.Enqueue(jobType, new Payload(email, CultureInfo.CurrentUICulture.Name), priority: 10);

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>() ?? throw new FinalFailure("no address in the job");
        CultureInfo.CurrentUICulture = CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(payload.Culture);
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Account>>();
        var account = await users.FindByEmailAsync(payload.Email);
        await scope.ServiceProvider.GetRequiredService<Db>().Run(Caller.Service, async session =>
        {
            if (await Attempts.Mail.Count(session, users.NormalizeEmail(payload.Email)!) <= Attempts.Mail.Most
                && await Write(scope.ServiceProvider, session, payload.Email, account) is { } mail)
            {
                await session.SendMail(mail);
            }
        }, ct);
    }

    /// <summary>The mail; null: there is none to write.</summary>
    /// <param name="services">Of the job's scope.</param>
    /// <param name="server">The transaction that sends it.</param>
    /// <param name="email">The address as it was written.</param>
    /// <param name="account">Whose it is; null: nobody's.</param>
    protected abstract Task<Mail?> Write(IServiceProvider services, Session server, string email, Account? account);
}
