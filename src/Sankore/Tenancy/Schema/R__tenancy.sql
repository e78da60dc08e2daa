-- ── Entitlement: which plans, and so which modules, a person has ──

-- Which plan includes which module, whatever the module's state.
create or replace view tenancy.included_modules with (security_invoker = true) as
  select pm.plan_id, pm.module_id
  from tenancy.plan_modules pm
  where pm.included
  union
  select pc.plan_id, m.id
  from tenancy.plan_categories pc
  join tenancy.modules m on m.category_id = pc.category_id
  where not exists (select 1 from tenancy.plan_modules pm where pm.plan_id = pc.plan_id and pm.module_id = m.id);
grant select on tenancy.included_modules to authenticated, service_role;

create or replace function tenancy.my_group_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct school_group_id), '{}') from tenancy.memberships
  where user_id = auth.uid() and status = 'active'
$$;

create or replace function tenancy.my_administered_group_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct school_group_id), '{}') from tenancy.memberships
  where user_id = auth.uid() and status = 'active' and role = 'group_admin'
$$;

create or replace function tenancy.my_school_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct school_id), '{}') from tenancy.memberships
  where user_id = auth.uid() and status = 'active' and school_id is not null
$$;

-- The people of the groups that the caller administers.
create or replace function tenancy.my_people_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct user_id), '{}') from tenancy.memberships
  where school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
$$;

create or replace function tenancy.my_plan_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct s.plan_id), '{}')
  from tenancy.memberships m
  join tenancy.subscriptions s on s.school_group_id = m.school_group_id
  where m.user_id = auth.uid() and m.status = 'active' and s.status in ('trialing', 'active', 'past_due')
$$;

-- What a member sees: active, built, in an active category, included in a plan that one of the person's groups lives on.
create or replace function tenancy.my_module_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct m.id), '{}')
  from tenancy.included_modules i
  join tenancy.modules m on m.id = i.module_id
  join tenancy.business_categories c on c.id = m.category_id
  where i.plan_id = any ((select tenancy.my_plan_ids())::uuid[]) and m.status = 'active' and m.is_built and c.status = 'active'
$$;

create or replace function tenancy.my_category_ids() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct c.id), '{}')
  from tenancy.business_categories c
  where c.status = 'active'
    and (exists (select 1 from tenancy.plan_categories pc where pc.category_id = c.id and pc.plan_id = any ((select tenancy.my_plan_ids())::uuid[]))
      or exists (select 1 from tenancy.modules m where m.category_id = c.id and m.id = any ((select tenancy.my_module_ids())::uuid[])))
$$;

-- The topics of the caller's stream. Whoever reads the whole catalogue has no need of the plans' narrower events.
create or replace function tenancy.my_topics() returns text[]
language sql stable security definer set search_path = '' as $$
  select array['everyone', 'user:' || auth.uid()]
    || case when rbac.has_permission(auth.uid(), 'tenancy.read') then array['catalogue']
            else array(select 'plan:' || p from unnest(tenancy.my_plan_ids()) p) end
    || array(select 'group:' || g from unnest(tenancy.my_group_ids()) g)
    || array(select 'school:' || s from unnest(tenancy.my_school_ids()) s)
$$;

grant execute on function tenancy.my_group_ids(), tenancy.my_administered_group_ids(), tenancy.my_people_ids(), tenancy.my_school_ids(), tenancy.my_plan_ids(),
  tenancy.my_module_ids(), tenancy.my_category_ids(), tenancy.my_topics() to authenticated;

-- ── The feed: what each audience is told ──

create or replace function tenancy.plans_including(p_module_id uuid, p_category_id uuid) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(plan_id order by plan_id), '{}') from (
    select plan_id from tenancy.plan_modules where module_id = p_module_id and included
    union
    select pc.plan_id from tenancy.plan_categories pc
    where pc.category_id = p_category_id
      and not exists (select 1 from tenancy.plan_modules pm where pm.plan_id = pc.plan_id and pm.module_id = p_module_id)) p
$$;

create or replace function tenancy.plans_with_category(p_category_id uuid) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct plan_id order by plan_id), '{}') from (
    select plan_id from tenancy.plan_categories where category_id = p_category_id
    union all
    select unnest(tenancy.plans_including(m.id, m.category_id)) from tenancy.modules m
    where m.category_id = p_category_id and m.status = 'active' and m.is_built) p
$$;

create or replace function tenancy.plan_topics(p_plan_ids uuid[]) returns text[]
language sql immutable as $$ select coalesce(array_agg('plan:' || p order by p), '{}') from unnest(p_plan_ids) p $$;

create or replace function tenancy.except_ids(p_left uuid[], p_right uuid[]) returns uuid[]
language sql immutable as $$ select array(select unnest(p_left) except select unnest(p_right)) $$;

