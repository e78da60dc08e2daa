-- Who is asking. Db sets both settings inside the transaction, with its first statement.
create or replace function auth.jwt() returns jsonb
language sql stable parallel safe as $$
  select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}'::jsonb)
$$;

create or replace function auth.uid() returns uuid
language sql stable parallel safe as $$ select (auth.jwt() ->> 'sub')::uuid $$;

-- The key of a service, if one is asking.
create or replace function auth.key_id() returns uuid
language sql stable parallel safe as $$ select (auth.jwt() ->> 'key')::uuid $$;

-- The role that the transaction has taken, which no claim can say; 'anon' while it has taken none.
create or replace function auth.role() returns text
language sql stable parallel safe as $$ select coalesce(nullif(current_setting('role', true), 'none'), 'anon') $$;

-- Whether nobody in particular is asking: the server itself, or who owns the database.
create or replace function auth.is_server() returns boolean
language sql stable parallel safe as $$
  select auth.uid() is null and auth.key_id() is null and coalesce(current_setting('role', true), '') not in ('anon', 'authenticated')
$$;

grant execute on function auth.jwt(), auth.uid(), auth.key_id(), auth.role(), auth.is_server() to anon, authenticated, service_role;
