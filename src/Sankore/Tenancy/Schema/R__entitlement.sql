-- ── The entitlement chain: plan → subscription → school → person (documents 002 and 003) ──

-- The states in which a subscription is live: said here, and in V001's index of the one live subscription that a group may have. In C#:
-- SubscriptionInput.Live (SubscriptionRuleTests compares the three).
create or replace function tenancy.is_live(p_status text) returns boolean
language sql immutable parallel safe as $$ select p_status in ('trialing', 'active', 'past_due') $$;
grant execute on function tenancy.is_live(text) to authenticated, service_role;

-- A group lives on the plan of its one live subscription, while the group itself is active.
create or replace view tenancy.live_subscriptions with (security_invoker = true) as
  select s.id, s.school_group_id, s.plan_id, s.status, s.ends_at
  from tenancy.subscriptions s
  join tenancy.school_groups g on g.id = s.school_group_id
  where tenancy.is_live(s.status) and g.status = 'active';

-- The subscription that a group is told of: the live one, or else the last.
create or replace view tenancy.latest_subscriptions with (security_invoker = true) as
  select distinct on (s.school_group_id) s.id, s.school_group_id, s.plan_id, s.status, s.ends_at, s.auto_renew
  from tenancy.subscriptions s
  order by s.school_group_id, tenancy.is_live(s.status) desc, s.starts_at desc, s.id desc;
grant select on tenancy.latest_subscriptions to authenticated, service_role;

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

-- … and which of those can be used: active, built, in an active category.
create or replace view tenancy.available_modules with (security_invoker = true) as
  select i.plan_id, m.id as module_id, m.code, m.category_id
  from tenancy.included_modules i
  join tenancy.modules m on m.id = i.module_id
  join tenancy.business_categories c on c.id = m.category_id
  where m.status = 'active' and m.is_built and c.status = 'active';

create or replace view tenancy.current_memberships with (security_invoker = true) as
  select id, user_id, school_group_id, school_id, role, expires_at from tenancy.memberships
  where status = 'active' and (expires_at is null or expires_at > now());

create or replace view tenancy.current_assignments with (security_invoker = true) as
  select * from tenancy.user_module_permissions where is_active and (expires_at is null or expires_at > now());

-- Where a module's entry in a menu leads: to the pages that the program has for it, or to the page that opens an application elsewhere.
create or replace function tenancy.module_href(p_route text, p_code text) returns text
language sql immutable parallel safe as $$
  select case when p_route like '/%' then p_route else '/m/' || p_code end
$$;
grant execute on function tenancy.module_href(text, text) to authenticated, service_role;

-- What every school should have, worked out from scratch: the schools' own columns are kept equal to this.
create or replace view tenancy.school_entitlements with (security_invoker = true) as
  select s.id as school_id, s.school_group_id, u.id as subscription_id, u.plan_id,
         case when s.status = 'active' and l.modules is not null then l.modules else '{}' end as active_modules
  from tenancy.schools s
  left join tenancy.live_subscriptions u on u.school_group_id = s.school_group_id
  left join (select plan_id, jsonb_object_agg(code, true) as modules from tenancy.available_modules group by plan_id) l
    on l.plan_id = u.plan_id;

-- The one rule of access (document 003; « un module doit être », document 002): a line per place that a person has and module there is,
-- each link of the chain, and whether all of them hold. The plan is the live subscription's, or else the last one's.
-- A group administrator's place is the whole group, so no school's list stands in the way.
create or replace view tenancy.module_access with (security_invoker = true) as
  select k.*,
         k.module_active and k.module_built and k.included and k.subscription_live and k.on_in_school
           and (k.is_group_admin or k.assigned) as granted
  from (
    select p.id as membership_id, p.user_id, p.school_group_id, p.school_id, m.id as module_id, m.code, m.category_id, u.plan_id,
           m.status = 'active' and c.status = 'active' as module_active,
           m.is_built as module_built,
           exists (select 1 from tenancy.included_modules i where i.plan_id = u.plan_id and i.module_id = m.id) as included,
           coalesce(u.live, false) as subscription_live,
           p.school_id is null or coalesce(s.active_modules -> m.code = 'true', false) as on_in_school,
           p.role = 'group_admin' as is_group_admin,
           a.assigned,
           p.role = 'group_admin' or a.can_write as can_write,
           p.role = 'group_admin' or a.can_delete as can_delete,
           p.role = 'group_admin' or a.can_export as can_export
    from tenancy.current_memberships p
    cross join tenancy.modules m
    join tenancy.business_categories c on c.id = m.category_id
    left join tenancy.schools s on s.id = p.school_id
    left join lateral (
      select x.plan_id, tenancy.is_live(x.status) and g.status = 'active' as live
      from tenancy.subscriptions x
      join tenancy.school_groups g on g.id = x.school_group_id
      where x.school_group_id = p.school_group_id
      order by tenancy.is_live(x.status) desc, x.starts_at desc, x.id desc limit 1) u on true
    left join lateral (
      select count(*) > 0 as assigned, coalesce(bool_or(a.can_write), false) as can_write,
        coalesce(bool_or(a.can_delete), false) as can_delete, coalesce(bool_or(a.can_export), false) as can_export
      from tenancy.current_assignments a
      where a.user_id = p.user_id and a.school_group_id = p.school_group_id and (a.school_id is null or a.school_id = p.school_id)
        and (a.module_id = m.id or a.category_id = m.category_id)) a on true) k;

