namespace Sankore.Campaigns;

/// <summary>
/// What campaigns say on home pages: those under way or begun, files and addresses with errors, and how many were written to.
/// </summary>
internal static class CampaignsHome
{
    private const string Sql = """
        select 'todo' as part, c.kind, count(*) as n, case when count(*) = 1 then min(c.name) end as name, min(c.at) as at,
          case when count(*) = 1 then '/campaigns/' || min(c.id::text) || min(c.page) else '/campaigns/list?status=' || c.kind end as url,
          null::bigint as before
        from (
          select c.id, c.name, c.status as kind, case when c.status = 'draft' then '/edit/review' else '' end as page,
            case when c.status = 'scheduled' then c.scheduled_at end as at
          from campaigns.email_campaigns c
          where c.status in ('draft', 'scheduled', 'paused') or c.status = 'failed' and c.updated_at > now() - interval '7 days') c
        group by c.kind
        union all
        select 'todo', case i.status when 'failed' then 'import_failed' when 'uploaded' then 'import_uploaded' else 'import_errors' end, 1,
          i.file_name, i.created_at, '/campaigns/import/' || i.id, null
        from util.imports i
        where i.kind = 'contacts' and i.created_at > now() - interval '7 days'
          and (i.status in ('uploaded', 'failed') or i.status = 'completed' and coalesce((i.counts ->> 'invalid')::integer, 0) > 0)
        union all
        select 'todo', 'bounced', count(*), case when count(*) = 1 then min(s.email) end, null, '/campaigns/suppressions?reason=bounced',
          null
        from campaigns.suppressions s
        where s.user_id = (select auth.uid()) and s.reason = 'bounced' and s.created_at > now() - interval '7 days'
        having count(*) > 0
        union all
        (select 'news', 'sent', 1, c.name, c.finished_at, '/campaigns/' || c.id, null
         from campaigns.email_campaigns c
         where c.status = 'sent' and c.finished_at > now() - interval '30 days' order by c.finished_at desc, c.id limit 3)
        union all
        select 'news', 'unsubscribed', count(*), null, max(s.created_at), '/campaigns/suppressions?reason=unsubscribed', null
        from campaigns.suppressions s
        where s.user_id = (select auth.uid()) and s.reason = 'unsubscribed' and s.created_at > now() - interval '7 days'
        having count(*) > 0
        union all
        select 'figure', 'contacts', u.contacts, null, null, '/campaigns/contacts', (
          select count(*) from campaigns.contacts c where c.user_id = u.user_id and c.created_at <= now() - interval '30 days')
        from campaigns.user_counts u where u.user_id = (select auth.uid()) and u.contacts > 0
        union all
        select 'figure', 'month', coalesce(sum(m.sent) filter (where m.minute > now() - interval '30 days'), 0), null, null,
          '/campaigns/list', coalesce(sum(m.sent) filter (where m.minute <= now() - interval '30 days'), 0)
        from campaigns.campaign_minutes m where m.user_id = (select auth.uid()) and m.minute > now() - interval '60 days'
        having count(*) > 0
        """;

    private const string WavesSql = """
        select 'todo' as part, 'waves' as kind, sum(w.addresses)::bigint as n, null::text as name, null::timestamptz as at,
          '/admin/bounces' as url, null::bigint as before
        from campaigns.bounce_waves() w
        where w.day > util.local(now())::date - 7 and w.addresses >= 20
        having count(*) > 0
        """;

    /// <summary>A person's, and the operator's.</summary>
    internal static readonly HomePart[] Parts =
    [
        new(typeof(Strings), Sql, "campaigns.email_campaigns campaigns.user_counts"),
        new(typeof(Strings), WavesSql, "campaigns.email_campaigns", "operations.manage"),
    ];
}
