-- Pictures are listed by who brought them, and loaded by who has the address: a photo only by who is signed in.
grant select, insert, delete on util.pictures to authenticated;
select util.policy('util.pictures', 'own', 'select', 'authenticated', 'owner_id = (select auth.uid())'),
  util.policy('util.pictures', 'own', 'insert', 'authenticated', 'owner_id = (select auth.uid()) or owner_id is null'),
  util.policy('util.pictures', 'own', 'delete', 'authenticated', 'owner_id = (select auth.uid())'),
  live.watch('util.pictures', 'user:owner_id');
create or replace function util.picture(p_id uuid, p_small boolean)
returns table (media_type text, content bytea, is_public boolean)
language sql stable security definer set search_path = '' as $$
  select p.media_type, case when p_small then p.small else p.content end, p.kind <> 'photo'
  from util.pictures p where p.id = p_id and (p.kind <> 'photo' or auth.role() <> 'anon')
$$;
grant execute on function util.picture(uuid, boolean) to anon, authenticated, service_role;
