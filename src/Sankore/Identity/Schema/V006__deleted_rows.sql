-- What somebody deleted and may bring back goes with their account: util.deleted_rows is Platform's, which comes before the table of
-- people.
alter table util.deleted_rows add constraint deleted_rows_user_id_fkey foreign key (user_id) references public.profiles on delete cascade;
