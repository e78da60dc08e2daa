-- What each transaction has to say to pages when it commits (live.watch). Nothing in it outlives its transaction.
create unlogged table live.due (
  transaction  xid8 not null,
  table_name   text not null,
  topics       text[] not null,
  constraint due_pkey primary key (transaction, table_name)
);
select util.protect('live.due');

-- Every policy and trigger has one style of name from here on, and all of them are made by R files, which are applied after this: the old
-- ones go, whatever they were called.
do $$
declare
  v_drop text;
begin
  for v_drop in
    select format('drop policy %I on %s', p.polname, p.polrelid::regclass) from pg_policy p join pg_class c on c.oid = p.polrelid
    where p.polname <> 'owner_all' and c.relnamespace::regnamespace::text in ('auth', 'public', 'audit', 'live', 'util', 'rbac', 'tenancy', 'campaigns')
    union all
    select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass) from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal and c.relnamespace::regnamespace::text in ('auth', 'public', 'audit', 'live', 'util', 'rbac', 'tenancy', 'campaigns')
  loop
    execute v_drop;
  end loop;
end $$;

-- Rows of the feed carry figures; a page says them in its language.
drop function if exists live.figure_texts(jsonb);
