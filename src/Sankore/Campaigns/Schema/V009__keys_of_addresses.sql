-- One address has one key, whatever its spelling: contacts, suppressions and messages meet by it. What the program lets through the tables
-- keep; they only say what is no address at all.
create or replace function campaigns.name_key(p_name text) returns text
language sql immutable strict parallel safe as $$ select util.fold(p_name) $$;

-- What goes is told, and the log has its partitions first.
select live.keep_partitions();

-- Of contacts and suppressions that turn out to be one, one stays: the oldest contact, the reason that outlasts the others.
update campaigns.emails_sent e set contact_id = k.first
from (select id, first_value(id) over (partition by user_id, util.address_key(email) order by created_at, id) as first
      from campaigns.contacts) k
where k.id = e.contact_id and k.first <> k.id;
delete from campaigns.contacts c using (
  select id, row_number() over (partition by user_id, util.address_key(email) order by created_at, id) as place
  from campaigns.contacts) k
where k.id = c.id and k.place > 1;
alter table campaigns.suppressions disable trigger user;
delete from campaigns.suppressions s using (
  select id, row_number() over (partition by user_id, util.address_key(email)
    order by array_position(array['complained', 'unsubscribed', 'bounced', 'manual'], reason), created_at, id) as place
  from campaigns.suppressions) k
where k.id = s.id and k.place > 1;
alter table campaigns.suppressions enable trigger user;

alter table campaigns.contacts
  drop constraint contacts_user_id_email_unique,
  drop constraint contacts_email_check,
  add constraint contacts_email_check check (length(email) <= 254 and email ~ '^\S+@[^@\s]+$'),
  add column email_key text not null generated always as (util.address_key(email)) stored,
  add column search_key text not null
    generated always as (util.fold(coalesce(name, '') || ' ' || coalesce(organization_name, '') || ' ' || email)) stored,
  add constraint contacts_user_id_email_key_unique unique (user_id, email_key);
alter table campaigns.suppressions
  drop constraint suppressions_user_id_email_unique,
  drop constraint suppressions_email_check,
  add constraint suppressions_email_check check (length(email) <= 254 and email ~ '^\S+@[^@\s]+$'),
  add column email_key text not null generated always as (util.address_key(email)) stored,
  add constraint suppressions_user_id_email_key_unique unique (user_id, email_key);
alter table campaigns.emails_sent
  drop constraint emails_sent_recipient_email_check,
  add constraint emails_sent_recipient_email_check check (length(recipient_email) <= 254 and recipient_email ~ '^\S+@[^@\s]+$'),
  drop column recipient_domain,
  add column recipient_domain text not null
    generated always as (split_part(util.address_key(recipient_email), '@', -1)) stored,
  add column email_key text not null generated always as (util.address_key(recipient_email)) stored;
