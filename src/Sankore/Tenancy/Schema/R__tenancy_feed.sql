-- ── The feed: what each audience is told ──

create or replace function tenancy.plans_including(p_module_id uuid) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(plan_id order by plan_id), '{}') from tenancy.included_modules where module_id = p_module_id
$$;

-- Who hears of a module: a plan's administrators, and those to whom it or its category was assigned. Nobody, while it cannot be used.
create or replace function tenancy.module_topics(p_id uuid) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(t order by t), '{}')
  from tenancy.available_modules a,
  lateral (values ('plan:' || a.plan_id), ('plan:' || a.plan_id || ':category:' || a.category_id),
      ('plan:' || a.plan_id || ':module:' || a.module_id)) v (t)
  where a.module_id = p_id
$$;

-- Who hears of a category: those who have a module of it, and the administrators of plans that include it, empty as it may be.
create or replace function tenancy.category_topics(p_id uuid) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct t order by t), '{}') from (
    select 'plan:' || pc.plan_id as t
    from tenancy.plan_categories pc join tenancy.business_categories c on c.id = pc.category_id and c.status = 'active'
    where pc.category_id = p_id
    union all
    select v.t
    from tenancy.available_modules a,
    lateral (values ('plan:' || a.plan_id), ('plan:' || a.plan_id || ':category:' || a.category_id),
        ('plan:' || a.plan_id || ':module:' || a.module_id)) v (t)
    where a.category_id = p_id) x
$$;

-- A module as its members see it; the operator's row has more, with the plans that include it (p_plan_ids; null: a member's row).
create or replace function tenancy.module_row(p_module tenancy.modules, p_plan_ids uuid[]) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_strip_nulls(jsonb_build_object(
      'code', p_module.code, 'name', p_module.name, 'nameEn', p_module.name_en, 'description', p_module.description, 'icon', p_module.icon,
      'route', tenancy.module_href(p_module.route, p_module.code), 'priority', p_module.priority, 'status', p_module.status,
      'version', p_module.version, 'categoryId', p_module.category_id,
      'category', (select jsonb_build_object('name', c.name, 'nameEn', c.name_en, 'color', c.color, 'sortOrder', c.sort_order)
                   from tenancy.business_categories c where c.id = p_module.category_id)))
    || case when p_plan_ids is null then '{}' else jsonb_build_object(
      'kind', p_module.kind, 'sector', p_module.sector, 'isBuilt', p_module.is_built,
      'state', case when p_module.is_built then p_module.status else 'building' end,
      'planIds', to_jsonb(p_plan_ids)) end
$$;

create or replace function tenancy.category_row(p_category tenancy.business_categories) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'name', p_category.name, 'nameEn', p_category.name_en, 'slug', p_category.slug, 'description', p_category.description,
    'icon', p_category.icon,
    'color', p_category.color, 'sortOrder', p_category.sort_order, 'status', p_category.status, 'version', p_category.version))
$$;

-- ── Who is told: the difference between what was told and what is true at commit ──

