-- Passkeys (WebAuthn): with what a device proves that its owner is there, by a finger, a face or a PIN. Only the public half is kept.
create table auth.passkeys (
  id                  uuid not null,
  user_id             uuid not null,
  -- What the owner calls it.
  name                text not null,
  credential_id       bytea not null,
  public_key          bytea not null,
  -- How often it has signed, as it says itself; 0 for those that do not count.
  sign_count          bigint not null,
  transports          text[] not null,
  is_backup_eligible  boolean not null,
  is_backed_up        boolean not null,
  -- Whether it signs in by itself. After a password was set anew by mail it does so again once it was used beside the new one.
  is_whole            boolean not null default true,
  created_at          timestamptz not null default now(),
  used_at             timestamptz,
  constraint passkeys_pkey primary key (id),
  constraint passkeys_user_id_fkey foreign key (user_id) references auth.users on delete cascade,
  constraint passkeys_credential_id_unique unique (credential_id),
  constraint passkeys_name_check check (length(btrim(name)) between 1 and 80),
  constraint passkeys_credential_id_check check (length(credential_id) between 1 and 1023),
  constraint passkeys_sign_count_check check (sign_count between 0 and 4294967295)
);
create index idx_passkeys_user_id on auth.passkeys (user_id, created_at);

select util.protect('auth.passkeys');
