-- ── What follows from a change (document 001, « Triggers Automatiques ») ──

grant execute on function campaigns.name_key(text) to authenticated, service_role;

do $$
declare
  v_table text;
begin
  foreach v_table in array array['organizations', 'contacts', 'contact_fields', 'segments', 'email_templates', 'email_campaigns',
    'emails_sent'] loop
    execute format(
        'create or replace trigger update_updated_at_column before update %s on campaigns.%I for each row execute function util.touch(%s)',
      -- What a campaign is told of is no change of it.
      case
        when v_table = 'email_campaigns'
        then 'of name, subject, content, design, status, template_id, from_name, reply_to, audience, track_opens, track_clicks,'
          || ' scheduled_at, time_zone, server_reply'
        else ''
      end,
      v_table, case when v_table = 'emails_sent' then quote_literal('no version') else '' end);
  end loop;
end $$;

-- A contact that comes with an organisation's name finds that organisation, or makes it.
create or replace function campaigns.link_organization() returns trigger
language plpgsql as $$
begin
  if btrim(new.organization_name) = '' then
    new.organization_name := null;
    new.organization_id := null;
    return new;
  end if;
  insert into campaigns.organizations as o (user_id, name) values (new.user_id, btrim(new.organization_name))
  on conflict on constraint organizations_user_id_name_unique do nothing;
  select o.id, o.name into new.organization_id, new.organization_name
  from campaigns.organizations o where o.user_id = new.user_id and o.name_key = campaigns.name_key(new.organization_name);
  return new;
end $$;
create or replace trigger link_organization_on_insert before insert on campaigns.contacts
  for each row when (new.organization_name is not null and new.organization_id is null) execute function campaigns.link_organization();
create or replace trigger link_organization_on_update before update of organization_name on campaigns.contacts
  for each row
    when (new.organization_name is distinct from old.organization_name and new.organization_id is not distinct from old.organization_id)
    execute function campaigns.link_organization();

-- A contact's organisation has one name: a new one reaches its contacts, and none is left when it goes.
create or replace function campaigns.rename_organization() returns trigger
language plpgsql as $$
begin
  update campaigns.contacts
  set organization_name = case when tg_op = 'UPDATE' then new.name end, organization_id = case when tg_op = 'UPDATE' then new.id end
  where user_id = old.user_id and organization_id = old.id;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create or replace trigger rename_organization after update of name on campaigns.organizations
  for each row when (new.name is distinct from old.name) execute function campaigns.rename_organization();
create or replace trigger forget_organization before delete on campaigns.organizations
  for each row execute function campaigns.rename_organization();

-- A message knows whose organisation it went to, whatever becomes of the contact.
create or replace function campaigns.update_recipient_organization() returns trigger
language plpgsql as $$
begin
  select c.organization_name into new.recipient_organization from campaigns.contacts c
  where c.user_id = new.user_id and c.id = new.contact_id;
  return new;
end $$;
create or replace trigger update_recipient_organization before insert on campaigns.emails_sent
  for each row when (new.recipient_organization is null and new.contact_id is not null)
    execute function campaigns.update_recipient_organization();

-- ── Rules that hold whatever the code does ──

-- Nobody on the user's suppression list is written to, whoever asks and however the row came to be. Once a statement, as messages come and
-- go in thousands.
create or replace function campaigns.refuse_suppressed() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    perform 1 from new_rows n join campaigns.suppressions s on s.user_id = n.user_id and s.email_key = n.email_key
      where n.status in ('pending', 'sending') limit 1;
  else
    perform 1 from new_rows n join campaigns.suppressions s on s.user_id = n.user_id and s.email_key = n.email_key
    where n.status = 'sending'
      and not exists (select 1 from old_rows o
        where o.id = n.id and o.user_id = n.user_id and o.recipient_email = n.recipient_email and o.status = 'sending') limit 1;
  end if;
  if found then
    raise exception 'SUPPRESSED' using errcode = 'SK001';
  end if;
  return null;
end $$;
create or replace trigger refuse_suppressed_on_insert after insert on campaigns.emails_sent
  referencing new table as new_rows for each statement execute function campaigns.refuse_suppressed();
create or replace trigger refuse_suppressed_on_update after update on campaigns.emails_sent
  referencing old table as old_rows new table as new_rows for each statement execute function campaigns.refuse_suppressed();