-- Tells the operator and the other audiences what became of a row, as it is at commit, each in its own terms: gone for those who lose it,
-- changed for those who keep it, new for those who gain it; nothing twice. The log's lock comes first: what is read after it, statement by
-- statement, is what everybody who committed before has left (READ COMMITTED, as all of Db.Run).
create or replace function tenancy.publish_change(p_table text, p_id uuid, p_version integer, p_including uuid[], p_topics text[],
    p_operator_row jsonb, p_member_row jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_told tenancy.told_audiences;
  v_before text[];
begin
  select * into v_told from tenancy.told_audiences where table_name = p_table and row_id = p_id;
  v_before := coalesce(v_told.topics, '{}');
  if p_version is null then
    if v_told.row_id is not null then
      delete from tenancy.told_audiences where table_name = p_table and row_id = p_id;
      perform live.publish(p_table, 'DELETE', p_id::text, null, array['catalogue'] || v_before);
    end if;
  elsif (v_told.version, v_told.including_plan_ids, v_told.topics) is distinct from (p_version, p_including, p_topics) then
    insert into tenancy.told_audiences values (p_table, p_id, p_version, p_including, p_topics)
    on conflict on constraint told_audiences_pkey do update
      set version = excluded.version, including_plan_ids = excluded.including_plan_ids, topics = excluded.topics;
    perform live.publish(p_table, case
        when v_told.row_id is null then 'INSERT' else 'UPDATE' end, p_id::text, p_operator_row, array['catalogue']);
    perform live.publish(p_table, 'DELETE', p_id::text, null, array(select unnest(v_before) except select unnest(p_topics)));
    if v_told.version is distinct from p_version then
      perform live.publish(p_table, 'UPDATE', p_id::text, p_member_row, array(select unnest(v_before) intersect select unnest(p_topics)));
    end if;
    perform live.publish(p_table, 'INSERT', p_id::text, p_member_row, array(select unnest(p_topics) except select unnest(v_before)));
  end if;
end $$;

create or replace function tenancy.publish_module(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_module    tenancy.modules;
  v_including uuid[];
begin
  perform live.lock();
  select * into v_module from tenancy.modules where id = p_id;
  v_including := tenancy.plans_including(p_id);
  perform tenancy.publish_change('tenancy.modules', p_id, v_module.version, v_including,
    tenancy.module_topics(p_id), tenancy.module_row(v_module, v_including), tenancy.module_row(v_module, null));
end $$;

create or replace function tenancy.publish_category(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_category tenancy.business_categories;
begin
  perform live.lock();
  select * into v_category from tenancy.business_categories where id = p_id;
  perform tenancy.publish_change('tenancy.business_categories', p_id, v_category.version, '{}', tenancy.category_topics(p_id),
    tenancy.category_row(v_category), tenancy.category_row(v_category));
end $$;

create or replace function tenancy.publish_modules_of(p_category_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform live.lock();
  perform tenancy.publish_module(m.id) from (select id from tenancy.modules where category_id = p_category_id order by priority, id) m;
end $$;

create or replace function tenancy.notify_module_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.publish_module(coalesce(new.id, old.id));
  perform pg_notify('module_changed',
      json_build_object('op', tg_op, 'id', coalesce(new.id, old.id), 'code', coalesce(new.code, old.code))::text);
  return null;
end $$;

create or replace function tenancy.notify_category_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform tenancy.publish_category(coalesce(new.id, old.id));
  if tg_op = 'UPDATE' and old.status <> new.status then
    perform tenancy.publish_modules_of(new.id);
  end if;
  perform pg_notify('category_changed',
      json_build_object('op', tg_op, 'id', coalesce(new.id, old.id), 'slug', coalesce(new.slug, old.slug))::text);
  return null;
end $$;

-- A link that comes or goes is, for the plan's people, a module or a category that comes or goes.
create or replace function tenancy.notify_plan_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_table_name = 'plan_modules' then
    perform tenancy.publish_module(m) from unnest(array[old.module_id, new.module_id]) m where m is not null;
  else
    perform tenancy.publish_category(c), tenancy.publish_modules_of(c)
      from (select distinct c from unnest(array[old.category_id, new.category_id]) c where c is not null) x;
  end if;
  return null;
end $$;

select util.at_commit(v_table::regclass, v_name || '_change_trigger', 'insert or update or delete',
    format('tenancy.notify_%s_change', v_name))
from (values
  ('tenancy.modules', 'module'),
  ('tenancy.business_categories', 'category'),
  ('tenancy.plan_modules', 'plan'),
  ('tenancy.plan_categories', 'plan')) v (v_table, v_name);

-- For rows that came without their triggers (the demo network's COPY): nobody was listening, and this is what they will have been told.
create or replace function tenancy.remember_audiences() returns void
language sql security definer set search_path = '' as $$
  insert into tenancy.told_audiences
  select 'tenancy.modules', m.id, m.version, tenancy.plans_including(m.id), tenancy.module_topics(m.id) from tenancy.modules m
  union all
  select 'tenancy.business_categories', c.id, c.version, '{}', tenancy.category_topics(c.id) from tenancy.business_categories c
  on conflict on constraint told_audiences_pkey do nothing
$$;

-- Who joins or leaves a place, a group whose plan or state changes, a school that closes: their topics are decided anew. Said at once and
-- not at commit, so that it comes before all that the same transaction tells of modules.
create or replace function tenancy.publish_rights() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_old jsonb := to_jsonb(old);
  v_new jsonb := to_jsonb(new);
begin
  perform live.publish(tg_table_schema || '.' || tg_table_name, 'RIGHTS', coalesce(v_new, v_old) ->> 'id', null,
    array(select distinct tg_argv[0] || (r ->> tg_argv[1]) from unnest(array[v_old, v_new]) r where r is not null));
  return null;
end $$;

do $$
declare
  v_table text; v_topic text; v_column text; v_changes text;
begin
  for v_table, v_topic, v_column, v_changes in values
    ('memberships', 'user:', 'user_id', 'user_id, school_group_id, school_id, role, status, expires_at'),
    ('subscriptions', 'group:', 'school_group_id', 'school_group_id, plan_id, status'),
    ('school_groups', 'group:', 'id', 'status'),
    ('schools', 'school:', 'id', 'school_group_id, status')
  loop
    execute format('create or replace trigger %I after insert or delete or update of %s on tenancy.%I
      for each row execute function tenancy.publish_rights(%L, %L)', v_table || '_rights', v_changes, v_table, v_topic, v_column);
  end loop;
end $$;

-- Assignments come in thousands: their people are told by one entry a statement.
create or replace function tenancy.publish_assignments() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform live.publish('tenancy.user_module_permissions', 'RIGHTS', '', null, array(select distinct 'user:' || user_id from changed_rows));
  return null;
end $$;

select util.after_statement('tenancy.user_module_permissions', 'rights', o, 'tenancy.publish_assignments')
from unnest(array['insert', 'update', 'delete']) o;

-- Pages about the network: the operator's, and the group's administrators'.
select live.watch('tenancy.subscription_plans', 'catalogue'),
  live.watch('tenancy.school_groups', 'catalogue', 'admin:id'),
  live.watch('tenancy.subscriptions', 'catalogue', 'admin:school_group_id'),
  live.watch('tenancy.schools', 'catalogue', 'admin:school_group_id'),
  live.watch('tenancy.memberships', 'catalogue', 'admin:school_group_id'),
  live.watch('tenancy.user_module_permissions', 'catalogue', 'admin:school_group_id');
