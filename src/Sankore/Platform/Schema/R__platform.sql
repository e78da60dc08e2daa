-- Makes a policy, named <table>_<who>_<command>. Its rule says which rows may be read or touched, and, unless p_check says otherwise, what
-- may be written.
create or replace function util.policy(
  p_table regclass, p_who text, p_command text, p_roles text, p_rule text default 'true', p_check text default null) returns void
language plpgsql as $$
declare
  v_name text := format('%s_%s_%s', (select relname from pg_class where oid = p_table), p_who, p_command);
begin
  execute format('drop policy if exists %I on %s', v_name, p_table);
  execute format('create policy %I on %s for %s to %s %s (%s)%s', v_name, p_table, p_command, p_roles,
    case p_command when 'insert' then 'with check' else 'using' end, p_rule, ' with check (' || p_check || ')');
end $$;

-- Whoever is signed in reads and writes the rows that are theirs; p_write and p_delete say what else must hold for writing, and deleting.
create or replace function util.own_rows(p_table regclass, p_owner text, p_write text default 'true', p_delete text default null)
returns void language plpgsql as $$
declare
  v_own text := format('%I = (select auth.uid())', p_owner);
begin
  perform util.policy(p_table, 'own', 'select', 'authenticated', v_own);
  perform util.policy(p_table, 'own', 'insert', 'authenticated', format('%s and %s', v_own, p_write));
  perform util.policy(p_table, 'own', 'update', 'authenticated', format('%s and %s', v_own, p_write));
  perform util.policy(p_table, 'own', 'delete', 'authenticated', format('%s and %s', v_own, coalesce(p_delete, p_write)));
end $$;

-- Makes a trigger that works at commit: PostgreSQL cannot replace such a one.
create or replace function util.at_commit(p_table regclass, p_name text, p_events text, p_function text, p_when text default 'true')
returns void language plpgsql as $$
begin
  execute format('drop trigger if exists %I on %s', p_name, p_table);
  execute format('create constraint trigger %I after %s on %s deferrable initially deferred for each row when (%s) execute function %s()',
    p_name, p_events, p_table, p_when, p_function);
end $$;

-- Makes the trigger that is told, after each statement of an operation ('insert', 'update', 'delete'), what that changed: in changed_rows,
-- and in old_rows what they were before an update. Named <table>_<what>_<operation>.
create or replace function util.after_statement(
  p_table regclass, p_what text, p_operation text, p_function text, variadic p_arguments text[] default '{}') returns void
language plpgsql as $$
begin
  execute format('create or replace trigger %I after %s on %s referencing %s for each statement execute function %s(%s)',
    format('%s_%s_%s', (select relname from pg_class where oid = p_table), p_what, p_operation), p_operation, p_table,
    case p_operation when 'insert' then 'new table as changed_rows' when 'delete' then 'old table as changed_rows'
      else 'new table as changed_rows old table as old_rows' end,
    p_function, (select string_agg(quote_literal(a), ', ') from unnest(p_arguments) a));
end $$;

-- A table's version and time of change, kept by the database so that nobody can forget them. An argument: it has no version.
create or replace function util.touch() returns trigger
language plpgsql as $$
begin
  if tg_nargs = 0 then
    new.version := old.version + 1;
  end if;
  new.updated_at := now();
  return new;
end $$;

-- Whether a pattern (ListQuery.Pattern) finds any of a row's texts, without case and accents; no pattern finds everything.
create or replace function util.finds(p_pattern text, variadic p_texts text[]) returns boolean
language sql stable parallel safe as $$
  select p_pattern is null or util.fold(array_to_string(p_texts, ' ')) like util.fold(p_pattern)
$$;
grant execute on function util.finds(text, text[]) to anon, authenticated, service_role;

-- Of a name in two languages the one for who asks (Session says which); the French one where there is no other.
create or replace function util.said(p_french text, p_english text) returns text
language sql stable parallel safe as $$
  select case when current_setting('app.language', true) = 'en' then coalesce(p_english, p_french) else p_french end
$$;
grant execute on function util.said(text, text) to anon, authenticated, service_role;

-- A moment as the clocks on the walls have it, in West Africa Time (UTC+1): said here and in C# (Days.Offset; DaysTests compares the two).
create or replace function util.local(p_at timestamptz) returns timestamp
language sql immutable parallel safe as $$ select p_at at time zone 'UTC' + interval '1 hour' $$;
grant execute on function util.local(timestamptz) to authenticated, service_role;

-- Rows of the audit log, one set per statement. Trigger arguments name columns that never leave their table (hashes).
create or replace function audit.log_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_table text := tg_table_schema || '.' || tg_table_name;
  v_secret text[] := coalesce(tg_argv, '{}');
  v_role  text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
