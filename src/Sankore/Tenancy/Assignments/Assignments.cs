using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>
/// Group administrators assign modules and categories of their plan to the people of their group (document 003).
/// <see cref="AssignmentRules"/> says what becomes of an attempt; one that is refused is committed to <c>module_assignment_logs</c> before
/// the caller is told.
/// </summary>
public sealed class Assignments(Db db)
{
    private const string OfSql = """
        select a.id, a.user_id, a.school_group_id as group_id, a.school_id, s.name as school_name, a.module_id, a.category_id,
          coalesce(m.code, c.slug) as code, coalesce(util.said(m.name, m.name_en), util.said(c.name, c.name_en)) as name,
               a.can_read, a.can_write, a.can_delete, a.can_export, a.is_active, a.expires_at, p.display_name as assigned_by, a.assigned_at,
                 a.version
        from tenancy.user_module_permissions a
        left join tenancy.modules m on m.id = a.module_id
        left join tenancy.business_categories c on c.id = a.category_id
        left join tenancy.schools s on s.id = a.school_id
        left join public.profiles p on p.id = a.assigned_by
        where a.user_id = @userId and (@moduleId::uuid is null or a.module_id = @moduleId)
          and (@categoryId::uuid is null or a.category_id = @categoryId)
          and (@any or a.school_id is not distinct from @schoolId) and (@groupId::uuid is null or a.school_group_id = @groupId)
          and coalesce(m.id, c.id) is not null
        order by a.is_active desc, c.name nulls last, m.name, s.name nulls first, a.id
        """;

    private const string PeopleOfRoleSql = """
        select distinct m.user_id from tenancy.current_memberships m
        where m.school_group_id = @groupId and m.role = @role and (@schoolId::uuid is null or m.school_id = @schoolId)
          and m.user_id <> (select auth.uid())
        limit 5001
        """;

    /// <summary>
    /// A person's assignments that the caller may see, revoked ones last. Refuses with NOT_FOUND for a person who is not the caller's to
    /// see.
    /// </summary>
    public Task<IReadOnlyList<Assignment>> Of(Caller caller, Guid userId, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries("select email from public.profiles where id = @userId;" + OfSql,
            new { userId, moduleId = (Guid?)null, categoryId = (Guid?)null, any = true, schoolId = (Guid?)null, groupId = (Guid?)null });
        await grid.One<string>();
        return (IReadOnlyList<Assignment>)[.. await grid.ReadAsync<Assignment>()];
    }, ct);

    /// <summary>
    /// Assigns a module or a category to a person, or changes what was assigned. Refuses with UNAUTHORIZED, ASSIGNER_EXPIRED,
    /// SELF_ASSIGNMENT, NOT_FOUND, NOT_IN_SCHOOL, SUBSCRIPTION_INACTIVE, MODULE_NOT_IN_PLAN, MODULE_INACTIVE, EXPIRY_PAST, STALE,
    /// VALIDATION_FAILED.
    /// </summary>
    /// <param name="caller">Who assigns.</param>
    /// <param name="userId">To whom.</param>
    /// <param name="target">What.</param>
    /// <param name="input">What may be done with it.</param>
    /// <param name="version">The version that the change is based on; 0: there is no such assignment yet.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<Assignment> Assign(
        Caller caller, Guid userId, AssignmentTarget target, AssignmentInput input, int version, CancellationToken ct)
    {
        new Validation().That("canRead", input.CanRead ?? true, "assignment.read").Check();
        var rights = AssignedRights.Of(input.CanWrite, input.CanDelete, input.CanExport, input.ExpiresAt);
        var change = new AssignmentChange(
            false, [userId], target.ModuleIds, target.CategoryIds, input.GroupId, input.SchoolId, rights, version);
        return await db.Run(caller, async session =>
        {
            var groupId = await Change(session, change);
            var key = new { userId, target.ModuleId, target.CategoryId, any = false, input.SchoolId, groupId };
            return await session.One<Assignment>(OfSql, key);
        }, ct);
    }

    /// <summary>
    /// Revokes an assignment; its row stays. Refuses with UNAUTHORIZED, ASSIGNER_EXPIRED, SELF_ASSIGNMENT, NOT_FOUND, STALE.
    /// </summary>
    public Task Revoke(
        Caller caller, Guid userId, AssignmentTarget target, Guid? groupId, Guid? schoolId, int? version, CancellationToken ct)
    {
        var rights = AssignedRights.Of(null, null, null, null);
        var change = new AssignmentChange(true, [userId], target.ModuleIds, target.CategoryIds, groupId, schoolId, rights, version);
        return db.Run(caller, session => Change(session, change), ct);
    }

    /// <summary>
    /// Assigns to, or revokes from, many people of a group, each by itself: what is refused to one is not refused to the others. Refuses
    /// with UNAUTHORIZED, ASSIGNER_EXPIRED, NOT_FOUND (the school), EXPIRY_PAST, VALIDATION_FAILED.
    /// </summary>
    /// <param name="caller">Who assigns.</param>
    /// <param name="groupId">The group.</param>
    /// <param name="input">To whom and what.</param>
    /// <param name="preview">Only says what would become of it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<BulkResult> Bulk(Caller caller, Guid groupId, BulkInput input, bool preview, CancellationToken ct)
    {
        input.Checked();
        var judgement = await db.Run(caller, async session =>
        {
            var people = input.UserIds is { Length: > 0 } named ? named
                : [.. await session.Query<Guid>(PeopleOfRoleSql, new { groupId, role = input.Role, input.SchoolId })];
            var (modules, categories) = (input.ModuleIds ?? [], input.CategoryIds ?? []);
            var most = Math.Min(BulkInput.MaxPeople, BulkInput.MaxPairs / Math.Max(1, modules.Length + categories.Length));
            new Validation().Between("people", people.Length, 0, most).Check();
            var rights = AssignedRights.Of(input.CanWrite, input.CanDelete, input.CanExport, input.ExpiresAt);
            var change = new AssignmentChange(input.Revoke ?? false, people, modules, categories, groupId, input.SchoolId, rights, null);
            var judged = await ChangeAssignments.Run(session, change, preview);
            return judged.Refusal is { } reason ? throw new Refusal(reason) { KeepsWork = true } : judged;
        }, ct);
        var verdicts = judgement.Verdicts;
        return new BulkResult(
            verdicts.Select(v => v.UserId).Distinct().Count(),
            verdicts.GroupBy(v => v.Outcome).ToDictionary(g => g.Key, g => g.Count()),
            [.. verdicts.Where(v => v.Refusal is not null).Take(100)
                .Select(v => new AssignmentOutcome(groupId, v.UserId, v.Target?.ModuleId, v.Target?.CategoryId, v.Outcome, false))]);
    }

    /// <summary>Changes one assignment, and gives the group that it was judged in.</summary>
    private static async Task<Guid?> Change(Session session, AssignmentChange change)
    {
        var judgement = await ChangeAssignments.Run(session, change, preview: false);
        return judgement.Verdicts[0].Refusal is { } reason ? throw new Refusal(reason) { KeepsWork = true } : judgement.GroupId;
    }
}

/// <summary>What is assigned: a module, or a category with whichever modules it has.</summary>
public sealed record AssignmentTarget(Guid? ModuleId, Guid? CategoryId)
{
    public static AssignmentTarget Module(Guid id) => new(id, null);

    public static AssignmentTarget Category(Guid id) => new(null, id);

    internal Guid[] ModuleIds => ModuleId is { } id ? [id] : [];

    internal Guid[] CategoryIds => CategoryId is { } id ? [id] : [];
}
