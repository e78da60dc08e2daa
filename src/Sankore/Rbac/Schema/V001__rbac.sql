-- Who may do what (document 004, RBAC Schema).
create schema rbac;
grant usage on schema rbac to anon, authenticated, service_role;

create table rbac.permissions (
  id              uuid not null default gen_random_uuid(),
  permission_key  text not null,
  domain          text not null,
  action          text not null,
  description     text not null,
  is_dangerous    boolean not null default false,
  created_at      timestamptz not null default now(),
  constraint permissions_pkey primary key (id),
  constraint permissions_permission_key_unique unique (permission_key),
  constraint permissions_permission_key_check check (permission_key = domain || '.' || action)
);

create table rbac.roles (
  id           uuid not null default gen_random_uuid(),
  role_name    text not null,
  description  text not null,
  sort_order   integer not null,
  is_system    boolean not null default false,
  created_at   timestamptz not null default now(),
  constraint roles_pkey primary key (id),
  constraint roles_role_name_unique unique (role_name)
);

create table rbac.role_permissions (
  id             uuid not null default gen_random_uuid(),
  role_id        uuid not null,
  permission_id  uuid not null,
  granted_by     uuid,
  granted_at     timestamptz not null default now(),
  reason         text,
  constraint role_permissions_pkey primary key (id),
  constraint role_permissions_role_id_permission_id_unique unique (role_id, permission_id),
  constraint role_permissions_role_id_fkey foreign key (role_id) references rbac.roles on delete cascade,
  constraint role_permissions_permission_id_fkey foreign key (permission_id) references rbac.permissions on delete cascade,
  constraint role_permissions_granted_by_fkey foreign key (granted_by) references public.profiles on delete set null
);
create index idx_role_permissions_permission_id on rbac.role_permissions (permission_id);
create index idx_role_permissions_granted_by on rbac.role_permissions (granted_by);

create table rbac.user_roles (
  id          uuid not null default gen_random_uuid(),
  user_id     uuid not null,
  role_id     uuid not null,
  is_active   boolean not null default true,
  expires_at  timestamptz,
  granted_by  uuid,
  granted_at  timestamptz not null default now(),
  reason      text,
  constraint user_roles_pkey primary key (id),
  constraint user_roles_user_id_role_id_unique unique (user_id, role_id),
  constraint user_roles_user_id_fkey foreign key (user_id) references public.profiles on delete cascade,
  constraint user_roles_role_id_fkey foreign key (role_id) references rbac.roles on delete restrict,
  constraint user_roles_granted_by_fkey foreign key (granted_by) references public.profiles on delete set null
);
create index idx_user_roles_role_id on rbac.user_roles (role_id) where is_active;
create index idx_user_roles_role_id_all on rbac.user_roles (role_id);
create index idx_user_roles_granted_by on rbac.user_roles (granted_by);

create table rbac.role_grants_log (
  id            uuid not null default gen_random_uuid(),
  user_id       uuid not null,
  role_id       uuid not null,
  operation     text not null,
  performed_by  uuid,
  expires_at    timestamptz,
  reason        text,
  created_at    timestamptz not null default now(),
  constraint role_grants_log_pkey primary key (id),
  constraint role_grants_log_operation_check check (operation in ('GRANT', 'REVOKE'))
);
create index idx_role_grants_log_user_id on rbac.role_grants_log (user_id, created_at desc);

-- One-time links: the operator's set-up link and invitations. Only a hash of the token is kept.
create table rbac.invitations (
  id          uuid not null,
  email       text,
  role_name   text not null,
  token_hash  bytea not null,
  created_by  uuid,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  used_at     timestamptz,
  constraint invitations_pkey primary key (id),
  constraint invitations_token_hash_unique unique (token_hash),
  constraint invitations_created_by_fkey foreign key (created_by) references public.profiles on delete set null
);
create index idx_invitations_created_by on rbac.invitations (created_by);

-- Keys of services, which act as service_role within the permissions listed. Only a hash is kept.
create table rbac.api_keys (
  id            uuid not null,
  name          text not null,
  key_hash      bytea not null,
  key_prefix    text not null,
  permissions   text[] not null,
  created_by    uuid,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz,
  last_used_at  timestamptz,
  revoked_at    timestamptz,
  constraint api_keys_pkey primary key (id),
  constraint api_keys_key_hash_unique unique (key_hash),
  constraint api_keys_name_check check (length(btrim(name)) between 1 and 120),
  constraint api_keys_created_by_fkey foreign key (created_by) references public.profiles on delete set null
);
create index idx_api_keys_created_by on rbac.api_keys (created_by);

select util.protect('rbac.permissions'), util.protect('rbac.roles'), util.protect('rbac.role_permissions'),
       util.protect('rbac.user_roles'), util.protect('rbac.role_grants_log'), util.protect('rbac.invitations'), util.protect('rbac.api_keys');

insert into rbac.roles (role_name, description, sort_order, is_system) values
  ('admin', 'Operates the platform', 10, true),
  ('moderator', 'Reads the platform, moderates what people publish', 20, true),
  ('premium_member', 'Member with a paid entitlement', 30, true),
  ('member', 'Registered person', 40, true),
  ('visitor', 'Person who has not chosen anything yet', 50, true);

insert into rbac.permissions (permission_key, domain, action, description, is_dangerous)
select domain || '.' || action, domain, action, description, is_dangerous from (values
  ('tenancy', 'read', 'See every module, category, plan, group and school', false),
  ('tenancy', 'manage', 'Change modules and categories', false),
  ('tenancy', 'delete', 'Delete modules and categories', true),
  ('identity', 'read', 'See every account', false),
  ('identity', 'invite', 'Invite people to the platform', true),
  ('identity', 'manage_keys', 'Create and revoke API keys', true),
  ('rbac', 'read', 'See who has which role', false),
  ('rbac', 'grant', 'Grant and revoke roles', true),
  ('audit', 'read', 'Read the audit log', false),
  ('operations', 'read', 'See outgoing mail and the state of the platform', false)
) as p (domain, action, description, is_dangerous);

insert into rbac.role_permissions (role_id, permission_id, reason)
select r.id, p.id, 'initial'
from rbac.roles r join rbac.permissions p on r.role_name = 'admin'
  or (r.role_name = 'moderator' and p.permission_key in ('tenancy.read', 'identity.read'));
