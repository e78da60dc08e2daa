-- What somebody imports goes with their account (util.imports is Platform's, which comes before the table of people).
alter table util.imports add constraint imports_user_id_fkey foreign key (user_id) references public.profiles on delete cascade;
