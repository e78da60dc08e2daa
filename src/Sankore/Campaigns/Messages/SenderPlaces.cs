using Sankore.Platform.Data;

namespace Sankore.Campaigns;

/// <summary>Where whoever writes a message works.</summary>
internal static class SenderPlaces
{
    private const string OwnSql = """
        select coalesce(s.name, g.name) as name, case when s.id is not null then g.name end as within,
          nullif(concat_ws(' · ', coalesce(s.city, g.city), g.contact_phone, g.contact_email), '') as address,
          '/i/' || coalesce(s.logo_id, g.logo_id) as logo
        from tenancy.current_memberships m
        join tenancy.school_groups g on g.id = m.school_group_id
        left join tenancy.schools s on s.id = m.school_id
        where m.user_id = (select auth.uid())
        order by m.school_id nulls last, m.id limit 1
        """;

    /// <summary>The caller's own place; the school rather than the whole group.</summary>
    public static async Task<SenderPlace> Own(Session session) => await session.Find<SenderPlace>(OwnSql) ?? SenderPlace.Unknown;
}
