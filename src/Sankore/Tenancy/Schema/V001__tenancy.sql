-- The catalogue and the network (documents 000, 002 and 003, under the glossary's names).
create schema tenancy;
grant usage on schema tenancy to anon, authenticated, service_role;

create table tenancy.business_categories (
  id           uuid not null,
  name         text not null,
  slug         text not null,
  description  text,
  icon         text not null default 'grid',
  color        text not null default 'green',
  sort_order   integer not null default 100,
  status       text not null default 'active',
  version      integer not null default 1,
  created_by   uuid,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  constraint business_categories_pkey primary key (id),
  constraint business_categories_slug_unique unique (slug),
  constraint business_categories_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 64),
  constraint business_categories_name_check check (length(btrim(name)) between 1 and 120),
  constraint business_categories_description_check check (length(description) <= 500),
  constraint business_categories_icon_check check (icon ~ '^[a-z0-9-]{1,40}$'),
  constraint business_categories_color_check check (color in ('green', 'blue', 'orange', 'purple', 'red', 'teal', 'gold', 'slate')),
  constraint business_categories_sort_order_check check (sort_order between 0 and 9999),
  constraint business_categories_status_check check (status in ('active', 'inactive')),
  constraint business_categories_created_by_fkey foreign key (created_by) references public.profiles on delete set null
);
create index idx_business_categories_created_by on tenancy.business_categories (created_by);

create table tenancy.modules (
  id           uuid not null,
  code         text not null,
  name         text not null,
  description  text,
  category_id  uuid not null,
  kind         text not null default 'core',
  sector       text,
  priority     integer not null default 100,
  status       text not null default 'active',
  is_built     boolean not null default true,
  icon         text not null default 'grid',
  route        text,
  version      integer not null default 1,
  created_by   uuid,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  constraint modules_pkey primary key (id),
  constraint modules_code_unique unique (code),
  constraint modules_code_check check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 64),
  constraint modules_name_check check (length(btrim(name)) between 1 and 120),
  constraint modules_description_check check (length(description) <= 500),
  constraint modules_kind_check check (kind in ('core', 'premium', 'option', 'admin')),
  constraint modules_sector_check check (length(sector) <= 120),
  constraint modules_priority_check check (priority between 0 and 9999),
  constraint modules_status_check check (status in ('active', 'inactive')),
  constraint modules_icon_check check (icon ~ '^[a-z0-9-]{1,40}$'),
  constraint modules_route_check check (route ~ '^/([a-z0-9_-][a-z0-9/_-]*)?$' and length(route) <= 120),
  constraint modules_category_id_fkey foreign key (category_id) references tenancy.business_categories on delete restrict,
  constraint modules_created_by_fkey foreign key (created_by) references public.profiles on delete set null
);
create index idx_modules_category_id on tenancy.modules (category_id);
create index idx_modules_created_by on tenancy.modules (created_by);

create table tenancy.subscription_plans (
  id             uuid not null,
  name           text not null,
  slug           text not null,
  description    text,
  monthly_price  bigint not null default 0,
  yearly_price   bigint not null default 0,
  currency       char(3) not null default 'XAF',
  sort_order     integer not null default 100,
  status         text not null default 'active',
  version        integer not null default 1,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint subscription_plans_pkey primary key (id),
  constraint subscription_plans_slug_unique unique (slug),
  constraint subscription_plans_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 64),
  constraint subscription_plans_name_check check (length(btrim(name)) between 1 and 120),
  constraint subscription_plans_price_check check (monthly_price >= 0 and yearly_price >= 0),
  constraint subscription_plans_currency_check check (currency ~ '^[A-Z]{3}$'),
  constraint subscription_plans_status_check check (status in ('active', 'inactive'))
);

-- A plan includes a module because a row here says so, or because it includes the module's category and no row here says no.
create table tenancy.plan_modules (
  id             uuid not null,
  plan_id        uuid not null,
  module_id      uuid not null,
  included       boolean not null default true,
  monthly_price  bigint,
  yearly_price   bigint,
  created_at     timestamptz not null default now(),
  constraint plan_modules_pkey primary key (id),
  constraint plan_modules_plan_id_module_id_unique unique (plan_id, module_id),
  constraint plan_modules_price_check check (monthly_price >= 0 and yearly_price >= 0),
  constraint plan_modules_plan_id_fkey foreign key (plan_id) references tenancy.subscription_plans on delete cascade,
  constraint plan_modules_module_id_fkey foreign key (module_id) references tenancy.modules on delete cascade
);
create index idx_plan_modules_module_id on tenancy.plan_modules (module_id);

create table tenancy.plan_categories (
  id           uuid not null,
  plan_id      uuid not null,
  category_id  uuid not null,
  created_at   timestamptz not null default now(),
  constraint plan_categories_pkey primary key (id),
  constraint plan_categories_plan_id_category_id_unique unique (plan_id, category_id),
  constraint plan_categories_plan_id_fkey foreign key (plan_id) references tenancy.subscription_plans on delete cascade,
  constraint plan_categories_category_id_fkey foreign key (category_id) references tenancy.business_categories on delete cascade
);
create index idx_plan_categories_category_id on tenancy.plan_categories (category_id);

