using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>An invitation as it is listed.</summary>
/// <param name="RoleName">The platform role that it leads to; <c>member</c> for a place in a group.</param>
/// <param name="State"><c>open</c>; <c>accepted</c>; <c>withdrawn</c>, by somebody or by a later one; <c>expired</c>; or <c>void</c>:
/// whoever invited could not do so today.</param>
/// <param name="CreatedBy">Who invited, a person or a key; null: the server's operator.</param>
public sealed record InvitationLine(
    Guid Id, string Email, string RoleName, string State, string? CreatedBy, DateTime CreatedAt, DateTime SentAt, DateTime ExpiresAt);

/// <summary>An invitation to issue: to an address, and to the account made for it if one was.</summary>
public sealed record InvitationOf(Guid Id, string Email, Guid? UserId);

/// <summary>
/// One-time links: the operator's set-up link, and invitations by mail. Only a hash of the token is stored. Whether somebody may give what
/// an invitation leads to, the database asks (rbac.give_invitation), and again when it is accepted (<see cref="AcceptedInvitations"/>).
/// </summary>
public sealed class Invitations(
    Db db, UserManager<Account> users, AppAddress address, IEnumerable<SankoreModule> modules, IStringLocalizer<Strings> strings)
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(7);

    private const string LinesSql = """
        select i.id, i.email, i.role_name, case
            when i.used_by is not null then 'accepted' when i.used_at is not null then 'withdrawn' when i.expires_at <= now() then 'expired'
            when i.id = any (@standing) then 'open' else 'void' end as state,
          coalesce((select p.display_name from public.profiles p where p.id = i.created_by),
            (select k.name from rbac.api_keys k where k.id = i.created_by_key)) as created_by,
          i.created_at, i.sent_at, i.expires_at
        from rbac.invitations i where i.id = any (@ids) order by i.created_at desc, i.id desc
        """;

    private const string InsertSql = """
        insert into rbac.invitations (id, email, role_name, token_hash, expires_at, user_id)
        select i.id, nullif(i.email, ''), @role, i.hash, now() + @validity,
          nullif(i.user_id, '00000000-0000-0000-0000-000000000000')
        from unnest(@ids::uuid[], @emails::text[], @hashes::bytea[], @userIds::uuid[]) as i (id, email, hash, user_id)
        """;

    // Nobody's invitations, into no place: of whoever registered.
    private const string EndRegistrationsSql = """
        update rbac.invitations set used_at = now()
        where email_key = @key and used_at is null and role_name = 'member' and user_id is null and created_by is null
          and created_by_key is null
        """;

    private const string Where = """
        from rbac.invitations i
        where i.email is not null and (not @ofPlatform or i.role_name <> 'member') and util.finds(@Pattern::text, i.email)
        """;

    private const string PageSql = $"""
        select count(*) {Where};
        select i.id {Where} order by i.created_at desc, i.id desc limit @Limit offset @Offset
        """;

    private const string SendAgainSql = """
        update rbac.invitations set token_hash = @hash, sent_at = now(), expires_at = now() + @validity
        where id = @id and used_at is null
        """;

    /// <summary>
    /// Which of some invitations can be accepted at this moment: the platform's part of it, and that of each module that they lead into.
    /// </summary>
    internal static async Task<Guid[]> Standing(Session server, IEnumerable<SankoreModule> modules, Guid[] ids)
    {
        foreach (var sql in modules.Select(m => m.InvitationSql).OfType<string>())
        {
            ids = [.. await server.Query<Guid>(sql, new { ids })];
        }
        return ids;
    }

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
            await Insert(session, [new InvitationOf(Guid.CreateVersion7(), "", null)], [token], "admin");
        }, ct);
        return Link(token);
    }

    /// <summary>
    /// Invites somebody into a role, by mail. Refuses with EMAIL_INVALID, EMAIL_TAKEN, ROLE_UNKNOWN, NOT_YOURS_TO_GIVE.
    /// </summary>
    /// <returns>The link, for the operator who reads it off the terminal.</returns>
    public async Task<Uri> Invite(Caller caller, string? email, string role, CancellationToken ct)
    {
        email = Addresses.Normalize(email);
        if (email is null || !Platform.Jobs.Mail.IsAddress(email))
        {
            throw Refusal.At("email", Reason.EmailInvalid);
        }
        var token = NewToken();
        await db.Run(caller, async session =>
        {
            if (!await session.Value<bool>("select exists (select from rbac.roles where role_name = @role)", new { role }))
            {
                throw Refusal.At("role", Reason.RoleUnknown);
            }
            await session.AsService(s => Insert(s, [new InvitationOf(Guid.CreateVersion7(), email, null)], [token], role));
            if (await users.FindByEmailAsync(email) is not null)
            {
                throw Refusal.At("email", Reason.EmailTaken);
            }
            await session.SendMail(Letter(email, token));
        }, ct);
        return Link(token);
    }

    /// <summary>
    /// The invitations that the caller sees, the latest first, a page at a time. <paramref name="ofPlatform"/>: only those into roles.
    /// </summary>
    public Task<Paged<InvitationLine>> List(
        Caller caller, ListQuery query, bool ofPlatform, CancellationToken ct) => db.Run(caller, async session =>
    {
        var page = await session.Page<Guid>(query, PageSql, new { ofPlatform, query.Pattern, query.Limit, query.Offset });
        Guid[] ids = [.. page.Items];
        var lines = await session.AsService(async s =>
            await s.Query<InvitationLine>(LinesSql, new { ids, standing = await Standing(s, modules, ids) }));
        return new Paged<InvitationLine>(lines, page.Total, page.Page, page.Size);
    }, ct);

    /// <summary>Ends an invitation. Refuses with NOT_FOUND for one that the caller does not see, or that has ended.</summary>
    public Task Withdraw(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        await Email(session, id);
        await session.AsService(
            s => s.ExecuteOne("update rbac.invitations set used_at = now() where id = @id and used_at is null", new { id }));
    }, ct);

    /// <summary>
    /// Sends an invitation into a role again, with a new link; the earlier one ends, and it stands on the caller from now on. Refuses with
    /// NOT_FOUND, NOT_YOURS_TO_GIVE.
    /// </summary>
    public Task SendAgain(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        var email = await session.One<string>(
            "select email from rbac.invitations where id = @id and role_name <> 'member' and email is not null", new { id });
        await session.SendMail(Letter(email, await NewLink(session, id)));
    }, ct);

    /// <summary>
    /// Gives an invitation that the caller sees a new link, in the caller's transaction; whoever calls mails it. Refuses with NOT_FOUND,
    /// NOT_YOURS_TO_GIVE.
    /// </summary>
    public async Task<Uri> Renew(Session session, Guid id)
    {
        await Email(session, id);
        return Link(await NewLink(session, id));
    }

    /// <summary>
    /// Has whoever registers become a member by a link, as whoever is invited does: nobody has an account before they have proved that the
    /// address is theirs. An earlier link of the same kind ends.
    /// </summary>
    internal static async Task<string> Register(Session server, string email)
    {
        var token = NewToken();
        await server.Execute(EndRegistrationsSql, new { key = Addresses.Key(email) });
        await Insert(server, [new InvitationOf(Guid.CreateVersion7(), email, null)], [token], "member");
        return token;
    }

    /// <summary>Issues invitations of members in the caller's transaction; whoever calls mails their links, in this order.</summary>
    public async Task<IReadOnlyList<Uri>> Issue(Session session, IReadOnlyList<InvitationOf> invitations)
    {
        string[] tokens = [.. invitations.Select(_ => NewToken())];
        await session.AsService(s => Insert(s, invitations, tokens, "member"));
        return [.. tokens.Select(Link)];
    }

    /// <summary>What of a token is kept.</summary>
    internal static byte[] Hash(string? token) => SHA256.HashData(Encoding.UTF8.GetBytes(token ?? ""));

    private static Task<string> Email(Session session, Guid id) =>
        session.One<string>("select email from rbac.invitations where id = @id and email is not null", new { id });

    private static async Task<string> NewLink(Session session, Guid id)
    {
        var token = NewToken();
        await session.AsService(s => s.ExecuteOne(SendAgainSql, new { id, hash = Hash(token), validity = Validity }));
        return token;
    }

    private static Task<int> Insert(Session session, IReadOnlyList<InvitationOf> invitations, string[] tokens, string role) =>
        session.Execute(InsertSql, new
        {
            ids = invitations.Select(i => i.Id).ToArray(),
            emails = invitations.Select(i => i.Email).ToArray(),
            hashes = tokens.Select(Hash).ToArray(),
            userIds = invitations.Select(i => i.UserId ?? Guid.Empty).ToArray(),
            role,
            validity = Validity,
        });

    private Platform.Jobs.Mail Letter(string email, string token) =>
        new(email, strings["invitation.subject"], strings["invitation.text", Link(token)]);

    private Uri Link(string token) => address.Link($"/setup?token={token}");

    private static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
