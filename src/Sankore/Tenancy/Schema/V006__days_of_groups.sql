-- A group's days are those of its own clocks. The periods of a subscription are counted from one moment of them, and so never drift.
alter table tenancy.school_groups
  add column time_zone text not null default 'Africa/Brazzaville',
  add constraint school_groups_time_zone_check check (util.is_time_zone(time_zone));
alter table tenancy.subscriptions add column anchored_at timestamp;

-- util.keep_moments says the same of every column.
alter table tenancy.memberships drop constraint memberships_expires_at_check;
alter table tenancy.user_module_permissions drop constraint user_module_permissions_expires_at_check;

drop function if exists tenancy.next_due(timestamptz, text);
create function tenancy.next_due(p_anchored_at timestamp, p_period text, p_zone text, p_after timestamptz) returns timestamptz
language sql stable set search_path = '' as $$
  with period as (
    select case p_period when 'monthly' then 1 else 12 end as months, p_after at time zone p_zone as after),
  elapsed as (
    select months, ((extract(year from after) - extract(year from p_anchored_at)) * 12
      + extract(month from after) - extract(month from p_anchored_at))::integer / months as periods
    from period),
  ends as (
    select (p_anchored_at + make_interval(months => months * (periods + n))) at time zone p_zone as ends_at
    from elapsed, generate_series(-1, 2) n)
  select min(ends_at) from ends where ends_at > p_after
$$;

-- Renewals counted in UTC from the end before: a period that ended with the last day of a month came out up to three days early, and stayed
-- so. Where the last end that somebody chose, or the start, says which day was meant, the end is put back to it.
with chosen as (
  select s.id, s.billing_period, s.starts_at, s.ends_at,
    coalesce((
      select (a.after ->> 'ends_at')::timestamptz from audit.audit_logs a
      where a.table_name = 'tenancy.subscriptions' and a.record_id = s.id::text and a.after ->> 'ends_at' is not null
        and (a.action = 'INSERT' or a.user_id is not null and a.before ->> 'ends_at' is distinct from a.after ->> 'ends_at')
      order by a.id desc limit 1), s.ends_at) as chosen_at
  from tenancy.subscriptions s
  where s.ends_at is not null),
anchors as (
  select c.id, c.billing_period, c.ends_at, case when exists (
      select from generate_series(1, 120) n
      where c.starts_at at time zone 'UTC' + n * case c.billing_period when 'monthly' then interval '1 month' else interval '1 year' end
        = c.chosen_at at time zone 'UTC')
    then c.starts_at else c.chosen_at end at time zone 'Africa/Brazzaville' as anchored_at
  from chosen c),
meant as (
  select a.*, tenancy.next_due(a.anchored_at, a.billing_period, 'Africa/Brazzaville', a.ends_at - interval '1 microsecond') as meant_at
  from anchors a)
update tenancy.subscriptions s
set anchored_at = case when m.is_near then m.anchored_at else m.ends_at at time zone 'Africa/Brazzaville' end,
  ends_at = case when m.is_near and s.status not in ('cancelled', 'expired') then m.meant_at else s.ends_at end
from (select *, meant_at < ends_at + interval '4 days' as is_near from meant) m
where m.id = s.id;
