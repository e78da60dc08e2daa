-- What somebody deleted and may bring back for a while (Platform/Data/DeletedRows): the rows as they were, by the act that took them. The
-- person's key is added by Identity, which makes the table of people after this.
create table util.deleted_rows (
  id          bigint not null generated always as identity,
  act_id      uuid not null,
  user_id     uuid not null,
  kind        text not null,
  content     jsonb not null,
  deleted_at  timestamptz not null default now(),
  constraint deleted_rows_pkey primary key (id),
  constraint deleted_rows_kind_check check (length(kind) between 1 and 60)
);
create index idx_deleted_rows_act_id on util.deleted_rows (act_id);
create index idx_deleted_rows_user_id on util.deleted_rows (user_id);
create index idx_deleted_rows_deleted_at on util.deleted_rows (deleted_at);
select util.protect('util.deleted_rows');
