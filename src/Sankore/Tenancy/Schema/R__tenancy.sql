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
  select e.user_id, 'seconds_left', array[extract(epoch from e.ends_at - now())::text] from ends e where e.ends_at is not null;
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
  select m.id, m.code, m.name, m.description, m.icon, coalesce(m.route, '/m/' || m.code), m.priority, c.id, c.name, c.color, c.sort_order,
    a.can_write, a.can_delete, a.can_export
  from (
    select module_id, bool_or(can_write) as can_write, bool_or(can_delete) as can_delete, bool_or(can_export) as can_export
    from tenancy.module_access where user_id = auth.uid() and granted group by module_id) a
  join tenancy.modules m on m.id = a.module_id
  join tenancy.business_categories c on c.id = m.category_id
  order by c.sort_order, c.name collate "und-x-icu", c.id, m.priority, m.name collate "und-x-icu", m.id
$$;
grant execute on function tenancy.my_menu() to authenticated;

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
  where (p_pattern is null or p.display_name ilike p_pattern or p.email ilike p_pattern)
    and (p_group_id = any (tenancy.my_administered_group_ids()) or rbac.has_permission(auth.uid(), 'tenancy.read'))
$$;
grant execute on function tenancy.people_of_group(uuid, text, uuid, text) to authenticated;

create or replace function tenancy.module_name(p_code text) returns text
language sql stable security definer set search_path = '' as $$ select name from tenancy.modules where code = p_code $$;
grant execute on function tenancy.module_name(text) to authenticated;

-- The chain of one person and module, place by place, for the person, for who administers the place's group, and for the operator.
create or replace function tenancy.explain_access(p_user_id uuid, p_code text) returns table (
  group_name text, school_name text, plan_name text, subscription_status text, module_active boolean, module_built boolean,
    included boolean, subscription_live boolean,
  on_in_school boolean, is_group_admin boolean, assigned boolean, can_write boolean, can_delete boolean, can_export boolean,
    granted boolean, revoked boolean, expired_at timestamptz)
language sql stable security definer set search_path = '' as $$
  select g.name, s.name, p.name, u.status, k.module_active, k.module_built, k.included, k.subscription_live, k.on_in_school,
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

-- ── The feed: what each audience is told ──

create or replace function tenancy.plans_including(p_module_id uuid) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(plan_id order by plan_id), '{}') from tenancy.included_modules where module_id = p_module_id
$$;

-- Who hears of a module: a plan's administrators, and those to whom it or its category was assigned. Nobody, while it cannot be used.
create or replace function tenancy.module_topics(p_id uuid) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(t order by t), '{}')
  from tenancy.available_modules a,
  lateral (values ('plan:' || a.plan_id), ('plan:' || a.plan_id || ':category:' || a.category_id),
      ('plan:' || a.plan_id || ':module:' || a.module_id)) v (t)
  where a.module_id = p_id
$$;

-- Who hears of a category: those who have a module of it, and the administrators of plans that include it, empty as it may be.
create or replace function tenancy.category_topics(p_id uuid) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct t order by t), '{}') from (
    select 'plan:' || pc.plan_id as t
    from tenancy.plan_categories pc join tenancy.business_categories c on c.id = pc.category_id and c.status = 'active'
    where pc.category_id = p_id
    union all
    select v.t
    from tenancy.available_modules a,
    lateral (values ('plan:' || a.plan_id), ('plan:' || a.plan_id || ':category:' || a.category_id),
        ('plan:' || a.plan_id || ':module:' || a.module_id)) v (t)
    where a.category_id = p_id) x
$$;

