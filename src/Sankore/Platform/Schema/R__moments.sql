-- The years that moments are of, in every column of time: those of inputs (Moment in C#). Bounds every column that is not bounded yet, and
-- puts what is out of the range, infinity above all, to its nearest end. Asked once a version's files are applied (SchemaRunner).
create or replace function util.keep_moments() returns void
language plpgsql as $$
declare
  v_first constant text := quote_literal('2000-01-01 00:00+00');
  v_last  constant text := quote_literal('2199-12-31 23:59:59.999999+00');
  v       record;
begin
  for v in
    select c.oid::regclass as name, quote_ident(a.attname) as column, quote_ident(format('%s_%s_moment_check', c.relname,
        a.attname)) as rule
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace::regnamespace::text !~ '^(pg_|information_schema$)' and c.relkind in ('r', 'p') and not c.relispartition
      and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
      and not exists (
        select from pg_constraint k where k.conrelid = c.oid and k.conname = format('%s_%s_moment_check', c.relname, a.attname))
  loop
    execute format('alter table %s disable trigger user', v.name);
    execute format('update %1$s set %2$s = least(greatest(%2$s, %3$s), %4$s) where %2$s < %3$s or %2$s > %4$s',
      v.name, v.column, v_first, v_last);
    execute format('alter table %s enable trigger user', v.name);
    execute format('alter table %1$s add constraint %5$s check (isfinite(%2$s) and %2$s between %3$s and %4$s)',
      v.name, v.column, v_first, v_last, v.rule);
  end loop;
end $$;

-- Whether PostgreSQL knows a time zone by this name.
create or replace function util.is_time_zone(p_name text) returns boolean
language plpgsql immutable as $$
begin
  return p_name ~ '^[A-Za-z]' and timestamp '2000-01-01' at time zone p_name is not null;
exception when invalid_parameter_value then
  return false;
end $$;
grant execute on function util.is_time_zone(text) to authenticated, service_role;