create or replace function tenancy.both_ids(p_left uuid[], p_right uuid[]) returns uuid[]
language sql immutable as $$ select array(select unnest(p_left) intersect select unnest(p_right)) $$;

-- A module as its members see it; the operator's row has more (p_operator).
create or replace function tenancy.module_row(p_module tenancy.modules, p_operator boolean) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_strip_nulls(jsonb_build_object(
      'code', p_module.code, 'name', p_module.name, 'description', p_module.description, 'icon', p_module.icon,
      'route', coalesce(p_module.route, '/m/' || p_module.code), 'priority', p_module.priority, 'status', p_module.status,
      'version', p_module.version, 'categoryId', p_module.category_id,
      'category', (select jsonb_build_object('name', c.name, 'color', c.color, 'sortOrder', c.sort_order)
                   from tenancy.business_categories c where c.id = p_module.category_id)))
    || case when not p_operator then '{}' else jsonb_build_object(
      'kind', p_module.kind, 'sector', p_module.sector, 'isBuilt', p_module.is_built,
      'state', case when p_module.is_built then p_module.status else 'building' end,
      'planIds', to_jsonb(tenancy.plans_including(p_module.id, p_module.category_id))) end
$$;

create or replace function tenancy.category_row(p_category tenancy.business_categories) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'name', p_category.name, 'slug', p_category.slug, 'description', p_category.description, 'icon', p_category.icon,
    'color', p_category.color, 'sortOrder', p_category.sort_order, 'status', p_category.status, 'version', p_category.version))
$$;

create or replace function tenancy.is_visible(p_module tenancy.modules) returns boolean
language sql stable security definer set search_path = '' as $$
  select p_module.status = 'active' and p_module.is_built
     and exists (select 1 from tenancy.business_categories c where c.id = p_module.category_id and c.status = 'active')
$$;

-- One change, told to each audience in its own terms: gone for the plans that lose it, new for those that gain it, changed for the rest.
create or replace function tenancy.publish_to_plans(p_table text, p_id uuid, p_row jsonb, p_before uuid[], p_after uuid[]) returns void
language sql security definer set search_path = '' as $$
  select live.publish(p_table, 'DELETE', p_id::text, null, tenancy.plan_topics(tenancy.except_ids(p_before, p_after))),
         live.publish(p_table, 'UPDATE', p_id::text, p_row, tenancy.plan_topics(tenancy.both_ids(p_before, p_after))),
         live.publish(p_table, 'INSERT', p_id::text, p_row, tenancy.plan_topics(tenancy.except_ids(p_after, p_before)))
$$;

-- ── Who is told: the difference between what was told and what is true at commit ──

-- The plans whose members see a module; null when there is no such module.
create or replace function tenancy.module_audience(p_id uuid) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select case when tenancy.is_visible(m) then tenancy.plans_including(m.id, m.category_id) else '{}' end from tenancy.modules m where m.id = p_id
$$;

create or replace function tenancy.category_audience(p_id uuid) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select case when c.status = 'active' then tenancy.plans_with_category(c.id) else '{}' end from tenancy.business_categories c where c.id = p_id
$$;