-- A module as its members see it; the operator's row has more, with the plans that include it (p_plan_ids; null: a member's row).
create or replace function tenancy.module_row(p_module tenancy.modules, p_plan_ids uuid[]) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_strip_nulls(jsonb_build_object(
      'code', p_module.code, 'name', p_module.name, 'description', p_module.description, 'icon', p_module.icon,
      'route', coalesce(p_module.route, '/m/' || p_module.code), 'priority', p_module.priority, 'status', p_module.status,
      'version', p_module.version, 'categoryId', p_module.category_id,
      'category', (select jsonb_build_object('name', c.name, 'color', c.color, 'sortOrder', c.sort_order)
                   from tenancy.business_categories c where c.id = p_module.category_id)))
    || case when p_plan_ids is null then '{}' else jsonb_build_object(
      'kind', p_module.kind, 'sector', p_module.sector, 'isBuilt', p_module.is_built,
      'state', case when p_module.is_built then p_module.status else 'building' end,
      'planIds', to_jsonb(p_plan_ids)) end
$$;

create or replace function tenancy.category_row(p_category tenancy.business_categories) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'name', p_category.name, 'slug', p_category.slug, 'description', p_category.description, 'icon', p_category.icon,
    'color', p_category.color, 'sortOrder', p_category.sort_order, 'status', p_category.status, 'version', p_category.version))
$$;

-- ── Who is told: the difference between what was told and what is true at commit ──

