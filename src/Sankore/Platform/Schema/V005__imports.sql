-- Files that people import (Platform/Imports): kept in parts, so that any node can read them, looked at, then imported. What a kind is, and who
-- may write it, its module says (util.import_policies). The person's key is added by Identity, which makes the table of people after this.
create table util.imports (
  id           uuid not null default gen_random_uuid(),
  user_id      uuid not null,
  kind         text not null,
  file_name    text not null,
  status       text not null default 'uploaded',
  -- How its rows are read, and each sheet's first rows with what they suggest.
  settings     jsonb not null default '{}',
  sheets       jsonb not null default '[]',
  percent      integer not null default 0,
  rows_read    integer not null default 0,
  -- Rows by verdict, and what was written by kind of thing.
  counts       jsonb not null default '{}',
  result       jsonb not null default '{}',
  failure      text,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  finished_at  timestamptz,
  constraint imports_pkey primary key (id),
  constraint imports_user_id_id_unique unique (user_id, id),
  constraint imports_kind_check check (length(kind) between 1 and 40),
  constraint imports_file_name_check check (length(file_name) between 1 and 200),
  constraint imports_percent_check check (percent between 0 and 100),
  constraint imports_status_check check (status in ('uploaded', 'running', 'checked', 'completed', 'failed'))
);
create index idx_imports_user_id_kind_created_at on util.imports (user_id, kind, created_at desc);
create index idx_imports_kind on util.imports (kind);
create index idx_imports_created_at on util.imports (created_at);

create table util.import_parts (
  import_id  uuid not null,
  user_id    uuid not null,
  part       integer not null,
  content    bytea not null,
  constraint import_parts_pkey primary key (import_id, part),
  constraint import_parts_content_check check (length(content) <= 1048576),
  constraint import_parts_user_id_import_id_fkey foreign key (user_id, import_id) references util.imports (user_id, id) on delete cascade
);
create index idx_import_parts_user_id_import_id on util.import_parts (user_id, import_id);

-- The report: each row of the file as it was read, by column, what became of it, and what is wrong with it.
create table util.import_rows (
  import_id  uuid not null,
  user_id    uuid not null,
  number     integer not null,
  cells      jsonb not null,
  verdict    text not null,
  errors     jsonb,
  constraint import_rows_pkey primary key (import_id, number),
  constraint import_rows_verdict_check check (length(verdict) between 1 and 20),
  constraint import_rows_user_id_import_id_fkey foreign key (user_id, import_id) references util.imports (user_id, id) on delete cascade
);
create index idx_import_rows_user_id_import_id on util.import_rows (user_id, import_id);

select util.protect('util.imports'), util.protect('util.import_parts'), util.protect('util.import_rows');
