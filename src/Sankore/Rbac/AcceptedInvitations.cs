using Microsoft.AspNetCore.Identity;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;

namespace Sankore.Rbac;

/// <summary>An invitation that can still be accepted.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Email">Whom it is for; null for the operator's set-up link, which asks.</param>
/// <param name="RoleName">The platform role that accepting it grants.</param>
/// <param name="UserId">The account that was made for it.</param>
/// <param name="HasAccount">Whether somebody signs in with the address already: that person accepts by signing in, and the link changes
/// nothing of how.</param>
public sealed record Invitation(Guid Id, string? Email, string RoleName, Guid? UserId, bool HasAccount);

/// <summary>What a person fills in to accept an invitation.</summary>
public sealed record AcceptInput(string? Token, string? Email, string? DisplayName, string? Password);

/// <summary>
/// Accepting invitations. Each time, the database asks again for everything that inviting asked for: whoever invited may still do so, and
/// the place can still be given to that person.
/// </summary>
public sealed class AcceptedInvitations(Db db, UserManager<Account> users, IEnumerable<SankoreModule> modules)
{
    private const string Columns = """
        i.id, i.email, i.role_name, i.user_id,
        exists (select 1 from auth.users u
          where case when i.user_id is null then u.normalized_email = i.email_key
            else u.id = i.user_id and u.password_hash is not null end) as has_account
        """;

    private const string OpenSql = $"select {Columns} from rbac.invitations i where i.token_hash = @hash and i.used_at is null";

    private const string UseSql =
        "update rbac.invitations i set used_at = now(), used_by = @userId where i.id = @Id and i.used_at is null returning i.id";

    /// <summary>The invitation behind a token. Refuses with LINK_INVALID when it has ended, stands no more, or never was.</summary>
    public Task<Invitation> Find(string? token, CancellationToken ct) => db.Read(Caller.Service, session => Open(session, token), ct);

    /// <summary>
    /// Accepts an invitation: creates the account, or sets the first password of the one that was made for it. Refuses with LINK_INVALID,
    /// VALIDATION_FAILED, ACCOUNT_INVALID, EMAIL_TAKEN (who has an account signs in and joins).
    /// </summary>
    public async Task<Account> Accept(AcceptInput input, CancellationToken ct)
    {
        var invitation = await Find(input.Token, ct);
        var email = invitation.Email ?? Addresses.Normalize(input.Email);
        new Validation().Required("displayName", input.DisplayName, 120).Required("password", input.Password, 200)
            .That("email", Platform.Jobs.Mail.IsAddress(email), "EMAIL_INVALID").Check();
        return invitation switch
        {
            { HasAccount: true } => throw Refusal.At("email", Reason.EmailTaken),
            { UserId: { } made } => await SetPassword(made, input, ct),
            _ => await Create(email!, input, ct),
        };
    }

    /// <summary>Accepts an invitation as whoever is signed in, if the invitation is for that address. Refuses with LINK_INVALID.</summary>
    public async Task Join(Caller caller, string? token, CancellationToken ct)
    {
        var invitation = await Find(token, ct);
        if (!await IsFor(invitation, caller))
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        await Use(token, caller.UserId!.Value, ct);
    }

    /// <summary>Whether an invitation is for whoever asks.</summary>
    public async Task<bool> IsFor(Invitation invitation, Caller caller) =>
        caller.UserId is { } userId && await users.FindByIdAsync(userId.ToString()) is { } account
        && (invitation.UserId is { } made ? made == userId
            : invitation.Email is { } email && account.NormalizedEmail == Addresses.Key(email));

    private async Task<Invitation> Open(Session session, string? token) =>
        await session.Find<Invitation>(OpenSql, new { hash = Invitations.Hash(token) }) is { } invitation
            && (await Invitations.Standing(session, modules, [invitation.Id])).Length > 0
                ? invitation : throw new Refusal(Reason.LinkInvalid);

    private async Task<Account> Create(string email, AcceptInput input, CancellationToken ct)
    {
        var account = new Account { Email = email, UserName = email, EmailConfirmed = true, DisplayName = input.DisplayName };
        (await users.CreateAsync(account, input.Password!)).Check();
        try
        {
            await Use(input.Token, account.Id, ct);
        }
        catch
        {
            await users.DeleteAsync(account);
            throw;
        }
        return account;
    }

    private async Task<Account> SetPassword(Guid userId, AcceptInput input, CancellationToken ct)
    {
        var account = await users.FindByIdAsync(userId.ToString()) ?? throw new Refusal(Reason.LinkInvalid);
        foreach (var rule in users.PasswordValidators)
        {
            (await rule.ValidateAsync(users, account, input.Password)).Check();
        }
        await Use(input.Token, userId, ct);
        account.EmailConfirmed = true;
        // Of two who set the first password at once, one is told that the account has changed.
        (await users.AddPasswordAsync(account, input.Password!)).Check();
        await db.Run(
            Caller.Service,
            session => session.Execute(
                "update public.profiles set display_name = @name, updated_at = now() where id = @userId",
                new { userId, name = input.DisplayName!.Trim() }), ct);
        return account;
    }

    /// <summary>The link is used up here: of two clicks at once, one finds it gone.</summary>
    private Task Use(string? token, Guid userId, CancellationToken ct) => db.Run(Caller.Service, async session =>
    {
        var used = await Open(session, token);
        if (await session.Find<Guid?>(UseSql, new { used.Id, userId }) is null)
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        if (used.RoleName != "member")
        {
            await session.Value<string>(
                "select rbac.grant_role(@userId, @RoleName, null, 'invitation')::text", new { userId, used.RoleName });
        }
    }, ct);
}
