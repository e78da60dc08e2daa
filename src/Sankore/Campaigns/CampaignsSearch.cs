namespace Sankore.Campaigns;

/// <summary>What of a person's campaigns is found by its words.</summary>
internal static class CampaignsSearch
{
    private const string CampaignsSql = """
        select c.name as title, nullif(c.subject, '') as note, '/campaigns/' || c.id as url
        from campaigns.email_campaigns c
        where c.user_id = (select auth.uid()) and util.finds(@Pattern::text, c.name, c.subject)
        order by c.updated_at desc, c.id limit 8
        """;

    private const string ContactsSql = """
        select coalesce(c.name, c.email) as title, concat_ws(' · ', case when c.name is not null then c.email end, c.organization_name)
          as note, '/campaigns/contacts/' || c.id as url
        from campaigns.contacts c
        where c.user_id = (select auth.uid()) and util.finds(@Pattern::text, c.name, c.email, c.organization_name)
        limit 8
        """;

    private const string OrganizationsSql = """
        select o.name as title, null as note, '/campaigns/organizations/' || o.id as url
        from campaigns.organizations o
        where o.user_id = (select auth.uid()) and util.finds(@Pattern::text, o.name)
        order by o.name collate "und-x-icu", o.id limit 8
        """;

    private const string TemplatesSql = """
        select t.name as title, t.subject as note, '/campaigns/templates/' || t.id as url
        from campaigns.email_templates t
        where t.user_id = (select auth.uid()) and util.finds(@Pattern::text, t.name, t.subject)
        order by t.name collate "und-x-icu", t.id limit 8
        """;

    private const string SegmentsSql = """
        select s.name as title, null as note, '/campaigns/segments/' || s.id as url
        from campaigns.segments s
        where s.user_id = (select auth.uid()) and util.finds(@Pattern::text, s.name)
        order by s.name collate "und-x-icu", s.id limit 8
        """;

    /// <summary>The kinds, in the order in which they are shown.</summary>
    internal static readonly SearchPart[] Parts =
    [
        new(typeof(Strings), "campaigns.title", "mail", CampaignsSql, "/campaigns/list"),
        new(typeof(Strings), "contacts.title", "user", ContactsSql, "/campaigns/contacts"),
        new(typeof(Strings), "organizations.title", "building", OrganizationsSql, "/campaigns/organizations"),
        new(typeof(Strings), "templates.title", "file", TemplatesSql, "/campaigns/templates"),
        new(typeof(Strings), "segments.title", "users", SegmentsSql),
    ];
}
