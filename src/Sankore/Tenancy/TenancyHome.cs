namespace Sankore.Tenancy;

/// <summary>What the network says on home pages: to whoever administers a group, to whoever works in one, and to the operator.</summary>
internal static class TenancyHome
{
    private const string PeopleSql = """
        select 'todo' as part, case when i.expires_at > now() then 'invited' else 'uninvited' end as kind, count(*) as n,
          g.name, min(i.expires_at) as at, '/groups/' || g.id || '/staff' as url, null::bigint as before
        from tenancy.invited_places p
        join tenancy.school_groups g on g.id = p.school_group_id
        join rbac.invitations i on i.id = p.invitation_id and i.used_at is null
        where p.school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
        group by g.id, i.expires_at > now()
        union all
        select 'todo', 'no_access', count(distinct m.user_id), g.name, null, '/groups/' || g.id || '/matrix', null
        from tenancy.current_memberships m
        join tenancy.school_groups g on g.id = m.school_group_id
        where m.school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]) and m.role <> 'group_admin'
          and exists (select from tenancy.live_subscriptions u where u.school_group_id = m.school_group_id)
          and not exists (
            select from tenancy.current_assignments a where a.user_id = m.user_id and a.school_group_id = m.school_group_id)
        group by g.id
        union all
        select 'todo', case i.status when 'checked' then 'import_checked' when 'failed' then 'import_failed' else 'import_errors' end, 1,
          i.file_name, i.created_at, '/imports/' || i.id, null
        from util.imports i
        where i.kind in ('groups', 'schools', 'staff') and i.created_at > now() - interval '7 days'
          and (i.status in ('checked', 'failed') or i.status = 'completed' and coalesce((i.counts ->> 'invalid')::integer, 0) > 0)
        union all
        (select 'news', 'joined', 1, p.display_name || ' · ' || g.name, m.created_at, '/people/' || m.user_id || '?group=' || g.id, null
         from tenancy.current_memberships c
         join tenancy.memberships m on m.id = c.id
         join tenancy.school_groups g on g.id = m.school_group_id
         join public.profiles p on p.id = m.user_id
         where m.school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]) and m.created_at > now() - interval '30 days'
           and m.user_id <> (select auth.uid())
         order by m.created_at desc, m.id limit 3)
        union all
        (select 'news', 'assigned', 1, coalesce(util.said(d.name, d.name_en), util.said(c.name, c.name_en)), a.assigned_at,
           tenancy.module_href(d.route, d.code), null
         from tenancy.current_assignments a
         left join tenancy.modules d on d.id = a.module_id
         left join tenancy.business_categories c on c.id = a.category_id
         where a.user_id = (select auth.uid()) and a.assigned_at > now() - interval '30 days' and (c.id is not null or d.is_built)
         order by a.assigned_at desc, a.id limit 3)
        union all
        select 'figure', k.kind, k.n, null, null, null, k.before
        from (select (tenancy.my_administered_group_ids())[1] as id) g
        cross join lateral (
          select 'schools' as kind, count(*) as n, count(*) filter (where s.created_at <= now() - interval '30 days') as before
          from tenancy.schools s where s.school_group_id = g.id
          union all
          select 'people', count(distinct m.user_id), count(distinct m.user_id) filter (where m.created_at <= now() - interval '30 days')
          from tenancy.memberships m
          where m.school_group_id = g.id and m.status = 'active' and (m.expires_at is null or m.expires_at > now())) k
        where g.id is not null
        """;

    private const string OperatorSql = """
        select 'todo' as part, k.kind, k.n, k.name, k.at, '/admin/groups?state=' || k.kind as url, null::bigint as before
        from (
          select case when s.status in ('past_due', 'suspended') then s.status else 'ending' end as kind, count(*) as n,
            case when count(*) = 1 then min(g.name) end as name, min(s.ends_at) as at
          from tenancy.latest_subscriptions s join tenancy.school_groups g on g.id = s.school_group_id
          where s.status in ('past_due', 'suspended')
            or s.status in ('trialing', 'active') and not s.auto_renew and s.ends_at < now() + interval '30 days'
          group by 1) k
        union all
        select 'todo', 'none', count(*), case when count(*) = 1 then min(g.name) end, null, '/admin/groups?state=none', null
        from tenancy.school_groups g
        where g.status = 'active' and not exists (select from tenancy.live_subscriptions u where u.school_group_id = g.id)
          and not exists (select from tenancy.subscriptions s where s.school_group_id = g.id and s.status = 'suspended')
        having count(*) > 0
        union all
        (select 'news', 'group', 1, g.name, g.created_at, '/groups/' || g.id, null
         from tenancy.school_groups g where g.created_at > now() - interval '30 days' order by g.created_at desc, g.id limit 4)
        union all
        select 'figure', k.kind, k.n, null, null, k.url, k.before
        from (
          select 1 as place, 'groups' as kind, '/admin/groups' as url, count(*) as n,
            count(*) filter (where g.created_at <= now() - interval '30 days') as before from tenancy.school_groups g
          union all
          select 2, 'schools', '/admin/schools', count(*), count(*) filter (where s.created_at <= now() - interval '30 days')
          from tenancy.schools s
          union all
          select 3, 'people', '/admin/people', count(*), count(*) filter (where p.created_at <= now() - interval '30 days')
          from public.profiles p) k
        """;

    /// <summary>The parts, in the order in which they are read.</summary>
    internal static readonly HomePart[] Parts =
    [
        new(typeof(Strings), PeopleSql, "tenancy.memberships tenancy.subscriptions tenancy.user_module_permissions tenancy.schools"),
        new(typeof(Strings), OperatorSql, "tenancy.school_groups tenancy.subscriptions tenancy.schools", "tenancy.read"),
    ];
}
