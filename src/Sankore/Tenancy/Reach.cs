using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Ui;

namespace Sankore.Tenancy;

/// <summary>Whom a change of the catalogue or of the network would touch: what a question before it says.</summary>
/// <param name="Groups">Groups with a live subscription.</param>
/// <param name="Schools">Their open schools, or the one.</param>
/// <param name="People">Those who have a place there.</param>
public sealed record Reach(long Groups, long Schools, long People)
{
    /// <summary>Whether it touches anybody.</summary>
    public bool Matters => Groups + People > 0;

    /// <summary>The same, and that nothing is lost.</summary>
    internal string WordsKept(IStringLocalizer<Strings> strings) => $"{Words(strings)} {strings["reach.kept"]}";

    /// <summary>How many they are, in the reader's words.</summary>
    internal string Words(IStringLocalizer<Strings> strings) => !Matters ? strings["reach.nobody"]
        : Groups == 0 ? strings["reach.school", strings.Count("count.people", People)]
        : strings["reach", strings.Count("count.groups", Groups), strings.Count("count.schools", Schools),
            strings.Count("count.people", People)];
}

/// <summary>Counts whom a change would touch.</summary>
public sealed class Reaches(Db db)
{
    private const string NetworkSql = """
        with touched as materialized (
          select u.school_group_id as id from tenancy.live_subscriptions u
          where u.school_group_id = @groupId or exists (
            select from tenancy.available_modules a
            where a.plan_id = u.plan_id and (a.module_id = @moduleId or a.category_id = @categoryId)))
        select (select count(*) from touched) as groups,
               (select count(*) from tenancy.schools s
                 where s.status = 'active' and s.school_group_id in (select id from touched)) as schools,
               (select count(distinct m.user_id) from tenancy.current_memberships m
                 where m.school_group_id in (select id from touched)) as people
        """;

    private const string SchoolSql = """
        select 0::bigint as groups, 1::bigint as schools, (
          select count(distinct m.user_id) from tenancy.current_memberships m where m.school_id = @schoolId) as people
        """;

    /// <summary>The group, if it lives on a plan.</summary>
    public Task<Reach> OfGroup(Caller caller, Guid groupId, CancellationToken ct) => Network(caller, groupId, null, null, ct);

    /// <summary>The groups that have the module now.</summary>
    public Task<Reach> OfModule(Caller caller, Guid moduleId, CancellationToken ct) => Network(caller, null, moduleId, null, ct);

    /// <summary>The groups that have a module of the category now.</summary>
    public Task<Reach> OfCategory(Caller caller, Guid categoryId, CancellationToken ct) => Network(caller, null, null, categoryId, ct);

    /// <summary>The people of a school.</summary>
    public Task<Reach> OfSchool(Caller caller, Guid schoolId, CancellationToken ct) =>
        db.Read(caller, session => session.One<Reach>(SchoolSql, new { schoolId }), ct);

    private Task<Reach> Network(Caller caller, Guid? groupId, Guid? moduleId, Guid? categoryId, CancellationToken ct) =>
        db.Read(caller, session => session.One<Reach>(NetworkSql, new { groupId, moduleId, categoryId }), ct);
}
