-- ── Telling open pages ──

select live.watch('campaigns.organizations', 'user:user_id'),
  live.watch('campaigns.contacts', 'user:user_id'),
  live.watch('campaigns.segments', 'user:user_id'),
  live.watch('campaigns.contact_fields', 'user:user_id'),
  live.watch('campaigns.suppressions', 'user:user_id'),
  live.watch('campaigns.email_templates', 'user:user_id'),
  live.watch('campaigns.user_counts', 'user:user_id'),
  -- How far they are is told apart, by what follows.
  live.watch_column('campaigns.email_campaigns', 'version', 'user:user_id');

-- A campaign's figures as its row of the feed.
create or replace function campaigns.campaign_row(a campaigns.campaign_analytics) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'name', a.campaign_name, 'status', a.campaign_status, 'total', a.total_emails,
    'done', a.total_emails - a.pending_emails - a.sending_emails, 'pending', a.pending_emails + a.sending_emails,
    'sent', a.sent_emails, 'written', a.written_emails, 'delivered', a.delivered_emails, 'accepted', a.sent_emails + a.delivered_emails,
    'failed', a.failed_emails, 'bounced', a.bounced_emails, 'refused', a.failed_emails + a.bounced_emails,
    'deferred', a.deferred_emails, 'unknown', a.unknown_emails, 'suppressed', a.suppressed_emails,
    'opened', a.opened, 'clicked', a.clicked, 'unsubscribed', a.unsubscribed, 'complained', a.complained,
    'rate', coalesce(a.rate_per_minute, 0), 'successRate', a.success_rate, 'secondsLeft', a.seconds_left)
$$;

drop function if exists campaigns.tell_all(uuid[]), campaigns.tell_campaigns(uuid[]);

-- Tells how campaigns do, at once, and what their users have sent today. Under the log's lock, so that who tells last tells the last state.
create or replace function campaigns.publish_all(p_ids uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if cardinality(p_ids) = 0 then
    return;
  end if;
  update campaigns.email_campaigns set told_at = clock_timestamp() where id = any (p_ids);
  perform live.lock();
  perform live.publish('campaigns.campaign_analytics', 'UPDATE', a.campaign_id::text, campaigns.campaign_row(a),
    array['user:' || a.user_id])
  from campaigns.campaign_analytics a where a.campaign_id = any (p_ids);
  perform live.publish('campaigns.dashboard_analytics', 'UPDATE', u.user_id::text,
    jsonb_build_object('today', campaigns.sent_today(u.user_id)), array['user:' || u.user_id])
  from (select distinct user_id from campaigns.email_campaigns where id = any (p_ids)) u;
end $$;

-- Tells campaigns that nobody has told for a quarter of a second; those told more lately are returned.
create or replace function campaigns.publish_campaigns(p_ids uuid[]) returns setof uuid
language plpgsql security definer set search_path = '' as $$
declare
  v_due uuid[];
begin
  perform live.lock();
  -- Whoever changes a campaign holds its row and will want the log: it is not waited for.
  select coalesce(array_agg(id), '{}') into v_due from (
    select id from campaigns.email_campaigns
    where id = any (p_ids) and told_at <= clock_timestamp() - interval '240 milliseconds' for update skip locked) due;
  perform campaigns.publish_all(v_due);
  return query select i from unnest(p_ids) i where i <> all (v_due) and exists (select 1 from campaigns.email_campaigns c where c.id = i);
end $$;
grant execute on function campaigns.publish_campaigns(uuid[]) to service_role;

grant execute on function campaigns.publish_all(uuid[]) to service_role;

-- ── Who sees what: every row is its user's alone ──

grant select, insert, update, delete on campaigns.organizations, campaigns.contacts, campaigns.contact_fields, campaigns.segments,
  campaigns.suppressions,
  campaigns.email_templates, campaigns.email_campaigns,
  campaigns.attachments, campaigns.emails_sent, campaigns.tries to authenticated, service_role;
grant select on campaigns.campaign_counts, campaigns.campaign_minutes, campaigns.user_counts, campaigns.campaign_analytics,
  campaigns.contact_analytics, campaigns.dashboard_analytics to authenticated, service_role;
grant execute on function campaigns.matching(uuid, jsonb), campaigns.audience_filter(uuid, jsonb) to authenticated, service_role;

revoke update on campaigns.suppressions, campaigns.attachments from authenticated;

-- Whoever has lost the module reads what is theirs and writes nothing. Deleting is a right of its own, but for what is part of something
-- written: two contacts that become one, a draft's file.
do $$
declare
  v_has     text := '(select tenancy.has_module(''campagnes'', %L))';
  v_deleted regclass[] := array['campaigns.segments', 'campaigns.contact_fields', 'campaigns.suppressions', 'campaigns.email_templates',
    'campaigns.email_campaigns'];
  v_written regclass[] := array['campaigns.organizations', 'campaigns.contacts', 'campaigns.attachments', 'campaigns.emails_sent',
    'campaigns.tries'];
  v_counted regclass[] := array['campaigns.campaign_counts', 'campaigns.campaign_minutes', 'campaigns.user_counts'];
  v_table   regclass;
begin
  foreach v_table in array v_deleted || v_written loop
    perform util.own_rows(v_table, 'user_id', format(v_has, 'write'),
      format(v_has, case when v_table = any (v_deleted) then 'delete' else 'write' end));
  end loop;
  foreach v_table in array v_counted loop
    perform util.policy(v_table, 'own', 'select', 'authenticated', 'user_id = (select auth.uid())');
  end loop;
  foreach v_table in array v_deleted || v_written || v_counted loop
    perform util.policy(v_table, 'service', 'all', 'service_role');
  end loop;
end $$;

-- The file of contacts that somebody imports, while they may write.
select util.import_policies('campaigns', '(select tenancy.has_module(''campagnes'', ''write''))', 'contacts');
