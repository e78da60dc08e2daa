-- The entitlement chain's last links (documents 002 and 003): places that end, assignments, and the log of every attempt to assign.

alter table tenancy.memberships
  add column expires_at  timestamptz,
  add column version     integer not null default 1,
  add column updated_at  timestamptz not null default now(),
  add constraint memberships_expires_at_check check (isfinite(expires_at));

-- Who may do what with a module, or with whichever modules a category has: in one school, or wherever in the group the person works.
-- Revoking keeps the row (is_active); what the person may do in the end is tenancy.module_access.
create table tenancy.user_module_permissions (
  id               uuid not null default gen_random_uuid(),
  user_id          uuid not null,
  school_group_id  uuid not null,
  school_id        uuid,
  module_id        uuid,
  category_id      uuid,
  can_read         boolean not null default true,
  can_write        boolean not null default false,
  can_delete       boolean not null default false,
  can_export       boolean not null default false,
  is_active        boolean not null default true,
  expires_at       timestamptz,
  assigned_by      uuid,
  assigned_at      timestamptz not null default now(),
  version          integer not null default 1,
  updated_at       timestamptz not null default now(),
  constraint user_module_permissions_pkey primary key (id),
  constraint user_module_permissions_target_unique unique nulls not distinct (user_id, school_group_id, school_id, module_id, category_id),
  constraint user_module_permissions_target_check check (num_nonnulls(module_id, category_id) = 1),
  constraint user_module_permissions_read_check check (can_read),
  constraint user_module_permissions_expires_at_check check (isfinite(expires_at)),
  constraint user_module_permissions_user_id_fkey foreign key (user_id) references public.profiles on delete cascade,
  constraint user_module_permissions_school_group_id_fkey foreign key (school_group_id) references tenancy.school_groups on delete cascade,
  constraint user_module_permissions_school_id_fkey foreign key (school_id, school_group_id) references tenancy.schools (id, school_group_id) on delete cascade,
  constraint user_module_permissions_module_id_fkey foreign key (module_id) references tenancy.modules on delete cascade,
  constraint user_module_permissions_category_id_fkey foreign key (category_id) references tenancy.business_categories on delete cascade,
  constraint user_module_permissions_assigned_by_fkey foreign key (assigned_by) references public.profiles on delete set null
);
create index idx_user_module_permissions_school_group_id on tenancy.user_module_permissions (school_group_id);
create index idx_user_module_permissions_school_id on tenancy.user_module_permissions (school_id, school_group_id);
create index idx_user_module_permissions_module_id on tenancy.user_module_permissions (module_id);
create index idx_user_module_permissions_category_id on tenancy.user_module_permissions (category_id);
create index idx_user_module_permissions_assigned_by on tenancy.user_module_permissions (assigned_by);

-- Every attempt, accepted or refused. It refers to nothing, so that it outlives what it tells of.
create table tenancy.module_assignment_logs (
  id               bigint generated always as identity,
  action           text not null,
  reason           text,
  user_id          uuid,
  module_id        uuid,
  category_id      uuid,
  school_id        uuid,
  school_group_id  uuid,
  assigned_by      uuid,
  before           jsonb,
  after            jsonb,
  created_at       timestamptz not null default clock_timestamp(),
  constraint module_assignment_logs_pkey primary key (id),
  constraint module_assignment_logs_action_check check (action in ('assigned', 'updated', 'revoked', 'refused')),
  constraint module_assignment_logs_reason_check check ((action = 'refused') = (reason is not null))
);
create index idx_module_assignment_logs_school_group_id on tenancy.module_assignment_logs (school_group_id, id desc);
create index idx_module_assignment_logs_user_id on tenancy.module_assignment_logs (user_id, id desc);

-- The place that an invitation leads to.
create table tenancy.invited_places (
  invitation_id    uuid not null,
  school_group_id  uuid not null,
  school_id        uuid,
  role             text not null,
  constraint invited_places_pkey primary key (invitation_id),
  constraint invited_places_scope_check check ((role = 'group_admin') = (school_id is null)),
  constraint invited_places_invitation_id_fkey foreign key (invitation_id) references rbac.invitations on delete cascade,
  constraint invited_places_school_group_id_fkey foreign key (school_group_id) references tenancy.school_groups on delete cascade,
  constraint invited_places_school_id_fkey foreign key (school_id, school_group_id) references tenancy.schools (id, school_group_id) on delete cascade
);
create index idx_invited_places_school_group_id on tenancy.invited_places (school_group_id);
create index idx_invited_places_school_id on tenancy.invited_places (school_id, school_group_id);

-- A file that somebody wants to import: its rows as read, each with what is wrong with it, until the person says so. Of one group, or the
-- operator's of many (school_group_id null: each row names its group).
create table tenancy.imports (
  id               uuid not null,
  kind             text not null,
  school_group_id  uuid,
  file_name        text not null,
  rows             jsonb not null,
  row_count        integer not null,
  error_count      integer not null,
  created_by       uuid not null,
  created_at       timestamptz not null default now(),
  imported_at      timestamptz,
  result           jsonb,
  constraint imports_pkey primary key (id),
  constraint imports_kind_check check (kind in ('groups', 'schools', 'staff')),
  constraint imports_file_name_check check (length(file_name) <= 200),
  constraint imports_school_group_id_fkey foreign key (school_group_id) references tenancy.school_groups on delete cascade,
  constraint imports_created_by_fkey foreign key (created_by) references public.profiles on delete cascade
);
create index idx_imports_school_group_id on tenancy.imports (school_group_id);
create index idx_imports_created_by on tenancy.imports (created_by, created_at desc);
create index idx_imports_created_at on tenancy.imports (created_at);

create index idx_subscriptions_ends_at on tenancy.subscriptions (ends_at) where status in ('trialing', 'active', 'past_due', 'suspended');

-- What the feed has told: of each module and category, the version and the topics that have it.
drop table tenancy.told_audiences cascade;
create table tenancy.told_audiences (
  table_name          text not null,
  row_id              uuid not null,
  version             integer not null,
  including_plan_ids  uuid[] not null,
  topics              text[] not null,
  constraint told_audiences_pkey primary key (table_name, row_id)
);
drop function if exists tenancy.tell(text, uuid, integer, uuid[], uuid[], jsonb, jsonb), tenancy.publish_to_plans(text, uuid, jsonb, uuid[], uuid[]),
  tenancy.plan_topics(uuid[]), tenancy.except_ids(uuid[], uuid[]), tenancy.both_ids(uuid[], uuid[]), tenancy.module_audience(uuid),
  tenancy.category_audience(uuid), tenancy.plans_with_category(uuid), tenancy.is_visible(tenancy.modules), tenancy.module_row(tenancy.modules, boolean), tenancy.publish_rights() cascade;

select util.protect('tenancy.user_module_permissions'), util.protect('tenancy.module_assignment_logs'), util.protect('tenancy.invited_places'), util.protect('tenancy.imports'), util.protect('tenancy.told_audiences');
