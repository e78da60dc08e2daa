using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>Who registers.</summary>
public sealed record RegistrationInput(string? Email);

/// <summary>
/// People who register themselves, where that is open (<c>Sankore:Registration</c> = <c>open</c>, the default, or <c>closed</c>): they get
/// a
/// link by mail, and an account once they follow it. Whether somebody has an account already, only the mail says.
/// </summary>
public sealed class Registration(Db db, IConfiguration configuration)
{
    /// <summary>Whether registration is open.</summary>
    public static bool IsOpen(IConfiguration configuration) => configuration["Sankore:Registration"] is not "closed";

    internal static void Map(IEndpointRouteBuilder routes) =>
        routes.MapApi("/api/auth", "auth").MapPost("/register", Register).AllowAnonymous().RequireRateLimiting(IdentityModule.SignInLimit);

    /// <summary>Has the link mailed. Refuses with REGISTRATION_CLOSED, EMAIL_INVALID.</summary>
    public async Task Begin(string? email, CancellationToken ct)
    {
        if (!IsOpen(configuration))
        {
            throw new Refusal(Reason.RegistrationClosed);
        }
        if (!Mail.IsAddress(email?.Trim()))
        {
            throw Refusal.At("email", Reason.EmailInvalid);
        }
        var payload = new RegistrationJob.Payload(email!.Trim(), CultureInfo.CurrentUICulture.Name);
        await db.Run(Caller.Service, session => session.Enqueue(RegistrationJob.Type, payload, priority: 10), ct);
    }

    private static async Task<Ok> Register(RegistrationInput input, Registration registration, CancellationToken ct)
    {
        await registration.Begin(input.Email, ct);
        return TypedResults.Ok();
    }
}

/// <summary>
/// Mails whoever registered the link, or that they have an account: apart from the request, so that its time tells nothing. At most five an
/// hour to one address.
/// </summary>
public sealed class RegistrationJob(IServiceScopeFactory scopes, AppAddress address, IStringLocalizer<Strings> strings) : IJobHandler
{
    internal const string Type = "registration";

    internal sealed record Payload(string Email, string Culture);

    public string JobType => Type;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>() ?? throw new FinalFailure("no address in the job");
        CultureInfo.CurrentUICulture = CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(payload.Culture);
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Account>>();
        var known = await users.FindByEmailAsync(payload.Email);
        await scope.ServiceProvider.GetRequiredService<Db>().Run(Caller.Service, async session =>
        {
            if (await Attempts.Mail.Count(session, users.NormalizeEmail(payload.Email)!))
            {
                await session.SendMail(known is null
                    ? Letter(payload.Email, "register", address.Link($"/setup?token={await Invitations.Register(session, payload.Email)}"))
                    : Letter(known.Email!, "register.known", address.Link("/forgot")));
            }
        }, ct);
    }

    private Mail Letter(string email, string kind, Uri link) => new(email, strings[$"{kind}.subject"], strings[$"{kind}.text", link]);
}
