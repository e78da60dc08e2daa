namespace Sankore.Tests.Guards;

/// <summary>A rule of the schema: a query that names what falls short of it, and an offence that it must name.</summary>
/// <param name="Name">The rule, as a sentence.</param>
/// <param name="OffendersSql">One text column: the names of the offenders.</param>
/// <param name="Plant">Statements that break the rule in a scratch database.</param>
/// <param name="Offence">How the query names what was planted.</param>
public sealed record SchemaRule(string Name, string OffendersSql, string Plant, string Offence)
{
    public override string ToString() => Name;
}

/// <summary>
/// What holds for every table, view, key, policy, function and role. A schema counts as ours when it is not PostgreSQL's own.
/// </summary>
public static class SchemaRules
{
    private const string Ours = "n.nspname !~ '^(pg_|information_schema$)'";

    public static readonly SchemaRule[] All =
    [
        new("Every table is under row level security, enabled and forced, with at least one policy", $"""
            select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and c.relkind in ('r', 'p')
              and (not c.relrowsecurity or not c.relforcerowsecurity or not exists (select 1 from pg_policy p where p.polrelid = c.oid))
            """,
            "create table tenancy.bare (id int); alter table tenancy.bare enable row level security; create policy p on tenancy.bare "
            + "using (true)", "tenancy.bare"),

        new("A table whose security is forced and has no policy is named too", $"""
            select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and c.relkind in ('r', 'p') and not exists (select 1 from pg_policy p where p.polrelid = c.oid)
            """,
            "create table tenancy.mute (id int); alter table tenancy.mute enable row level security; alter table tenancy.mute force row "
            + "level security", "tenancy.mute"),

        new("Every view asks under its reader's own rights, and none is materialised", $"""
            select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where {Ours}
              and (c.relkind = 'm' or c.relkind = 'v'
                and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on'], false))
            """,
            "create view tenancy.everybody as select * from tenancy.schools", "tenancy.everybody"),

        // Leading columns in any order: they serve the key's lookups whichever comes first. A partial index serves only some of them.
        new("Every foreign key has an index that begins with its columns", $"""
            select k.conrelid::regclass || '.' || k.conname from pg_constraint k join pg_namespace n on n.oid = k.connamespace
            where {Ours} and k.contype = 'f' and not exists (
              select 1 from pg_index i where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
                and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)] @> k.conkey)
            """,
            "create table tenancy.loose (id int, school_id uuid, constraint loose_school_id_fkey foreign key (school_id) references "
            + "tenancy.schools); create index on tenancy.loose (id, school_id)",
            "tenancy.loose.loose_school_id_fkey"),

        // pg_depend says which columns, of whichever table, an expression of a policy reads. Each must lead some whole index: a policy
        // compares them at every row otherwise, whatever else the query asks. Tables that only the owner reads have no such policy; one
        // that judges new rows alone (polcmd 'a') reads no others.
        new("Every column that a policy reads leads an index of its table", $"""
            select distinct d.refobjid::regclass || '.' || a.attname || ' of ' || p.polname
            from pg_policy p
            join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
            and d.refobjsubid > 0
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and p.polcmd <> 'a' and not exists (
              select 1 from pg_index i where i.indrelid = d.refobjid and i.indisvalid and i.indpred is null and i.indkey[0] = d.refobjsubid)
            """,
            "create policy by_city on tenancy.schools for select to authenticated using (city = (select auth.jwt() ->> 'city'))",
            "tenancy.schools.city of by_city"),

        new("Every column of time is bounded to the years of inputs, so that nothing in it is infinite", $"""
            select c.oid::regclass || '.' || a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where {Ours} and c.relkind in ('r', 'p') and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
              and not exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
                and pg_get_constraintdef(k.oid) like 'CHECK ((isfinite(' || a.attname || ')%2199-12-31%')
            """,
            "alter table tenancy.schools add column founded_at timestamptz", "tenancy.schools.founded_at"),

        new("Every SECURITY DEFINER function fixes its search_path, and nobody has it by being public", $"""
            select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where {Ours} and p.prosecdef
              and (not exists (select 1 from unnest(p.proconfig) s where s like 'search\_path=%')
                or exists (select 1 from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g where g.grantee = 0))
            """,
            "create function tenancy.open_door() returns int language sql security definer set search_path = '' as 'select 1'",
            "tenancy.open_door()"),

        new("A SECURITY DEFINER function without a search_path is named too", $"""
            select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where {Ours} and p.prosecdef and not exists (select 1 from unnest(p.proconfig) s where s like 'search\_path=%')
            """,
            "create function tenancy.led_astray() returns int language sql security definer as 'select 1'; revoke execute on function "
            + "tenancy.led_astray() from public", "tenancy.led_astray()"),

        new("The program's login is nothing by itself and the roles it takes bypass nothing", """
            select rolname || ' has a power' from pg_roles
            where rolname in ('sankore_app', 'anon', 'authenticated', 'service_role', 'sankore_owner')
              and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolname = 'sankore_app' and rolinherit)
            union all
            select r.rolname || ' is a member of ' || g.rolname from pg_auth_members m join pg_roles r on r.oid = m.member
            join pg_roles g on g.oid = m.roleid
            where r.rolname in ('sankore_app', 'anon', 'authenticated', 'service_role')
              and not (r.rolname = 'sankore_app' and g.rolname in ('anon', 'authenticated', 'service_role'))
            union all
            select r.rolname || ' owns ' || d.classid::regclass || ' ' || d.objid from pg_shdepend d
            join pg_roles r on r.oid = d.refobjid and d.refclassid = 'pg_authid'::regclass
            where d.deptype = 'o' and r.rolname in ('sankore_app', 'anon', 'authenticated', 'service_role')
            union all
            select 'sankore_app has a right of its own on ' || c.oid::regclass from pg_class c, aclexplode(c.relacl) g
            where g.grantee = 'sankore_app'::regrole
            """,
            "grant select on tenancy.schools to sankore_app; alter role sankore_app bypassrls", "sankore_app has a power"),

        // A partition's constraints are its parent's. PostgreSQL 18 adds not-null constraints (type n), which no message depends on.
        new("Every constraint is named after its table and its kind", $"""
            select k.conrelid::regclass || '.' || k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid
            join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and k.contype in ('p', 'u', 'c', 'f', 'x') and k.coninhcount = 0 and k.conparentid = 0
              and k.conname !~ format('^%s_(.+_)?%s$', c.relname, case k.contype when 'p' then 'pkey' when 'u' then 'unique'
                  when 'c' then 'check' when 'f' then 'fkey' else 'exclude' end)
            """,
            "create table tenancy.named (id int constraint named_id_key unique)", "tenancy.named.named_id_key"),

        new("Every index that is no constraint is idx_<table>_…, or <table>_…_unique", $"""
            select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
            join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and not x.relispartition
              and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
              and x.relname !~ case when i.indisunique then format('^%s_.+_unique$', c.relname) else format('^idx_%s_.+$', c.relname) end
            """,
            "create index schools_by_city on tenancy.schools (city)", "tenancy.schools_by_city"),

        // pg_get_expr writes a wrapped call as ( SELECT schema.function(…) AS …): what is left without its SELECT runs once per row.
        new("Every policy asks its functions once per query, in a sub-select", $$"""
            select p.polrelid::regclass || '.' || p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
            join pg_namespace n on n.oid = c.relnamespace,
            lateral (select concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as expression) e
            where {{Ours}} and (e.expression ~ '(?<!SELECT )\m[a-z_]+\.[a-z_]+\(' or e.expression ~ '(?<!SELECT )\mcurrent_setting\(')
            """,
            "create policy per_row on tenancy.schools for select to authenticated using (rbac.has_permission((select auth.uid()), "
            + "'tenancy.read'))", "tenancy.schools.per_row"),

        new("Every policy is <table>_<who>_<command>, but for the owner's", $"""
            select p.polrelid::regclass || '.' || p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
            join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and p.polname <> 'owner_all' and p.polname !~ format('^%s_.+_%s$', c.relname,
              case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end)
            """,
            "create policy schools_director_read on tenancy.schools for select to authenticated using (true)",
            "tenancy.schools.schools_director_read"),

        // update_updated_at_column and plan_change_trigger are the documents' names.
        new("A trigger's name is found by searching for it: no two tables have one of the same name", $"""
            select min(c.oid::regclass || '.' || t.tgname) from pg_trigger t join pg_class c on c.oid = t.tgrelid
            join pg_namespace n on n.oid = c.relnamespace
            where {Ours} and not t.tgisinternal and t.tgparentid = 0 and t.tgname not in ('update_updated_at_column', 'plan_change_trigger')
            group by t.tgname having count(*) > 1
            """,
            "create trigger touch before update on tenancy.modules for each row execute function util.touch(); create trigger touch "
            + "before update on tenancy.schools for each row execute function util.touch()",
            "tenancy.modules.touch"),

        new("Nobody but the owner and the three roles of callers has a right on anything", $"""
            select c.oid::regclass || ' to ' || coalesce(nullif(g.grantee, 0)::regrole::text, 'public') from pg_class c
            join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
            where {Ours} and g.grantee <> c.relowner
              and coalesce(nullif(g.grantee, 0)::regrole::text, 'public') not in ('anon', 'authenticated', 'service_role')
            """,
            "grant select on tenancy.modules to public", "tenancy.modules to public"),
    ];
}
