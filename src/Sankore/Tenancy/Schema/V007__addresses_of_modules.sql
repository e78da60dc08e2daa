-- A module that is in menus leads somewhere: to pages of this program, or to an application of its own (https). What leads nowhere is not
-- built (document 002, « créé et fonctionnel »), and is told like any change of the catalogue: the log has its partitions first.
select live.keep_partitions();
update tenancy.modules set is_built = false where is_built and (route is null or route <> '/campaigns');
alter table tenancy.modules
  drop constraint modules_route_check,
  add constraint modules_route_check
    check (length(route) <= 500 and (route ~ '^/([a-z0-9_-][a-z0-9/_-]*)?$' or route ~ '^https://[^\s/?#]+([/?][^\s#]*)?$')),
  add constraint modules_is_built_check check (not is_built or route is not null);