begin
  if tg_op = 'INSERT' then
    insert into audit.audit_logs (table_name, action, record_id, user_id, key_id, role, after)
    select v_table, tg_op, n.id::text, auth.uid(), auth.key_id(), v_role, to_jsonb(n) - v_secret from changed_rows n;
  elsif tg_op = 'DELETE' then
    insert into audit.audit_logs (table_name, action, record_id, user_id, key_id, role, before)
    select v_table, tg_op, o.id::text, auth.uid(), auth.key_id(), v_role, to_jsonb(o) - v_secret from changed_rows o;
  else
    insert into audit.audit_logs (table_name, action, record_id, user_id, key_id, role, before, after)
    select v_table, tg_op, n.id::text, auth.uid(), auth.key_id(), v_role, to_jsonb(o) - v_secret, to_jsonb(n) - v_secret
    from changed_rows n join old_rows o on o.id = n.id
    where o is distinct from n;
  end if;
  return null;
end $$;

-- For a table some of whose columns follow from other tables: a change is what its version counts, and what follows is no change of
-- anybody's.
create or replace function audit.log_version_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into audit.audit_logs (table_name, action, record_id, user_id, key_id, role, before, after)
  select tg_table_schema || '.' || tg_table_name, tg_op, n.id::text, auth.uid(), auth.key_id(),
    coalesce(nullif(current_setting('role', true), 'none'), session_user),
    to_jsonb(o) - tg_argv::text[], to_jsonb(n) - tg_argv::text[]
  from changed_rows n join old_rows o on o.id = n.id
  where o.version <> n.version;
  return null;
end $$;

-- Puts a table under audit: util.protect's twin.
create or replace function audit.watch(p_table regclass, variadic p_secret_columns text[] default '{}') returns void
language plpgsql as $$
begin
  perform util.after_statement(p_table, 'audit', o, 'audit.log_change', variadic p_secret_columns)
  from unnest(array['insert', 'update', 'delete']) o;
end $$;

-- Nobody rewrites history, not even the owner's own functions.
create or replace function audit.refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception 'IMMUTABLE' using errcode = 'SK001', detail = format('%s.%s is append-only', tg_table_schema, tg_table_name);
end $$;
create or replace trigger audit_logs_immutable before update or delete or truncate on audit.audit_logs
  for each statement execute function audit.refuse_change();

-- The log's lock. Held until the commit is visible.
create or replace function live.lock() returns void
language sql security definer set search_path = '' as $$ select pg_advisory_xact_lock(7205759403792793600) $$;