grant select on tenancy.live_subscriptions, tenancy.included_modules, tenancy.available_modules, tenancy.current_memberships,
  tenancy.current_assignments to authenticated, service_role;

-- Whether rights of a module are enough for 'read', 'write', 'delete' or 'export'.
create or replace function tenancy.permits(p_permission text, p_can_write boolean, p_can_delete boolean, p_can_export boolean)
  returns boolean
language sql immutable parallel safe as $$
  select case p_permission when 'read' then true when 'write' then p_can_write when 'delete' then p_can_delete
    when 'export' then p_can_export else false end
$$;
grant execute on function tenancy.permits(text, boolean, boolean, boolean) to authenticated, service_role;

-- Whether the caller may do something with a module of the platform. In PL/pgSQL, which keeps its plan: planning is nine tenths of it, and
-- all of a module's requests and writes ask.
create or replace function tenancy.has_module(p_code text, p_permission text default 'read') returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return exists (
    select 1 from tenancy.module_access
    where user_id = auth.uid() and code = p_code and granted and tenancy.permits(p_permission, can_write, can_delete, can_export));
end $$;

-- Who of some people may. Apart from the above, which is asked at every request and is three times as fast for one.
create or replace function tenancy.with_module(p_user_ids uuid[], p_code text, p_permission text) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select distinct user_id from tenancy.module_access
  where user_id = any (p_user_ids) and code = p_code and granted and tenancy.permits(p_permission, can_write, can_delete, can_export)
$$;
grant execute on function tenancy.with_module(uuid[], text, text) to service_role;
grant execute on function tenancy.has_module(text, text) to authenticated;

-- ── Schools follow their group's subscription and plan ──

-- Whoever changes what schools follow from takes the log's lock before the first row: two such transactions never pass each other, so
-- neither works out the schools without what the other has done.
create or replace function tenancy.lock_entitlement() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform live.lock();
  return null;
end $$;

-- Only schools whose list differs are touched.
create or replace function tenancy.sync_active_modules(p_plan_ids uuid[]) returns void
language sql security definer set search_path = '' as $$
  update tenancy.schools s set active_modules = e.active_modules
  from tenancy.school_entitlements e
  where e.school_id = s.id and e.plan_id = any (p_plan_ids) and s.active_modules is distinct from e.active_modules
$$;

create or replace function tenancy.sync_active_modules_of_groups(p_group_ids uuid[]) returns void
language sql security definer set search_path = '' as $$
  update tenancy.schools s set active_modules = e.active_modules
  from tenancy.school_entitlements e
  where e.school_id = s.id and e.school_group_id = any (p_group_ids) and s.active_modules is distinct from e.active_modules
$$;

create or replace function tenancy.link_schools_to_subscription(p_group_ids uuid[]) returns void
language sql security definer set search_path = '' as $$
  update tenancy.schools s set subscription_id = e.subscription_id
  from tenancy.school_entitlements e
  where e.school_id = s.id and e.school_group_id = any (p_group_ids) and s.subscription_id is distinct from e.subscription_id
$$;

-- A subscription that begins, ends or changes: the group's schools are linked to it, then take its modules (document 002).
create or replace function tenancy.link_abonnement_to_client_spaces() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.link_schools_to_subscription(array[old.school_group_id, new.school_group_id]);
  return null;
end $$;
create or replace function tenancy.sync_modules_on_abonnement_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.sync_active_modules_of_groups(array[old.school_group_id, new.school_group_id]);
  return null;
end $$;

