-- Accounts (schema auth, the server's own business) and profiles (schema public, what people see of each other).
create table auth.users (
  id                   uuid not null,
  email                text not null,
  normalized_email     text not null,
  email_confirmed      boolean not null default false,
  password_hash        text,
  security_stamp       text not null,
  concurrency_stamp    text not null,
  two_factor_enabled   boolean not null default false,
  authenticator_key    text,
  recovery_codes       text[] not null default '{}',
  lockout_end          timestamptz,
  lockout_enabled      boolean not null default true,
  access_failed_count  integer not null default 0,
  is_demo              boolean not null default false,
  created_at           timestamptz not null default now(),
  constraint users_pkey primary key (id),
  constraint users_normalized_email_unique unique (normalized_email),
  constraint users_email_check check (length(email) <= 254 and email like '%_@_%')
);

create table public.profiles (
  id            uuid not null,
  username      text,
  email         text not null,
  display_name  text not null,
  bio           text,
  avatar_url    text,
  is_public     boolean not null default false,
  locale        text,
  time_zone     text not null default 'Africa/Brazzaville',
  phone         text,
  city          text,
  country       text,
  last_seen_at  timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint profiles_pkey primary key (id),
  constraint profiles_id_fkey foreign key (id) references auth.users on delete cascade,
  constraint profiles_username_unique unique (username),
  constraint profiles_display_name_check check (length(btrim(display_name)) between 1 and 120),
  constraint profiles_locale_check check (locale in ('fr', 'en'))
);
create index idx_profiles_email on public.profiles (email);
create index idx_profiles_display_name on public.profiles (display_name, id);
create index idx_profiles_last_seen_at on public.profiles (last_seen_at);

-- ASP.NET's data-protection key ring: any node accepts any node's cookie.
create table auth.data_protection_keys (
  friendly_name  text not null,
  xml            text not null,
  created_at     timestamptz not null default now(),
  constraint data_protection_keys_pkey primary key (friendly_name)
);

select util.protect('auth.users'), util.protect('public.profiles'), util.protect('auth.data_protection_keys');
