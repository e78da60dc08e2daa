-- E-mail campaigns (document 001): organisations and contacts of a person, what is written to them, and what became of each message.
-- Every row belongs to its user. Foreign keys carry the user along, so that nobody's row can point at somebody else's.
create schema campaigns;
grant usage on schema campaigns to authenticated, service_role;

-- The module of the catalogue that these tables are. It is told like any change of the catalogue: the log has its partitions first.
select live.keep_partitions();
insert into tenancy.business_categories (id, name, slug, description, icon, color, sort_order)
values (gen_random_uuid(), 'Communication', 'communication', 'Familles et partenaires', 'megaphone', 'purple', 40)
on conflict on constraint business_categories_slug_unique do nothing;
insert into tenancy.modules (id, code, name, description, category_id, kind, icon, route)
select gen_random_uuid(), 'campagnes', 'Campagnes', 'Messages aux familles et partenaires', c.id, 'premium', 'mail', '/campaigns'
from tenancy.business_categories c where c.slug = 'communication'
on conflict on constraint modules_code_unique do update set route = excluded.route, is_built = true;

-- One spelling for names that people write in many ways: without case, accents, doubled blanks and typographic apostrophes.
create function campaigns.name_key(p_name text) returns text
language sql immutable strict parallel safe as $$
  select btrim(regexp_replace(replace(replace(translate(lower(regexp_replace(normalize(p_name, NFKD), '[\u0300-\u036f]', '', 'g') collate "und-x-icu"),
    '’‘ʼ`', ''''''''''), 'œ', 'oe'), 'æ', 'ae'), '\s+', ' ', 'g'))
$$;

create table campaigns.organizations (
  id          uuid not null default gen_random_uuid(),
  user_id     uuid not null default auth.uid(),
  name        text not null,
  name_key    text not null generated always as (campaigns.name_key(name)) stored,
  version     integer not null default 1,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint organizations_pkey primary key (id),
  constraint organizations_user_id_id_unique unique (user_id, id),
  constraint organizations_user_id_name_unique unique (user_id, name_key),
  constraint organizations_name_check check (length(btrim(name)) between 1 and 200),
  constraint organizations_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
);

create table campaigns.contacts (
  id                 uuid not null default gen_random_uuid(),
  user_id            uuid not null default auth.uid(),
  email              text not null,
  name               text,
  organization_id    uuid,
  organization_name  text,
  tags               text[] not null default '{}',
  consent_source     text,
  consent_at         timestamptz,
  version            integer not null default 1,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  constraint contacts_pkey primary key (id),
  constraint contacts_user_id_id_unique unique (user_id, id),
  constraint contacts_user_id_email_unique unique (user_id, email),
  constraint contacts_email_check check (email = lower(email) and length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$'),
  constraint contacts_name_check check (length(name) <= 200),
  constraint contacts_tags_check check (cardinality(tags) <= 20),
  constraint contacts_consent_source_check check (length(consent_source) <= 200),
  constraint contacts_user_id_fkey foreign key (user_id) references public.profiles on delete cascade,
  constraint contacts_user_id_organization_id_fkey foreign key (user_id, organization_id) references campaigns.organizations (user_id, id) on delete set null (organization_id)
);
create index idx_contacts_user_id_organization_id on campaigns.contacts (user_id, organization_id);
create index idx_contacts_tags on campaigns.contacts using gin (tags);

-- A saved filter of contacts: {"q": "…", "tags": ["…"], "organizationIds": ["…"], "domain": "…", "consent": true}, all of which must hold.
create table campaigns.segments (
  id          uuid not null default gen_random_uuid(),
  user_id     uuid not null default auth.uid(),
  name        text not null,
  name_key    text not null generated always as (campaigns.name_key(name)) stored,
  filter      jsonb not null,
  version     integer not null default 1,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint segments_pkey primary key (id),
  constraint segments_user_id_name_unique unique (user_id, name_key),
  constraint segments_name_check check (length(btrim(name)) between 1 and 120),
  constraint segments_filter_check check (jsonb_typeof(filter) = 'object'),
  constraint segments_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
);

-- Addresses that no campaign of the user writes to again (see campaigns.refuse_suppressed).
create table campaigns.suppressions (
  id           uuid not null default gen_random_uuid(),
  user_id      uuid not null default auth.uid(),
  email        text not null,
  reason       text not null,
  campaign_id  uuid,
  detail       text,
  created_at   timestamptz not null default now(),
  constraint suppressions_pkey primary key (id),
  constraint suppressions_user_id_email_unique unique (user_id, email),
  constraint suppressions_email_check check (email = lower(email) and length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$'),
  constraint suppressions_reason_check check (reason in ('unsubscribed', 'bounced', 'complained', 'manual')),
  constraint suppressions_detail_check check (length(detail) <= 500),
  constraint suppressions_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
);

create table campaigns.email_templates (
  id          uuid not null default gen_random_uuid(),
  user_id     uuid not null default auth.uid(),
  name        text not null,
  subject     text not null,
  content     text not null,
  version     integer not null default 1,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint email_templates_pkey primary key (id),
  constraint email_templates_user_id_id_unique unique (user_id, id),
  constraint email_templates_name_check check (length(btrim(name)) between 1 and 120),
  constraint email_templates_subject_check check (length(subject) between 1 and 250),
  constraint email_templates_content_check check (length(content) between 1 and 500000),
  constraint email_templates_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
);

create table campaigns.email_campaigns (
  id            uuid not null default gen_random_uuid(),
  user_id       uuid not null default auth.uid(),
  name          text not null,
  subject       text not null default '',
  content       text not null default '',
  status        text not null default 'draft',
  template_id   uuid,
  from_name     text,
  reply_to      text,
  audience      jsonb not null default '{"kind": "all"}',
  track_opens   boolean not null default false,
  track_clicks  boolean not null default false,
  scheduled_at  timestamptz,
  time_zone     text not null default 'Africa/Brazzaville',
  language      text not null default 'fr',
  started_at    timestamptz,
  finished_at   timestamptz,
  failure       text,
  told_at       timestamptz not null default '-infinity',
  told_status   text,
  told_left     integer not null default 0,
  version       integer not null default 1,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint email_campaigns_pkey primary key (id),
  constraint email_campaigns_user_id_id_unique unique (user_id, id),
  constraint email_campaigns_name_check check (length(btrim(name)) between 1 and 120),
  constraint email_campaigns_subject_check check (length(subject) <= 250),
  constraint email_campaigns_content_check check (length(content) <= 500000 and (status = 'draft' or (subject <> '' and content <> ''))),
  constraint email_campaigns_status_check check (status in ('draft', 'scheduled', 'sending', 'paused', 'sent', 'failed', 'cancelled')),
  constraint email_campaigns_scheduled_at_check check (status <> 'scheduled' or scheduled_at is not null),
  constraint email_campaigns_audience_check check (jsonb_typeof(audience) = 'object' and audience ->> 'kind' in ('all', 'segment', 'organizations')),
  constraint email_campaigns_from_name_check check (length(from_name) <= 120),
  constraint email_campaigns_reply_to_check check (length(reply_to) <= 254),
  constraint email_campaigns_language_check check (language in ('fr', 'en')),
  constraint email_campaigns_failure_check check (length(failure) <= 500),
  constraint email_campaigns_user_id_fkey foreign key (user_id) references public.profiles on delete cascade,
  constraint email_campaigns_user_id_template_id_fkey foreign key (user_id, template_id) references campaigns.email_templates (user_id, id) on delete set null (template_id)
);
create index idx_email_campaigns_user_id_created_at on campaigns.email_campaigns (user_id, created_at desc);
create index idx_email_campaigns_user_id_template_id on campaigns.email_campaigns (user_id, template_id);
create index idx_email_campaigns_status on campaigns.email_campaigns (status) where status in ('scheduled', 'sending', 'paused', 'cancelled');

create table campaigns.attachments (
  id            uuid not null default gen_random_uuid(),
  user_id       uuid not null default auth.uid(),
  campaign_id   uuid not null,
  file_name     text not null,
  content_type  text not null,
  content       bytea not null,
  created_at    timestamptz not null default now(),
  constraint attachments_pkey primary key (id),
  constraint attachments_file_name_check check (length(btrim(file_name)) between 1 and 200),
  constraint attachments_content_type_check check (content_type ~ '^[a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+$' and length(content_type) <= 120),
  constraint attachments_content_check check (length(content) between 1 and 5242880),
  constraint attachments_user_id_campaign_id_fkey foreign key (user_id, campaign_id) references campaigns.email_campaigns (user_id, id) on delete cascade
);
create index idx_attachments_user_id_campaign_id on campaigns.attachments (user_id, campaign_id);

-- One message to one person. pending → sending (committed before the message goes on the wire) → sent → delivered | failed | bounced. No index
-- holds a column that sending changes, and pages have room: the changes of a row stay in its page (HOT) and touch no index.
create table campaigns.emails_sent (
  id                      uuid not null default gen_random_uuid(),
  user_id                 uuid not null default auth.uid(),
  campaign_id             uuid not null,
  contact_id              uuid,
  recipient_email         text not null,
  recipient_organization  text,
  recipient_domain        text not null generated always as (lower(split_part(recipient_email, '@', 2))) stored,
  batch                   integer not null default 0,
  status                  text not null default 'pending',
  attempts                integer not null default 0,
  next_attempt_at         timestamptz,
  job_id                  uuid,
  job_attempt             integer,
  error_code              text,
  error                   text,
  sent_at                 timestamptz,
  delivered_at            timestamptz,
  opened_at               timestamptz,
  clicked_at              timestamptz,
  unsubscribed_at         timestamptz,
  complained_at           timestamptz,
  created_at              timestamptz not null default now(),
  updated_at              timestamptz not null default now(),
  constraint emails_sent_pkey primary key (id),
  constraint emails_sent_campaign_id_recipient_email_unique unique (campaign_id, recipient_email),
  constraint emails_sent_recipient_email_check check (length(recipient_email) <= 254 and recipient_email ~ '^[^@\s]+@[^@\s]+$'),
  constraint emails_sent_status_check check (status in ('pending', 'sending', 'sent', 'delivered', 'failed', 'bounced')),
  constraint emails_sent_error_check check (length(error_code) <= 60 and length(error) <= 500),
  constraint emails_sent_user_id_campaign_id_fkey foreign key (user_id, campaign_id) references campaigns.email_campaigns (user_id, id) on delete cascade,
  constraint emails_sent_user_id_contact_id_fkey foreign key (user_id, contact_id) references campaigns.contacts (user_id, id) on delete set null (contact_id)
) with (fillfactor = 60);
create index idx_emails_sent_user_id_campaign_id_batch on campaigns.emails_sent (user_id, campaign_id, batch);
create index idx_emails_sent_user_id_contact_id on campaigns.emails_sent (user_id, contact_id);

-- A campaign sent to its author alone, to look at: in no figures, and named by the job that sends it.
create table campaigns.tries (
  id               uuid not null,
  user_id          uuid not null default auth.uid(),
  campaign_id      uuid not null,
  recipient_email  text not null,
  created_at       timestamptz not null default now(),
  constraint tries_pkey primary key (id),
  constraint tries_user_id_campaign_id_fkey foreign key (user_id, campaign_id) references campaigns.email_campaigns (user_id, id) on delete cascade
);
create index idx_tries_user_id_campaign_id on campaigns.tries (user_id, campaign_id);

-- What emails_sent counts to, kept by its triggers: a campaign of a million messages is counted without reading them.
create table campaigns.campaign_counts (
  campaign_id   uuid not null,
  user_id       uuid not null,
  total         integer not null default 0,
  pending       integer not null default 0,
  sending       integer not null default 0,
  sent          integer not null default 0,
  delivered     integer not null default 0,
  failed        integer not null default 0,
  bounced       integer not null default 0,
  deferred      integer not null default 0,
  unknown       integer not null default 0,
  suppressed    integer not null default 0,
  opened        integer not null default 0,
  clicked       integer not null default 0,
  unsubscribed  integer not null default 0,
  complained    integer not null default 0,
  constraint campaign_counts_pkey primary key (campaign_id),
  constraint campaign_counts_user_id_campaign_id_fkey foreign key (user_id, campaign_id) references campaigns.email_campaigns (user_id, id) on delete cascade
) with (fillfactor = 40);
create index idx_campaign_counts_user_id_campaign_id on campaigns.campaign_counts (user_id, campaign_id);

-- Messages accepted by the mail server, by the minute: a campaign's course, and what a person has sent on a day.
create table campaigns.campaign_minutes (
  user_id      uuid not null,
  campaign_id  uuid not null,
  minute       timestamptz not null,
  sent         integer not null,
  constraint campaign_minutes_pkey primary key (campaign_id, minute),
  constraint campaign_minutes_user_id_campaign_id_fkey foreign key (user_id, campaign_id) references campaigns.email_campaigns (user_id, id) on delete cascade
) with (fillfactor = 40);
create index idx_campaign_minutes_user_id_campaign_id on campaigns.campaign_minutes (user_id, campaign_id);
create index idx_campaign_minutes_user_id_minute on campaigns.campaign_minutes (user_id, minute);

-- What a person has, counted the same way.
create table campaigns.user_counts (
  user_id        uuid not null,
  contacts       integer not null default 0,
  organizations  integer not null default 0,
  constraint user_counts_pkey primary key (user_id),
  constraint user_counts_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
) with (fillfactor = 40);

-- A file of contacts: uploaded in parts, looked at, then imported whole or not at all.
create table campaigns.imports (
  id              uuid not null default gen_random_uuid(),
  user_id         uuid not null default auth.uid(),
  file_name       text not null,
  status          text not null default 'uploaded',
  settings        jsonb not null default '{}',
  preview         jsonb not null default '[]',
  percent         integer not null default 0,
  rows_done       integer not null default 0,
  imported        integer not null default 0,
  updated         integer not null default 0,
  unchanged       integer not null default 0,
  duplicate       integer not null default 0,
  invalid         integer not null default 0,
  empty           integer not null default 0,
  organizations   integer not null default 0,
  failure         text,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  finished_at     timestamptz,
  constraint imports_pkey primary key (id),
  constraint imports_user_id_id_unique unique (user_id, id),
  constraint imports_file_name_check check (length(file_name) between 1 and 200),
  constraint imports_percent_check check (percent between 0 and 100),
  constraint imports_status_check check (status in ('uploaded', 'running', 'completed', 'failed')),
  constraint imports_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
);
create index idx_imports_user_id_created_at on campaigns.imports (user_id, created_at desc);

create table campaigns.import_parts (
  import_id  uuid not null,
  user_id    uuid not null default auth.uid(),
  part       integer not null,
  content    bytea not null,
  constraint import_parts_pkey primary key (import_id, part),
  constraint import_parts_content_check check (length(content) <= 1048576),
  constraint import_parts_user_id_import_id_fkey foreign key (user_id, import_id) references campaigns.imports (user_id, id) on delete cascade
);
create index idx_import_parts_user_id_import_id on campaigns.import_parts (user_id, import_id);

-- The report: what became of each row of the file.
create table campaigns.import_rows (
  import_id         uuid not null,
  user_id           uuid not null default auth.uid(),
  number            integer not null,
  organization      text,
  organization_key  text generated always as (campaigns.name_key(organization)) stored,
  email             text,
  name              text,
  verdict           text not null,
  constraint import_rows_pkey primary key (import_id, number),
  constraint import_rows_verdict_check check (verdict in ('imported', 'updated', 'unchanged', 'duplicate', 'invalid', 'empty')),
  constraint import_rows_user_id_import_id_fkey foreign key (user_id, import_id) references campaigns.imports (user_id, id) on delete cascade
);
create index idx_import_rows_user_id_import_id on campaigns.import_rows (user_id, import_id);

select util.protect(format('campaigns.%I', t)::regclass)
from unnest(array['organizations', 'contacts', 'segments', 'suppressions', 'email_templates', 'email_campaigns', 'attachments', 'emails_sent', 'tries', 'campaign_counts',
  'campaign_minutes', 'user_counts', 'imports', 'import_parts', 'import_rows']) t;
