-- What each node says of its feed (LiveReporter), for the page « Direct ».
create table live.nodes (
  id             uuid not null,
  name           text not null,
  version        text not null,
  started_at     timestamptz not null,
  seen_at        timestamptz not null default now(),
  told_at        timestamptz not null default now(),
  watched_until  timestamptz not null default '-infinity',
  is_silent      boolean not null default false,
  figures        jsonb not null,
  history        jsonb not null,
  constraint nodes_pkey primary key (id),
  constraint nodes_name_check check (length(name) between 1 and 200),
  constraint nodes_version_check check (length(version) between 1 and 100),
  constraint nodes_figures_check check (jsonb_typeof(figures) = 'object'),
  constraint nodes_history_check check (jsonb_typeof(history) = 'object')
);
select util.protect('live.nodes');