-- Whoever unsubscribed or complained comes back by their own act, not by the sender's; and only they, or their mail server, say that they
-- did.
create or replace function campaigns.keep_suppression() returns trigger
language plpgsql as $$
begin
  if current_user = 'authenticated' then
    raise exception 'SUPPRESSION_KEPT' using errcode = 'SK001';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create or replace trigger keep_suppression_on_insert before insert on campaigns.suppressions
  for each row when (new.reason <> 'manual') execute function campaigns.keep_suppression();
create or replace trigger keep_suppression_on_delete before delete on campaigns.suppressions
  for each row when (old.reason in ('unsubscribed', 'complained')) execute function campaigns.keep_suppression();

-- The states of a message. A failure whose outcome is unknown may turn out well after all; what was delivered may still bounce.
create or replace function campaigns.check_email_state() returns trigger
language plpgsql as $$
begin
  if not (case old.status
    when 'pending' then new.status in ('sending', 'failed')
    when 'sending' then new.status in ('pending', 'sent', 'failed', 'bounced')
    when 'sent' then new.status in ('delivered', 'failed', 'bounced')
    when 'delivered' then new.status = 'bounced'
    when 'failed' then old.error_code = 'OUTCOME_UNKNOWN' and new.status in ('sent', 'delivered', 'bounced')
    else false end) then
    raise exception 'EMAIL_STATE' using errcode = 'SK001', detail = format('%s → %s', old.status, new.status);
  end if;
  return new;
end $$;
create or replace trigger check_email_state before update of status on campaigns.emails_sent
  for each row when (new.status <> old.status) execute function campaigns.check_email_state();

-- The states of a campaign, and the ways between them: said here and in C# (CampaignStates; StateTests compares the two).
create or replace function campaigns.may_become(p_from text, p_to text) returns boolean
language sql immutable parallel safe as $$
  select case p_from
    when 'draft' then p_to in ('scheduled', 'sending', 'cancelled')
    when 'scheduled' then p_to in ('draft', 'sending', 'cancelled')
    when 'sending' then p_to in ('paused', 'sent', 'failed', 'cancelled')
    when 'paused' then p_to in ('sending', 'cancelled')
    else false end
$$;
-- Neither written still nor over.
create or replace function campaigns.is_under_way(p_status text) returns boolean
language sql immutable parallel safe as $$ select p_status in ('scheduled', 'sending', 'paused') $$;
grant execute on function campaigns.may_become(text, text), campaigns.is_under_way(text) to authenticated, service_role;

-- What a campaign says, and to whom, is settled when it leaves the draft.
create or replace function campaigns.check_campaign() returns trigger
language plpgsql as $$
begin
  if new.status <> old.status and not campaigns.may_become(old.status, new.status) then
    raise exception 'CAMPAIGN_STATE' using errcode = 'SK001', detail = format('%s → %s', old.status, new.status);
  end if;
  if old.status <> 'draft' and (new.subject, new.content, new.design, new.audience, new.from_name, new.reply_to, new.track_opens,
      new.track_clicks)
     is distinct from (old.subject, old.content, old.design, old.audience, old.from_name, old.reply_to, old.track_opens,
      old.track_clicks) then
    raise exception 'CAMPAIGN_SETTLED' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace trigger check_campaign before update on campaigns.email_campaigns
  for each row execute function campaigns.check_campaign();

-- What a campaign carries is part of what it says: it is settled with it, and a change of it is one of the campaign. Ten files and 10 MB at
-- most, also of two that come at once: whoever changes the files holds the campaign.
create or replace function campaigns.check_attachments() returns trigger
language plpgsql as $$
declare
  v_campaign uuid := coalesce(new.campaign_id, old.campaign_id);
begin
  update campaigns.email_campaigns set name = name where id = v_campaign and status = 'draft';
  if not found and exists (select 1 from campaigns.email_campaigns where id = v_campaign) then
    raise exception 'CAMPAIGN_SETTLED' using errcode = 'SK001';
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  if (select count(*) >= 10 or coalesce(sum(length(a.content)), 0) + length(new.content) > 10485760 from campaigns.attachments a
      where a.campaign_id = v_campaign) then
    raise exception 'ATTACHMENTS_FULL' using errcode = 'SK001';
  end if;
  return new;
end $$;
create or replace trigger check_attachments before insert or delete on campaigns.attachments
  for each row execute function campaigns.check_attachments();

-- ── Counters ──

