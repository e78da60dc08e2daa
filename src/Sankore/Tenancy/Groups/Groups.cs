using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A school group: the tenant (glossary).</summary>
/// <param name="TimeZone">On whose clocks its days are (IANA).</param>
/// <param name="Plan">Name of the plan it lives on, or lived on last; null: it never had one.</param>
/// <param name="SubscriptionStatus">How it stands with that subscription, one of <see cref="SubscriptionInput.States"/>.</param>
/// <param name="LogoId">Its picture: <see cref="Logos"/>.</param>
public sealed record Group(
    Guid Id, string Name, string Code, string? City, string Country, string? ContactEmail, string? ContactPhone, string Status, int Version,
    string TimeZone, string? Plan, Guid? PlanId, string? SubscriptionStatus, DateTime? SubscriptionEndsAt, long Schools, long People,
    Guid? LogoId = null)
    : IVersioned
{
    /// <summary>What a page has while it reads the group.</summary>
    internal static Group Unread { get; } = new(Guid.Empty, "", "", null, "", null, null, "active", 0, Zones.Default, null, null, null,
        null, 0, 0);
}

/// <summary>A school: a space of a group.</summary>
public sealed record School(
    Guid Id, Guid GroupId, string GroupName, string Name, string Code, string Level, string? City, string Status, int Version,
    string[] ActiveModules, Guid? LogoId = null) : IVersioned;

/// <summary>A school to choose.</summary>
public sealed record SchoolName(Guid Id, string Name);

/// <summary>Groups and schools: the operator makes groups, the operator and the group's administrators make schools.</summary>
public sealed class Groups(Db db)
{
    /// <summary>Finds the group's name, if the caller administers it or operates the platform.</summary>
    internal const string AdministeredSql = """
        select name from tenancy.school_groups
        where id = @groupId
          and (id = any ((select tenancy.my_administered_group_ids())::uuid[])
            or (select rbac.has_permission((select auth.uid()), 'tenancy.read')))
        """;

    private const string MayManageSql = """
        select name from tenancy.school_groups
        where id = @groupId
          and (id = any ((select tenancy.my_administered_group_ids())::uuid[])
            or (select rbac.has_permission((select auth.uid()), 'tenancy.manage')))
        """;

    private const string GroupColumns = """
        g.id, g.name, g.code, g.city, g.country::text, g.contact_email, g.contact_phone, g.status, g.version, g.time_zone,
        tenancy.plan_name(s.plan_id) as plan, s.plan_id, s.status as subscription_status, s.ends_at as subscription_ends_at,
        (select count(*) from tenancy.schools c where c.school_group_id = g.id) as schools,
        (select count(distinct m.user_id) from tenancy.current_memberships m where m.school_group_id = g.id) as people,
        g.logo_id
        """;

    private const string GroupFrom = """
         from tenancy.school_groups g
        left join tenancy.latest_subscriptions s on s.school_group_id = g.id
        """;

    private const string GroupWhere = """
         where util.finds(@Pattern::text, g.name, g.code, g.city) and (@state::text is null or case @state
           when 'closed' then g.status <> 'active'
           when 'none' then g.status = 'active' and (s.status is null or s.status in ('cancelled', 'expired'))
           when 'ending' then s.status in ('trialing', 'active') and not s.auto_renew and s.ends_at < now() + interval '30 days'
           else s.status = @state end)
        """;

    private const string SchoolColumns = """
        c.id, g.id as group_id, g.name as group_name, c.name, c.code, c.level, c.city, c.status, c.version,
        array(select key from jsonb_each(c.active_modules) where value = 'true' order by key) as active_modules,
        c.logo_id
        """;

    private const string SchoolFrom = " from tenancy.schools c join tenancy.school_groups g on g.id = c.school_group_id";
    private const string SchoolWhere =
        " where util.finds(@Pattern::text, c.name, c.code, c.city)"
        + " and (@groupId::uuid is null or c.school_group_id = @groupId)";

    private static readonly PagedSql GroupPages =
        new("select count(*)" + GroupFrom + GroupWhere, "select " + GroupColumns + GroupFrom + GroupWhere,
        ("name", "g.name collate \"und-x-icu\""), ("code", "g.code"), ("city", "g.city"), ("plan", "tenancy.plan_name(s.plan_id)"));

