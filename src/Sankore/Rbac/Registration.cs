using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>Who registers.</summary>
public sealed record RegistrationInput(string? Email);

/// <summary>
/// People who register themselves, where that is open (<see cref="IdentityModule.IsRegistrationOpen"/>): they get a link by mail, and an
/// account once they follow it. Whether somebody has an account already, only the mail says.
/// </summary>
public sealed class Registration(Db db, IConfiguration configuration)
{
    internal static void Map(IEndpointRouteBuilder routes) =>
        routes.MapApi("/api/auth", "auth").MapPost("/register", Register).AllowAnonymous().RequireRateLimiting(IdentityModule.SignInLimit);

    /// <summary>Has the link mailed. Refuses with REGISTRATION_CLOSED, EMAIL_INVALID.</summary>
    public async Task Begin(string? email, CancellationToken ct)
    {
        if (!IdentityModule.IsRegistrationOpen(configuration))
        {
            throw new Refusal(Reason.RegistrationClosed);
        }
        email = Addresses.Normalize(email);
        if (!Mail.IsAddress(email))
        {
            throw Refusal.At("email", Reason.EmailInvalid);
        }
        await db.Run(Caller.Service, session => AddressMailJob.Ask(session, RegistrationJob.Type, email!), ct);
    }

    private static async Task<Ok> Register(RegistrationInput input, Registration registration, CancellationToken ct)
    {
        await registration.Begin(input.Email, ct);
        return TypedResults.Ok();
    }
}

/// <summary>Mails whoever registered the link, or that they have an account.</summary>
public sealed class RegistrationJob(IServiceScopeFactory scopes, AppAddress address, IStringLocalizer<Strings> strings)
    : AddressMailJob(scopes)
{
    internal const string Type = "registration";

    public override string JobType => Type;

    protected override async Task<Mail?> Write(IServiceProvider services, Session server, string email, Account? account) =>
        account is null
            ? Letter(email, "register", address.Link($"/setup?token={await Invitations.Register(server, email)}"))
            : Letter(account.Email!, "register.known", address.Link("/forgot"));

    private Mail Letter(string email, string kind, Uri link) => new(email, strings[$"{kind}.subject"], strings[$"{kind}.text", link]);
}
