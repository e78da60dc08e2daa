using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>
/// Judges a change of assignments and writes what comes of it, with the log of what was done and of what was refused. It reads and writes
/// as the server, in the caller's name: whether somebody or something exists is part of the answer, and no person's own role writes here.
/// </summary>
internal static class ChangeAssignments
{
    // Before any row, as whoever changes plans, modules and groups does (decision 7): each attempt is judged by what the last one left, and
    // nothing changes under it.
    private const string LockSql = "select live.lock()::text;";

    private const string Administered =
        """
        (select a.school_group_id from tenancy.memberships a
         where a.user_id = @caller and a.role = 'group_admin' and a.status = 'active')
        """;

    private const string FactsSql = $"""
        select now();
        select m.school_group_id as group_id, m.role, m.status = 'active' as is_active,
               exists (select 1 from tenancy.current_memberships c where c.id = m.id) as is_current
        from tenancy.memberships m where m.user_id = @caller order by m.created_at, m.id;
        select school_group_id from tenancy.schools where id = @SchoolId;
        select p.id from public.profiles p where p.id = any (@UserIds)
          and (p.id = @caller or (select rbac.has_permission(@caller, 'identity.read')) or exists (
            select from tenancy.memberships m where m.user_id = p.id and m.school_group_id in {Administered}));
        select m.user_id, m.school_group_id as group_id, m.school_id, m.status = 'active' as is_active
        from tenancy.memberships m where m.user_id = any (@UserIds) and m.school_group_id in {Administered};
        select m.id as module_id, null::uuid as category_id, u.school_group_id as group_id,
               exists (select 1 from tenancy.included_modules i where i.plan_id = u.plan_id and i.module_id = m.id) as included,
               exists (select 1 from tenancy.available_modules i where i.plan_id = u.plan_id and i.module_id = m.id) as available
        from tenancy.modules m
        left join tenancy.live_subscriptions u on u.school_group_id in {Administered}
        where m.id = any (@ModuleIds);
        select null::uuid as module_id, c.id as category_id, u.school_group_id as group_id,
               exists (select 1 from tenancy.included_modules i join tenancy.modules m on m.id = i.module_id
                       where i.plan_id = u.plan_id and m.category_id = c.id) as included,
               exists (select 1 from tenancy.available_modules i where i.plan_id = u.plan_id and i.category_id = c.id) as available
        from tenancy.business_categories c
        left join tenancy.live_subscriptions u on u.school_group_id in {Administered}
        where c.id = any (@CategoryIds);
        select x.id, x.user_id, x.school_group_id as group_id, x.module_id, x.category_id,
               x.can_read, x.can_write, x.can_delete, x.can_export, x.expires_at, x.is_active, x.version
        from tenancy.user_module_permissions x
        where x.user_id = any (@UserIds) and x.school_group_id in {Administered} and x.school_id is not distinct from @SchoolId
          and (x.module_id = any (@ModuleIds) or x.category_id = any (@CategoryIds))
        """;

    private const string WriteSql = """
        with line as (
          select *
          from unnest(
            @users::uuid[], @modules::uuid[], @categories::uuid[], @existing::uuid[], @actions::text[], @reasons::text[], @before::text[])
            as l (user_id, module_id, category_id, existing_id, action, reason, before)),
        assigned as (
          insert into tenancy.user_module_permissions as x
            (user_id, school_group_id, school_id, module_id, category_id, can_write, can_delete, can_export, expires_at, assigned_by)
          select l.user_id, @group, @school, l.module_id, l.category_id, @canWrite, @canDelete, @canExport, @expiresAt, @caller
          from line l where l.action in ('assigned', 'updated')
          on conflict on constraint user_module_permissions_target_unique do update
            set can_write = excluded.can_write, can_delete = excluded.can_delete, can_export = excluded.can_export, is_active = true,
                expires_at = excluded.expires_at, assigned_by = excluded.assigned_by, assigned_at = now(),
                version = x.version + 1, updated_at = now()),
        revoked as (
          update tenancy.user_module_permissions x
          set is_active = false, assigned_by = @caller, version = x.version + 1, updated_at = now()
          from line l where l.action = 'revoked' and x.id = l.existing_id)
        insert into tenancy.module_assignment_logs
          (action, reason, user_id, module_id, category_id, school_id, school_group_id, assigned_by, before, after)
        select l.action, l.reason, l.user_id, l.module_id, l.category_id, @school, @logGroup, @caller, l.before::jsonb, @after::jsonb
        from line l
        """;

