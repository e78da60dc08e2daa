-- Who puts right what mail servers said wrongly of many addresses.
insert into rbac.permissions (permission_key, domain, action, description, is_dangerous)
values ('operations.manage', 'operations', 'manage', 'Put right what mail servers said wrongly of addresses', true);
insert into rbac.role_permissions (role_id, permission_id, reason)
select r.id, p.id, 'initial' from rbac.roles r, rbac.permissions p
where r.role_name = 'admin' and p.permission_key = 'operations.manage';
