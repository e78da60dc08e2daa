-- What happens to a message after the mail server took it.

-- What providers, reports and people said of messages: each event once, however often it is told.
alter table campaigns.emails_sent add constraint emails_sent_user_id_id_unique unique (user_id, id);

create table campaigns.delivery_events (
  provider    text not null,
  event_id    text not null,
  user_id     uuid not null,
  message_id  uuid not null,
  kind        text not null,
  at          timestamptz not null,
  code        text,
  detail      text,
  settled     boolean not null default false,
  created_at  timestamptz not null default now(),
  constraint delivery_events_pkey primary key (provider, event_id),
  constraint delivery_events_provider_check check (provider in ('generic', 'mailgun', 'sendgrid', 'report', 'sankore')),
  constraint delivery_events_event_id_check check (length(event_id) between 1 and 200),
  constraint delivery_events_kind_check check (kind in ('delivered', 'bounced', 'deferred', 'complained', 'opened', 'clicked', 'unsubscribed')),
  constraint delivery_events_code_check check (length(code) <= 60),
  constraint delivery_events_detail_check check (length(detail) <= 500),
  constraint delivery_events_user_id_message_id_fkey foreign key (user_id, message_id) references campaigns.emails_sent (user_id, id) on delete cascade
);
create index idx_delivery_events_user_id_message_id on campaigns.delivery_events (user_id, message_id);
-- Those that came before their message had left.
create index idx_delivery_events_message_id on campaigns.delivery_events (message_id) where not settled;

-- Where the links of a campaign lead whose clicks are counted. A link in a message names a number, never an address.
create table campaigns.campaign_links (
  campaign_id      uuid not null,
  number           integer not null,
  user_id          uuid not null,
  url              text not null,
  clicks           integer not null default 0,
  people           integer not null default 0,
  last_clicked_at  timestamptz,
  constraint campaign_links_pkey primary key (campaign_id, number),
  constraint campaign_links_number_check check (number between 1 and 1000),
  constraint campaign_links_url_check check (url ~* '^https?://' and length(url) <= 4000),
  constraint campaign_links_user_id_campaign_id_fkey foreign key (user_id, campaign_id) references campaigns.email_campaigns (user_id, id) on delete cascade
) with (fillfactor = 60);
create index idx_campaign_links_user_id_campaign_id on campaigns.campaign_links (user_id, campaign_id);

-- What links in messages are signed with: made at first use, the same for every node, and kept, since a mail is opened years later.
create table campaigns.signing_keys (
  purpose     text not null,
  key         bytea not null,
  created_at  timestamptz not null default now(),
  constraint signing_keys_pkey primary key (purpose),
  constraint signing_keys_key_check check (length(key) = 32)
);

select util.protect(format('campaigns.%I', t)::regclass) from unnest(array['delivery_events', 'campaign_links', 'signing_keys']) t;
