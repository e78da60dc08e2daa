using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy.Groups;

/// <summary>A school group: the tenant (glossary).</summary>
/// <param name="Plan">Name of the plan it lives on; null without a live subscription.</param>
public sealed record Group(Guid Id, string Name, string Code, string? City, string Country, string Status, int Version, string? Plan, Guid? PlanId, string? SubscriptionStatus, DateTime? SubscriptionEndsAt, long Schools);

/// <summary>A school: a space of a group.</summary>
public sealed record School(Guid Id, Guid GroupId, string GroupName, string Name, string Code, string Level, string? City, string Status, int Version, string[] ActiveModules);

/// <summary>Groups and schools, to read (editing them is the entitlement chain's issue).</summary>
public sealed class Groups(Db db)
{
    /// <summary>Finds the group's id, if the caller administers it or operates the platform.</summary>
    internal const string AdministeredSql = """
        select id from tenancy.school_groups
        where id = @groupId and (id = any ((select tenancy.my_administered_group_ids())::uuid[]) or (select rbac.has_permission((select auth.uid()), 'tenancy.read')))
        """;

    private const string GroupColumns = """
        g.id, g.name, g.code, g.city, g.country::text, g.status, g.version, p.name as plan, p.id as plan_id, s.status as subscription_status, s.ends_at as subscription_ends_at,
        (select count(*) from tenancy.schools c where c.school_group_id = g.id) as schools
        """;

    private const string GroupFrom = """
         from tenancy.school_groups g
        left join tenancy.subscriptions s on s.school_group_id = g.id and s.status in ('trialing', 'active', 'past_due')
        left join tenancy.subscription_plans p on p.id = s.plan_id
        """;

    private const string GroupWhere = " where (@Pattern::text is null or g.name ilike @Pattern or g.code ilike @Pattern or g.city ilike @Pattern)";

    private const string SchoolColumns = """
        c.id, g.id as group_id, g.name as group_name, c.name, c.code, c.level, c.city, c.status, c.version,
        array(select key from jsonb_each(c.active_modules) where value = 'true' order by key) as active_modules
        """;

    private const string SchoolFrom = " from tenancy.schools c join tenancy.school_groups g on g.id = c.school_group_id";
    private const string SchoolWhere = " where (@Pattern::text is null or c.name ilike @Pattern or c.code ilike @Pattern or c.city ilike @Pattern) and (@groupId::uuid is null or c.school_group_id = @groupId)";

    /// <summary>The groups that the caller sees, a page at a time.</summary>
    public Task<Paged<Group>> List(Caller caller, ListQuery query, CancellationToken ct) => db.Read(caller, async session =>
    {
        var order = query.OrderBy(("name", "g.name collate \"und-x-icu\""), ("code", "g.code"), ("city", "g.city"), ("plan", "p.name"));
        await using var grid = await session.Queries("select count(*) from tenancy.school_groups g" + GroupWhere + "; select " + GroupColumns + GroupFrom + GroupWhere + order, new { query.Pattern, query.Limit, query.Offset });
        var total = await grid.ReadFirstAsync<long>();
        return new Paged<Group>([.. await grid.ReadAsync<Group>()], total, query.Number, query.Limit);
    }, ct);

    /// <summary>One group. Refuses with NOT_FOUND for a group that is not the caller's to see.</summary>
    public Task<Group> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<Group>("select " + GroupColumns + GroupFrom + " where g.id = @id", new { id }), ct);

    /// <summary>The schools that the caller sees, of one group or of all, a page at a time.</summary>
    public Task<Paged<School>> Schools(Caller caller, ListQuery query, Guid? groupId, CancellationToken ct) => db.Read(caller, async session =>
    {
        var order = query.OrderBy(("name", "c.name collate \"und-x-icu\""), ("code", "c.code"), ("city", "c.city"), ("group", "g.name"));
        await using var grid = await session.Queries("select count(*)" + SchoolFrom + SchoolWhere + "; select " + SchoolColumns + SchoolFrom + SchoolWhere + order, new { query.Pattern, groupId, query.Limit, query.Offset });
        var total = await grid.ReadFirstAsync<long>();
        return new Paged<School>([.. await grid.ReadAsync<School>()], total, query.Number, query.Limit);
    }, ct);
}
