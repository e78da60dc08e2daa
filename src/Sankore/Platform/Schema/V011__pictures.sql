-- Pictures that people bring (Platform/Files/Pictures): of messages, logos, photos of people. Each is kept as it is shown, with a small one for
-- lists. A logo is nobody's own; the other owners' key is added by Identity, which makes the table of people after this.
create table util.pictures (
  id          uuid not null,
  owner_id    uuid,
  kind        text not null,
  name        text not null,
  media_type  text not null,
  width       integer not null,
  height      integer not null,
  content     bytea not null,
  small       bytea not null,
  source      bytea not null,
  created_at  timestamptz not null default now(),
  constraint pictures_pkey primary key (id),
  constraint pictures_owner_id_kind_source_unique unique (owner_id, kind, source),
  constraint pictures_kind_check check (kind in ('message', 'logo', 'photo')),
  constraint pictures_owner_id_check check ((owner_id is null) = (kind = 'logo')),
  constraint pictures_name_check check (length(name) between 1 and 200),
  constraint pictures_media_type_check check (media_type in ('image/jpeg', 'image/png')),
  constraint pictures_content_check check (
    length(content) <= case kind when 'message' then 8 * 1024 * 1024 else 1024 * 1024 end and length(small) <= 512 * 1024)
);
create index idx_pictures_kind on util.pictures (kind);
-- They are compressed already.
alter table util.pictures alter column content set storage external, alter column small set storage external;
select util.protect('util.pictures');