create or replace function campaigns.begin_counts() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into campaigns.campaign_counts (campaign_id, user_id) values (new.id, new.user_id);
  return null;
end $$;
create or replace trigger begin_counts after insert on campaigns.email_campaigns for each row execute function campaigns.begin_counts();

-- What a statement changed in emails_sent, added to its campaigns' counters: a new row counts once, an old one is taken off. The three
-- triggers differ in the rows that they have.
do $do$
declare
  v_event record;
begin
  for v_event in select * from (values
    ('insert', 'new table as new_rows', 'select *, 1 as sign from new_rows', true),
    ('update', 'old table as old_rows new table as new_rows', 'select *, 1 as sign from new_rows union all select *, -1 from old_rows',
        true),
    ('delete', 'old table as old_rows', 'select *, -1 as sign from old_rows', false)) e (name, tables, changes, adds)
  loop
    execute format($function$
      create or replace function campaigns.count_emails_on_%1$s() returns trigger
      language plpgsql security definer set search_path = '' as $body$
      begin
        update campaigns.campaign_counts c
        set total = c.total + d.total, pending = c.pending + d.pending, sending = c.sending + d.sending, sent = c.sent + d.sent,
          written = c.written + d.written, delivered = c.delivered + d.delivered,
            failed = c.failed + d.failed, bounced = c.bounced + d.bounced, deferred = c.deferred + d.deferred,
              unknown = c.unknown + d.unknown,
            suppressed = c.suppressed + d.suppressed, opened = c.opened + d.opened, clicked = c.clicked + d.clicked,
            unsubscribed = c.unsubscribed + d.unsubscribed, complained = c.complained + d.complained
        from (
          select campaign_id, sum(sign) as total,
                 coalesce(sum(sign) filter (where status = 'pending'), 0) as pending,
                   coalesce(sum(sign) filter (where status = 'sending'), 0) as sending,
                 coalesce(sum(sign) filter (where status = 'sent' and error_code is distinct from 'NOT_SENT'), 0) as sent,
                 coalesce(sum(sign) filter (where status = 'sent' and error_code = 'NOT_SENT'), 0) as written,
                   coalesce(sum(sign) filter (where status = 'delivered'), 0) as delivered,
                 coalesce(sum(sign) filter (where status = 'failed'), 0) as failed,
                   coalesce(sum(sign) filter (where status = 'bounced'), 0) as bounced,
                 coalesce(sum(sign) filter (where status = 'pending' and attempts > 0), 0) as deferred,
                 coalesce(sum(sign) filter (where status = 'failed' and error_code = 'OUTCOME_UNKNOWN'), 0) as unknown,
                 coalesce(sum(sign) filter (where status = 'failed' and error_code in ('SUPPRESSED', 'CONTACT_DELETED', 'CONTACT_MERGED')),
                   0) as suppressed,
                 coalesce(sum(sign) filter (where opened_at is not null), 0) as opened,
                   coalesce(sum(sign) filter (where clicked_at is not null), 0) as clicked,
                 coalesce(sum(sign) filter (where unsubscribed_at is not null), 0) as unsubscribed,
                   coalesce(sum(sign) filter (where complained_at is not null), 0) as complained
          from (%2$s) e group by campaign_id) d
        where c.campaign_id = d.campaign_id;
        %3$s
        return null;
      end $body$;
      create or replace trigger count_emails_on_%1$s after %1$s on campaigns.emails_sent referencing %4$s
        for each statement execute function campaigns.count_emails_on_%1$s();
    $function$, v_event.name, v_event.changes, format(case when v_event.adds then $adds$
        insert into campaigns.campaign_minutes as m (user_id, campaign_id, minute, sent)
        select user_id, campaign_id, date_trunc('minute', sent_at, 'UTC'), sum(sign)
        from (%s) e where sent_at is not null and error_code is distinct from 'NOT_SENT' group by 1, 2, 3 having sum(sign) <> 0
        on conflict on constraint campaign_minutes_pkey do update set sent = m.sent + excluded.sent;
      $adds$ else $takes$
        update campaigns.campaign_minutes m set sent = m.sent + d.sent
        from (select campaign_id, date_trunc('minute', sent_at, 'UTC') as minute, sum(sign) as sent from (%s) e
          where sent_at is not null and error_code is distinct from 'NOT_SENT' group by 1, 2) d
        where m.campaign_id = d.campaign_id and m.minute = d.minute;
      $takes$ end, v_event.changes), v_event.tables);
  end loop;

  for v_event in select *
    from (values ('contacts', 'insert', 'new', 1), ('contacts', 'delete', 'old', -1), ('organizations', 'insert', 'new', 1),
      ('organizations', 'delete', 'old', -1))
    e (counted, name, rows, sign)
  loop
    execute format(case when v_event.sign > 0 then $function$
      create or replace function campaigns.count_%1$s_on_%2$s() returns trigger
      language plpgsql security definer set search_path = '' as $body$
      begin
        insert into campaigns.user_counts as u (user_id, %1$s) select user_id, count(*) from changed_rows group by user_id
        on conflict on constraint user_counts_pkey do update set %1$s = u.%1$s + excluded.%1$s;
        return null;
      end $body$;
      $function$ else $function$
      create or replace function campaigns.count_%1$s_on_%2$s() returns trigger
      language plpgsql security definer set search_path = '' as $body$
      begin
        update campaigns.user_counts u set %1$s = u.%1$s - d.n from (select user_id, count(*) as n from changed_rows group by user_id) d
        where u.user_id = d.user_id;
        return null;
      end $body$;
      $function$ end || $trigger$
      create or replace trigger count_%1$s_on_%2$s after %2$s on campaigns.%1$s referencing %3$s table as changed_rows
        for each statement execute function campaigns.count_%1$s_on_%2$s();
    $trigger$, v_event.counted, v_event.name, v_event.rows);
  end loop;