-- A group that is closed or opened again loses or regains its subscription.
create or replace function tenancy.sync_group() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.link_schools_to_subscription(array[new.id]);
  perform tenancy.sync_active_modules_of_groups(array[new.id]);
  return null;
end $$;

-- A new school, one that changes its group, one that closes: it has its list from the start.
create or replace function tenancy.entitle_school() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  select u.id into new.subscription_id from tenancy.live_subscriptions u where u.school_group_id = new.school_group_id;
  new.active_modules := coalesce((
    select jsonb_object_agg(a.code, true) from tenancy.live_subscriptions u join tenancy.available_modules a on a.plan_id = u.plan_id
    where u.school_group_id = new.school_group_id and new.status = 'active'), '{}');
  return new;
end $$;

create or replace function tenancy.sync_plans() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    perform tenancy.sync_active_modules(array(select plan_id from changed_rows union select plan_id from old_rows));
  elsif exists (select 1 from changed_rows) then
    perform tenancy.sync_active_modules(array(select distinct plan_id from changed_rows));
  end if;
  return null;
end $$;

-- Modules that come, go, change their state, their code or their category: all of a statement's at once.
create or replace function tenancy.sync_modules() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_module_ids   uuid[];
  v_category_ids uuid[];
begin
  if tg_op = 'UPDATE' then
    select array_agg(n.id), array_agg(n.category_id) || array_agg(o.category_id) into v_module_ids, v_category_ids
    from old_rows o join changed_rows n using (id)
    where (o.status, o.is_built, o.code, o.category_id) is distinct from (n.status, n.is_built, n.code, n.category_id);
  else
    select array_agg(id), array_agg(category_id) into v_module_ids, v_category_ids from changed_rows;
  end if;
  if v_module_ids is not null then
    perform tenancy.sync_active_modules(array(
      select plan_id from tenancy.plan_modules where module_id = any (v_module_ids)
      union
      select plan_id from tenancy.plan_categories where category_id = any (v_category_ids)));
  end if;
  return null;
end $$;

create or replace function tenancy.sync_category() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.sync_active_modules(array(
    select i.plan_id from tenancy.included_modules i join tenancy.modules m on m.id = i.module_id where m.category_id = new.id));
  return null;
end $$;

do $$
declare
  v_table text;
