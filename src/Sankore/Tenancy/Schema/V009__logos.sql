-- Logos of groups and schools (util.pictures): of the head of their people's pages and of their messages.
alter table tenancy.school_groups add column logo_id uuid,
  add constraint school_groups_logo_id_fkey foreign key (logo_id) references util.pictures on delete set null;
alter table tenancy.schools add column logo_id uuid,
  add constraint schools_logo_id_fkey foreign key (logo_id) references util.pictures on delete set null;
create index idx_school_groups_logo_id on tenancy.school_groups (logo_id);
create index idx_schools_logo_id on tenancy.schools (logo_id);