end $do$;

-- ── What is asked of many rows at once ──

-- Whether what a segment says of a field holds (FieldCondition): texts without case and accents, numbers as numbers, days as days.
create or replace function campaigns.field_holds(p_fields jsonb, p_condition jsonb) returns boolean
language sql immutable parallel safe as $$
  select case p_condition ->> 'op'
    when 'has' then p_fields ? (p_condition ->> 'key')
    when 'lacks' then not p_fields ? (p_condition ->> 'key')
    when 'ne' then not campaigns.field_holds(p_fields, p_condition || '{"op": "eq"}')
    when 'eq' then coalesce(p_fields -> (p_condition ->> 'key') = p_condition -> 'value'
      or util.fold(p_fields ->> (p_condition ->> 'key')) = util.fold(p_condition ->> 'value'), false)
    else coalesce(case when jsonb_typeof(p_fields -> (p_condition ->> 'key')) = jsonb_typeof(p_condition -> 'value') then
      case when p_condition ->> 'op' = 'lt' then 1 else -1 end * case jsonb_typeof(p_condition -> 'value')
        when 'number' then sign((p_condition ->> 'value')::numeric - (p_fields ->> (p_condition ->> 'key'))::numeric)
        else sign((p_condition ->> 'value' > p_fields ->> (p_condition ->> 'key'))::integer
          - (p_condition ->> 'value' < p_fields ->> (p_condition ->> 'key'))::integer) end > 0 end, false)
  end
$$;
grant execute on function campaigns.field_holds(jsonb, jsonb) to authenticated, service_role;

-- Contacts that a filter finds; an empty filter finds all. To be part of the query that asks (which reads by an index then, and no more
-- than it shows), it is given auth.uid() as it is, without a select around it.
create or replace function campaigns.matching(p_user_id uuid, p_filter jsonb) returns setof campaigns.contacts
language sql stable as $$
  select c.* from campaigns.contacts c
  where c.user_id = (select p_user_id)
    and (p_filter ->> 'q' is null or strpos(c.search_key, util.fold(p_filter ->> 'q')) > 0)
    and (p_filter -> 'tags' is null or c.tags && array(select jsonb_array_elements_text(p_filter -> 'tags')))
    and (p_filter -> 'organizationIds' is null
        or c.organization_id = any (array(select jsonb_array_elements_text(p_filter -> 'organizationIds')::uuid)))
    and (p_filter ->> 'domain' is null
      or split_part(c.email_key, '@', -1) = split_part(util.address_key('@' || (p_filter ->> 'domain')), '@', -1))
    and (p_filter -> 'ids' is null or c.id = any (array(select jsonb_array_elements_text(p_filter -> 'ids')::uuid)))
    and (p_filter -> 'fields' is null
      or (select bool_and(campaigns.field_holds(c.fields, f)) from jsonb_array_elements(p_filter -> 'fields') f))
    and (p_filter -> 'consent' is null or (c.consent_at is not null) = (p_filter ->> 'consent')::boolean)
    and p_filter is not null
