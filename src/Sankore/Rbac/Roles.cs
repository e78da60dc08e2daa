using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>A role of the platform (document 004, <c>roles</c>).</summary>
public sealed record Role(Guid Id, string RoleName, string Description, int SortOrder, bool IsSystem, string[] Permissions);

/// <summary>A person with the platform roles in force.</summary>
public sealed record PersonView(Guid Id, string Email, string DisplayName, string[] Roles, DateTime CreatedAt, string? AvatarUrl = null);

/// <summary>A role that a person has.</summary>
public sealed record GrantView(string Role, DateTime GrantedAt, DateTime? ExpiresAt, string? Reason);

/// <summary>What is granted.</summary>
/// <param name="Role">The role's name.</param>
/// <param name="ExpiresAt">When it ends; null: until revoked.</param>
/// <param name="Reason">Why, for the log.</param>
public sealed record GrantInput(string? Role, Moment? ExpiresAt, string? Reason);

/// <summary>
/// Who has which role. Granting and revoking are the database's (rbac.grant_role, rbac.revoke_role): they hold whatever the code does.
/// </summary>
public sealed class Roles(Db db, RightsCache rights)
{
    private const string ListSql = """
        select r.id, r.role_name, r.description, r.sort_order, r.is_system,
               coalesce(
                   (select array_agg(p.permission_key order by p.permission_key) from rbac.role_permissions rp
                     join rbac.permissions p on p.id = rp.permission_id where rp.role_id = r.id), '{}') as permissions
        from rbac.roles r order by r.sort_order
        """;

    private const string PeopleSql = """
        select p.id, p.email, p.display_name,
               coalesce((select array_agg(r.role_name order by r.sort_order) from rbac.user_roles ur join rbac.roles r on r.id = ur.role_id
                         where ur.user_id = p.id and ur.is_active and (ur.expires_at is null or ur.expires_at > now())), '{}') as roles,
               p.created_at, p.avatar_url
        from public.profiles p
        where util.finds(@Pattern::text, p.display_name, p.email)
        """;

    private const string CountSql = """
        select count(*) from public.profiles p where util.finds(@Pattern::text, p.display_name, p.email)
        """;

    private static readonly PagedSql Pages = new(CountSql, PeopleSql,
        ("name", "p.display_name collate \"und-x-icu\""), ("email", "p.email"), ("createdAt", "p.created_at"));

    private const string GrantsSql = """
        select r.role_name as role, ur.granted_at, ur.expires_at, ur.reason
        from rbac.user_roles ur join rbac.roles r on r.id = ur.role_id
        where ur.user_id = @userId and ur.is_active and (ur.expires_at is null or ur.expires_at > now())
        order by r.sort_order
        """;

    /// <summary>The roles and what they permit.</summary>
    public Task<IReadOnlyList<Role>> List(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<Role>(ListSql), ct);

    /// <summary>The people whom the caller may see, a page at a time.</summary>
    public Task<Paged<PersonView>> People(Caller caller, ListQuery query, CancellationToken ct) =>
        db.Read(caller, session => session.Page<PersonView>(query, Pages, new { query.Pattern, query.Limit, query.Offset }), ct);

    /// <summary>One person. Refuses with NOT_FOUND for whom the caller may not see.</summary>
    public Task<PersonView> Person(Caller caller, Guid userId, CancellationToken ct) =>
        db.Read(caller, session => session.One<PersonView>(PeopleSql + " and p.id = @userId", new { Pattern = (string?)null, userId }), ct);

    /// <summary>A person's roles in force.</summary>
    public Task<IReadOnlyList<GrantView>> Of(Caller caller, Guid userId, CancellationToken ct) =>
        db.Read(caller, session => session.Query<GrantView>(GrantsSql, new { userId }), ct);

    /// <summary>Grants a role. Refuses with FORBIDDEN, SELF_GRANT, ROLE_UNKNOWN, NOT_FOUND, EXPIRY_PAST, LAST_ADMIN.</summary>
    public Task Grant(Caller caller, Guid userId, GrantInput input, CancellationToken ct)
    {
        new Validation().Required("role", input.Role, 64).Optional("reason", input.Reason, 500).Check();
        return Change(caller, userId, "select rbac.grant_role(@userId, @Role, @expiresAt, @Reason)::text",
            new { userId, input.Role, expiresAt = input.ExpiresAt?.Utc, input.Reason }, ct);
    }

    /// <summary>Revokes a role. Refuses with FORBIDDEN, ROLE_UNKNOWN, NOT_FOUND, LAST_ADMIN.</summary>
    public Task Revoke(Caller caller, Guid userId, string role, string? reason, CancellationToken ct) =>
        Change(caller, userId, "select rbac.revoke_role(@userId, @role, @reason)::text", new { userId, role, reason }, ct);

    /// <summary>The log tells every node; this one need not wait for it.</summary>
    private async Task Change(Caller caller, Guid userId, string sql, object args, CancellationToken ct)
    {
        await db.Run(caller, session => session.Value<string>(sql, args), ct);
        rights.Forget([userId], []);
    }
}
