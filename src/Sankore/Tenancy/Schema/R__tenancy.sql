-- ── What the caller has: places, plans, modules, topics ──

create or replace function tenancy.my_group_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct school_group_id), '{}') from tenancy.current_memberships where user_id = auth.uid()
$$;

create or replace function tenancy.my_administered_group_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct school_group_id), '{}') from tenancy.current_memberships
  where user_id = auth.uid() and role = 'group_admin'
$$;

create or replace function tenancy.my_school_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct school_id), '{}') from tenancy.current_memberships where user_id = auth.uid() and school_id is not null
$$;

-- The people of the groups that the caller administers.
create or replace function tenancy.my_people_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct user_id), '{}') from tenancy.memberships
  where school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
$$;

create or replace function tenancy.my_plan_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct u.plan_id), '{}')
  from tenancy.current_memberships m
  join tenancy.live_subscriptions u on u.school_group_id = m.school_group_id
  where m.user_id = auth.uid()
$$;

-- The plans of the groups that the caller administers.
create or replace function tenancy.my_administered_plan_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct u.plan_id), '{}')
  from tenancy.current_memberships m
  join tenancy.live_subscriptions u on u.school_group_id = m.school_group_id
  where m.user_id = auth.uid() and m.role = 'group_admin'
$$;

-- The modules whose chain holds somewhere for the caller (tenancy.module_access).
create or replace function tenancy.my_module_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct module_id), '{}') from tenancy.module_access where user_id = auth.uid() and granted
$$;

create or replace function tenancy.my_category_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct c.id), '{}')
  from tenancy.business_categories c
  where c.status = 'active'
    and (
        exists (select 1 from tenancy.plan_categories pc
          where pc.category_id = c.id and pc.plan_id = any ((select tenancy.my_administered_plan_ids())::uuid[]))
      or exists (select 1 from tenancy.modules m where m.category_id = c.id and m.id = any ((select tenancy.my_module_ids())::uuid[])))
$$;

-- The invitations into groups that the caller administers.
create or replace function tenancy.my_invitation_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(invitation_id), '{}') from tenancy.invited_places
  where school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
$$;

-- What the stream of each of some people is told, but for their own topic; and the seconds until the first of their places or assignments
-- ends. Whoever reads the whole catalogue has no need of the plans' narrower events; a group's administrator hears of all that the plan
-- has, other people of what was assigned to them, in the terms it was assigned in. For many people at once: they may all come at once.
-- In PL/pgSQL, which keeps its plan.
drop function if exists tenancy.my_topics(), tenancy.my_rights_end_at(), tenancy.tell_module(uuid), tenancy.tell_category(uuid),
  tenancy.tell_modules_of(uuid), tenancy.tell(text, uuid, integer, uuid[], text[], jsonb, jsonb);
create or replace function tenancy.rights_of_people(p_user_ids uuid[]) returns table (user_id uuid, kind text, items text[])
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  return query
  with places as materialized (
    select m.* from tenancy.current_memberships m where m.user_id = any (p_user_ids)),
  assigned as materialized (
    select a.* from tenancy.current_assignments a where a.user_id = any (p_user_ids)),
  catalogue_readers as materialized (
    select u as user_id from unnest(p_user_ids) u where rbac.has_permission(u, 'tenancy.read')),
  plans as materialized (
    select p.user_id, p.school_group_id, p.school_id, p.role, u.plan_id
    from places p join tenancy.live_subscriptions u on u.school_group_id = p.school_group_id
    where p.user_id not in (select c.user_id from catalogue_readers c)),
  topics as (
    select u as user_id, 'everyone' as topic from unnest(p_user_ids) u
    union select c.user_id, 'catalogue' from catalogue_readers c
    union select p.user_id, 'plan:' || p.plan_id from plans p where p.role = 'group_admin'
    union select p.user_id, 'plan:' || p.plan_id || case
      when a.module_id is null then ':category:' || a.category_id else ':module:' || a.module_id end
      from plans p
      join tenancy.schools s on s.id = p.school_id and s.status = 'active'
      join assigned a on a.user_id = p.user_id and a.school_group_id = p.school_group_id
        and (a.school_id is null or a.school_id = p.school_id)
      where p.role <> 'group_admin'
    union select p.user_id, 'group:' || p.school_group_id from places p
    union select p.user_id, 'admin:' || p.school_group_id from places p where p.role = 'group_admin'
    union select p.user_id, 'school:' || p.school_id from places p where p.school_id is not null),
  ends as (
    select e.user_id, min(e.expires_at) as ends_at
    from (select p.user_id, p.expires_at from places p union all select a.user_id, a.expires_at from assigned a) e group by e.user_id)
  select t.user_id, 'topic', array_agg(t.topic order by t.topic) from topics t group by t.user_id
  union all
  select e.user_id, 'seconds_left', array[extract(epoch from e.ends_at - now())::text] from ends e where isfinite(e.ends_at);
