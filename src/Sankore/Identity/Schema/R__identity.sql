-- Password hashes and keys are the account store's alone: it works as service_role, no person's role reads them.
grant select, insert, update, delete on auth.users, auth.data_protection_keys, auth.sessions, auth.attempts, auth.passkeys to service_role;
grant select, insert, delete on auth.signing_keys to service_role;
grant select, insert, update (cancelled_at, completed_at) on auth.recoveries to service_role;
grant select, delete on auth.sessions to authenticated;
grant select (id, user_id, name, created_at, used_at) on auth.passkeys to authenticated;
grant select on public.profiles to authenticated, service_role;
grant insert, update on public.profiles to service_role;
grant update (username, display_name, bio, avatar_url, is_public, locale, time_zone, phone, city, country, updated_at)
  on public.profiles to authenticated;

select util.policy('auth.users', 'service', 'all', 'service_role'),
  util.policy('auth.data_protection_keys', 'service', 'all', 'service_role'),
  util.policy('auth.signing_keys', 'service', 'all', 'service_role'),
  util.policy('auth.sessions', 'service', 'all', 'service_role'),
  util.policy('auth.sessions', 'own', 'select', 'authenticated', 'user_id = (select auth.uid())'),
  util.policy('auth.sessions', 'own', 'delete', 'authenticated', 'user_id = (select auth.uid())'),
  util.policy('auth.attempts', 'service', 'all', 'service_role'),
  util.policy('auth.passkeys', 'service', 'all', 'service_role'),
  util.policy('auth.passkeys', 'own', 'select', 'authenticated', 'user_id = (select auth.uid())'),
  util.policy('auth.recoveries', 'service', 'all', 'service_role'),
  util.policy('public.profiles', 'service', 'all', 'service_role'),
  util.policy('public.profiles', 'own', 'update', 'authenticated', 'id = (select auth.uid())'),
  -- Whoever sees a person sees their photo.
  util.policy('util.pictures', 'seen', 'select', 'authenticated',
    'kind = ''photo'' and exists (select from public.profiles p where p.id = owner_id)');

drop function if exists auth.my_security_stamp();

-- Whatever changes how somebody signs in ends their sessions.
create or replace function auth.end_sessions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from auth.sessions where user_id = new.id;
  return null;
end $$;
create or replace trigger users_end_sessions after update of security_stamp on auth.users
  for each row when (old.security_stamp is distinct from new.security_stamp) execute function auth.end_sessions();

-- A passkey more, or less, changes how somebody signs in. What was read of the account before is out of date, and refused.
create or replace function auth.renew_stamps() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set security_stamp = gen_random_uuid()::text, concurrency_stamp = gen_random_uuid()::text
  where id = coalesce(new.user_id, old.user_id);
  return null;
end $$;
create or replace trigger passkeys_renew_stamps after insert or delete on auth.passkeys
  for each row execute function auth.renew_stamps();
-- Signing in with one changes nothing that anybody would look up.
select util.after_statement('auth.passkeys', 'audit', o, 'audit.log_change', 'credential_id', 'public_key')
from unnest(array['insert', 'delete']) o;

-- A session that ends is dead at once on every node, and so are its streams.
create or replace function auth.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform live.publish('auth.' || tg_table_name, 'RIGHTS', old.id::text, null,
    array['user:' || case when tg_table_name = 'users' then old.id else (to_jsonb(old) ->> 'user_id')::uuid end]);
  return null;
end $$;
drop trigger if exists users_rights_update on auth.users;
select util.at_commit('auth.sessions', 'sessions_rights_delete', 'delete', 'auth.publish_rights'),
  util.at_commit('auth.users', 'users_rights_delete', 'delete', 'auth.publish_rights');