$$;

-- The filter that an audience stands for; null (nobody) for a segment that is gone.
create or replace function campaigns.audience_filter(p_user_id uuid, p_audience jsonb) returns jsonb
language sql stable as $$
  select case p_audience ->> 'kind'
    when 'all' then '{}'
    when 'segment' then (select filter from campaigns.segments s where s.user_id = p_user_id and s.id = (p_audience ->> 'segmentId')::uuid)
    when 'organizations' then jsonb_build_object('organizationIds', coalesce(p_audience -> 'organizationIds', '[]'))
    when 'tags' then jsonb_build_object('tags', coalesce(p_audience -> 'tags', '[]'))
    when 'contacts' then jsonb_build_object('ids', coalesce(p_audience -> 'contactIds', '[]'))
  end
$$;

-- How a campaign does (document 001, « campaign_analytics »). The rate is that of the last one to two minutes.
create or replace view campaigns.campaign_analytics with (security_invoker = true) as
  select c.id as campaign_id, c.user_id, c.name as campaign_name, c.subject, c.status as campaign_status, c.created_at, c.scheduled_at,
    c.started_at, c.finished_at, c.updated_at,
         k.total as total_emails, k.pending as pending_emails, k.sending as sending_emails, k.sent as sent_emails,
           k.delivered as delivered_emails, k.failed as failed_emails,
         k.bounced as bounced_emails, k.deferred as deferred_emails, k.unknown as unknown_emails, k.suppressed as suppressed_emails,
           k.opened, k.clicked, k.unsubscribed, k.complained,
         round(100.0 * (k.sent + k.delivered) / nullif(k.total - k.pending - k.sending - k.suppressed - k.written, 0), 1) as success_rate,
         r.per_minute as rate_per_minute,
         case when r.per_minute > 0 then ceil((k.pending + k.sending) * 60.0 / r.per_minute)::integer end as seconds_left,
         k.written as written_emails
  from campaigns.email_campaigns c
  join campaigns.campaign_counts k on k.campaign_id = c.id
  left join lateral (
    select round(sum(m.sent) * 60.0 / greatest(1, extract(epoch from clock_timestamp() - greatest(min(m.minute), c.started_at))))::integer
      as per_minute
    from campaigns.campaign_minutes m
    where m.campaign_id = c.id and m.minute >= date_trunc('minute', now(), 'UTC') - interval '1 minute') r on c.status = 'sending';

-- What a contact has received (document 001, « contact_analytics »).
create or replace view campaigns.contact_analytics with (security_invoker = true) as
  select c.id as contact_id, c.user_id, c.email, c.name, c.organization_id, c.organization_name,
         r.emails_received, r.delivered_emails, r.bounced_emails, r.last_sent_at,
         round(100.0 * r.delivered_emails / nullif(r.emails_received, 0), 1) as delivery_rate
  from campaigns.contacts c
  cross join lateral (
    select count(*) filter (where e.sent_at is not null) as emails_received,
      count(*) filter (where e.status in ('sent', 'delivered')) as delivered_emails,
           count(*) filter (where e.status = 'bounced') as bounced_emails, max(e.sent_at) as last_sent_at
    from campaigns.emails_sent e
    where e.user_id = c.user_id and e.contact_id = c.id and e.error_code is distinct from 'NOT_SENT') r;

-- What a person's campaigns have sent today. A day is one of util.local, as everywhere on the pages.
create or replace function campaigns.sent_today(p_user_id uuid) returns bigint
language sql stable as $$
  select coalesce(sum(m.sent), 0) from campaigns.campaign_minutes m
  where m.user_id = p_user_id
    and m.minute >= now() - (util.local(now()) - date_trunc('day', util.local(now())))
$$;
grant execute on function campaigns.sent_today(uuid) to authenticated, service_role;

-- The caller's own figures (document 001, « dashboard_analytics »).
create or replace view campaigns.dashboard_analytics with (security_invoker = true) as
  select me.user_id, coalesce(u.contacts, 0) as total_contacts, coalesce(u.organizations, 0) as total_organizations,
         (select count(*) from campaigns.email_campaigns c
          where c.user_id = me.user_id and campaigns.is_under_way(c.status)) as active_campaigns,
         campaigns.sent_today(me.user_id) as emails_sent_today
  from (select auth.uid() as user_id) me
  left join campaigns.user_counts u on u.user_id = me.user_id;
