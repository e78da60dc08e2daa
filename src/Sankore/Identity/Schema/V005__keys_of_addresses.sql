-- Accounts are found by the one key of their address. Of two that turn out to be one address the first that was proved has it; the other
-- stays as it was, out of reach.
alter table auth.users alter column normalized_email drop not null;
with keys as (
  select id, util.address_key(email) as key,
    row_number() over (partition by util.address_key(email) order by email_confirmed desc, created_at, id) as place
  from auth.users)
update auth.users u set normalized_email = k.key || case when k.place > 1 then ' ' || u.id else '' end from keys k where k.id = u.id;
alter table auth.users
  alter column normalized_email set not null,
  add constraint users_normalized_email_check check (starts_with(normalized_email, util.address_key(email)));