begin
  foreach v_table
    in array array['business_categories', 'modules', 'plan_modules', 'plan_categories', 'school_groups', 'subscriptions', 'schools']
  loop
    execute format('create or replace trigger %I before insert or update or delete on tenancy.%I
      for each statement execute function tenancy.lock_entitlement()', v_table || '_lock_entitlement', v_table);
  end loop;
end $$;
select util.after_statement(('tenancy.' || v_table)::regclass, v_function, o, 'tenancy.' || v_function)
from (values ('plan_modules', 'sync_plans'), ('plan_categories', 'sync_plans'), ('modules', 'sync_modules')) v (v_table, v_function),
  unnest(array['insert', 'update', 'delete']) o;

create or replace trigger trigger_link_abonnement_to_client_spaces after insert or delete or update of school_group_id, plan_id, status
  on tenancy.subscriptions
  for each row execute function tenancy.link_abonnement_to_client_spaces();
create or replace trigger trigger_sync_modules_on_abonnement_change after insert or delete or update of school_group_id, plan_id, status
  on tenancy.subscriptions
  for each row execute function tenancy.sync_modules_on_abonnement_change();
create or replace trigger school_groups_sync_group after update of status on tenancy.school_groups
  for each row when (old.status <> new.status) execute function tenancy.sync_group();
create or replace trigger schools_entitle_school before insert or update of school_group_id, status on tenancy.schools
  for each row execute function tenancy.entitle_school();
create or replace trigger business_categories_sync_category after update of status on tenancy.business_categories
  for each row when (old.status <> new.status) execute function tenancy.sync_category();

-- ── Subscriptions whose due date has passed ──

-- The first end of a billing period after a moment, of those counted from p_anchored_at on the clocks of p_zone: the same day of each month
-- or year, or the last one of a month that is shorter.
create or replace function tenancy.next_due(p_anchored_at timestamp, p_period text, p_zone text, p_after timestamptz) returns timestamptz
language sql stable set search_path = '' as $$
  with period as (
    select case p_period when 'monthly' then 1 else 12 end as months, p_after at time zone p_zone as after),
  elapsed as (
    select months, ((extract(year from after) - extract(year from p_anchored_at)) * 12
      + extract(month from after) - extract(month from p_anchored_at))::integer / months as periods
    from period),
  ends as (
    select (p_anchored_at + make_interval(months => months * (periods + n))) at time zone p_zone as ends_at
    from elapsed, generate_series(-1, 2) n)
  select min(ends_at) from ends where ends_at > p_after
$$;
grant execute on function tenancy.next_due(timestamp, text, text, timestamptz) to authenticated, service_role;

-- What a subscription's periods are counted from: its start, if its end is one of them, or else its end. A renewal leaves it as it is, and
-- so 29 February and the last day of a month come back.
create or replace function tenancy.anchor_subscription() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_zone   text := (select time_zone from tenancy.school_groups where id = new.school_group_id);
  v_before timestamptz := new.ends_at - interval '1 microsecond';
begin
  if new.ends_at is null then
    new.anchored_at := null;
  elsif new.anchored_at is null or tenancy.next_due(new.anchored_at, new.billing_period, v_zone, v_before) is distinct from new.ends_at then
    new.anchored_at := new.starts_at at time zone v_zone;
    if tenancy.next_due(new.anchored_at, new.billing_period, v_zone, v_before) is distinct from new.ends_at then
      new.anchored_at := new.ends_at at time zone v_zone;
    end if;
  end if;
  return new;
end $$;
create or replace trigger subscriptions_anchor before insert or update of starts_at, ends_at, billing_period, school_group_id
  on tenancy.subscriptions
  for each row execute function tenancy.anchor_subscription();

create or replace view tenancy.due_subscriptions with (security_invoker = true) as
  select id from tenancy.subscriptions
  where ends_at <= now() and (tenancy.is_live(status) or status = 'suspended')
    and (status <> 'past_due' or ends_at <= now() - interval '15 days');

-- Renewed for another period where that was agreed; else 15 days past due, still live, then expired. A trial or a suspension that ends just
-- expires.
create or replace function tenancy.advance_subscriptions() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer;
begin
  -- Mostly nothing is due, and nobody need wait for that.
  if not exists (select 1 from tenancy.due_subscriptions) then
    return 0;
  end if;
  perform live.lock();
  update tenancy.subscriptions s
  set status = case when s.status in ('trialing', 'active') and s.auto_renew then 'active'
    when s.status = 'active' then 'past_due' else 'expired' end,
      ends_at = case when s.status in ('trialing', 'active') and s.auto_renew then tenancy.next_due(
        coalesce(s.anchored_at, s.ends_at at time zone g.time_zone), s.billing_period, g.time_zone, now()) else s.ends_at end
  from tenancy.school_groups g
  where g.id = s.school_group_id and s.id in (select id from tenancy.due_subscriptions);
  get diagnostics v_count = row_count;
  return v_count;
end $$;

grant execute on function tenancy.advance_subscriptions() to service_role;

-- ── Assignments ──

-- Whatever the code does, an active assignment is for a person of the group (and of the school that it is for), and of what the group's
-- plan has. Once a statement, as assignments come in thousands; of the rows that somebody writes in their own name, which the row policies
-- (R__tenancy_policies.sql) have everybody do. What comes in nobody's name (the demo network, an assigner who is deleted) is no act of
-- anybody.
create or replace function tenancy.check_assignments() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (
    select from (
      select distinct user_id, school_group_id, school_id from changed_rows where is_active and assigned_by = (select auth.uid())) n
    where not exists (select from tenancy.memberships m
      where m.user_id = n.user_id and m.school_group_id = n.school_group_id and m.status = 'active'
        and (n.school_id is null or m.school_id is null or m.school_id = n.school_id)))
  then
    raise exception 'UNAUTHORIZED' using errcode = 'SK001';
  end if;
  if exists (
    select from (
      select distinct school_group_id, module_id, category_id from changed_rows where is_active and assigned_by = (select auth.uid())) n
    where not exists (select from tenancy.live_subscriptions u join tenancy.available_modules a on a.plan_id = u.plan_id
      where u.school_group_id = n.school_group_id and (a.module_id = n.module_id or a.category_id = n.category_id)))
  then
    raise exception 'MODULE_NOT_IN_PLAN' using errcode = 'SK001';
  end if;
  return null;
end $$;
select util.after_statement('tenancy.user_module_permissions', 'check', o, 'tenancy.check_assignments')
from unnest(array['insert', 'update']) o;

create or replace trigger module_assignment_logs_immutable before update or delete or truncate on tenancy.module_assignment_logs
  for each statement execute function audit.refuse_change();