-- Tells the operator and the plans what became of a row, as it is at commit; nothing twice. The log's lock comes first: what is read after
-- it, statement by statement, is what everybody who committed before has left (READ COMMITTED, as all of Db.Run).
create or replace function tenancy.tell(p_table text, p_id uuid, p_version integer, p_including uuid[], p_audience uuid[], p_operator_row jsonb, p_member_row jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_told tenancy.told_audiences;
begin
  select * into v_told from tenancy.told_audiences where table_name = p_table and row_id = p_id;
  if p_version is null then
    if v_told.row_id is not null then
      delete from tenancy.told_audiences where table_name = p_table and row_id = p_id;
      perform live.publish(p_table, 'DELETE', p_id::text, null, array['catalogue']);
      perform tenancy.publish_to_plans(p_table, p_id, null, v_told.audience_plan_ids, '{}');
    end if;
  elsif (v_told.version, v_told.including_plan_ids, v_told.audience_plan_ids) is distinct from (p_version, p_including, p_audience) then
    insert into tenancy.told_audiences values (p_table, p_id, p_version, p_including, p_audience)
    on conflict on constraint told_audiences_pkey do update
      set version = excluded.version, including_plan_ids = excluded.including_plan_ids, audience_plan_ids = excluded.audience_plan_ids;
    perform live.publish(p_table, case when v_told.row_id is null then 'INSERT' else 'UPDATE' end, p_id::text, p_operator_row, array['catalogue']);
    perform tenancy.publish_to_plans(p_table, p_id, p_member_row, coalesce(v_told.audience_plan_ids, '{}'), p_audience);
  end if;
end $$;

create or replace function tenancy.tell_module(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_module tenancy.modules;
begin
  perform pg_advisory_xact_lock(7205759403792793600);
  select * into v_module from tenancy.modules where id = p_id;
  perform tenancy.tell('tenancy.modules', p_id, v_module.version, tenancy.plans_including(p_id, v_module.category_id),
    tenancy.module_audience(p_id), tenancy.module_row(v_module, true), tenancy.module_row(v_module, false));
end $$;

create or replace function tenancy.tell_category(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_category tenancy.business_categories;
begin
  perform pg_advisory_xact_lock(7205759403792793600);
  select * into v_category from tenancy.business_categories where id = p_id;
  perform tenancy.tell('tenancy.business_categories', p_id, v_category.version, '{}', tenancy.category_audience(p_id),
    tenancy.category_row(v_category), tenancy.category_row(v_category));
end $$;

create or replace function tenancy.tell_modules_of(p_category_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(7205759403792793600);
  perform tenancy.tell_module(m.id) from (select id from tenancy.modules where category_id = p_category_id order by priority, id) m;
end $$;

create or replace function tenancy.notify_module_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.tell_module(coalesce(new.id, old.id));
  perform pg_notify('module_changed', json_build_object('op', tg_op, 'id', coalesce(new.id, old.id), 'code', coalesce(new.code, old.code))::text);
  return null;
end $$;

create or replace function tenancy.notify_category_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.tell_category(coalesce(new.id, old.id));
  if tg_op = 'UPDATE' and old.status <> new.status then
    perform tenancy.tell_modules_of(new.id);
  end if;
  perform pg_notify('category_changed', json_build_object('op', tg_op, 'id', coalesce(new.id, old.id), 'slug', coalesce(new.slug, old.slug))::text);
  return null;
end $$;

-- A link that comes or goes is, for the plan's members, a module that comes or goes.
create or replace function tenancy.notify_plan_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_table_name = 'plan_modules' then
    perform tenancy.tell_module(m) from unnest(array[old.module_id, new.module_id]) m where m is not null;
  else
    perform tenancy.tell_modules_of(coalesce(new.category_id, old.category_id));
  end if;
  return null;
end $$;

do $$
declare
  v_table   text;
  v_trigger text;
begin
  for v_table, v_trigger in values ('modules', 'module'), ('business_categories', 'category'), ('plan_modules', 'plan'), ('plan_categories', 'plan') loop
    execute format('drop trigger if exists %I on tenancy.%I', v_trigger || '_change_trigger', v_table);
    execute format('create constraint trigger %I after insert or update or delete on tenancy.%I deferrable initially deferred for each row execute function tenancy.%I()',
      v_trigger || '_change_trigger', v_table, 'notify_' || v_trigger || '_change');
  end loop;
end $$;

-- For rows that came without their triggers (the demo network's COPY): nobody was listening, and this is what they will have been told.
create or replace function tenancy.remember_audiences() returns void
language sql security definer set search_path = '' as $$
  insert into tenancy.told_audiences
  select 'tenancy.modules', m.id, m.version, tenancy.plans_including(m.id, m.category_id), tenancy.module_audience(m.id) from tenancy.modules m
  union all
  select 'tenancy.business_categories', c.id, c.version, '{}', tenancy.category_audience(c.id) from tenancy.business_categories c
  on conflict on constraint told_audiences_pkey do nothing
$$;

-- Who joins or leaves a group, and a group whose subscription changes, get their topics decided anew.
create or replace function tenancy.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_row jsonb := to_jsonb(coalesce(new, old));
begin
  perform live.publish(tg_table_schema || '.' || tg_table_name, 'RIGHTS', v_row ->> 'id', null,
    array[case tg_table_name when 'memberships' then 'user:' || (v_row ->> 'user_id') else 'group:' || (v_row ->> 'school_group_id') end]);
  return null;
end $$;
drop trigger if exists memberships_rights on tenancy.memberships;
create constraint trigger memberships_rights after insert or update or delete on tenancy.memberships
  deferrable initially deferred for each row execute function tenancy.publish_rights();
drop trigger if exists subscriptions_rights on tenancy.subscriptions;
create constraint trigger subscriptions_rights after insert or update or delete on tenancy.subscriptions
  deferrable initially deferred for each row execute function tenancy.publish_rights();

-- ── Versions and audit ──

do $$
declare
  v_table text;
begin
  foreach v_table in array array['business_categories', 'modules', 'subscription_plans', 'school_groups', 'subscriptions', 'schools'] loop
    execute format('drop trigger if exists touch on tenancy.%I', v_table);
    execute format('create trigger touch before update on tenancy.%I for each row execute function util.touch()', v_table);
  end loop;
end $$;

select audit.watch(format('tenancy.%I', t)::regclass)
from unnest(array['business_categories', 'modules', 'subscription_plans', 'plan_modules', 'plan_categories', 'school_groups',
  'subscriptions', 'schools', 'memberships']) t;

-- ── Who may see and change what ──

grant select on tenancy.business_categories, tenancy.modules, tenancy.subscription_plans, tenancy.plan_modules, tenancy.plan_categories,
  tenancy.school_groups, tenancy.subscriptions, tenancy.schools, tenancy.memberships to authenticated, service_role;
grant insert, update, delete on tenancy.modules, tenancy.business_categories to authenticated, service_role;

do $$
declare
  v_table text;
begin
  foreach v_table in array array['business_categories', 'modules', 'subscription_plans', 'plan_modules', 'plan_categories',
      'school_groups', 'subscriptions', 'schools', 'memberships'] loop
    execute format('drop policy if exists operator_read on tenancy.%I', v_table);
    execute format('create policy operator_read on tenancy.%I for select to authenticated using ((select rbac.has_permission((select auth.uid()), ''tenancy.read'')))', v_table);
    execute format('drop policy if exists service_read on tenancy.%I', v_table);
    execute format('create policy service_read on tenancy.%I for select to service_role using (true)', v_table);
  end loop;
  foreach v_table in array array['business_categories', 'modules'] loop
    execute format('drop policy if exists operator_insert on tenancy.%I', v_table);
    execute format('create policy operator_insert on tenancy.%I for insert to authenticated with check ((select rbac.has_permission((select auth.uid()), ''tenancy.manage'')))', v_table);
    execute format('drop policy if exists operator_update on tenancy.%I', v_table);
    execute format('create policy operator_update on tenancy.%I for update to authenticated using ((select rbac.has_permission((select auth.uid()), ''tenancy.manage'')))', v_table);
    execute format('drop policy if exists service_write on tenancy.%I', v_table);
    execute format('create policy service_write on tenancy.%I to service_role using (true) with check (true)', v_table);
    execute format('drop policy if exists operator_delete on tenancy.%I', v_table);
    execute format('create policy operator_delete on tenancy.%I for delete to authenticated using ((select rbac.has_permission((select auth.uid()), ''tenancy.delete'')))', v_table);
  end loop;
end $$;

drop policy if exists modules_member_read on tenancy.modules;
create policy modules_member_read on tenancy.modules for select to authenticated
  using (id = any ((select tenancy.my_module_ids())::uuid[]));
drop policy if exists business_categories_member_read on tenancy.business_categories;
create policy business_categories_member_read on tenancy.business_categories for select to authenticated
  using (id = any ((select tenancy.my_category_ids())::uuid[]));
drop policy if exists subscription_plans_member_read on tenancy.subscription_plans;
create policy subscription_plans_member_read on tenancy.subscription_plans for select to authenticated
  using (id = any ((select tenancy.my_plan_ids())::uuid[]));
drop policy if exists plan_modules_member_read on tenancy.plan_modules;
create policy plan_modules_member_read on tenancy.plan_modules for select to authenticated
  using (plan_id = any ((select tenancy.my_plan_ids())::uuid[]) and module_id = any ((select tenancy.my_module_ids())::uuid[]));
drop policy if exists plan_categories_member_read on tenancy.plan_categories;
create policy plan_categories_member_read on tenancy.plan_categories for select to authenticated
  using (plan_id = any ((select tenancy.my_plan_ids())::uuid[]) and category_id = any ((select tenancy.my_category_ids())::uuid[]));
drop policy if exists school_groups_member_read on tenancy.school_groups;
create policy school_groups_member_read on tenancy.school_groups for select to authenticated
  using (id = any ((select tenancy.my_group_ids())::uuid[]));
drop policy if exists subscriptions_member_read on tenancy.subscriptions;
create policy subscriptions_member_read on tenancy.subscriptions for select to authenticated
  using (school_group_id = any ((select tenancy.my_group_ids())::uuid[]));
drop policy if exists schools_member_read on tenancy.schools;
create policy schools_member_read on tenancy.schools for select to authenticated
  using (school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]) or id = any ((select tenancy.my_school_ids())::uuid[]));
drop policy if exists memberships_own_read on tenancy.memberships;
create policy memberships_own_read on tenancy.memberships for select to authenticated
  using (user_id = (select auth.uid()) or school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[]));
drop policy if exists profiles_group_admin_read on public.profiles;
create policy profiles_group_admin_read on public.profiles for select to authenticated
  using (id = any ((select tenancy.my_people_ids())::uuid[]));

select tenancy.remember_audiences();
