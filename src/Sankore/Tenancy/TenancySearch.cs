namespace Sankore.Tenancy;

/// <summary>What of the network is found by its words: of one's own groups, or by the operator of all.</summary>
internal static class TenancySearch
{
    private const string PeopleSql = """
        select distinct on (p.display_name collate "und-x-icu", p.id) p.display_name as title, p.email || ' · ' || g.name as note,
          '/people/' || p.id || '?group=' || g.id as url
        from tenancy.memberships m
        join tenancy.school_groups g on g.id = m.school_group_id
        join public.profiles p on p.id = m.user_id
        where m.school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
          and util.finds(@Pattern::text, p.display_name, p.email)
        order by p.display_name collate "und-x-icu", p.id limit 8
        """;

    private const string SchoolsSql = """
        select s.name as title, concat_ws(' · ', s.code, s.city, g.name) as note, '/schools/' || s.id as url
        from tenancy.schools s
        join tenancy.school_groups g on g.id = s.school_group_id
        where util.finds(@Pattern::text, s.name, s.code, s.city)
          and (g.id = any ((select tenancy.my_administered_group_ids())::uuid[]) or (select rbac.may('tenancy.read')))
        order by s.name collate "und-x-icu", s.id limit 8
        """;

    private const string GroupsSql = """
        select g.name as title, concat_ws(' · ', g.code, g.city) as note, '/groups/' || g.id as url
        from tenancy.school_groups g
        where util.finds(@Pattern::text, g.name, g.code, g.city)
        order by g.name collate "und-x-icu", g.id limit 8
        """;

    private const string ModulesSql = """
        select util.said(m.name, m.name_en) as title, util.said(c.name, c.name_en) as note, '/admin/modules/' || m.id as url
        from tenancy.modules m
        join tenancy.business_categories c on c.id = m.category_id
        where util.finds(@Pattern::text, m.name, m.name_en, m.code, m.description)
        order by m.name collate "und-x-icu", m.id limit 8
        """;

    private const string PlansSql = """
        select util.said(p.name, p.name_en) as title, p.description as note, '/admin/plans/' || p.id as url
        from tenancy.subscription_plans p
        where util.finds(@Pattern::text, p.name, p.name_en, p.slug, p.description)
        order by p.name collate "und-x-icu", p.id limit 8
        """;

    /// <summary>The kinds, in the order in which they are shown.</summary>
    internal static readonly SearchPart[] Parts =
    [
        new(typeof(Strings), "search.people", "users", PeopleSql),
        new(typeof(Strings), "menu.groups", "building", GroupsSql, "/admin/groups", "tenancy.read"),
        new(typeof(Strings), "menu.schools", "school", SchoolsSql),
        new(typeof(Strings), "menu.modules", "grid", ModulesSql, "/admin/modules", "tenancy.manage"),
        new(typeof(Strings), "menu.plans", "coins", PlansSql, null, "tenancy.read"),
    ];
}
