using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>An invitation that can still be accepted.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Email">Whom it is for; null for the operator's set-up link, which asks.</param>
/// <param name="RoleName">The platform role that accepting it grants.</param>
/// <param name="UserId">The account that was made for it, whose password is still to be set.</param>
/// <param name="HasAccount">Whether somebody has an account with the address already: that person accepts by signing in.</param>
public sealed record Invitation(Guid Id, string? Email, string RoleName, Guid? UserId, bool HasAccount);

/// <summary>An invitation to issue: to an address, and to the account made for it if one was.</summary>
public sealed record InvitationOf(Guid Id, string Email, Guid? UserId);

/// <summary>What a person fills in to accept an invitation.</summary>
public sealed record AcceptInput(string? Token, string? Email, string? DisplayName, string? Password);

/// <summary>One-time links: the operator's set-up link, and invitations by mail. Only a hash of the token is stored.</summary>
public sealed class Invitations(Db db, UserManager<Account> users, AppAddress address, IStringLocalizer<Strings> strings)
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(7);

    private const string InsertSql = """
        insert into rbac.invitations (id, email, role_name, token_hash, created_by, expires_at, user_id)
        select i.id, nullif(i.email, ''), @role, i.hash, @createdBy, now() + @validity,
          nullif(i.user_id, '00000000-0000-0000-0000-000000000000')
        from unnest(@ids::uuid[], @emails::text[], @hashes::bytea[], @userIds::uuid[]) as i (id, email, hash, user_id)
        """;

    private const string Columns = """
        id, email, role_name, user_id,
        user_id is null and exists (select 1 from auth.users u where u.normalized_email = upper(i.email)) as has_account
        """;

    private const string OpenSql = $"""
        select {Columns} from rbac.invitations i where token_hash = @hash and used_at is null and expires_at > now()
        """;

    private const string UseSql = $"""
        update rbac.invitations i set used_at = now(), used_by = @userId where token_hash = @hash and used_at is null and expires_at > now()
        returning {Columns}
        """;

    /// <summary>Whether anybody can administer the platform.</summary>
    public Task<bool> AdminExists(CancellationToken ct) => db.Read(Caller.Service, session => session.Value<bool>(
        "select exists (select 1 from rbac.user_roles ur join rbac.roles r on r.id = ur.role_id where r.role_name = 'admin'"
        + " and ur.is_active and (ur.expires_at is null or ur.expires_at > now()))"), ct);

    /// <summary>The link with which the operator creates the first administrator. Earlier ones end.</summary>
    public async Task<Uri> SetUp(CancellationToken ct)
    {
        var token = NewToken();
        await db.Run(Caller.Service, async session =>
        {
            await session.Execute("update rbac.invitations set used_at = now() where email is null and used_at is null");
            await Insert(session, [new InvitationOf(Guid.CreateVersion7(), "", null)], [token], "admin", null);
        }, ct);
        return address.Link($"/setup?token={token}");
    }

    /// <summary>Invites somebody into a role, by mail. Refuses with EMAIL_INVALID, EMAIL_TAKEN, FORBIDDEN.</summary>
    /// <returns>The link, for the operator who reads it off the terminal.</returns>
    public async Task<Uri> Invite(Caller caller, string? email, string role, CancellationToken ct)
    {
        email = email?.Trim();
        if (email is null || !Mail.IsAddress(email))
        {
            throw new Refusal(Reason.EmailInvalid);
        }
        if (await users.FindByEmailAsync(email) is not null)
        {
            throw new Refusal(Reason.EmailTaken);
        }
        var token = NewToken();
        var link = address.Link($"/setup?token={token}");
        await db.Run(caller, async session =>
        {
            if (caller.UserId is { } userId
                && !await session.Value<bool>(
                "select rbac.has_permission(@userId, 'identity.invite') and rbac.has_permission(@userId, 'rbac.grant')", new { userId }))
            {
                throw new Refusal(Reason.Forbidden);
            }
            await session.AsService(s => Insert(s, [new InvitationOf(Guid.CreateVersion7(), email, null)], [token], role, caller.UserId));
            await session.SendMail(new Mail(email, strings["invitation.subject"], strings["invitation.text", link]));
        }, ct);
        return link;
    }

    /// <summary>The invitation behind a token. Refuses with LINK_INVALID when it was used, expired, or never was.</summary>
    public async Task<Invitation> Find(string? token, CancellationToken ct) =>
        await db.Read(Caller.Service, session => session.Find<Invitation>(OpenSql, new { hash = Hash(token) }), ct)
        ?? throw new Refusal(Reason.LinkInvalid);

    /// <summary>Issues invitations of members in the caller's transaction; whoever calls mails their links, in this order.</summary>
    public async Task<IReadOnlyList<Uri>> Issue(Session session, IReadOnlyList<InvitationOf> invitations)
    {
        string[] tokens = [.. invitations.Select(_ => NewToken())];
        var createdBy = session.Caller.UserId;
        await session.AsService(s => Insert(s, invitations, tokens, "member", createdBy));
        return [.. tokens.Select(token => address.Link($"/setup?token={token}"))];
    }

    /// <summary>
    /// Accepts an invitation: creates the account, or sets the password of the one that was made for it. Refuses with LINK_INVALID,
    /// VALIDATION_FAILED, ACCOUNT_INVALID, EMAIL_TAKEN (who has an account signs in and joins).
    /// </summary>
    public async Task<Account> Accept(AcceptInput input, CancellationToken ct)
    {
        var invitation = await Find(input.Token, ct);
        var email = invitation.Email ?? input.Email?.Trim();
        new Validation().Required("displayName", input.DisplayName, 120).Required("password", input.Password, 200)
            .That("email", Mail.IsAddress(email), "EMAIL_INVALID").Check();
        return invitation.UserId is { } made ? await SetPassword(made, input, ct) : await Create(email!, input, ct);
    }

    /// <summary>Accepts an invitation as whoever is signed in, if the invitation is for that address. Refuses with LINK_INVALID.</summary>
    public async Task Join(Caller caller, string? token, CancellationToken ct)
    {
        var invitation = await Find(token, ct);
        var account = await users.FindByIdAsync(caller.UserId.ToString()!);
        if (account is null || invitation.UserId is not null
            || !string.Equals(account.Email, invitation.Email, StringComparison.OrdinalIgnoreCase))
        {
            throw new Refusal(Reason.LinkInvalid);
        }
        await Use(token, account.Id, ct);
    }

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
        // Whoever forgot that there was an invitation may have set a password by the other way.
        (await users.RemovePasswordAsync(account)).Check();
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
        var used = await session.Find<Invitation>(UseSql, new { hash = Hash(token), userId }) ?? throw new Refusal(Reason.LinkInvalid);
        if (used.RoleName != "member")
        {
            await session.Value<string>(
                "select rbac.grant_role(@userId, @RoleName, null, 'invitation')::text", new { userId, used.RoleName });
        }
    }, ct);

    private static Task<int> Insert(
        Session session, IReadOnlyList<InvitationOf> invitations, string[] tokens, string role, Guid? createdBy) =>
        session.Execute(InsertSql, new
        {
            ids = invitations.Select(i => i.Id).ToArray(),
            emails = invitations.Select(i => i.Email).ToArray(),
            hashes = tokens.Select(Hash).ToArray(),
            userIds = invitations.Select(i => i.UserId ?? Guid.Empty).ToArray(),
            role,
            createdBy,
            validity = Validity,
        });

    private static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static byte[] Hash(string? token) => SHA256.HashData(Encoding.UTF8.GetBytes(token ?? ""));
}
