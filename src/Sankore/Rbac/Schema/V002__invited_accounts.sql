-- An invitation may be for an account that exists already: one made for it without a password (user_id), or anybody's (used_by says whose).
alter table rbac.invitations
  add column user_id uuid,
  add column used_by uuid,
  add constraint invitations_user_id_fkey foreign key (user_id) references public.profiles on delete cascade,
  add constraint invitations_used_by_fkey foreign key (used_by) references public.profiles on delete set null;
create index idx_invitations_user_id on rbac.invitations (user_id);
create index idx_invitations_used_by on rbac.invitations (used_by);
create index idx_invitations_email on rbac.invitations (email);

update rbac.permissions set description = case permission_key
  when 'tenancy.manage' then 'Change modules, categories, plans, groups, subscriptions, schools and staff'
  else 'Delete modules, categories, plans and groups' end
where permission_key in ('tenancy.manage', 'tenancy.delete');
