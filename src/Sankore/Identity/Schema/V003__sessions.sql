-- Where somebody is signed in: a cookie or a token is good for as long as its session is here.
create table auth.sessions (
  id          uuid not null,
  user_id     uuid not null,
  -- What the browser calls itself.
  device      text not null default '',
  created_at  timestamptz not null default now(),
  seen_at     timestamptz not null default now(),
  ends_at     timestamptz not null default now() + interval '14 days',
  constraint sessions_pkey primary key (id),
  constraint sessions_user_id_fkey foreign key (user_id) references auth.users on delete cascade,
  constraint sessions_device_check check (length(device) <= 200)
);
create index idx_sessions_user_id on auth.sessions (user_id, seen_at);
create index idx_sessions_ends_at on auth.sessions (ends_at);

-- How often something was tried that nobody may try without end: wrong passwords and codes, mails to an address. By a hash of what it was
-- tried with, so that an address that has an account and one that has none are counted alike, on all nodes together.
create table auth.attempts (
  kind      text not null,
  key_hash  bytea not null,
  count     integer not null default 1,
  ends_at   timestamptz not null,
  constraint attempts_pkey primary key (kind, key_hash),
  constraint attempts_count_check check (count between 1 and 1000000)
);
create index idx_attempts_ends_at on auth.attempts (ends_at);

-- The time step of the last authenticator code that was taken: each works once.
alter table auth.users add column last_code_step bigint not null default 0;

select util.protect('auth.sessions'), util.protect('auth.attempts');

-- Somebody who lost the second factor is let in again by an administrator: not at once, and never without the owner's being told.
create table auth.recoveries (
  id            uuid not null,
  user_id       uuid not null,
  requested_by  uuid,
  reason        text not null,
  requested_at  timestamptz not null default now(),
  due_at        timestamptz not null,
  cancelled_at  timestamptz,
  completed_at  timestamptz,
  constraint recoveries_pkey primary key (id),
  constraint recoveries_user_id_fkey foreign key (user_id) references auth.users on delete cascade,
  constraint recoveries_requested_by_fkey foreign key (requested_by) references public.profiles on delete cascade,
  constraint recoveries_reason_check check (length(btrim(reason)) between 10 and 500),
  constraint recoveries_due_at_check check (due_at > requested_at)
);
create index idx_recoveries_user_id on auth.recoveries (user_id, requested_at desc);
create index idx_recoveries_requested_by on auth.recoveries (requested_by);
create unique index recoveries_user_id_open_unique on auth.recoveries (user_id) where cancelled_at is null and completed_at is null;

select util.protect('auth.recoveries');
