-- ── The entitlement chain: plan → subscription → school → person (documents 002 and 003) ──

-- A group lives on the plan of its one live subscription, while the group itself is active.
create or replace view tenancy.live_subscriptions with (security_invoker = true) as
  select s.id, s.school_group_id, s.plan_id, s.status, s.ends_at
  from tenancy.subscriptions s
  join tenancy.school_groups g on g.id = s.school_group_id
  where s.status in ('trialing', 'active', 'past_due') and g.status = 'active';

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

-- What every school should have, worked out from scratch: the schools' own columns are kept equal to this.
create or replace view tenancy.school_entitlements with (security_invoker = true) as
  select s.id as school_id, s.school_group_id, u.id as subscription_id, u.plan_id,
         case when s.status = 'active' and l.modules is not null then l.modules else '{}' end as active_modules
  from tenancy.schools s
  left join tenancy.live_subscriptions u on u.school_group_id = s.school_group_id
  left join (select plan_id, jsonb_object_agg(code, true) as modules from tenancy.available_modules group by plan_id) l on l.plan_id = u.plan_id;

-- The one rule of access (document 003; « un module doit être », document 002): a line per place that a person has and module there is,
-- each link of the chain, and whether all of them hold. The plan is the live subscription's, or else the last one's.
-- A group administrator's place is the whole group, so no school's list stands in the way.
create or replace view tenancy.module_access with (security_invoker = true) as
  select k.*,
         k.module_active and k.module_built and k.included and k.subscription_live and k.on_in_school and (k.is_group_admin or k.assigned) as granted
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
      select x.plan_id, x.status in ('trialing', 'active', 'past_due') and g.status = 'active' as live
      from tenancy.subscriptions x
      join tenancy.school_groups g on g.id = x.school_group_id
      where x.school_group_id = p.school_group_id
      order by x.status in ('trialing', 'active', 'past_due') desc, x.starts_at desc, x.id desc limit 1) u on true
    left join lateral (
      select count(*) > 0 as assigned, coalesce(bool_or(a.can_write), false) as can_write, coalesce(bool_or(a.can_delete), false) as can_delete, coalesce(bool_or(a.can_export), false) as can_export
      from tenancy.current_assignments a
      where a.user_id = p.user_id and a.school_group_id = p.school_group_id and (a.school_id is null or a.school_id = p.school_id)
        and (a.module_id = m.id or a.category_id = m.category_id)) a on true) k;

grant select on tenancy.live_subscriptions, tenancy.included_modules, tenancy.available_modules, tenancy.current_memberships, tenancy.current_assignments to authenticated, service_role;

-- Whether rights of a module are enough for 'read', 'write', 'delete' or 'export'.
create or replace function tenancy.permits(p_permission text, p_can_write boolean, p_can_delete boolean, p_can_export boolean) returns boolean
language sql immutable parallel safe as $$
  select case p_permission when 'read' then true when 'write' then p_can_write when 'delete' then p_can_delete when 'export' then p_can_export else false end
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
    perform tenancy.sync_active_modules(array(select plan_id from changed_rows union select plan_id from left_rows));
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
    from left_rows o join changed_rows n using (id)
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
  v_table    text;
  v_function text;
  v_op       text;
