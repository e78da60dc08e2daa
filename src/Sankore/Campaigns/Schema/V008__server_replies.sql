-- What the mail server says that concerns a whole campaign, and when one that waits goes on by itself.
alter table campaigns.email_campaigns
  add column server_reply text,
  add column resumes_at timestamptz,
  add constraint email_campaigns_server_reply_check check (length(server_reply) <= 500);

-- What an operator took back: addresses that a mail server had refused on a day with the same words.
create table campaigns.bounce_undos (
  id          uuid not null default gen_random_uuid(),
  day         date not null,
  words       text not null,
  addresses   integer not null,
  undone_by   uuid default auth.uid(),
  created_at  timestamptz not null default now(),
  constraint bounce_undos_pkey primary key (id),
  constraint bounce_undos_day_check check (isfinite(day) and day between '2000-01-01' and '2199-12-31'),
  constraint bounce_undos_words_check check (length(words) <= 500),
  constraint bounce_undos_addresses_check check (addresses > 0),
  constraint bounce_undos_undone_by_fkey foreign key (undone_by) references public.profiles on delete set null
);
create index idx_bounce_undos_undone_by on campaigns.bounce_undos (undone_by);
create index idx_bounce_undos_created_at on campaigns.bounce_undos (created_at desc);
select util.protect('campaigns.bounce_undos');
