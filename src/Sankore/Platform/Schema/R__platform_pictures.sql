-- Pictures are listed by who brought them. Those of messages, and logos, are loaded by who has the address; of photos Identity says by
-- whom.
grant select, insert, delete on util.pictures to authenticated;
select util.policy('util.pictures', 'own', 'select', 'authenticated', 'owner_id = (select auth.uid())'),
  util.policy('util.pictures', 'own', 'insert', 'authenticated', 'owner_id = (select auth.uid())'),
  util.policy('util.pictures', 'own', 'delete', 'authenticated', 'owner_id = (select auth.uid())'),
  live.watch('util.pictures', 'user:owner_id');
create or replace function util.picture(p_id uuid, p_small boolean) returns table (media_type text, content bytea)
language sql stable security definer set search_path = '' as $$
  select p.media_type, case when p_small then p.small else p.content end
  from util.pictures p where p.id = p_id and p.kind <> 'photo'
$$;
grant execute on function util.picture(uuid, boolean) to anon, authenticated, service_role;

-- A person keeps 500 pictures for messages.
create or replace function util.check_pictures() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('pictures ' || new.owner_id, 0));
  if (select count(*) >= 500 from util.pictures where owner_id = new.owner_id and kind = 'message')
     and not exists (select from util.pictures where owner_id = new.owner_id and kind = 'message' and source = new.source) then
    raise exception 'PICTURES_FULL' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace trigger check_pictures before insert on util.pictures
  for each row when (new.kind = 'message') execute function util.check_pictures();
