-- Pictures go with their owner's account: util.pictures is Platform's, which comes before the table of people.
alter table util.pictures add constraint pictures_owner_id_fkey foreign key (owner_id) references public.profiles on delete cascade;
alter table public.profiles
  add constraint profiles_avatar_url_check check (avatar_url ~ '^/i/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$');
-- Lists of people are in the order in which people look for a name.
drop index public.idx_profiles_display_name;
create index idx_profiles_display_name on public.profiles (display_name collate "und-x-icu", id);
