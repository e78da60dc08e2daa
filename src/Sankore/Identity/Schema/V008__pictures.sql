-- Pictures go with their owner's account: util.pictures is Platform's, which comes before the table of people.
alter table util.pictures add constraint pictures_owner_id_fkey foreign key (owner_id) references public.profiles on delete cascade;
