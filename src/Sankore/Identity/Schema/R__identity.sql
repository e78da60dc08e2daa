-- Password hashes and keys are the account store's alone: it works as service_role, no person's role reads them.
grant select, insert, update, delete on auth.users, auth.data_protection_keys to service_role;
grant select on public.profiles to authenticated, service_role;
grant insert, update on public.profiles to service_role;
grant update (username, display_name, bio, avatar_url, is_public, locale, time_zone, phone, city, country, updated_at)
  on public.profiles to authenticated;

select util.policy('auth.users', 'service', 'all', 'service_role'),
  util.policy('auth.data_protection_keys', 'service', 'all', 'service_role'),
  util.policy('public.profiles', 'service', 'all', 'service_role'),
  util.policy('public.profiles', 'own', 'update', 'authenticated', 'id = (select auth.uid())');

drop function if exists auth.my_security_stamp();

-- A new password or a second factor ends older sessions: their streams are told.
create or replace function auth.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform live.publish('auth.users', 'RIGHTS', old.id::text, null, array['user:' || old.id]);
  return null;
end $$;
select util.at_commit('auth.users', 'users_rights_update', 'update', 'auth.publish_rights',
    'old.security_stamp is distinct from new.security_stamp'),
  util.at_commit('auth.users', 'users_rights_delete', 'delete', 'auth.publish_rights');
