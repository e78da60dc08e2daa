-- Messages that had left a campaign that is gone since: their recipients still have them, leave by their link and follow the others.
create table campaigns.past_messages (
  id               uuid not null,
  user_id          uuid,
  campaign_id      uuid not null,
  contact_id       uuid,
  sender           text not null,
  recipient_email  text,
  created_at       timestamptz not null default now(),
  constraint past_messages_pkey primary key (id),
  constraint past_messages_user_id_fkey foreign key (user_id) references public.profiles on delete set null
);
create index idx_past_messages_user_id on campaigns.past_messages (user_id);

create table campaigns.past_links (
  campaign_id  uuid not null,
  number       integer not null,
  url          text not null,
  constraint past_links_pkey primary key (campaign_id, number)
);
select util.protect('campaigns.past_messages'), util.protect('campaigns.past_links');
