using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Identity.Accounts;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>An invitation that can still be accepted.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Email">Whom it is for; null for the operator's set-up link, which asks.</param>
/// <param name="RoleName">The platform role that accepting it grants.</param>
public sealed record Invitation(Guid Id, string? Email, string RoleName);

/// <summary>What a person fills in to accept an invitation.</summary>
public sealed record AcceptInput(string? Token, string? Email, string? DisplayName, string? Password);

/// <summary>One-time links: the operator's set-up link, and invitations by mail. Only a hash of the token is stored.</summary>
public sealed class Invitations(Db db, UserManager<Account> users, AppAddress address, IStringLocalizer<Strings> strings)
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(7);

    private const string InsertSql = """
        insert into rbac.invitations (id, email, role_name, token_hash, created_by, expires_at)
        values (@id, @email, @role, @hash, @createdBy, now() + @validity)
        """;

    private const string OpenSql = """
        select id, email, role_name from rbac.invitations where token_hash = @hash and used_at is null and expires_at > now()
        """;

    private const string UseSql = """
        update rbac.invitations set used_at = now() where token_hash = @hash and used_at is null and expires_at > now() returning id, email, role_name
        """;

    /// <summary>Whether anybody can administer the platform.</summary>
    public Task<bool> AdminExists(CancellationToken ct) => db.Read(Caller.Service, session => session.Value<bool>(
        "select exists (select 1 from rbac.user_roles ur join rbac.roles r on r.id = ur.role_id where r.role_name = 'admin' and ur.is_active and (ur.expires_at is null or ur.expires_at > now()))"), ct);

    /// <summary>The link with which the operator creates the first administrator. Earlier ones end.</summary>
    public async Task<Uri> SetUp(CancellationToken ct)
    {
        var token = NewToken();
        await db.Run(Caller.Service, async session =>
        {
            await session.Execute("update rbac.invitations set used_at = now() where email is null and used_at is null");
            await Insert(session, null, "admin", token);
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
            if (caller.UserId is { } userId && !await session.Value<bool>("select rbac.has_permission(@userId, 'identity.invite') and rbac.has_permission(@userId, 'rbac.grant')", new { userId }))
            {
                throw new Refusal(Reason.Forbidden);
            }
            await session.AsService(s => Insert(s, email, role, token, caller.UserId));
            await session.SendMail(new Mail(email, strings["invitation.subject"], strings["invitation.text", link]));
        }, ct);
        return link;
    }

    /// <summary>The invitation behind a token. Refuses with LINK_INVALID when it was used, expired, or never was.</summary>
    public async Task<Invitation> Find(string? token, CancellationToken ct) =>
        await db.Read(Caller.Service, session => session.Find<Invitation>(OpenSql, new { hash = Hash(token) }), ct)
        ?? throw new Refusal(Reason.LinkInvalid);

    /// <summary>Creates the account that an invitation is for, with its role. Refuses with LINK_INVALID, VALIDATION_FAILED, EMAIL_TAKEN.</summary>
    public async Task<Account> Accept(AcceptInput input, CancellationToken ct)
    {
        var invitation = await Find(input.Token, ct);
        var email = invitation.Email ?? input.Email?.Trim();
        new Validation().Required("displayName", input.DisplayName, 120).Required("password", input.Password, 200)
            .That("email", Mail.IsAddress(email), "EMAIL_INVALID").Check();
        var account = new Account { Email = email, UserName = email, EmailConfirmed = true, DisplayName = input.DisplayName };
        (await users.CreateAsync(account, input.Password!)).Check();
        try
        {
            await db.Run(Caller.Service, async session =>
            {
                // The link is used up here: of two clicks at once, one finds it gone.
                var used = await session.Find<Invitation>(UseSql, new { hash = Hash(input.Token) }) ?? throw new Refusal(Reason.LinkInvalid);
                await session.Value<string>("select rbac.grant_role(@Id, @RoleName, null, 'invitation')::text", new { account.Id, used.RoleName });
            }, ct);
        }
        catch
        {
            await users.DeleteAsync(account);
            throw;
        }
        return account;
    }

    private static Task<int> Insert(Session session, string? email, string role, string token, Guid? createdBy = null) =>
        session.Execute(InsertSql, new { id = Guid.CreateVersion7(), email, role, hash = Hash(token), createdBy, validity = Validity });

    private static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static byte[] Hash(string? token) => SHA256.HashData(Encoding.UTF8.GetBytes(token ?? ""));
}