    private static readonly PagedSql SchoolPages =
        new("select count(*)" + SchoolFrom + SchoolWhere, "select " + SchoolColumns + SchoolFrom + SchoolWhere,
        ("name", "c.name collate \"und-x-icu\""), ("code", "c.code"), ("city", "c.city"), ("group", "g.name"));

    private const string OneSql = $"select {GroupColumns} {GroupFrom} where g.id = @id";
    private const string OneSchoolSql = $"select {SchoolColumns} {SchoolFrom} where c.id = @id";

    private const string ModulesOfSql = """
        select util.said(m.name, m.name_en) from tenancy.schools s
        join tenancy.modules m on s.active_modules ? m.code
        join tenancy.business_categories c on c.id = m.category_id
        where s.id = @schoolId
        order by c.sort_order, c.name collate "und-x-icu", m.priority, m.name collate "und-x-icu"
        """;

    private const string InsertSql = """
        insert into tenancy.school_groups (id, name, code, city, country, contact_email, contact_phone, status, time_zone)
        values (@id, @Name, @Code, @City, @Country, @ContactEmail, @ContactPhone, @Status, @TimeZone)
        """;

    private const string UpdateSql = """
        update tenancy.school_groups
        set name = @Name, code = @Code, city = @City, country = @Country, contact_email = @ContactEmail, contact_phone = @ContactPhone,
        status = @Status, time_zone = @TimeZone
        where id = @id and version = @version
        """;

    private const string InsertSchoolSql = """
        insert into tenancy.schools (id, school_group_id, name, code, level, city, status)
        values (@id, @groupId, @Name, @Code, @Level, @City, @Status)
        """;
    private const string UpdateSchoolSql = """
        update tenancy.schools set name = @Name, code = @Code, level = @Level, city = @City, status = @Status
        where id = @id and version = @version
        """;

    /// <summary>
    /// How it stands with groups, for a list of those alone: a state of their subscription, <c>none</c> (never had one, or it is over),
    /// <c>ending</c> (within thirty days, and not renewed), or <c>closed</c> (the group itself).
    /// </summary>
    public static readonly string[] States = ["trialing", "active", "ending", "past_due", "suspended", "none", "closed"];

    /// <summary>The groups that the caller sees, a page at a time. Refuses with VALIDATION_FAILED.</summary>
    /// <param name="state">One of <see cref="States"/>; null: all.</param>
    public Task<Paged<Group>> List(Caller caller, ListQuery query, string? state, CancellationToken ct)
    {
        new Validation().OneOf("state", state ?? States[0], States).Check();
        return db.Read(
            caller, session => session.Page<Group>(query, GroupPages, new { query.Pattern, state, query.Limit, query.Offset }), ct);
    }