-- Tells the operator and the other audiences what became of a row, as it is at commit, each in its own terms: gone for those who lose it,
-- changed for those who keep it, new for those who gain it; nothing twice. The log's lock comes first: what is read after it, statement by
-- statement, is what everybody who committed before has left (READ COMMITTED, as all of Db.Run).
create or replace function tenancy.publish_change(p_table text, p_id uuid, p_version integer, p_including uuid[], p_topics text[],
    p_operator_row jsonb, p_member_row jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_told tenancy.told_audiences;
  v_before text[];
begin
  select * into v_told from tenancy.told_audiences where table_name = p_table and row_id = p_id;
  v_before := coalesce(v_told.topics, '{}');
  if p_version is null then
    if v_told.row_id is not null then
      delete from tenancy.told_audiences where table_name = p_table and row_id = p_id;
      perform live.publish(p_table, 'DELETE', p_id::text, null, array['catalogue'] || v_before);
    end if;
  elsif (v_told.version, v_told.including_plan_ids, v_told.topics) is distinct from (p_version, p_including, p_topics) then
    insert into tenancy.told_audiences values (p_table, p_id, p_version, p_including, p_topics)
    on conflict on constraint told_audiences_pkey do update
      set version = excluded.version, including_plan_ids = excluded.including_plan_ids, topics = excluded.topics;
    perform live.publish(p_table, case
        when v_told.row_id is null then 'INSERT' else 'UPDATE' end, p_id::text, p_operator_row, array['catalogue']);
    perform live.publish(p_table, 'DELETE', p_id::text, null, array(select unnest(v_before) except select unnest(p_topics)));
    if v_told.version is distinct from p_version then
      perform live.publish(p_table, 'UPDATE', p_id::text, p_member_row, array(select unnest(v_before) intersect select unnest(p_topics)));
    end if;
    perform live.publish(p_table, 'INSERT', p_id::text, p_member_row, array(select unnest(p_topics) except select unnest(v_before)));
  end if;
end $$;

create or replace function tenancy.publish_module(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_module    tenancy.modules;
  v_including uuid[];
begin
  perform live.lock();
  select * into v_module from tenancy.modules where id = p_id;
  v_including := tenancy.plans_including(p_id);
  perform tenancy.publish_change('tenancy.modules', p_id, v_module.version, v_including,
    tenancy.module_topics(p_id), tenancy.module_row(v_module, v_including), tenancy.module_row(v_module, null));
end $$;

create or replace function tenancy.publish_category(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_category tenancy.business_categories;
begin
  perform live.lock();
  select * into v_category from tenancy.business_categories where id = p_id;
  perform tenancy.publish_change('tenancy.business_categories', p_id, v_category.version, '{}', tenancy.category_topics(p_id),
    tenancy.category_row(v_category), tenancy.category_row(v_category));
end $$;

create or replace function tenancy.publish_modules_of(p_category_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform live.lock();
  perform tenancy.publish_module(m.id) from (select id from tenancy.modules where category_id = p_category_id order by priority, id) m;
end $$;

create or replace function tenancy.notify_module_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.publish_module(coalesce(new.id, old.id));
  perform pg_notify('module_changed',
      json_build_object('op', tg_op, 'id', coalesce(new.id, old.id), 'code', coalesce(new.code, old.code))::text);
  return null;
end $$;

create or replace function tenancy.notify_category_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.publish_category(coalesce(new.id, old.id));
  if tg_op = 'UPDATE' and old.status <> new.status then
    perform tenancy.publish_modules_of(new.id);
  end if;
  perform pg_notify('category_changed',
      json_build_object('op', tg_op, 'id', coalesce(new.id, old.id), 'slug', coalesce(new.slug, old.slug))::text);
  return null;
end $$;

-- A link that comes or goes is, for the plan's people, a module or a category that comes or goes.
create or replace function tenancy.notify_plan_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_table_name = 'plan_modules' then
    perform tenancy.publish_module(m) from unnest(array[old.module_id, new.module_id]) m where m is not null;
  else
    perform tenancy.publish_category(c), tenancy.publish_modules_of(c)
      from (select distinct c from unnest(array[old.category_id, new.category_id]) c where c is not null) x;
  end if;
  return null;
end $$;

select util.at_commit(v_table::regclass, v_name || '_change_trigger', 'insert or update or delete',
    format('tenancy.notify_%s_change', v_name))
from (values
  ('tenancy.modules', 'module'),
  ('tenancy.business_categories', 'category'),
  ('tenancy.plan_modules', 'plan'),
  ('tenancy.plan_categories', 'plan')) v (v_table, v_name);

-- For rows that came without their triggers (the demo network's COPY): nobody was listening, and this is what they will have been told.
create or replace function tenancy.remember_audiences() returns void
language sql security definer set search_path = '' as $$
  insert into tenancy.told_audiences
  select 'tenancy.modules', m.id, m.version, tenancy.plans_including(m.id), tenancy.module_topics(m.id) from tenancy.modules m
  union all
  select 'tenancy.business_categories', c.id, c.version, '{}', tenancy.category_topics(c.id) from tenancy.business_categories c
  on conflict on constraint told_audiences_pkey do nothing
$$;

-- Who joins or leaves a place, a group whose plan or state changes, a school that closes: their topics are decided anew. Said at once and
-- not at commit, so that it comes before all that the same transaction tells of modules.
create or replace function tenancy.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_old jsonb := to_jsonb(old);
  v_new jsonb := to_jsonb(new);
begin
  perform live.publish(tg_table_schema || '.' || tg_table_name, 'RIGHTS', coalesce(v_new, v_old) ->> 'id', null,
    array(select distinct tg_argv[0] || (r ->> tg_argv[1]) from unnest(array[v_old, v_new]) r where r is not null));
  return null;
end $$;

do $$
declare
  v_table text; v_topic text; v_column text; v_changes text;
begin
  for v_table, v_topic, v_column, v_changes in values
    ('memberships', 'user:', 'user_id', 'user_id, school_group_id, school_id, role, status, expires_at'),
    ('subscriptions', 'group:', 'school_group_id', 'school_group_id, plan_id, status'),
    ('school_groups', 'group:', 'id', 'status'),
    ('schools', 'school:', 'id', 'school_group_id, status')
  loop
    execute format('create or replace trigger %I after insert or delete or update of %s on tenancy.%I
      for each row execute function tenancy.publish_rights(%L, %L)', v_table || '_rights', v_changes, v_table, v_topic, v_column);
  end loop;
end $$;

-- Assignments come in thousands: their people are told by one entry a statement.
create or replace function tenancy.publish_assignments() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform live.publish('tenancy.user_module_permissions', 'RIGHTS', '', null, array(select distinct 'user:' || user_id from changed_rows));
  return null;
end $$;

select util.after_statement('tenancy.user_module_permissions', 'rights', o, 'tenancy.publish_assignments')
from unnest(array['insert', 'update', 'delete']) o;

-- Pages about the network: the operator's, and the group's administrators'.
select live.watch('tenancy.subscription_plans', 'catalogue'),
  live.watch('tenancy.school_groups', 'catalogue', 'admin:id'),
  live.watch('tenancy.subscriptions', 'catalogue', 'admin:school_group_id'),
  live.watch('tenancy.schools', 'catalogue', 'admin:school_group_id'),
  live.watch('tenancy.memberships', 'catalogue', 'admin:school_group_id'),
  live.watch('tenancy.user_module_permissions', 'catalogue', 'admin:school_group_id');

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

-- ── Who may see and change what ──

grant select on tenancy.business_categories, tenancy.modules, tenancy.subscription_plans, tenancy.plan_modules, tenancy.plan_categories,
  tenancy.school_groups, tenancy.subscriptions, tenancy.schools, tenancy.memberships, tenancy.user_module_permissions,
    tenancy.module_assignment_logs,
  tenancy.invited_places, tenancy.module_access to authenticated, service_role;
grant insert, update, delete on tenancy.modules, tenancy.business_categories, tenancy.subscription_plans, tenancy.school_groups,
  tenancy.subscriptions to authenticated, service_role;
grant insert, delete, update (included, monthly_price, yearly_price) on tenancy.plan_modules to authenticated, service_role;
grant insert, delete on tenancy.plan_categories to authenticated, service_role;
-- A school's modules and subscription are the database's to keep.
grant insert (id, school_group_id, name, code, level, city, status), update (name, code, level, city, status)
  on tenancy.schools to authenticated, service_role;
grant update (school_id, role, status, expires_at) on tenancy.memberships to authenticated;
grant insert, update (status, expires_at) on tenancy.memberships to service_role;
grant insert on tenancy.invited_places to service_role;

-- Whose rows the operator reads, and whose the operator writes.
do $$
declare
  v_network  regclass[] := array['tenancy.business_categories', 'tenancy.modules', 'tenancy.subscription_plans', 'tenancy.plan_modules',
    'tenancy.plan_categories', 'tenancy.school_groups', 'tenancy.subscriptions', 'tenancy.schools', 'tenancy.memberships'];
  v_logged   regclass[] := array['tenancy.user_module_permissions', 'tenancy.module_assignment_logs', 'tenancy.invited_places'];
  v_included regclass[] := array['tenancy.plan_modules', 'tenancy.plan_categories'];
  v_may      text := '(select rbac.has_permission((select auth.uid()), %L))';
  v_table    regclass;
begin
  foreach v_table in array v_network || v_logged loop
    perform util.policy(v_table, 'operator', 'select', 'authenticated', format(v_may, 'tenancy.read'));
  end loop;
  foreach v_table in array v_logged loop
    perform util.policy(v_table, 'service', 'select', 'service_role');
  end loop;
  foreach v_table in array v_network loop
    perform util.policy(v_table, 'service', 'all', 'service_role');
    perform util.policy(v_table, 'operator', 'insert', 'authenticated', format(v_may, 'tenancy.manage'));
    perform util.policy(v_table, 'operator', 'update', 'authenticated', format(v_may, 'tenancy.manage'));
    -- What a plan includes is part of the plan.
    perform util.policy(v_table, 'operator', 'delete', 'authenticated',
      format(v_may, case when v_table = any (v_included) then 'tenancy.manage' else 'tenancy.delete' end));
  end loop;
end $$;
-- Files of the network are for its operator and for whoever administers a group of it; of which group, the use case asks.
select util.import_policies('tenancy',
    '(select rbac.has_permission((select auth.uid()), ''tenancy.manage''))'
      || ' or cardinality((select tenancy.my_administered_group_ids())) > 0',
    'groups', 'schools', 'staff'),
  util.policy('tenancy.invited_places', 'service', 'insert', 'service_role');

-- A group's administrators keep its schools and its staff; nobody changes a place of their own.
select util.policy(v_table::regclass, 'group_admin', v_command, 'authenticated', v_rule)
from (values
  ('tenancy.schools', 'insert', 'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])'),
  ('tenancy.schools', 'update', 'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])'),
  ('tenancy.memberships', 'update',
   'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]) and user_id <> (select auth.uid())'),
  ('tenancy.module_assignment_logs', 'select', 'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])'),
  ('tenancy.invited_places', 'select', 'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])'),
  ('rbac.invitations', 'select', 'id = any ((select tenancy.my_invitation_ids())::uuid[])'),
  ('public.profiles', 'select', 'id = any ((select tenancy.my_people_ids())::uuid[])')) v (v_table, v_command, v_rule);

-- Assignments and their log are written by the server within the transaction of whoever assigns (Assignments), never by a person's own
-- role: in that person's name, in a group that they administer at that moment, and not to themselves. tenancy.check_assignments says the
-- rest.
grant execute on function live.lock(), tenancy.my_administered_group_ids() to service_role;
grant insert (user_id, school_group_id, school_id, module_id, category_id, can_write, can_delete, can_export, expires_at, assigned_by),
  update (can_write, can_delete, can_export, is_active, expires_at, assigned_by, assigned_at, version, updated_at)
  on tenancy.user_module_permissions to service_role;
grant insert (action, reason, user_id, module_id, category_id, school_id, school_group_id, assigned_by, before, after)
  on tenancy.module_assignment_logs to service_role;
select util.policy(v_table::regclass, 'assigner', v_command, 'service_role', v_rule, v_check)
from (values
  ('tenancy.user_module_permissions', 'insert',
   'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
    and user_id <> (select auth.uid()) and assigned_by = (select auth.uid())', null),
  ('tenancy.user_module_permissions', 'update',
   'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]) and user_id <> (select auth.uid())',
   'assigned_by = (select auth.uid())'),
  ('tenancy.module_assignment_logs', 'insert', 'assigned_by = (select auth.uid())', null)) v (v_table, v_command, v_rule, v_check);

-- What a member sees of the network.
select util.policy(('tenancy.' || v_table)::regclass, 'member', 'select', 'authenticated', v_rule)
from (values
  ('modules', 'id = any ((select tenancy.my_module_ids())::uuid[])'),
  ('business_categories', 'id = any ((select tenancy.my_category_ids())::uuid[])'),
  ('subscription_plans', 'id = any ((select tenancy.my_plan_ids())::uuid[])'),
  ('plan_modules',
   'plan_id = any ((select tenancy.my_plan_ids())::uuid[]) and module_id = any ((select tenancy.my_module_ids())::uuid[])'),
  ('plan_categories',
   'plan_id = any ((select tenancy.my_plan_ids())::uuid[]) and category_id = any ((select tenancy.my_category_ids())::uuid[])'),
  ('school_groups', 'id = any ((select tenancy.my_group_ids())::uuid[])'),
  ('subscriptions', 'school_group_id = any ((select tenancy.my_group_ids())::uuid[])'),
  ('schools',
   'school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]) or id = any ((select tenancy.my_school_ids())::uuid[])'),
  ('memberships', 'user_id = (select auth.uid()) or school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])'),
  ('user_module_permissions',
   'user_id = (select auth.uid()) or school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])')) v (v_table, v_rule);

select tenancy.remember_audiences();
-- Whatever schools were before these triggers.
select tenancy.link_schools_to_subscription(array(select id from tenancy.school_groups)),
  tenancy.sync_active_modules_of_groups(array(select id from tenancy.school_groups));