-- Appends to the feed. Called at the end of a transaction (deferred constraint triggers; statements that are the transaction's last): the
-- lock is held from here until the commit is visible, so ids are handed out in commit order and a reader who follows them never meets a
-- gap.
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

-- ── Telling pages that a table changed ──

-- Puts a table under watch: pages that show it (data-reads) are told to read it again, once a transaction and table, whatever it changed.
-- Each of p_topics says who they are: a topic ('catalogue'), or the beginning of one and a column of the rows that changed
-- ('user:user_id'). Where rows are updated more often than they change for a reader, an update counts only if p_column differs.
create or replace function live.watch_column(p_table regclass, p_column text, variadic p_topics text[]) returns void
language plpgsql as $$
declare
  v_op    text;
  v_rows  text;
  v_query text;
begin
  foreach v_op in array array['insert', 'update', 'delete'] loop
    v_rows := case
      when v_op <> 'update' then 'changed_rows x'
      when p_column is null then '(table changed_rows union all table old_rows) x'
      else format('changed_rows x join old_rows o using (id) where x.%1$I is distinct from o.%1$I', p_column) end;
    select format('select array(%s)', string_agg(case
        when t like '%:%' then format('select distinct %L || x.%I from %s', split_part(t, ':', 1) || ':', split_part(t, ':', 2), v_rows)
        else format('(select %L from %s limit 1)', t, v_rows) end, ' union all '))
      into v_query from unnest(p_topics) t;
    perform util.after_statement(p_table, 'live', v_op, 'live.note_change', v_query);
  end loop;
end $$;

create or replace function live.watch(p_table regclass, variadic p_topics text[]) returns void
language sql as $$ select live.watch_column(p_table, null, variadic p_topics) $$;

-- A statement's part of what its transaction has to say. The log's lock is not taken before commit, however long the transaction lasts.
create or replace function live.note_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_topics text[];
begin
  if not exists (select 1 from changed_rows) then
    return null;
  end if;
  execute tg_argv[0] into v_topics;
  v_topics := array_remove(v_topics, null);
  if cardinality(v_topics) > 0 then
    insert into live.due as d values (pg_current_xact_id(), tg_table_schema || '.' || tg_table_name, v_topics)
    on conflict on constraint due_pkey do update
      set topics = array(select unnest(d.topics) union select unnest(excluded.topics)) where not d.topics @> excluded.topics;
  end if;
  return null;
end $$;

create or replace function live.publish_due() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_topics text[];
begin
  delete from live.due where transaction = new.transaction and table_name = new.table_name returning topics into v_topics;
  perform live.publish(new.table_name, 'UPDATE', '', null, v_topics);
  return null;
end $$;
select util.at_commit('live.due', 'due_publish', 'insert', 'live.publish_due');

-- The position of the log: everything up to it is committed and visible to whoever reads afterwards.
create or replace function live.position() returns bigint
language sql stable security definer set search_path = '' as $$
  select greatest((select max(id) from live.changes), (select id from live.horizon))
$$;
grant execute on function live.position() to anon, authenticated, service_role;

-- The log has lost what was read of it up to p_position (a failover to a standby that lacked it, a restored backup): from here on ids are
-- such as nobody was ever told, and whoever followed the log until now begins anew, at the raised horizon. The first who notices does it
-- for all.
create or replace function live.begin_anew(p_position bigint) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_horizon bigint;
begin
  perform live.lock();
  if p_position < (select id from live.horizon) then
    return;
  end if;
  select greatest(last_value, p_position) + 1 into v_horizon from live.changes_id_seq;
  perform setval('live.changes_id_seq', v_horizon);
  update live.horizon set id = v_horizon;
  perform pg_notify('live', '');
end $$;
grant execute on function live.begin_anew(bigint) to service_role;

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
      execute format('create table live.%I partition of live.changes for values from (%L) to (%L)', v_name, v_day::timestamptz,
          (v_day + 1)::timestamptz);
      perform util.protect(format('live.%I', v_name)::regclass);
      perform util.policy(format('live.%I', v_name)::regclass, 'service', 'select', 'service_role');
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

-- A node as its row of the feed.
create or replace function live.node_row(n live.nodes) returns jsonb
language sql stable as $$
  select n.figures || n.history || jsonb_build_object(
    'of', 'node', 'name', n.name, 'version', n.version, 'startedAt', n.started_at, 'seenAt', n.seen_at,
    'since', n.seen_at - make_interval(secs => coalesce((n.history ->> 'seconds')::float8, 0)),
    'state', case when n.is_silent or n.seen_at < now() - interval '20 seconds' then 'inactive' else 'active' end)
$$;

-- All living nodes together: of times the worst, of everything else the sum.
create or replace function live.nodes_row() returns jsonb
language sql stable as $$
  with sums as (
    select coalesce(jsonb_object_agg(key, value), '{}') as figures
    from (
      select key, case when key in ('fanOut', 'lag') then max(value::numeric) else sum(value::numeric) end as value
      from live.nodes, jsonb_each_text(figures)
      where seen_at > now() - interval '1 minute' and key !~ 'Max$'
      group by key
    ) by_figure)
  select figures || jsonb_build_object('of', 'all') from sums
$$;
grant execute on function live.node_row(live.nodes), live.nodes_row() to authenticated, service_role;

-- A node says how its feed does. It is told to operators at once while one of them has the page before them, and every ten seconds
-- otherwise: the log is everybody's. Whoever tells also says who has fallen silent, and forgets who has not been seen for a minute. The
-- log's lock comes first, so that nodes which come back together do not wait for each other's rows.
create
  or replace function live.report(p_id uuid, p_name text, p_version text, p_up interval, p_watched interval, p_figures jsonb,
    p_history jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_known live.nodes;
  v_tell  boolean;
  v_node  live.nodes;
begin
  select * into v_known from live.nodes where id = p_id;
  v_tell := v_known.id is null or v_known.is_silent or v_known.told_at < now() - interval '9 seconds' or p_watched > interval '0'
    or exists (select 1 from live.nodes where watched_until > now());
  if v_tell then
    perform live.lock();
  end if;
  insert into live.nodes (id, name, version, started_at, watched_until, figures, history)
  values (p_id, left(p_name, 200), left(p_version, 100), now() - p_up, now() + p_watched, p_figures, p_history)
  on conflict on constraint nodes_pkey do update
    set seen_at = now(), told_at = case when v_tell then now() else live.nodes.told_at end, is_silent = false,
        watched_until = excluded.watched_until, figures = excluded.figures, history = excluded.history
  returning * into v_node;
  if not v_tell then
    return;
  end if;
  perform live.publish('live.nodes', case
      when v_known.id is null then 'INSERT' else 'UPDATE' end, p_id::text, live.node_row(v_node), array['operations']);
  for v_node in update live.nodes set is_silent = true where not is_silent and seen_at < now() - interval '20 seconds' returning * loop
    perform live.publish('live.nodes', 'UPDATE', v_node.id::text, live.node_row(v_node), array['operations']);
  end loop;
  for v_node in delete from live.nodes where seen_at < now() - interval '1 minute' returning * loop
    perform live.publish('live.nodes', 'DELETE', v_node.id::text, null, array['operations']);
  end loop;
  perform live.publish('live.nodes', 'UPDATE', 'all', live.nodes_row(), array['operations']);
end $$;
grant execute on function live.report(uuid, text, text, interval, interval, jsonb, jsonb) to service_role;

grant select on live.nodes to authenticated, service_role;
grant insert, update, delete on live.nodes to service_role;
select util.policy('live.nodes', 'service', 'all', 'service_role');

grant select on live.changes, live.horizon to service_role;
select util.policy('live.changes', 'service', 'select', 'service_role'), util.policy('live.horizon', 'service', 'select', 'service_role');
select util.policy(inhrelid::regclass, 'service', 'select', 'service_role') from pg_inherits where inhparent = 'live.changes'::regclass;

grant select, insert, update, delete on util.job_queue to service_role;

-- Jobs that somebody works, or will: all but those that are done or given up, or that the last node to try has died with.
create or replace view util.live_jobs with (security_invoker = true) as
  select id, job_type, payload, run_at from util.job_queue
  where status = 'pending' or (status = 'running' and (locked_until >= now() or attempts < max_attempts));
grant select on util.live_jobs to service_role;

select util.policy('util.job_queue', 'service', 'all', 'service_role');

-- ── Imports ──

create or replace trigger update_updated_at_column before update on util.imports for each row execute function util.touch('no version');

alter table util.imports alter column user_id set default auth.uid();
alter table util.import_parts alter column user_id set default auth.uid();
alter table util.import_rows alter column user_id set default auth.uid();

-- Whoever uploaded a file reads it, its parts and its report. What becomes of its rows is written by the server alone.
grant select, insert, update (status, settings, percent, rows_read, counts, result, failure, finished_at) on util.imports to authenticated;
grant select, insert on util.import_parts to authenticated;
grant select on util.import_rows to authenticated;
grant select, insert, update, delete on util.imports, util.import_parts, util.import_rows to service_role;
select util.policy(t, 'own', 'select', 'authenticated', 'user_id = (select auth.uid())'), util.policy(t, 'service', 'all', 'service_role')
from unnest(array['util.imports', 'util.import_parts', 'util.import_rows']::regclass[]) t;

-- A module's kinds of imports: whoever is signed in writes files of theirs, while p_rule holds. A kind that no module names is nobody's to
-- write.
create or replace function util.import_policies(p_module text, p_rule text, variadic p_kinds text[]) returns void
language plpgsql as $$
declare
  v_own  text := format('user_id = (select auth.uid()) and kind = any (%L) and (%s)', p_kinds, p_rule);
begin
  perform util.policy('util.imports', p_module, 'insert', 'authenticated', v_own);
  perform util.policy('util.imports', p_module, 'update', 'authenticated', v_own);
  perform util.policy('util.import_parts', p_module, 'insert', 'authenticated', format(
    'user_id = (select auth.uid()) and (%s) and import_id in (select i.id from util.imports i where i.kind = any (%L))', p_rule, p_kinds));
end $$;

select live.watch_column('util.imports', 'status', 'user:user_id');

drop function if exists util.tell_import(uuid);

-- How far one of the caller's imports is, and what became of it.
create or replace function util.publish_import(p_id uuid) returns void
language sql security definer set search_path = '' as $$
  select live.publish('util.imports', 'UPDATE', i.id::text,
    i.counts || i.result || jsonb_build_object('status', i.status, 'percent', i.percent, 'rows', i.rows_read), array['user:' || i.user_id])
  from util.imports i where i.id = p_id and i.user_id = auth.uid()
$$;
grant execute on function util.publish_import(uuid) to authenticated, service_role;

-- ── What was deleted and may be brought back: by whoever deleted it ──

alter table util.deleted_rows alter column user_id set default auth.uid();
grant select, insert, delete on util.deleted_rows to authenticated, service_role;
select util.own_rows('util.deleted_rows', 'user_id'), util.policy('util.deleted_rows', 'service', 'all', 'service_role');
