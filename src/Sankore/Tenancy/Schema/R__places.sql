-- ── Places: who gives them, who takes them ──

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

-- Whether somebody, a person or a key, gives places in a group: who administers it, and who keeps the network.
create or replace function tenancy.holds_group(p_user_id uuid, p_key_id uuid, p_group_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select rbac.holds(p_user_id, p_key_id, array['tenancy.manage']) or p_key_id is null and exists (
    select from tenancy.current_memberships m
    where m.user_id = p_user_id and m.school_group_id = p_group_id and m.role = 'group_admin')
$$;

-- Whatever gives a place in a group is asked for here: nobody gives one in a group that is not theirs to keep, nor to themselves, nor in
-- what is closed. Once a statement, as places come in thousands.
create or replace function tenancy.give_places() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_given jsonb[];
begin
  if auth.is_server() then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(to_jsonb(n)) into v_given from changed_rows n;
  else
    select array_agg(to_jsonb(n)) into v_given from changed_rows n join old_rows o using (id)
    where n.status = 'active'
      and (n.role, n.school_id, n.status, n.expires_at) is distinct from (o.role, o.school_id, o.status, o.expires_at);
  end if;
  perform tenancy.check_places(v_given);
  return null;
end $$;

create or replace function tenancy.give_invited_places() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not auth.is_server() then
    perform tenancy.check_places((select array_agg(to_jsonb(n)) from changed_rows n));
  end if;
  return null;
end $$;

create or replace function tenancy.check_places(p_places jsonb[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from (select distinct (p ->> 'school_group_id')::uuid as id from unnest(p_places) p) g
      where not tenancy.holds_group(auth.uid(), auth.key_id(), g.id))
    or exists (select from unnest(p_places) p where (p ->> 'user_id')::uuid = auth.uid())
  then
    raise exception 'NOT_YOURS_TO_GIVE' using errcode = 'SK001';
  end if;
  if exists (select from tenancy.school_groups g
      where g.status <> 'active' and g.id in (select (p ->> 'school_group_id')::uuid from unnest(p_places) p))
  then
    raise exception 'GROUP_CLOSED' using errcode = 'SK001';
  end if;
  if exists (select from tenancy.schools s
      where s.status <> 'active' and s.id in (select (p ->> 'school_id')::uuid from unnest(p_places) p))
  then
    raise exception 'SCHOOL_CLOSED' using errcode = 'SK001';
  end if;
end $$;
select util.after_statement('tenancy.memberships', 'give', o, 'tenancy.give_places') from unnest(array['insert', 'update']) o;
select util.after_statement('tenancy.invited_places', 'give', 'insert', 'tenancy.give_invited_places');

-- Whether the place of an invitation could be given today by whoever invites, and to that person: one that was dismissed meanwhile gets
-- none. An invitation without a place stands on its role alone.
create or replace function tenancy.place_stands(i rbac.invitations) returns boolean
language sql stable security definer set search_path = '' as $$
  select not exists (
    select from tenancy.invited_places p
    join tenancy.school_groups g on g.id = p.school_group_id
    left join tenancy.schools s on s.id = p.school_id
    where p.invitation_id = i.id
      and (g.status <> 'active' or s.status <> 'active'
        or not tenancy.holds_group(i.created_by, i.created_by_key, p.school_group_id)
        or i.user_id is not null and not exists (
          select from tenancy.memberships m
          where m.user_id = i.user_id and m.school_group_id = p.school_group_id and m.status = 'active')
        or i.user_id is null and exists (
          select from tenancy.memberships m join auth.users u on u.id = m.user_id
          where u.normalized_email = i.email_key and m.school_group_id = p.school_group_id and m.status <> 'active')))
$$;
grant execute on function tenancy.place_stands(rbac.invitations) to service_role;

-- Sent again, an invitation stands on whoever sends it.
create or replace function tenancy.send_invited_place() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not auth.is_server() then
    perform tenancy.check_places(array(select to_jsonb(p) from tenancy.invited_places p where p.invitation_id = new.id));
  end if;
  return null;
end $$;
create or replace trigger invitations_send_place after update of token_hash on rbac.invitations
  for each row execute function tenancy.send_invited_place();

-- A group that has an administrator keeps one, unless the operator decides otherwise.
create or replace function tenancy.keep_a_group_admin() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.role = 'group_admin' and old.status = 'active' and old.expires_at is null and auth.uid() is not null
    and not rbac.has_permission(auth.uid(), 'tenancy.manage') then
    perform live.lock();
    if not exists (select 1 from tenancy.memberships m
        where m.school_group_id = old.school_group_id and m.role = 'group_admin' and m.status = 'active' and m.expires_at is null) then
      raise exception 'LAST_GROUP_ADMIN' using errcode = 'SK001';
    end if;
  end if;
  return null;
end $$;
create or replace trigger memberships_keep_a_group_admin after update or delete on tenancy.memberships
  for each row execute function tenancy.keep_a_group_admin();