create table tenancy.school_groups (
  id             uuid not null,
  name           text not null,
  code           text not null,
  city           text,
  country        char(2) not null default 'CG',
  contact_email  text,
  contact_phone  text,
  status         text not null default 'active',
  version        integer not null default 1,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint school_groups_pkey primary key (id),
  constraint school_groups_code_unique unique (code),
  constraint school_groups_code_check check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 64),
  constraint school_groups_name_check check (length(btrim(name)) between 1 and 160),
  constraint school_groups_status_check check (status in ('active', 'inactive'))
);

create table tenancy.subscriptions (
  id               uuid not null,
  school_group_id  uuid not null,
  plan_id          uuid not null,
  status           text not null default 'active',
  billing_period   text not null default 'yearly',
  starts_at        timestamptz not null,
  ends_at          timestamptz,
  auto_renew       boolean not null default true,
  cancelled_at     timestamptz,
  version          integer not null default 1,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint subscriptions_pkey primary key (id),
  constraint subscriptions_status_check check (status in ('trialing', 'active', 'past_due', 'suspended', 'cancelled', 'expired')),
  constraint subscriptions_billing_period_check check (billing_period in ('monthly', 'yearly')),
  constraint subscriptions_period_check check (ends_at > starts_at),
  constraint subscriptions_school_group_id_fkey foreign key (school_group_id) references tenancy.school_groups on delete restrict,
  constraint subscriptions_plan_id_fkey foreign key (plan_id) references tenancy.subscription_plans on delete restrict
);
create unique index subscriptions_school_group_id_live_unique on tenancy.subscriptions (school_group_id)
  where status in ('trialing', 'active', 'past_due');
create index idx_subscriptions_school_group_id on tenancy.subscriptions (school_group_id);
create index idx_subscriptions_plan_id on tenancy.subscriptions (plan_id);

create table tenancy.schools (
  id               uuid not null,
  school_group_id  uuid not null,
  subscription_id  uuid,
  name             text not null,
  code             text not null,
  level            text not null default 'secondary',
  city             text,
  active_modules   jsonb not null default '{}',
  status           text not null default 'active',
  version          integer not null default 1,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint schools_pkey primary key (id),
  constraint schools_code_unique unique (code),
  constraint schools_code_check check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 64),
  constraint schools_name_check check (length(btrim(name)) between 1 and 160),
  constraint schools_level_check check (level in ('preschool', 'primary', 'lower_secondary', 'secondary', 'technical', 'higher')),
  constraint schools_active_modules_check check (jsonb_typeof(active_modules) = 'object'),
  constraint schools_status_check check (status in ('active', 'inactive')),
  constraint schools_school_group_id_fkey foreign key (school_group_id) references tenancy.school_groups on delete restrict,
  constraint schools_subscription_id_fkey foreign key (subscription_id) references tenancy.subscriptions on delete set null,
  constraint schools_id_school_group_id_unique unique (id, school_group_id)
);
create index idx_schools_school_group_id on tenancy.schools (school_group_id, name);
create index idx_schools_subscription_id on tenancy.schools (subscription_id);

-- A person in a group (school_id null: the whole group) or in one of its schools.
create table tenancy.memberships (
  id               uuid not null,
  user_id          uuid not null,
  school_group_id  uuid not null,
  school_id        uuid,
  role             text not null,
  status           text not null default 'active',
  created_at       timestamptz not null default now(),
  constraint memberships_pkey primary key (id),
  constraint memberships_user_id_school_id_role_unique unique nulls not distinct (user_id, school_group_id, school_id, role),
  constraint memberships_role_check check (role in ('group_admin', 'head', 'deputy_head', 'secretary', 'teacher', 'bursar', 'supervisor', 'librarian')),
  constraint memberships_scope_check check ((role = 'group_admin') = (school_id is null)),
  constraint memberships_status_check check (status in ('active', 'inactive')),
  constraint memberships_user_id_fkey foreign key (user_id) references public.profiles on delete cascade,
  constraint memberships_school_group_id_fkey foreign key (school_group_id) references tenancy.school_groups on delete cascade,
  constraint memberships_school_id_fkey foreign key (school_id, school_group_id) references tenancy.schools (id, school_group_id) on delete cascade
);
create index idx_memberships_school_group_id on tenancy.memberships (school_group_id);
create index idx_memberships_school_id on tenancy.memberships (school_id, school_group_id);

-- What the feed has told: of each module and category, the version and the plans whose members have it. A change is the difference
-- between this and what is true at commit (tenancy.tell_module), whoever else commits at the same time.
create table tenancy.told_audiences (
  table_name      text not null,
  row_id          uuid not null,
  version         integer not null,
  including_plan_ids  uuid[] not null,
  audience_plan_ids   uuid[] not null,
  constraint told_audiences_pkey primary key (table_name, row_id)
);
select util.protect('tenancy.told_audiences');

select util.protect('tenancy.business_categories'), util.protect('tenancy.modules'), util.protect('tenancy.subscription_plans'),
       util.protect('tenancy.plan_modules'), util.protect('tenancy.plan_categories'), util.protect('tenancy.school_groups'),
       util.protect('tenancy.subscriptions'), util.protect('tenancy.schools'), util.protect('tenancy.memberships');
