-- Who is asking. Db sets both settings inside the transaction, with its first statement.
create or replace function auth.jwt() returns jsonb
language sql stable parallel safe as $$
  select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}'::jsonb)
$$;

create or replace function auth.uid() returns uuid
language sql stable parallel safe as $$ select (auth.jwt() ->> 'sub')::uuid $$;

create or replace function auth.role() returns text
language sql stable parallel safe as $$ select coalesce(auth.jwt() ->> 'role', 'anon') $$;

grant execute on function auth.jwt(), auth.uid(), auth.role() to anon, authenticated, service_role;

-- A table's version and time of change, kept by the database so that nobody can forget them.
create or replace function util.touch() returns trigger
language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;

-- Rows of the audit log, one set per statement. Trigger arguments name columns that never leave their table (hashes).
create or replace function audit.log_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_table text := tg_table_schema || '.' || tg_table_name;
  v_secret text[] := coalesce(tg_argv, '{}');
  v_role  text := coalesce(auth.jwt() ->> 'role', session_user);
begin
  if tg_op = 'INSERT' then
    insert into audit.audit_logs (table_name, action, record_id, user_id, role, after)
    select v_table, tg_op, n.id::text, auth.uid(), v_role, to_jsonb(n) - v_secret from new_rows n;
  elsif tg_op = 'DELETE' then
    insert into audit.audit_logs (table_name, action, record_id, user_id, role, before)
    select v_table, tg_op, o.id::text, auth.uid(), v_role, to_jsonb(o) - v_secret from old_rows o;
  else
    insert into audit.audit_logs (table_name, action, record_id, user_id, role, before, after)
    select v_table, tg_op, n.id::text, auth.uid(), v_role, to_jsonb(o) - v_secret, to_jsonb(n) - v_secret
    from new_rows n join old_rows o on o.id = n.id
    where o is distinct from n;
  end if;
  return null;
end $$;

-- For a table some of whose columns follow from other tables: a change is what its version counts, and what follows is no change of anybody's.
create or replace function audit.log_version_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into audit.audit_logs (table_name, action, record_id, user_id, role, before, after)
  select tg_table_schema || '.' || tg_table_name, tg_op, n.id::text, auth.uid(), coalesce(auth.jwt() ->> 'role', session_user), to_jsonb(o) - tg_argv::text[], to_jsonb(n) - tg_argv::text[]
  from new_rows n join old_rows o on o.id = n.id
  where o.version <> n.version;
  return null;
end $$;

-- Puts a table under audit: util.protect's twin.
create or replace function audit.watch(p_table regclass, variadic p_secret_columns text[] default '{}') returns void
language plpgsql as $$
declare
  v_args text := coalesce((select string_agg(quote_literal(c), ', ') from unnest(p_secret_columns) c), '');
begin
  execute format('drop trigger if exists audit_insert on %s', p_table);
  execute format('drop trigger if exists audit_update on %s', p_table);
  execute format('drop trigger if exists audit_delete on %s', p_table);
  execute format('create trigger audit_insert after insert on %s referencing new table as new_rows for each statement execute function audit.log_change(%s)', p_table, v_args);
  execute format('create trigger audit_update after update on %s referencing old table as old_rows new table as new_rows for each statement execute function audit.log_change(%s)', p_table, v_args);
  execute format('create trigger audit_delete after delete on %s referencing old table as old_rows for each statement execute function audit.log_change(%s)', p_table, v_args);
end $$;

-- Nobody rewrites history, not even the owner's own functions.
create or replace function audit.refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception 'IMMUTABLE' using errcode = 'SK001', detail = format('%s.%s is append-only', tg_table_schema, tg_table_name);
end $$;
drop trigger if exists audit_logs_immutable on audit.audit_logs;
create trigger audit_logs_immutable before update or delete or truncate on audit.audit_logs
  for each statement execute function audit.refuse_change();

-- The log's lock. Held until the commit is visible.
create or replace function live.lock() returns void
language sql security definer set search_path = '' as $$ select pg_advisory_xact_lock(7205759403792793600) $$;

-- Appends to the feed. Called at the end of a transaction (deferred constraint triggers; statements that are the transaction's last): the
-- lock is held from here until the commit is visible, so ids are handed out in commit order and a reader who follows them never meets a gap.
create or replace function live.publish(p_table text, p_op text, p_id text, p_row jsonb, p_topics text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if coalesce(cardinality(p_topics), 0) = 0 then
    return;
  end if;
  perform live.lock();
  insert into live.changes (at, topics, table_name, op, row_id, row) values (clock_timestamp(), p_topics, p_table, p_op, p_id, p_row);
  perform pg_notify('live', '');
end $$;

-- The position of the log: everything up to it is committed and visible to whoever reads afterwards.
create or replace function live.position() returns bigint
language sql stable security definer set search_path = '' as $$
  select greatest((select max(id) from live.changes), (select id from live.horizon))
$$;
grant execute on function live.position() to anon, authenticated, service_role;

-- Keeps the log bounded: partitions for today and the next two days, none older than p_keep. Rows that the default partition
-- caught because this did not run for a while are dropped by age. A partition that cannot be made yet does no harm.
create or replace function live.keep_partitions(p_keep interval default '24 hours') returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_day  date;
  v_name text;
  v_part record;
  v_last bigint;
begin
  if not pg_try_advisory_xact_lock(7205759403792793601) then
    return;
  end if;
  for v_day in select generate_series(current_date, current_date + 2, '1 day')::date loop
    v_name := 'changes_' || to_char(v_day, 'YYYYMMDD');
    if to_regclass('live.' || v_name) is null
       and not exists (select 1 from live.changes_default where at >= v_day and at < v_day + 1) then
      execute format('create table live.%I partition of live.changes for values from (%L) to (%L)', v_name, v_day::timestamptz, (v_day + 1)::timestamptz);
      perform util.protect(format('live.%I', v_name)::regclass);
      execute format('create policy service_read on live.%I for select to service_role using (true)', v_name);
    end if;
  end loop;
  for v_part in
    select c.oid::regclass as name, to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'live.changes'::regclass and c.relname ~ '^changes_[0-9]{8}$'
  loop
    if (v_part.day + 1)::timestamptz < now() - p_keep then
      execute format('select max(id) from %s', v_part.name) into v_last;
      update live.horizon set id = greatest(id, coalesce(v_last, 0));
      execute format('drop table %s', v_part.name);
    end if;
  end loop;
  with gone as (delete from live.changes_default where at < now() - p_keep returning id)
  update live.horizon set id = greatest(id, (select coalesce(max(gone.id), 0) from gone));
end $$;
grant execute on function live.keep_partitions(interval) to service_role;

grant select on live.changes, live.horizon to service_role;
drop policy if exists changes_service_read on live.changes;
create policy changes_service_read on live.changes for select to service_role using (true);
drop policy if exists service_read on live.changes_default;
create policy service_read on live.changes_default for select to service_role using (true);
drop policy if exists horizon_service_read on live.horizon;
create policy horizon_service_read on live.horizon for select to service_role using (true);

grant select, insert, update, delete on util.job_queue to service_role;
drop policy if exists job_queue_service_role on util.job_queue;
create policy job_queue_service_role on util.job_queue to service_role using (true) with check (true);