    /// <summary>Judges a change, and writes it down unless it is only looked at beforehand.</summary>
    public static Task<AssignmentJudgement> Run(Session session, AssignmentChange change, bool preview)
    {
        var caller = session.Caller.UserId ?? throw new Refusal(Reason.Forbidden);
        return session.AsService(async server =>
        {
            var judgement = AssignmentRules.Judge(change, await Facts(server, caller, change, preview));
            if (!preview && judgement.Verdicts.Where(v => v.Action != "unchanged").ToList() is { Count: > 0 } lines)
            {
                await server.Execute(WriteSql, Values(caller, change, judgement, lines));
            }
            return judgement;
        });
    }

    private static async Task<AssignmentFacts> Facts(Session server, Guid caller, AssignmentChange change, bool preview)
    {
        await using var grid = await server.Queries((preview ? "" : LockSql) + FactsSql, new
        {
            caller,
            change.UserIds,
            change.ModuleIds,
            change.CategoryIds,
            change.SchoolId,
        });
        if (!preview)
        {
            await grid.ReadAsync<object>();
        }
        var now = await grid.ReadFirstAsync<DateTime>();
        IReadOnlyList<CallerPlace> places = [.. await grid.ReadAsync<CallerPlace>()];
        var schoolGroup = await grid.ReadFirstOrDefaultAsync<Guid?>();
        var people = (await grid.ReadAsync<Guid>()).ToHashSet();
        IReadOnlyList<PersonPlace> personPlaces = [.. await grid.ReadAsync<PersonPlace>()];
        IReadOnlyList<AssignmentOffer> offers = [.. await grid.ReadAsync<AssignmentOffer>(), .. await grid.ReadAsync<AssignmentOffer>()];
        IReadOnlyList<ExistingAssignment> existing = [.. await grid.ReadAsync<ExistingAssignment>()];
        return new AssignmentFacts(caller, now, places, schoolGroup, people, personPlaces, offers, existing);
    }

    private static object Values(
        Guid caller, AssignmentChange change, AssignmentJudgement judgement, IReadOnlyList<AssignmentVerdict> lines)
    {
        // Twenty thousand assignments have few different rights between them.
        var had = lines.Select(l => l.Had).OfType<AssignedRights>().Distinct().ToDictionary(r => r, r => r.ToJson());
        return new
        {
            caller,
            users = lines.Select(l => l.UserId).ToArray(),
            modules = lines.Select(l => l.Target?.ModuleId).ToArray(),
            categories = lines.Select(l => l.Target?.CategoryId).ToArray(),
            existing = lines.Select(l => l.ExistingId).ToArray(),
            actions = lines.Select(l => l.Action).ToArray(),
            reasons = lines.Select(l => l.Refusal?.Code).ToArray(),
            before = lines.Select(l => l.Had is { } rights ? had[rights] : null).ToArray(),
            after = change.Revokes ? null : change.Rights.ToJson(),
            group = judgement.GroupId,
            logGroup = judgement.LogGroupId,
            school = change.SchoolId,
            canWrite = change.Rights.Write,
            canDelete = change.Rights.Delete,
            canExport = change.Rights.Export,
            expiresAt = change.Rights.ExpiresAt?.UtcDateTime,
        };
    }
}
