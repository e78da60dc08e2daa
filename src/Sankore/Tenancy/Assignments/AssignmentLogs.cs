using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>What of the assignment log is asked for.</summary>
public sealed record AssignmentLogFilter
{
    /// <summary>The group; an administrator of one sees that one anyway.</summary>
    public Guid? Group { get; init; }

    /// <summary>To whom.</summary>
    public Guid? User { get; init; }

    /// <summary>By whom.</summary>
    public Guid? By { get; init; }

    /// <summary><c>assigned</c>, <c>updated</c>, <c>revoked</c> or <c>refused</c>.</summary>
    public string? Action { get; init; }

    /// <summary>Not before.</summary>
    public Moment? From { get; init; }

    /// <summary>Before.</summary>
    public Moment? To { get; init; }
}

/// <summary>Who assigned what to whom, and what was refused (document 003, « Logs d'audit »).</summary>
public sealed class AssignmentLogs(Db db)
{
    /// <summary>The actions that the log knows.</summary>
    public static readonly string[] Actions = ["assigned", "updated", "revoked", "refused"];

    private const string Where = """
        from tenancy.module_assignment_logs l
        where (@Group::uuid is null or l.school_group_id = @Group) and (@User::uuid is null or l.user_id = @User)
          and (@By::uuid is null or l.assigned_by = @By)
          and (@Action::text is null or l.action = @Action) and (@from::timestamptz is null or l.created_at >= @from)
            and (@to::timestamptz is null or l.created_at < @to)
        """;

    private const string PageSql = $"""
        select l.id, l.action, l.reason, l.user_id, u.display_name as "user", l.module_id, l.category_id,
          coalesce(util.said(m.name, m.name_en), util.said(c.name, c.name_en)) as target, l.school_id, s.name as school,
               l.school_group_id as group_id, l.assigned_by as assigned_by_id, b.display_name as assigned_by, l.before::text, l.after::text,
                 l.created_at as at
        from (select * {Where} order by l.id desc limit @Limit offset @Offset) l
        left join public.profiles u on u.id = l.user_id
        left join public.profiles b on b.id = l.assigned_by
        left join tenancy.modules m on m.id = l.module_id
        left join tenancy.business_categories c on c.id = l.category_id
        left join tenancy.schools s on s.id = l.school_id
        order by l.id desc
        """;

    private sealed record Row(
        long Id, string Action, string? Reason, Guid? UserId, string? User, Guid? ModuleId, Guid? CategoryId, string? Target,
        Guid? SchoolId, string? School,
        Guid? GroupId, Guid? AssignedById, string? AssignedBy, string? Before, string? After, DateTime At)
    {
        public AssignmentLogEntry ToEntry() =>
            new(Id, Action, Reason, UserId, User, ModuleId, CategoryId, Target, SchoolId, School, GroupId, AssignedById, AssignedBy,
            AssignedRights.Parse(Before), AssignedRights.Parse(After), At);
    }

    /// <summary>Entries that the caller may see, newest first, a page at a time.</summary>
    public Task<Paged<AssignmentLogEntry>> List(
        Caller caller, ListQuery query, AssignmentLogFilter filter, CancellationToken ct) => db.Read(caller, async session =>
        (await session.Page<Row>(query, $"select count(*) {Where};" + PageSql, new
        {
            filter.Group,
            filter.User,
            filter.By,
            filter.Action,
            from = filter.From?.Utc,
            to = filter.To?.Utc,
            query.Limit,
            query.Offset,
        })).Select(r => r.ToEntry()), ct);
}