end $$;
grant execute on function tenancy.rights_of_people(uuid[]) to service_role;

grant
  execute on function tenancy.my_group_ids(), tenancy.my_administered_group_ids(), tenancy.my_people_ids(), tenancy.my_school_ids(),
  tenancy.my_plan_ids(),
  tenancy.my_administered_plan_ids(), tenancy.my_module_ids(), tenancy.my_category_ids(),
  tenancy.my_invitation_ids() to authenticated;

-- The caller's menu of modules: what may be done in each, wherever in the network.
create or replace function tenancy.my_menu()
  returns table (id uuid, code text, name text, description text, icon text, route text, priority integer,
  category_id uuid, category_name text, color text, sort_order integer, can_write boolean, can_delete boolean, can_export boolean)
language sql stable security definer set search_path = '' as $$
  select m.id, m.code, util.said(m.name, m.name_en), m.description, m.icon, tenancy.module_href(m.route, m.code), m.priority, c.id,
    util.said(c.name, c.name_en), c.color, c.sort_order,
    a.can_write, a.can_delete, a.can_export
  from (
    select module_id, bool_or(can_write) as can_write, bool_or(can_delete) as can_delete, bool_or(can_export) as can_export
    from tenancy.module_access where user_id = auth.uid() and granted group by module_id) a
  join tenancy.modules m on m.id = a.module_id
  join tenancy.business_categories c on c.id = m.category_id
  order by c.sort_order, util.said(c.name, c.name_en) collate "und-x-icu", c.id, m.priority,
    util.said(m.name, m.name_en) collate "und-x-icu", m.id
$$;
grant execute on function tenancy.my_menu() to authenticated;

-- How it stands with the group of the caller's first place, the one that pages name, unless all is well; and who can be asked there.
create or replace function tenancy.my_standing()
  returns table (state text, ends_at timestamptz, time_zone text, administrators text[], contact_email text, contact_phone text)
language sql stable security definer set search_path = '' as $$
  select case when g.status <> 'active' then 'closed' when s.status in ('trialing', 'active') then 'ending' else coalesce(s.status, 'none')
    end, s.ends_at, g.time_zone,
    array(select p.display_name from tenancy.current_memberships a join public.profiles p on p.id = a.user_id
      where a.school_group_id = g.id and a.role = 'group_admin' order by p.display_name collate "und-x-icu", p.id limit 3),
    g.contact_email, g.contact_phone
  from (select c.school_group_id from tenancy.current_memberships c where c.user_id = auth.uid()
    order by c.school_id nulls first, c.id limit 1) m
  join tenancy.school_groups g on g.id = m.school_group_id
  left join tenancy.latest_subscriptions s on s.school_group_id = g.id
  where g.status <> 'active' or s.status is null or s.status not in ('trialing', 'active')
    or not s.auto_renew and s.ends_at < now() + interval '14 days'
$$;
grant execute on function tenancy.my_standing() to authenticated;

-- What an application elsewhere is told of whoever opens it: who it is, what they may do there, and for which schools.
create or replace function tenancy.my_launch(p_code text)
  returns table (route text, email text, display_name text, locale text, can_write boolean, can_delete boolean, can_export boolean,
    places jsonb)
language sql stable security definer set search_path = '' as $$
  select m.route, p.email, p.display_name, p.locale, bool_or(a.can_write), bool_or(a.can_delete), bool_or(a.can_export),
    jsonb_agg(jsonb_build_object('role', c.role,
      'group', jsonb_build_object('id', g.id, 'code', g.code, 'name', g.name),
      'school', case when s.id is not null then jsonb_build_object('id', s.id, 'code', s.code, 'name', s.name) end) order by c.id)
  from tenancy.module_access a
  join tenancy.modules m on m.id = a.module_id
  join public.profiles p on p.id = a.user_id
  join tenancy.memberships c on c.id = a.membership_id
  join tenancy.school_groups g on g.id = a.school_group_id
  left join tenancy.schools s on s.id = a.school_id
  where a.user_id = auth.uid() and a.code = p_code and a.granted and m.route like 'https://%'
  group by m.id, p.id
$$;
grant execute on function tenancy.my_launch(text) to authenticated;

-- What the caller's plan has, and is not built yet (document 002: it is in no menu).
create or replace function tenancy.my_coming_modules() returns table (name text, description text, category text, color text)
language sql stable security definer set search_path = '' as $$
  select util.said(m.name, m.name_en), m.description, util.said(c.name, c.name_en), c.color
  from tenancy.included_modules i
  join tenancy.modules m on m.id = i.module_id
  join tenancy.business_categories c on c.id = m.category_id
  where i.plan_id = any (tenancy.my_plan_ids()) and not m.is_built and m.status = 'active' and c.status = 'active'
  group by m.id, c.id
  order by c.sort_order, c.name collate "und-x-icu", m.priority, m.name collate "und-x-icu"
