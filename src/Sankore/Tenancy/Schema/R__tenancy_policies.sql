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

-- A logo is nobody's own picture, and a group's row the operator's to change: whoever administers the group gives it, and its schools, a
-- logo here. One that is replaced stays, for the messages that show it.
create or replace function tenancy.set_logo(
  p_group_id uuid, p_school_id uuid, p_id uuid, p_name text, p_media_type text, p_width integer, p_height integer, p_content bytea,
  p_small bytea, p_source bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare
  -- The same file once more is the logo that is there.
  v_logo uuid := (select p.id from util.pictures p where p.source = p_source and p.id = coalesce(
    (select logo_id from tenancy.schools where id = p_school_id), (select logo_id from tenancy.school_groups where id = p_group_id)));
begin
  if not (p_group_id = any (tenancy.my_administered_group_ids()) or rbac.has_permission(auth.uid(), 'tenancy.manage')) then
    raise exception 'FORBIDDEN' using errcode = 'SK001';
  end if;
  if p_id is not null and v_logo is null then
    insert into util.pictures (id, kind, name, media_type, width, height, content, small, source)
    values (p_id, 'logo', p_name, p_media_type, p_width, p_height, p_content, p_small, p_source);
    v_logo := p_id;
  end if;
  if p_school_id is null then
    update tenancy.school_groups set logo_id = v_logo where id = p_group_id;
  else
    update tenancy.schools set logo_id = v_logo where id = p_school_id and school_group_id = p_group_id;
  end if;
end $$;
grant execute on function tenancy.set_logo(uuid, uuid, uuid, text, text, integer, integer, bytea, bytea, bytea) to authenticated;

select tenancy.remember_audiences();
-- Whatever schools were before these triggers.
select tenancy.link_schools_to_subscription(array(select id from tenancy.school_groups)),
  tenancy.sync_active_modules_of_groups(array(select id from tenancy.school_groups));
