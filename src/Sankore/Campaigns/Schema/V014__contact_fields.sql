-- What a person keeps of contacts besides what all of them have, such as a class or a date of birth. The key is the field's for good:
-- messages and contacts name it.
create table campaigns.contact_fields (
  id          uuid not null default gen_random_uuid(),
  user_id     uuid not null default auth.uid(),
  key         text not null,
  label       text not null,
  kind        text not null,
  choices     text[] not null default '{}',
  version     integer not null default 1,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint contact_fields_pkey primary key (id),
  constraint contact_fields_user_id_key_unique unique (user_id, key),
  constraint contact_fields_key_check check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  constraint contact_fields_label_check check (length(btrim(label)) between 1 and 60),
  constraint contact_fields_kind_check check (kind in ('text', 'number', 'date', 'choice')),
  constraint contact_fields_choices_check check (cardinality(choices) <= 100 and (kind = 'choice') = (cardinality(choices) > 0)),
  constraint contact_fields_user_id_fkey foreign key (user_id) references public.profiles on delete cascade
);
select util.protect('campaigns.contact_fields');

-- Values by key: texts, numbers, and days as yyyy-mm-dd.
alter table campaigns.contacts
  add column phone text,
  add column fields jsonb not null default '{}',
  add constraint contacts_phone_check check (length(phone) <= 40),
  add constraint contacts_fields_check check (jsonb_typeof(fields) = 'object' and length(fields::text) <= 40000);

-- A campaign may also be for those with any of some tags, or for people one by one.
alter table campaigns.email_campaigns
  drop constraint email_campaigns_audience_check,
  add constraint email_campaigns_audience_check check (
    jsonb_typeof(audience) = 'object' and audience ->> 'kind' in ('all', 'segment', 'organizations', 'tags', 'contacts'));
