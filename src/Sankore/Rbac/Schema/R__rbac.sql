-- ── What somebody may ──

-- A person's permissions in force.
create or replace function rbac.permissions_of(p_user_id uuid) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct p.permission_key), '{}')
  from rbac.user_roles ur
  join rbac.role_permissions rp on rp.role_id = ur.role_id
  join rbac.permissions p on p.id = rp.permission_id
  where ur.user_id = p_user_id and ur.is_active and (ur.expires_at is null or ur.expires_at > now())
$$;

-- A key's permissions in force: those it was given that whoever made it, a person or another key, has at this moment. A key that is revoked
-- or over has none, nor has one that nobody stands for.
create or replace function rbac.permissions_of_key(p_key_id uuid) returns text[]
language sql stable security definer set search_path = '' as $$
  with recursive chain as (
    select id, permissions, created_by, created_by_key, 1 as depth from rbac.api_keys
    where id = p_key_id and revoked_at is null and (expires_at is null or expires_at > now())
    union all
    select k.id, array(select unnest(c.permissions) intersect select unnest(k.permissions)), k.created_by, k.created_by_key, c.depth + 1
    from chain c join rbac.api_keys k on k.id = c.created_by_key
    where k.revoked_at is null and (k.expires_at is null or k.expires_at > now()))
  select coalesce((
    select array(select unnest(c.permissions) intersect select unnest(rbac.permissions_of(c.created_by)) order by 1)
    from chain c where c.created_by is not null order by c.depth desc limit 1), '{}')
$$;

