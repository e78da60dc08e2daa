-- What every module stands on: who is asking, the audit log, the live change log, the job queue.
-- Roles (sankore_owner, sankore_app, anon, authenticated, service_role) and util.migrations_meta are made by DatabaseSetup.

alter default privileges for role sankore_owner revoke execute on functions from public;

create schema auth;
create schema audit;
create schema live;
grant usage on schema auth, audit, live, util to anon, authenticated, service_role;

-- Puts a table under row level security, enabled and forced. The owner, as whom the SECURITY DEFINER functions run,
-- passes by a policy of its own: a table nobody else has a policy for is a table nobody else can read.
create function util.protect(p_table regclass) returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('create policy owner_all on %s to sankore_owner using (true) with check (true)', p_table);
end $$;

select util.protect('util.migrations_meta');

create table audit.audit_logs (
  id          bigint generated always as identity,
  table_name  text not null,
  action      text not null,
  record_id   text not null,
  user_id     uuid,
  role        text not null,
  before      jsonb,
  after       jsonb,
  created_at  timestamptz not null default clock_timestamp(),
  constraint audit_logs_pkey primary key (id),
  constraint audit_logs_action_check check (action in ('INSERT', 'UPDATE', 'DELETE'))
);
create index idx_audit_logs_created_at on audit.audit_logs (created_at desc);
create index idx_audit_logs_table_name_record_id on audit.audit_logs (table_name, record_id, id desc);
create index idx_audit_logs_user_id on audit.audit_logs (user_id, id desc);
select util.protect('audit.audit_logs');

-- The feed. One row per change and audience, ids in commit order (see live.publish).
create table live.changes (
  id          bigint generated always as identity,
  at          timestamptz not null default clock_timestamp(),
  topics      text[] not null,
  table_name  text not null,
  op          text not null,
  row_id      text not null,
  row         jsonb,
  constraint changes_pkey primary key (id, at),
  constraint changes_op_check check (op in ('INSERT', 'UPDATE', 'DELETE', 'RIGHTS'))
) partition by range (at);
select util.protect('live.changes');
create table live.changes_default partition of live.changes default;
select util.protect('live.changes_default');

-- The last id that retention has dropped: a cursor below it cannot be resumed.
create table live.horizon (
  singleton  boolean not null default true,
  id         bigint not null default 0,
  constraint horizon_pkey primary key (singleton),
  constraint horizon_singleton_check check (singleton)
);
insert into live.horizon default values;
select util.protect('live.horizon');

create table util.job_queue (
  id            uuid not null,
  job_type      text not null,
  payload       jsonb not null,
  status        text not null default 'pending',
  priority      integer not null default 100,
  attempts      integer not null default 0,
  max_attempts  integer not null default 8,
  run_at        timestamptz not null default now(),
  locked_until  timestamptz,
  last_error    text,
  created_at    timestamptz not null default now(),
  completed_at  timestamptz,
  constraint job_queue_pkey primary key (id),
  constraint job_queue_status_check check (status in ('pending', 'running', 'completed', 'failed')),
  constraint job_queue_attempts_check check (attempts between 0 and max_attempts)
);
create index idx_job_queue_due on util.job_queue (priority, run_at) where status = 'pending';
create index idx_job_queue_locked_until on util.job_queue (locked_until) where status = 'running';
create index idx_job_queue_job_type_created_at on util.job_queue (job_type, created_at desc);
select util.protect('util.job_queue');
