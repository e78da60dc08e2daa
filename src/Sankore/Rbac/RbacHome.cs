namespace Sankore.Rbac;

/// <summary>What waits for whoever keeps accounts, and how they are found.</summary>
internal static class RbacHome
{
    private const string Sql = """
        select 'todo' as part, 'recovery' as kind, count(*) as n, case when count(*) = 1 then min(r.name) end as name, min(r.due_at) as at,
          case when count(*) = 1 then '/admin/people/' || min(r.user_id::text) else '/admin/people' end as url, null::bigint as before
        from rbac.open_recoveries() r
        having count(*) > 0
        """;

    private const string PeopleSql = """
        select p.display_name as title, p.email as note, '/admin/people/' || p.id as url
        from public.profiles p
        where util.finds(@Pattern::text, p.display_name, p.email)
        order by p.display_name collate "und-x-icu", p.id limit 8
        """;

    internal static readonly HomePart[] Parts = [new(typeof(Strings), Sql, "rbac.invitations", "identity.read")];

    internal static readonly SearchPart[] Searches =
        [new(typeof(Strings), "people.title", "users", PeopleSql, "/admin/people", "identity.read")];
}
