-- Keys and invitations stand on whoever made them, a person or a key: with that one's rights they end, and with that one's account they go.
alter table rbac.api_keys
  add column created_by_key uuid,
  drop constraint api_keys_created_by_fkey,
  add constraint api_keys_created_by_fkey foreign key (created_by) references public.profiles on delete cascade,
  add constraint api_keys_created_by_key_fkey foreign key (created_by_key) references rbac.api_keys on delete cascade;
create index idx_api_keys_created_by_key on rbac.api_keys (created_by_key);

alter table rbac.invitations
  add column created_by_key uuid,
  add column sent_at timestamptz not null default now(),
  drop constraint invitations_created_by_fkey,
  add constraint invitations_created_by_fkey foreign key (created_by) references public.profiles on delete cascade,
  add constraint invitations_created_by_key_fkey foreign key (created_by_key) references rbac.api_keys on delete cascade;
create index idx_invitations_created_by_key on rbac.invitations (created_by_key);
create index idx_invitations_created_at on rbac.invitations (created_at);

-- Which of these a key made, nobody knows any more: they are to be issued again.
update rbac.invitations set used_at = now() where created_by is null and used_at is null and email is not null;

revoke update on rbac.api_keys, rbac.invitations from service_role;
