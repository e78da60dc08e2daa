-- The key of an invitation's address is the database's own.
alter table rbac.invitations drop column email_key;
alter table rbac.invitations add column email_key text generated always as (util.address_key(email)) stored;
create index idx_invitations_email_key on rbac.invitations (email_key);
grant select (email_key) on rbac.invitations to authenticated;
