-- Invitations are found by the key of their address (AddressKey in C#), as accounts are.
alter table rbac.invitations add column email_key text;
update rbac.invitations set email_key = upper(email);
drop index rbac.idx_invitations_email;
create index idx_invitations_email_key on rbac.invitations (email_key);

-- Who lets in again whoever lost the second factor.
insert into rbac.permissions (permission_key, domain, action, description, is_dangerous)
values ('identity.recover', 'identity', 'recover', 'Take away a second factor that its owner has lost', true);
insert into rbac.role_permissions (role_id, permission_id, reason)
select r.id, p.id, 'initial' from rbac.roles r, rbac.permissions p
where r.role_name = 'admin' and p.permission_key = 'identity.recover';
