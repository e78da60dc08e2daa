-- Password hashes and keys are the account store's alone: it works as service_role, no person's role reads them.
grant select, insert, update, delete on auth.users, auth.data_protection_keys to service_role;
grant select on public.profiles to authenticated, service_role;
grant insert, update on public.profiles to service_role;
grant update (username, display_name, bio, avatar_url, is_public, locale, time_zone, phone, city, country, updated_at) on public.profiles to authenticated;

drop policy if exists users_service on auth.users;
create policy users_service on auth.users to service_role using (true) with check (true);
drop policy if exists data_protection_keys_service on auth.data_protection_keys;
create policy data_protection_keys_service on auth.data_protection_keys to service_role using (true) with check (true);
drop policy if exists profiles_service on public.profiles;
create policy profiles_service on public.profiles to service_role using (true) with check (true);
drop policy if exists profiles_own_update on public.profiles;
create policy profiles_own_update on public.profiles for update to authenticated
  using (id = (select auth.uid())) with check (id = (select auth.uid()));

drop function if exists auth.my_security_stamp();

-- A new password or a second factor ends older sessions: their streams are told.
create or replace function auth.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform live.publish('auth.users', 'RIGHTS', old.id::text, null, array['user:' || old.id]);
  return null;
end $$;
drop trigger if exists users_rights_update on auth.users;
create constraint trigger users_rights_update after update on auth.users deferrable initially deferred for each row
  when (old.security_stamp is distinct from new.security_stamp) execute function auth.publish_rights();
drop trigger if exists users_rights_delete on auth.users;
create constraint trigger users_rights_delete after delete on auth.users deferrable initially deferred for each row
  execute function auth.publish_rights();