    /// <summary>One group. Refuses with NOT_FOUND for a group that is not the caller's to see.</summary>
    public Task<Group> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<Group>(OneSql, new { id }), ct);

    /// <summary>
    /// A group that the caller administers, or sees as the operator. Refuses with NOT_FOUND for everybody else, its staff too.
    /// </summary>
    public Task<(Group Group, bool Administers)> Administered(
        Caller caller, Guid id, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(
            AdministeredSql + ";" + OneSql + "; select @id = any ((select tenancy.my_administered_group_ids())::uuid[])",
            new { id, groupId = id });
        await grid.One<string>();
        return (await grid.ReadFirstAsync<Group>(), await grid.ReadFirstAsync<bool>());
    }, ct);

    /// <summary>
    /// The name of a group whose schools and staff the caller keeps: as its administrator, or as the operator. Refuses with NOT_FOUND,
    /// FORBIDDEN.
    /// </summary>
    internal static async Task<string> MayManage(Session session, Guid groupId) => await session.Find<string>(MayManageSql, new { groupId })
        ?? throw new Refusal(
        await session.Find<string>("select name from tenancy.school_groups where id = @groupId", new { groupId }) is null ? Reason.NotFound
        : Reason.Forbidden);

    /// <summary>The first group that the caller administers; null for whoever administers none.</summary>
    public Task<Guid?> Own(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Value<Guid?>("select (tenancy.my_administered_group_ids())[1]"), ct);

    /// <summary>All schools of a group, by name, for a form to choose from.</summary>
    public Task<IReadOnlyList<SchoolName>> SchoolNames(Caller caller, Guid groupId, CancellationToken ct) => db.Read(caller, session =>
        session.Query<SchoolName>(
            "select id, name from tenancy.schools where school_group_id = @groupId order by name collate \"und-x-icu\", id",
            new { groupId }), ct);

    /// <summary>The schools that the caller sees, of one group or of all, a page at a time.</summary>
    public Task<Paged<School>> Schools(Caller caller, ListQuery query, Guid? groupId, CancellationToken ct) =>
        db.Read(caller, session => session.Page<School>(query, SchoolPages, new { query.Pattern, groupId, query.Limit, query.Offset }), ct);

    /// <summary>One school. Refuses with NOT_FOUND for a school that is not the caller's to see.</summary>
    public Task<School> School(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<School>(OneSchoolSql, new { id }), ct);

    /// <summary>The names of a school's modules, in order of display.</summary>
    public Task<IReadOnlyList<string>> ModulesOf(Caller caller, Guid schoolId, CancellationToken ct) =>
        db.Read(caller, session => session.Query<string>(ModulesOfSql, new { schoolId }), ct);

    /// <summary>Creates a group. Refuses with VALIDATION_FAILED, CODE_INVALID, GROUP_CODE_TAKEN, FORBIDDEN.</summary>
    public Task<Group> Create(Caller caller, GroupInput input, CancellationToken ct)
    {
        var (group, id) = (input.Normalized(), Guid.CreateVersion7());
        return Inputs.At("code", Reason.GroupCodeTaken, () => db.Run(caller, async session =>
        {
            await session.Execute(InsertSql, Values(group, id, 0));
            return await session.One<Group>(OneSql, new { id });
        }, ct));
    }

    /// <summary>Saves a group. Refuses with VALIDATION_FAILED, CODE_INVALID, GROUP_CODE_TAKEN, NOT_FOUND, STALE, FORBIDDEN.</summary>
    public Task<Group> Update(Caller caller, Guid id, int version, GroupInput input, CancellationToken ct)
    {
        var group = input.Normalized();
        return Inputs.At("code", Reason.GroupCodeTaken, () => db.Run(caller, async session =>
        {
            var touched = await session.Execute(UpdateSql, Values(group, id, version));
            var found = await session.One<Group>(OneSql, new { id });
            return touched > 0 ? found : throw Refusal.Untouched(found.Version, version, found.Name);
        }, ct));
    }

    /// <summary>
    /// Creates a school of a group. Refuses with VALIDATION_FAILED, CODE_INVALID, SCHOOL_CODE_TAKEN, NOT_FOUND, FORBIDDEN.
    /// </summary>
    public Task<School> CreateSchool(Caller caller, Guid groupId, SchoolInput input, CancellationToken ct)
    {
        var (school, id) = (input.Normalized(), Guid.CreateVersion7());
        return Inputs.At("code", Reason.SchoolCodeTaken, () => db.Run(caller, async session =>
        {
            await session.One<string>("select name from tenancy.school_groups where id = @groupId", new { groupId });
            await session.Execute(InsertSchoolSql, SchoolValues(school, id, groupId, 0));
            return await session.One<School>(OneSchoolSql, new { id });
        }, ct));
    }

    /// <summary>Saves a school. Refuses with VALIDATION_FAILED, CODE_INVALID, SCHOOL_CODE_TAKEN, NOT_FOUND, STALE, FORBIDDEN.</summary>
    public Task<School> UpdateSchool(Caller caller, Guid id, int version, SchoolInput input, CancellationToken ct)
    {
        var school = input.Normalized();
        return Inputs.At("code", Reason.SchoolCodeTaken, () => db.Run(caller, async session =>
        {
            var touched = await session.Execute(UpdateSchoolSql, SchoolValues(school, id, Guid.Empty, version));
            var found = await session.One<School>(OneSchoolSql, new { id });
            return touched > 0 ? found : throw Refusal.Untouched(found.Version, version, found.Name);
        }, ct));
    }

    private static object Values(GroupInput g, Guid id, int version) =>
        new { id, version, g.Name, g.Code, g.City, g.Country, g.ContactEmail, g.ContactPhone, g.Status, g.TimeZone };

    private static object SchoolValues(SchoolInput s, Guid id, Guid groupId, int version) =>
        new { id, groupId, version, s.Name, s.Code, s.Level, s.City, s.Status };
}
