using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy.Assignments;

/// <summary>A column of the matrix: a module that the group's plan has and that can be used.</summary>
public sealed record MatrixModule(Guid Id, string Code, string Name, string Icon, Guid CategoryId, string CategoryName, string CategoryColor);

/// <summary>A line of the matrix: a person of the group.</summary>
/// <param name="Roles">The person's roles in the group.</param>
/// <param name="Schools">The schools the person works in; none: the whole group.</param>
/// <param name="Cells">What the person may do, by module: letters of <c>rwde</c> (read, write, delete, export). Modules without access are left out.</param>
public sealed record MatrixPerson(Guid Id, string Name, string Email, string[] Roles, string[] Schools, IReadOnlyDictionary<Guid, string> Cells);

/// <summary>Who has what in a group: people × modules.</summary>
public sealed record MatrixView(IReadOnlyList<MatrixModule> Modules, Paged<MatrixPerson> People);

/// <summary>What of a group's people is asked for.</summary>
/// <param name="Role">Of this membership role.</param>
/// <param name="School">Of this school.</param>
public sealed record MatrixFilter(string? Role = null, Guid? School = null);

/// <summary>Effective access of a group's people, as the one rule has it (<c>tenancy.module_access</c>).</summary>
public sealed class Matrix(Db db)
{
    private const string ModulesSql = """
        select m.id, m.code, m.name, m.icon, c.id as category_id, c.name as category_name, c.color as category_color
        from tenancy.live_subscriptions u
        join tenancy.available_modules a on a.plan_id = u.plan_id
        join tenancy.modules m on m.id = a.module_id
        join tenancy.business_categories c on c.id = m.category_id
        where u.school_group_id = @groupId
        order by c.sort_order, c.name collate "und-x-icu", c.id, m.priority, m.name collate "und-x-icu", m.id
        """;

    private const string CatalogueSql = """
        select m.id, m.code, m.name, m.icon, c.id as category_id, c.name as category_name, c.color as category_color
        from tenancy.modules m
        join tenancy.business_categories c on c.id = m.category_id
        order by c.sort_order, c.name collate "und-x-icu", c.id, m.priority, m.name collate "und-x-icu", m.id
        """;

    private const string PeopleWhere = """
        from tenancy.current_memberships m
        join public.profiles p on p.id = m.user_id
        where m.school_group_id = @groupId and (@Role::text is null or m.role = @Role) and (@School::uuid is null or m.school_id = @School)
          and (@Pattern::text is null or p.display_name ilike @Pattern or p.email ilike @Pattern)
        """;

    private const string CountSql = $"select count(distinct m.user_id) {PeopleWhere}";

    private const string PeopleSql = $"""
        select x.id, x.display_name as name, x.email,
               array(select distinct y.role from tenancy.current_memberships y where y.user_id = x.id and y.school_group_id = @groupId order by 1) as roles,
               array(select distinct s.name from tenancy.current_memberships y join tenancy.schools s on s.id = y.school_id where y.user_id = x.id and y.school_group_id = @groupId order by 1) as schools
        from (select p.id, p.display_name, p.email {PeopleWhere} group by p.id, p.display_name, p.email order by p.display_name collate "und-x-icu", p.id limit @Limit offset @Offset) x
        order by x.display_name collate "und-x-icu", x.id
        """;

    private const string CellsSql = """
        select a.user_id, a.module_id, bool_or(a.can_write) as can_write, bool_or(a.can_delete) as can_delete, bool_or(a.can_export) as can_export
        from tenancy.module_access a
        where a.school_group_id = @groupId and a.user_id = any (@people) and a.granted
        group by a.user_id, a.module_id
        """;

    private const string NamedSql = $"""
        select p.id, p.display_name as name, p.email, array_agg(distinct m.role) as roles, array[]::text[] as schools {PeopleWhere} and p.id = any (@ids)
        group by p.id, p.display_name, p.email order by p.display_name, p.id
        """;

    private sealed record PersonRow(Guid Id, string Name, string Email, string[] Roles, string[] Schools);

    private sealed record CellRow(Guid UserId, Guid ModuleId, bool CanWrite, bool CanDelete, bool CanExport)
    {
        public string Letters => string.Concat("r", CanWrite ? "w" : "", CanDelete ? "d" : "", CanExport ? "e" : "");
    }

    /// <summary>The matrix of a group, a page of people at a time, by name. Refuses with NOT_FOUND for a group that the caller neither administers nor operates.</summary>
    public Task<MatrixView> Read(Caller caller, Guid groupId, ListQuery query, MatrixFilter filter, CancellationToken ct) => db.Read(caller, async session =>
    {
        var args = new { groupId, filter.Role, filter.School, query.Pattern, query.Limit, query.Offset };
        await using var grid = await session.Queries(Groups.Groups.AdministeredSql + ";" + ModulesSql + ";" + CountSql + ";" + PeopleSql, args);
        if (await grid.ReadFirstOrDefaultAsync<Guid?>() is null)
        {
            throw new Refusal(Reason.NotFound);
        }
        IReadOnlyList<MatrixModule> modules = [.. await grid.ReadAsync<MatrixModule>()];
        var total = await grid.ReadFirstAsync<long>();
        var people = (await grid.ReadAsync<PersonRow>()).ToList();
        var cells = (await session.Query<CellRow>(CellsSql, new { groupId, people = people.Select(p => p.Id).ToArray() })).ToLookup(c => c.UserId);
        return new MatrixView(modules, new Paged<MatrixPerson>(
            [.. people.Select(p => new MatrixPerson(p.Id, p.Name, p.Email, p.Roles, p.Schools, cells[p.Id].ToDictionary(c => c.ModuleId, c => c.Letters)))], total, query.Number, query.Limit));
    }, ct);

    /// <summary>The modules that the caller sees.</summary>
    public Task<IReadOnlyList<MatrixModule>> Catalogue(Caller caller, CancellationToken ct) => db.Read(caller, session => session.Query<MatrixModule>(CatalogueSql), ct);

    /// <summary>Those of some people who are of the group, without their cells.</summary>
    public Task<IReadOnlyList<MatrixPerson>> People(Caller caller, Guid groupId, Guid[] ids, CancellationToken ct) => db.Read(caller, async session =>
    {
        var rows = await session.Query<PersonRow>(NamedSql, new { groupId, ids, Role = (string?)null, School = (Guid?)null, Pattern = (string?)null });
        return (IReadOnlyList<MatrixPerson>)[.. rows.Select(p => new MatrixPerson(p.Id, p.Name, p.Email, p.Roles, p.Schools, new Dictionary<Guid, string>()))];
    }, ct);
}