-- The one rule of giving: nobody, person or key, gives what they do not have. It is asked with whoever gives, when something is given, and
-- again when it is used: with the maker of a key or an invitation. What neither a person nor a key made, the server itself did.
create or replace function rbac.holds(p_user_id uuid, p_key_id uuid, p_permissions text[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select case
    when p_key_id is not null then p_permissions <@ rbac.permissions_of_key(p_key_id)
    when p_user_id is not null then p_permissions <@ rbac.permissions_of(p_user_id)
    else true end
$$;

-- Whether whoever asks has permissions: by the transaction's identity and this database's rows.
create or replace function rbac.may(variadic p_permissions text[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select auth.is_server() or coalesce(auth.uid(), auth.key_id()) is not null and rbac.holds(auth.uid(), auth.key_id(), p_permissions)
$$;

create or replace function rbac.permissions_of_role(p_role_name text) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(p.permission_key), '{}')
  from rbac.roles r
  join rbac.role_permissions rp on rp.role_id = r.id
  join rbac.permissions p on p.id = rp.permission_id
  where r.role_name = p_role_name
$$;

-- The functions that row policies ask (document 004, Fonctions RBAC). SECURITY DEFINER: they read what their caller may not. Of others they
-- tell whoever may read roles, and the server.
create or replace function rbac.may_ask_about(p_user_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select auth.role() not in ('anon', 'authenticated') or p_user_id = auth.uid() or 'rbac.read' = any (rbac.permissions_of(auth.uid()))
$$;

create or replace function rbac.has_permission(p_user_id uuid, p_permission_key text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1
    from rbac.user_roles ur
    join rbac.role_permissions rp on rp.role_id = ur.role_id
    join rbac.permissions p on p.id = rp.permission_id
    where ur.user_id = p_user_id and ur.is_active and (ur.expires_at is null or ur.expires_at > now())
      and p.permission_key = p_permission_key)
    and (p_user_id = auth.uid() or rbac.may_ask_about(p_user_id))
$$;

create or replace function rbac.has_role(p_user_id uuid, p_role_name text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1
    from rbac.user_roles ur
    join rbac.roles r on r.id = ur.role_id
    where ur.user_id = p_user_id and ur.is_active and (ur.expires_at is null or ur.expires_at > now())
      and r.role_name = p_role_name)
    and (p_user_id = auth.uid() or rbac.may_ask_about(p_user_id))
$$;

-- Roles and permissions in force, and until when they are (the first expiry). Own, or anybody's for whoever may read roles.
create or replace function rbac.get_user_permissions(p_user_id uuid, out roles text[], out permissions text[], out valid_until timestamptz)
language sql stable security definer set search_path = '' as $$
  with held as (
    select r.id, r.role_name, r.sort_order, ur.expires_at
    from rbac.user_roles ur
    join rbac.roles r on r.id = ur.role_id
    where ur.user_id = p_user_id and ur.is_active and (ur.expires_at is null or ur.expires_at > now()) and rbac.may_ask_about(p_user_id))
  select coalesce((select array_agg(role_name order by sort_order) from held), '{}'),
         coalesce((select array_agg(distinct p.permission_key order by p.permission_key)
                   from held
                   join rbac.role_permissions rp on rp.role_id = held.id
                   join rbac.permissions p on p.id = rp.permission_id), '{}'),
         (select min(expires_at) from held)
$$;

-- The same of many people at once, for the server: they may all come at once. In PL/pgSQL, which keeps its plan.
create or replace function rbac.rights_of_people(p_user_ids uuid[]) returns table (user_id uuid, kind text, items text[])
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  return query
  with held as materialized (
    select ur.user_id, r.id, r.role_name, ur.expires_at
    from rbac.user_roles ur
    join rbac.roles r on r.id = ur.role_id
    where ur.user_id = any (p_user_ids) and ur.is_active and (ur.expires_at is null or ur.expires_at > now()))
  select h.user_id, 'role', array_agg(h.role_name order by h.role_name) from held h group by h.user_id
  union all
  select h.user_id, 'permission', array_agg(distinct p.permission_key order by p.permission_key)
  from held h
  join rbac.role_permissions rp on rp.role_id = h.id
  join rbac.permissions p on p.id = rp.permission_id
  group by h.user_id
  union all
  select h.user_id, 'topic', array['operations']
  from held h
  join rbac.role_permissions rp on rp.role_id = h.id
  join rbac.permissions p on p.id = rp.permission_id
  where p.permission_key = 'operations.read'
  group by h.user_id
  union all
  select h.user_id, 'seconds_left', array[extract(epoch from min(h.expires_at) - now())::text] from held h where isfinite(h.expires_at)
  group by h.user_id;
end $$;
grant execute on function rbac.rights_of_people(uuid[]) to service_role;

-- Somebody can always administer the platform for good, whatever takes a role away: revoking, an expiry, an account that is deleted.
-- One lock for all, so that two at once cannot both take the last admin but one.
create or replace function rbac.keep_an_admin() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.is_active and old.expires_at is null and exists (select 1 from rbac.roles where id = old.role_id and role_name = 'admin') then
    perform pg_advisory_xact_lock(7205759403792793602);
    if not exists (select 1 from rbac.user_roles where role_id = old.role_id and is_active and expires_at is null) then
      raise exception 'LAST_ADMIN' using errcode = 'SK001';
    end if;
  end if;
  return null;
end $$;
create or replace trigger user_roles_keep_an_admin after update or delete on rbac.user_roles
  for each row execute function rbac.keep_an_admin();

create
  or replace function rbac.grant_role(p_user_id uuid, p_role_name text, p_expires_at timestamptz default null, p_reason text default null)
  returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_role_id uuid;
begin
  if not rbac.may('rbac.grant') then
    raise exception 'FORBIDDEN' using errcode = 'SK001';
  end if;
  if p_user_id = auth.uid() then
    raise exception 'SELF_GRANT' using errcode = 'SK001';
  end if;
  select id into v_role_id from rbac.roles where role_name = p_role_name;
  if v_role_id is null then
    raise exception 'ROLE_UNKNOWN' using errcode = 'SK001';
  end if;
  if not exists (select 1 from public.profiles where id = p_user_id) then
    raise exception 'NOT_FOUND' using errcode = 'SK001';
  end if;
  if p_expires_at <= now() then
    raise exception 'EXPIRY_PAST' using errcode = 'SK001';
  end if;
  insert into rbac.user_roles (user_id, role_id, expires_at, granted_by, reason)
  values (p_user_id, v_role_id, p_expires_at, auth.uid(), p_reason)
  on conflict on constraint user_roles_user_id_role_id_unique do update
    set is_active = true, expires_at = excluded.expires_at, granted_by = excluded.granted_by, granted_at = now(), reason = excluded.reason;
  insert into rbac.role_grants_log (user_id, role_id, operation, performed_by, expires_at, reason)
  values (p_user_id, v_role_id, 'GRANT', auth.uid(), p_expires_at, p_reason);
  return jsonb_build_object('status', 'granted', 'userId', p_user_id, 'role', p_role_name, 'expiresAt', p_expires_at);
end $$;

create or replace function rbac.revoke_role(p_user_id uuid, p_role_name text, p_reason text default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_role_id uuid;
begin
  if not rbac.may('rbac.grant') then
    raise exception 'FORBIDDEN' using errcode = 'SK001';
  end if;
  select id into v_role_id from rbac.roles where role_name = p_role_name;
  if v_role_id is null then
    raise exception 'ROLE_UNKNOWN' using errcode = 'SK001';
  end if;
  if not exists (select 1 from rbac.user_roles where user_id = p_user_id and role_id = v_role_id and is_active) then
    raise exception 'NOT_FOUND' using errcode = 'SK001';
  end if;
  update rbac.user_roles set is_active = false where user_id = p_user_id and role_id = v_role_id;
  insert into rbac.role_grants_log (user_id, role_id, operation, performed_by, reason)
  values (p_user_id, v_role_id, 'REVOKE', auth.uid(), p_reason);
  return jsonb_build_object('status', 'revoked', 'userId', p_user_id, 'role', p_role_name);
end $$;

grant execute on function rbac.may(text[]), rbac.has_permission(uuid, text), rbac.has_role(uuid, text), rbac.get_user_permissions(uuid),
  rbac.grant_role(uuid, text, timestamptz, text), rbac.revoke_role(uuid, text, text) to anon, authenticated, service_role;

-- ── Whatever is given is asked for here, whoever's statement it is ──

create or replace function rbac.give_role() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.is_active and not rbac.may(variadic rbac.permissions_of_role((select role_name from rbac.roles where id = new.role_id))) then
    raise exception 'NOT_YOURS_TO_GIVE' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace trigger user_roles_give before insert or update of user_id, role_id, is_active, expires_at on rbac.user_roles
  for each row execute function rbac.give_role();

-- Whoever makes a key or an invitation stands for it, whatever the statement says.
create or replace function rbac.name_giver() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not auth.is_server() then
    new.created_by := auth.uid();
    new.created_by_key := auth.key_id();
  end if;
  return new;
end $$;
create or replace trigger api_keys_name_giver before insert or update of permissions, created_by, created_by_key on rbac.api_keys
  for each row execute function rbac.name_giver();
create or replace trigger invitations_name_giver
  before insert or update of role_name, token_hash, created_by, created_by_key on rbac.invitations
  for each row execute function rbac.name_giver();

create or replace function rbac.give_key() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not rbac.may('identity.manage_keys') or not rbac.may(variadic new.permissions) then
    raise exception 'NOT_YOURS_TO_GIVE' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace trigger api_keys_give before insert or update of permissions, created_by, created_by_key on rbac.api_keys
  for each row execute function rbac.give_key();

-- What inviting into a role asks for. An invitation into a place has no role to give but the one that everybody has: its place is asked for
-- where it is kept.
create or replace function rbac.permissions_to_invite(p_role_name text) returns text[]
language sql stable security definer set search_path = '' as $$
  select case when p_role_name = 'member' then '{}'
    else array['identity.invite', 'rbac.grant'] || rbac.permissions_of_role(p_role_name) end
$$;

create or replace function rbac.give_invitation() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not rbac.may(variadic rbac.permissions_to_invite(new.role_name)) then
    raise exception 'NOT_YOURS_TO_GIVE' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace trigger invitations_give before insert or update of role_name, token_hash, created_by, created_by_key on rbac.invitations
  for each row execute function rbac.give_invitation();

-- Whether an invitation can still be accepted, as far as the platform's roles go: whoever made it might make it today.
create or replace function rbac.invitation_stands(i rbac.invitations) returns boolean
language sql stable security definer set search_path = '' as $$
  select i.used_at is null and i.expires_at > now()
    and rbac.holds(i.created_by, i.created_by_key, rbac.permissions_to_invite(i.role_name))
$$;
grant execute on function rbac.invitation_stands(rbac.invitations), rbac.permissions_of_key(uuid), rbac.permissions_of_role(text),
  rbac.holds(uuid, uuid, text[]) to service_role;

-- Taking away somebody's second factor comes near to being them: who has all that they may asks for it, and never for themselves. Asked
-- again when it is done.
create or replace function rbac.give_recovery() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not auth.is_server() then
    new.requested_by := auth.uid();
  end if;
  if not rbac.recovery_stands(new) then
    raise exception 'NOT_YOURS_TO_GIVE' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace function rbac.recovery_stands(r auth.recoveries) returns boolean
language sql stable security definer set search_path = '' as $$
  select r.requested_by is not null and r.requested_by <> r.user_id
    and rbac.holds(r.requested_by, null, rbac.permissions_of(r.user_id) || array['identity.recover'])
$$;
grant execute on function rbac.recovery_stands(auth.recoveries) to service_role;

-- The second factors that will be taken away, for whoever keeps accounts.
create or replace function rbac.open_recoveries() returns table (user_id uuid, name text, due_at timestamptz)
language sql stable security definer set search_path = '' as $$
  select r.user_id, p.display_name, r.due_at
  from auth.recoveries r
  join public.profiles p on p.id = r.user_id
  where r.cancelled_at is null and r.completed_at is null and rbac.may('identity.read')
$$;
grant execute on function rbac.open_recoveries() to authenticated;

-- Jobs that were given up in the last week, and those that should have begun five minutes ago, for whoever operates the platform.
create or replace function util.troubled_jobs() returns table (kind text, n bigint, name text, at timestamptz)
language sql stable security definer set search_path = '' as $$
  select k.kind, count(*), string_agg(distinct k.job_type, ', ' order by k.job_type), min(k.at)
  from (
    select 'jobs_failed' as kind, j.job_type, j.run_at as at
    from util.job_queue j where j.status = 'failed' and j.run_at > now() - interval '7 days'
    union all
    select 'jobs_late', j.job_type, j.run_at
    from util.job_queue j where j.status = 'pending' and j.run_at < now() - interval '5 minutes') k
  where rbac.may('operations.read') group by k.kind
$$;
grant execute on function util.troubled_jobs() to authenticated;

create or replace trigger recoveries_give before insert on auth.recoveries for each row execute function rbac.give_recovery();
select audit.watch('auth.recoveries');

-- Whatever changes how somebody signs in ends the links that are out for their account: they have come by another way.
create or replace function rbac.end_links() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update rbac.invitations set used_at = now(), used_by = new.id where user_id = new.id and used_at is null;
  return null;
end $$;
create or replace trigger users_end_links after update of security_stamp on auth.users
  for each row when (old.security_stamp is distinct from new.security_stamp) execute function rbac.end_links();

create or replace trigger role_grants_log_immutable before update or delete or truncate on rbac.role_grants_log
  for each statement execute function audit.refuse_change();

-- A change of rights reaches the person's open streams before anything later does.
create or replace function rbac.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_table_name = 'user_roles' then
    perform live.publish('rbac.user_roles', 'RIGHTS', coalesce(new.id, old.id)::text, null,
        array['user:' || coalesce(new.user_id, old.user_id)]);
  else
    perform live.publish('rbac.role_permissions', 'RIGHTS', coalesce(new.id, old.id)::text, null, array['everyone']);
  end if;
  return null;
end $$;
select util.at_commit('rbac.user_roles', 'user_roles_rights', 'insert or update or delete', 'rbac.publish_rights'),
  util.at_commit('rbac.role_permissions', 'role_permissions_rights', 'insert or update or delete', 'rbac.publish_rights');

select audit.watch('rbac.roles'), audit.watch('rbac.role_permissions'), audit.watch('rbac.user_roles'),
  audit.watch('rbac.invitations', 'token_hash'), audit.watch('rbac.api_keys', 'key_hash', 'last_used_at');

-- Whoever registers is a member (document 004, roles).
create or replace function rbac.grant_default_role() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into rbac.user_roles (user_id, role_id, reason) select new.id, id, 'registered' from rbac.roles where role_name = 'member';
  insert into rbac.role_grants_log (user_id, role_id, operation, performed_by, reason)
  select new.id, id, 'GRANT', auth.uid(), 'registered' from rbac.roles where role_name = 'member';
  return null;
end $$;
create or replace trigger profiles_default_role after insert on public.profiles for each row execute function rbac.grant_default_role();

grant select on rbac.permissions, rbac.roles, rbac.role_permissions, rbac.user_roles, rbac.role_grants_log to authenticated, service_role;
grant select, insert on rbac.invitations, rbac.api_keys to service_role;
grant update (token_hash, created_by, created_by_key, sent_at, expires_at, used_at, used_by) on rbac.invitations to service_role;
grant update (last_used_at, revoked_at) on rbac.api_keys to service_role;
-- The hashes are the service's alone.
grant select (id, email, email_key, role_name, created_by, created_by_key, created_at, sent_at, expires_at, used_at, used_by, user_id)
  on rbac.invitations to authenticated;
grant select (id, name, key_prefix, permissions, created_by, created_by_key, created_at, expires_at, last_used_at, revoked_at)
  on rbac.api_keys to authenticated;
grant select on rbac.permissions, rbac.roles to anon;

select util.policy('rbac.permissions', 'everybody', 'select', 'anon, authenticated, service_role'),
  util.policy('rbac.roles', 'everybody', 'select', 'anon, authenticated, service_role'),
  util.policy('rbac.role_permissions', 'person', 'select', 'authenticated, service_role'),
  util.policy('rbac.user_roles', 'service', 'select', 'service_role'),
  util.policy('rbac.role_grants_log', 'service', 'select', 'service_role'),
  util.policy('rbac.invitations', 'service', 'all', 'service_role'),
  util.policy('rbac.api_keys', 'service', 'all', 'service_role');

-- Whose readers are named by a permission; among them tables of the layers below.
grant select on audit.audit_logs, util.migrations_meta to authenticated, service_role;
select util.policy('audit.audit_logs', 'service', 'select', 'service_role'),
  util.policy('util.migrations_meta', 'service', 'select', 'service_role');
select util.policy(v_table::regclass, 'operator', 'select', 'authenticated',
    concat_ws(' or ', v_own || ' = (select auth.uid())', format('(select rbac.has_permission((select auth.uid()), %L))', v_permission)))
from (values
  ('rbac.user_roles', 'user_id', 'rbac.read'),
  ('rbac.role_grants_log', 'user_id', 'rbac.read'),
  ('rbac.invitations', null, 'identity.invite'),
  ('rbac.api_keys', null, 'identity.manage_keys'),
  ('public.profiles', 'id', 'identity.read'),
  ('audit.audit_logs', null, 'audit.read'),
  ('util.migrations_meta', null, 'operations.read'),
  ('live.nodes', null, 'operations.read')) v (v_table, v_own, v_permission);