$$;
grant execute on function tenancy.my_coming_modules() to authenticated;

-- The people who work in a group, for who administers it and for the operator. Profiles are looked up one by one: a plan that reads all of
-- them, comparing each with the group's two thousand people, takes a second.
create or replace function tenancy.people_of_group(p_group_id uuid, p_role text, p_school_id uuid, p_pattern text)
  returns table (id uuid, name text, email text)
language sql stable security definer set search_path = '' as $$
  select m.user_id, p.display_name, p.email
  from (select distinct c.user_id from tenancy.current_memberships c
        where c.school_group_id = p_group_id and (p_role is null or c.role = p_role)
          and (p_school_id is null or c.school_id = p_school_id)) m
  cross join lateral (select x.display_name, x.email from public.profiles x where x.id = m.user_id limit 1) p
  where util.finds(p_pattern, p.display_name, p.email)
    and (p_group_id = any (tenancy.my_administered_group_ids()) or rbac.has_permission(auth.uid(), 'tenancy.read'))
$$;
grant execute on function tenancy.people_of_group(uuid, text, uuid, text) to authenticated;

-- A plan's name: of the one that a group had, too, which its administrator no longer sees.
create or replace function tenancy.plan_name(p_id uuid) returns text
language sql stable security definer set search_path = '' as $$ 
  select util.said(p.name, p.name_en) from tenancy.subscription_plans p where p.id = p_id
 $$;
grant execute on function tenancy.plan_name(uuid) to authenticated, service_role;

create or replace function tenancy.module_name(p_code text) returns text
language sql stable security definer set search_path = '' as $$ 
  select util.said(name, name_en) from tenancy.modules where code = p_code
 $$;
grant execute on function tenancy.module_name(text) to authenticated;

-- The chain of one person and module, place by place, for the person, for who administers the place's group, and for the operator.
create or replace function tenancy.explain_access(p_user_id uuid, p_code text) returns table (
  group_name text, school_name text, plan_name text, subscription_status text, module_active boolean, module_built boolean,
    included boolean, subscription_live boolean,
  on_in_school boolean, is_group_admin boolean, assigned boolean, can_write boolean, can_delete boolean, can_export boolean,
    granted boolean, revoked boolean, expired_at timestamptz)
language sql stable security definer set search_path = '' as $$
  select g.name, s.name, util.said(p.name, p.name_en), u.status, k.module_active, k.module_built, k.included,
    k.subscription_live, k.on_in_school,
    k.is_group_admin, k.assigned,
         k.can_write, k.can_delete, k.can_export, k.granted, coalesce(a.revoked, false), a.expired_at
  from tenancy.module_access k
  join tenancy.school_groups g on g.id = k.school_group_id
  left join tenancy.schools s on s.id = k.school_id
  left join tenancy.subscription_plans p on p.id = k.plan_id
  left join lateral (
    select x.status from tenancy.subscriptions x where x.school_group_id = k.school_group_id
    order by tenancy.is_live(x.status) desc, x.starts_at desc, x.id desc limit 1) u on true
  left join lateral (
    select bool_or(not x.is_active) as revoked, max(x.expires_at) filter (where x.is_active and x.expires_at <= now()) as expired_at
    from tenancy.user_module_permissions x
    where x.user_id = k.user_id and x.school_group_id = k.school_group_id and (x.school_id is null or x.school_id = k.school_id)
      and (x.module_id = k.module_id or x.category_id = k.category_id)) a on true
  where k.user_id = p_user_id and k.code = p_code
    and (p_user_id = auth.uid() or k.school_group_id = any (tenancy.my_administered_group_ids())
        or rbac.has_permission(auth.uid(), 'tenancy.read'))
  order by k.granted desc, k.is_group_admin desc, g.name, s.name
$$;
grant execute on function tenancy.explain_access(uuid, text) to authenticated;

-- ── Versions and audit ──

do $$
declare
  v_table text;
begin
  foreach v_table
    in array array['business_categories', 'modules', 'subscription_plans', 'school_groups', 'subscriptions', 'memberships'] loop
    execute format('create or replace trigger %I before update on tenancy.%I for each row execute function util.touch()',
      v_table || '_touch', v_table);
  end loop;
end $$;
-- What a school follows from its plan is not a change that somebody made of it: no version, no line of the audit log.
create or replace trigger schools_touch before update of school_group_id, name, code, level, city, status on tenancy.schools
  for each row execute function util.touch();

-- Assignments have a log of their own, which knows the refusals too.
select audit.watch(format('tenancy.%I', t)::regclass)
from unnest(
    array['business_categories', 'modules', 'subscription_plans', 'plan_modules', 'plan_categories', 'school_groups', 'subscriptions',
      'memberships']) t;
select audit.watch('tenancy.schools', 'active_modules', 'subscription_id');
select util.after_statement('tenancy.schools', 'audit', 'update', 'audit.log_version_change', 'active_modules', 'subscription_id');