begin
  foreach v_table in array array['business_categories', 'modules', 'plan_modules', 'plan_categories', 'school_groups', 'subscriptions', 'schools']
  loop
    execute format('create or replace trigger %I before insert or update or delete on tenancy.%I
      for each statement execute function tenancy.lock_entitlement()', v_table || '_lock_entitlement', v_table);
  end loop;
  for v_table, v_function in values ('plan_modules', 'sync_plans'), ('plan_categories', 'sync_plans'), ('modules', 'sync_modules') loop
    foreach v_op in array array['insert', 'update', 'delete'] loop
      execute format('create or replace trigger %I after %s on tenancy.%I referencing %s for each statement execute function tenancy.%I()',
        format('%s_%s_%s', v_table, v_function, v_op), v_op, v_table,
        case v_op when 'delete' then 'old table as changed_rows' when 'insert' then 'new table as changed_rows'
          else 'old table as left_rows new table as changed_rows' end, v_function);
    end loop;
  end loop;
end $$;

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

create or replace view tenancy.due_subscriptions with (security_invoker = true) as
  select id from tenancy.subscriptions
  where ends_at <= now() and status in ('trialing', 'active', 'past_due', 'suspended') and (status <> 'past_due' or ends_at <= now() - interval '15 days');

-- Renewed for another period where that was agreed; else 15 days past due, still live, then expired. A trial or a suspension that ends just expires.
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
  set status = case when s.status in ('trialing', 'active') and s.auto_renew then 'active' when s.status = 'active' then 'past_due' else 'expired' end,
      ends_at = case when s.status in ('trialing', 'active') and s.auto_renew then tenancy.next_due(s.ends_at, s.billing_period) else s.ends_at end
  where s.id in (select id from tenancy.due_subscriptions);
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- The first end of a billing period, counted from another, that is still to come.
create or replace function tenancy.next_due(p_ended_at timestamptz, p_period text) returns timestamptz
language sql stable set search_path = '' as $$
  select min(p_ended_at + n * case p_period when 'monthly' then interval '1 month' else interval '1 year' end)
  from generate_series(1, 1200) n
  where p_ended_at + n * case p_period when 'monthly' then interval '1 month' else interval '1 year' end > now()
$$;
grant execute on function tenancy.advance_subscriptions() to service_role;

-- ── Assignments ──

create or replace function tenancy.rights_of(p_row tenancy.user_module_permissions) returns jsonb
language sql stable as $$
  select jsonb_build_object('read', p_row.can_read, 'write', p_row.can_write, 'delete', p_row.can_delete, 'export', p_row.can_export, 'expiresAt', p_row.expires_at)
$$;

-- Assigns or revokes modules and categories, each person and target by itself: nobody else writes assignments. The rules of document 003 are
-- here and not with the caller; what is refused is logged like what is done, in the same transaction. Outcomes: assigned, updated, unchanged,
-- revoked, or the code of a refusal; is_whole: of the whole call. p_version: the caller's one assignment must still be of this version (0: must not exist); null: whatever it is.
create or replace function tenancy.change_assignments(
  p_revoke boolean, p_user_ids uuid[], p_module_ids uuid[], p_category_ids uuid[], p_school_group_id uuid, p_school_id uuid,
  p_can_write boolean, p_can_delete boolean, p_can_export boolean, p_expires_at timestamptz, p_version integer, p_preview boolean)
returns table (school_group_id uuid, user_id uuid, module_id uuid, category_id uuid, outcome text, is_whole boolean)
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_caller   uuid := auth.uid();
  v_group    uuid;
  v_plan     uuid;
  v_refusal  text;
  v_wanted   jsonb := jsonb_build_object('read', true, 'write', p_can_write, 'delete', p_can_delete, 'export', p_can_export, 'expiresAt', case when isfinite(p_expires_at) then p_expires_at end);
begin
  -- Before any row, as whoever changes plans, modules and groups does; so each attempt is judged by what the last one left, and nothing changes under it.
  if not p_preview then
    perform live.lock();
  end if;
  -- The group: the one named, the school's, or the one that the caller administers and the person works in.
  v_group := coalesce(p_school_group_id, (
    select a.school_group_id
    from tenancy.memberships a
    where a.user_id = v_caller and a.role = 'group_admin' and a.status = 'active'
    order by exists (select 1 from tenancy.schools s where s.id = p_school_id and s.school_group_id = a.school_group_id) desc,
             exists (select 1 from tenancy.memberships m where m.school_group_id = a.school_group_id and m.user_id = any (p_user_ids)) desc,
             a.expires_at is null or a.expires_at > now() desc, a.created_at, a.id
    limit 1));
  v_refusal := case
    when exists (select 1 from tenancy.current_memberships c where c.user_id = v_caller and c.school_group_id = v_group and c.role = 'group_admin') then null
    when exists (select 1 from tenancy.memberships c where c.user_id = v_caller and c.school_group_id = v_group and c.role = 'group_admin' and c.status = 'active') then 'ASSIGNER_EXPIRED'
    else 'UNAUTHORIZED' end;
  if v_refusal is null and p_school_id is not null and not exists (select 1 from tenancy.schools s where s.id = p_school_id and s.school_group_id = v_group) then
    v_refusal := 'NOT_FOUND';
  elsif v_refusal is null and not p_revoke and p_expires_at <= now() then
    v_refusal := 'EXPIRY_PAST';
  end if;
  if v_refusal is not null then
    if not p_preview then
      insert into tenancy.module_assignment_logs (action, reason, user_id, module_id, category_id, school_id, school_group_id, assigned_by, after)
      values ('refused', v_refusal, p_user_ids[1], p_module_ids[1], case when p_module_ids[1] is null then p_category_ids[1] end, p_school_id,
        (select m.school_group_id from tenancy.memberships m where m.user_id = v_caller order by m.school_group_id = v_group desc, m.role = 'group_admin' desc, m.created_at limit 1),
        v_caller, case when not p_revoke then v_wanted end);
    end if;
    return query select v_group, p_user_ids[1], p_module_ids[1], p_category_ids[1], v_refusal, true;
    return;
  end if;

  select u.plan_id into v_plan from tenancy.live_subscriptions u where u.school_group_id = v_group;

  return query
  with people as (
    select u.id, case
        when p.id is null then 'NOT_FOUND'
        when u.id = v_caller then 'SELF_ASSIGNMENT'
        when not exists (select 1 from tenancy.memberships m where m.user_id = u.id and m.school_group_id = v_group and (p_revoke or m.status = 'active')) then 'UNAUTHORIZED'
        when p_school_id is not null and not p_revoke
          and not exists (select 1 from tenancy.memberships m where m.user_id = u.id and m.school_group_id = v_group and m.status = 'active' and (m.school_id = p_school_id or m.school_id is null)) then 'NOT_IN_SCHOOL'
      end as refusal
    from (select distinct unnest(p_user_ids) as id) u
    left join lateral (select x.id from public.profiles x where x.id = u.id limit 1) p on true),
  targets as (
    select t.id as module_id, null::uuid as category_id, case
        when m.id is null then 'NOT_FOUND'
        when p_revoke then null
        when v_plan is null then 'SUBSCRIPTION_INACTIVE'
        when not exists (select 1 from tenancy.included_modules i where i.plan_id = v_plan and i.module_id = m.id) then 'MODULE_NOT_IN_PLAN'
        when not exists (select 1 from tenancy.available_modules i where i.plan_id = v_plan and i.module_id = m.id) then 'MODULE_INACTIVE'
      end as refusal
    from (select distinct unnest(p_module_ids) as id) t
    left join tenancy.modules m on m.id = t.id
    union all
    select null, t.id, case
        when c.id is null then 'NOT_FOUND'
        when p_revoke then null
        when v_plan is null then 'SUBSCRIPTION_INACTIVE'
        when not exists (select 1 from tenancy.included_modules i join tenancy.modules m on m.id = i.module_id where i.plan_id = v_plan and m.category_id = c.id) then 'MODULE_NOT_IN_PLAN'
        when not exists (select 1 from tenancy.available_modules i where i.plan_id = v_plan and i.category_id = c.id) then 'MODULE_INACTIVE'
      end
    from (select distinct unnest(p_category_ids) as id) t
    left join tenancy.business_categories c on c.id = t.id),
  wanted as (
    select p.id as user_id, t.module_id, t.category_id, e.id as existing_id, coalesce(e.is_active, false) as is_active,
           case when e.is_active then tenancy.rights_of(e) end as before, coalesce(e.is_active, false) and tenancy.rights_of(e) = v_wanted as is_same,
           coalesce(p.refusal, t.refusal, case
             when p_revoke and not coalesce(e.is_active, false) then 'NOT_FOUND'
             when p_version is not null and p_version <> case when e.is_active then e.version else 0 end and (p_revoke or not coalesce(e.is_active, false) or tenancy.rights_of(e) <> v_wanted) then 'STALE'
           end) as refusal
    from people p
    cross join targets t
    left join tenancy.user_module_permissions e on e.user_id = p.id and e.school_group_id = v_group and e.school_id is not distinct from p_school_id
      and e.module_id is not distinct from t.module_id and e.category_id is not distinct from t.category_id),
  assigned as (
    insert into tenancy.user_module_permissions as x (user_id, school_group_id, school_id, module_id, category_id, can_write, can_delete, can_export, expires_at, assigned_by)
    select w.user_id, v_group, p_school_id, w.module_id, w.category_id, p_can_write, p_can_delete, p_can_export, p_expires_at, v_caller
    from wanted w where not p_preview and not p_revoke and w.refusal is null and not w.is_same
    on conflict on constraint user_module_permissions_target_unique do update
      set can_write = excluded.can_write, can_delete = excluded.can_delete, can_export = excluded.can_export, is_active = true, expires_at = excluded.expires_at,
          assigned_by = excluded.assigned_by, assigned_at = now(), version = x.version + 1, updated_at = now()),
  revoked as (
    update tenancy.user_module_permissions x set is_active = false, assigned_by = v_caller, version = x.version + 1, updated_at = now()
    from wanted w where not p_preview and p_revoke and w.refusal is null and x.id = w.existing_id),
  logged as (
    insert into tenancy.module_assignment_logs (action, reason, user_id, module_id, category_id, school_id, school_group_id, assigned_by, before, after)
    select case when w.refusal is not null then 'refused' when p_revoke then 'revoked' when w.is_active then 'updated' else 'assigned' end,
           w.refusal, w.user_id, w.module_id, w.category_id, p_school_id, v_group, v_caller, w.before, case when not p_revoke then v_wanted end
    from wanted w where not p_preview and (w.refusal is not null or not w.is_same or p_revoke))
  select v_group, w.user_id, w.module_id, w.category_id,
         coalesce(w.refusal, case when p_revoke then 'revoked' when w.is_same then 'unchanged' when w.is_active then 'updated' else 'assigned' end), false
  from wanted w;
end $$;
grant execute on function tenancy.change_assignments(boolean, uuid[], uuid[], uuid[], uuid, uuid, boolean, boolean, boolean, timestamptz, integer, boolean) to authenticated;

create or replace trigger module_assignment_logs_immutable before update or delete or truncate on tenancy.module_assignment_logs
  for each statement execute function audit.refuse_change();

-- The person invited takes the place when the invitation is accepted; whoever had their account made for it has had it from the start.
create or replace function tenancy.take_invited_place() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)
  select gen_random_uuid(), new.used_by, i.school_group_id, i.school_id, i.role from tenancy.invited_places i where i.invitation_id = new.id
  on conflict on constraint memberships_user_id_school_id_role_unique do update set status = 'active', expires_at = null;
  return null;
end $$;
create or replace trigger invitations_take_place after update of used_by on rbac.invitations
  for each row when (new.used_by is not null and new.user_id is null) execute function tenancy.take_invited_place();

-- A group that has an administrator keeps one, unless the operator decides otherwise.
create or replace function tenancy.keep_a_group_admin() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.role = 'group_admin' and old.status = 'active' and old.expires_at is null and auth.uid() is not null and not rbac.has_permission(auth.uid(), 'tenancy.manage') then
    perform live.lock();
    if not exists (select 1 from tenancy.memberships m where m.school_group_id = old.school_group_id and m.role = 'group_admin' and m.status = 'active' and m.expires_at is null) then
      raise exception 'LAST_GROUP_ADMIN' using errcode = 'SK001';
    end if;
  end if;
  return null;
end $$;
create or replace trigger memberships_keep_a_group_admin after update or delete on tenancy.memberships
  for each row execute function tenancy.keep_a_group_admin();
