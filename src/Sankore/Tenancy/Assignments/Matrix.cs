using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A column of the matrix: a module that the group's plan has and that can be used.</summary>
public sealed record MatrixModule(
    Guid Id, string Code, string Name, string Icon, Guid CategoryId, string CategoryName, string CategoryColor);

/// <summary>A line of the matrix: a person of the group.</summary>
/// <param name="Roles">The person's roles in the group.</param>
/// <param name="Schools">The schools the person works in; none: the whole group.</param>
/// <param name="Cells">What the person may do, by module: letters of <c>rwde</c> (read, write, delete, export). Modules without access are
/// left out.</param>
public sealed record MatrixPerson(
    Guid Id, string Name, string Email, string[] Roles, string[] Schools, IReadOnlyDictionary<Guid, string> Cells);

/// <summary>A person to choose.</summary>
public sealed record PersonName(Guid Id, string Name);

/// <summary>Who has what in a group: people × modules.</summary>
public sealed record MatrixView(IReadOnlyList<MatrixModule> Modules, Paged<MatrixPerson> People);

/// <summary>What of a group's people is asked for.</summary>
public sealed record MatrixFilter
{
    /// <summary>Of this membership role.</summary>
    public string? Role { get; init; }

    public Guid? School { get; init; }
}

/// <summary>Effective access of a group's people, as the one rule has it (<c>tenancy.module_access</c>).</summary>
public sealed class Matrix(Db db)
{
    private const string Columns = "m.id, m.code, util.said(m.name, m.name_en) as name, m.icon, c.id as category_id,"
        + " util.said(c.name, c.name_en) as category_name,"
        + " c.color as category_color";

    private const string ModulesSql = $"""
        select {Columns}
        from tenancy.live_subscriptions u
        join tenancy.available_modules a on a.plan_id = u.plan_id
        join tenancy.modules m on m.id = a.module_id
        join tenancy.business_categories c on c.id = m.category_id
        where u.school_group_id = @groupId
        {Tenancy.Modules.InOrder}
        """;

    private const string CatalogueSql = $"""
        select {Columns}
        from tenancy.modules m
        join tenancy.business_categories c on c.id = m.category_id
        {Tenancy.Modules.InOrder}
        """;

    private const string PeopleSql = """
        with people as materialized (select id, name, email from tenancy.people_of_group(@groupId, @Role, @School, @Pattern)),
        page as (select * from people order by name collate "und-x-icu", id limit @Limit offset @Offset)
        select (select count(*) from people) as total, x.id, x.name, x.email,
               array(select distinct y.role from tenancy.current_memberships y where y.user_id = x.id and y.school_group_id = @groupId
                   order by 1) as roles,
               array(select distinct s.name from tenancy.current_memberships y join tenancy.schools s on s.id = y.school_id
                   where y.user_id = x.id and y.school_group_id = @groupId order by 1) as schools
        from page x
        order by x.name collate "und-x-icu", x.id
        """;

    private const string CellsSql = """
        select a.user_id, a.module_id, bool_or(a.can_write) as can_write, bool_or(a.can_delete) as can_delete,
          bool_or(a.can_export) as can_export
        from tenancy.module_access a
        where a.school_group_id = @groupId and a.user_id = any (@people) and a.granted
        group by a.user_id, a.module_id
        """;

    private const string NamedSql = """
        select id, name from tenancy.people_of_group(@groupId, null, null, null) where id = any (@ids) order by name collate "und-x-icu", id
        """;

    private sealed record PersonRow(long Total, Guid Id, string Name, string Email, string[] Roles, string[] Schools);

    private sealed record CellRow(Guid UserId, Guid ModuleId, bool CanWrite, bool CanDelete, bool CanExport)
    {
        public string Letters => string.Concat("r", CanWrite ? "w" : "", CanDelete ? "d" : "", CanExport ? "e" : "");
    }

    /// <summary>
    /// The matrix of a group, a page of people at a time, by name. Refuses with NOT_FOUND for a group that the caller neither administers
    /// nor operates.
    /// </summary>
    public Task<MatrixView> Read(
        Caller caller, Guid groupId, ListQuery query, MatrixFilter filter, CancellationToken ct) => db.Read(caller, async session =>
    {
        var args = new { groupId, filter.Role, filter.School, query.Pattern, query.Limit, query.Offset };
        await using var grid = await session.Queries(Groups.AdministeredSql + ";" + ModulesSql + ";" + PeopleSql, args);
        await grid.One<string>();
        IReadOnlyList<MatrixModule> modules = [.. await grid.ReadAsync<MatrixModule>()];
        var people = (await grid.ReadAsync<PersonRow>()).ToList();
        var total = people.Count > 0 ? people[0].Total : 0;
        var cells = (await session.Query<CellRow>(CellsSql, new { groupId, people = people.Select(p => p.Id).ToArray() }))
            .ToLookup(c => c.UserId);
        return new MatrixView(modules, new Paged<MatrixPerson>([.. people.Select(
            p => new MatrixPerson(p.Id, p.Name, p.Email, p.Roles, p.Schools, cells[p.Id].ToDictionary(c => c.ModuleId, c => c.Letters)))],
            total, query.Number, query.Limit));
    }, ct);

    /// <summary>The modules that a group's plan has and that can be used, as far as the caller sees them: the matrix' columns.</summary>
    public Task<IReadOnlyList<MatrixModule>> Modules(Caller caller, Guid groupId, CancellationToken ct) =>
        db.Read(caller, session => session.Query<MatrixModule>(ModulesSql, new { groupId }), ct);

    /// <summary>The modules that the caller sees.</summary>
    public Task<IReadOnlyList<MatrixModule>> Catalogue(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<MatrixModule>(CatalogueSql), ct);

    /// <summary>Those of some people who are of the group.</summary>
    public Task<IReadOnlyList<PersonName>> People(Caller caller, Guid groupId, Guid[] ids, CancellationToken ct) =>
        db.Read(caller, session => session.Query<PersonName>(NamedSql, new { groupId, ids }), ct);
}
