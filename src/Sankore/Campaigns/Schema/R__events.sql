-- ── What events make of messages ──

-- Which reason for not writing to somebody outlasts which: what people said of themselves outlasts what their mail server said, and that
-- what the sender wished.
create or replace function campaigns.suppression_rank(p_reason text) returns integer
language sql immutable parallel safe as $$
  select case p_reason when 'complained' then 3 when 'unsubscribed' then 2 when 'bounced' then 1 else 0 end
$$;

-- Makes of messages that have left what their events say, and gives the campaigns that changed. Events of a message come in any order, and
-- repeatedly, and the end is the same: bounced outlasts delivered, which outlasts sent; of each kind the earliest time counts; the code is
-- the earliest bounce's. Whoever changes several messages by events takes them in the order of their ids, and then their campaigns'
-- counters.
create or replace function campaigns.settle_events(p_messages uuid[]) returns setof uuid
language plpgsql security definer set search_path = '' as $$
begin
  perform 1 from campaigns.emails_sent e where e.id = any (p_messages) order by e.id for no key update;
  perform 1 from campaigns.campaign_counts c
    where c.campaign_id in (select e.campaign_id from campaigns.emails_sent e where e.id = any (p_messages))
    order by c.campaign_id for no key update;
  return query
  with due as (
    select e.id, e.user_id, e.status in ('sent', 'delivered', 'bounced')
      or (e.status = 'failed' and e.error_code is not distinct from 'OUTCOME_UNKNOWN') as had_left,
           bool_or(d.kind = 'bounced') as bounced, min(d.at) filter (where d.kind = 'delivered') as delivered_at,
             min(d.at) filter (where d.kind in ('opened', 'clicked')) as opened_at,
           min(d.at) filter (where d.kind = 'clicked') as clicked_at, min(d.at) filter (where d.kind = 'unsubscribed') as unsubscribed_at,
             min(d.at) filter (where d.kind = 'complained') as complained_at
    from campaigns.emails_sent e join campaigns.delivery_events d on d.user_id = e.user_id and d.message_id = e.id
    where e.id = any (p_messages) and e.status not in ('pending', 'sending') and not d.settled
    group by e.id),
  settled as (
    update campaigns.delivery_events d set settled = true from due
    where d.user_id = due.user_id and d.message_id = due.id and not d.settled),
  changed as (
    update campaigns.emails_sent e
    set status = case when not due.had_left or e.status = 'bounced' then e.status when due.bounced then 'bounced'
      when due.delivered_at is not null then 'delivered' else e.status end,
        error_code = case when due.had_left and due.bounced then coalesce(b.code, 'BOUNCED') when e.error_code = 'OUTCOME_UNKNOWN'
          and due.delivered_at is not null then null else e.error_code end,
        error = case when due.had_left and due.bounced then b.detail when e.error_code = 'OUTCOME_UNKNOWN'
          and due.delivered_at is not null then null else e.error end,
        delivered_at = case when due.had_left then least(e.delivered_at, due.delivered_at) else e.delivered_at end,
        opened_at = least(e.opened_at, due.opened_at), clicked_at = least(e.clicked_at, due.clicked_at),
        unsubscribed_at = least(e.unsubscribed_at, due.unsubscribed_at), complained_at = least(e.complained_at, due.complained_at)
    from due left join lateral (
      select d.code, d.detail from campaigns.delivery_events d
      where d.user_id = due.user_id and d.message_id = due.id and d.kind = 'bounced' order by d.at, d.provider, d.event_id limit 1) b
        on due.bounced
    where e.id = due.id
    returning e.campaign_id)
  select distinct c.campaign_id from changed c;
end $$;

-- Takes events of one provider: keeps those that are new, puts on the lists who is not to be written to again, and settles what they mean.
-- Gives how many were of a message that there is, and the campaigns that changed. What is said of a message that has not quite left (its
-- own server was faster to tell than ours) waits.
create
  or replace function campaigns.take_events(p_provider text, p_ids text[], p_messages uuid[], p_kinds text[], p_ats timestamptz[],
    p_codes text[], p_details text[], p_suppresses boolean[],
  out accepted integer, out campaigns uuid[])
language plpgsql security definer set search_path = '' as $$
begin
  perform 1 from campaigns.emails_sent e where e.id = any (p_messages) order by e.id for no key update;
  select count(*) into accepted from unnest(p_messages) m join campaigns.emails_sent e on e.id = m;
  with told as (
    select *
    from unnest(p_ids, p_messages, p_kinds, p_ats, p_codes, p_details, p_suppresses)
    as t (event_id, message_id, kind, at, code, detail, suppresses)),
  added as (
    insert into campaigns.delivery_events (provider, event_id, user_id, message_id, kind, at, code, detail, settled)
    select p_provider, t.event_id, e.user_id, t.message_id, t.kind, least(t.at, now()), t.code, t.detail, t.kind = 'deferred'
    from told t join campaigns.emails_sent e on e.id = t.message_id order by t.event_id
    on conflict on constraint delivery_events_pkey do nothing
    returning event_id, message_id, kind, detail)
  insert into campaigns.suppressions as s (user_id, email, reason, campaign_id, detail)
  select distinct on (e.user_id, lower(e.recipient_email)) e.user_id, lower(e.recipient_email), a.kind, e.campaign_id, a.detail
  from added a join told t using (event_id, message_id) join campaigns.emails_sent e on e.id = a.message_id
  where t.suppresses order by e.user_id, lower(e.recipient_email), campaigns.suppression_rank(a.kind) desc, a.event_id
  on conflict on constraint suppressions_user_id_email_key_unique do update
    set reason = excluded.reason, campaign_id = excluded.campaign_id, detail = excluded.detail
  where campaigns.suppression_rank(excluded.reason) > campaigns.suppression_rank(s.reason);
  campaigns := array(select c from campaigns.settle_events(p_messages) c);
end $$;

-- A click on a link of a message: counts it, and gives where it leads; nothing for a link that there is not.
create or replace function campaigns.follow_link(p_message uuid, p_number integer, out url text, out is_first boolean)
language plpgsql security definer set search_path = '' as $$
begin
  perform 1 from campaigns.emails_sent e where e.id = p_message for no key update;
  select not exists (select 1 from campaigns.delivery_events d
      where d.provider = 'sankore' and d.event_id = format('click:%s:%s', p_message, p_number)) into is_first;
  update campaigns.campaign_links l
  set clicks = l.clicks + 1, people = l.people + is_first::integer, last_clicked_at = now()
  from campaigns.emails_sent e
  where e.id = p_message and l.campaign_id = e.campaign_id and l.user_id = e.user_id and l.number = p_number
  returning l.url into url;
end $$;

-- Undoes what its recipient asked for in one message: their own act, so that it takes their unsubscription off the list, and nothing else.
-- Gives the campaign.
create or replace function campaigns.resubscribe(p_message uuid) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  v_message campaigns.emails_sent;
begin
  select * into v_message from campaigns.emails_sent e where e.id = p_message for no key update;
  delete from campaigns.suppressions s
  where s.user_id = v_message.user_id and s.email_key = v_message.email_key and s.reason = 'unsubscribed';
  update campaigns.emails_sent e set unsubscribed_at = null where e.id = p_message and e.unsubscribed_at is not null;
  return v_message.campaign_id;
end $$;

grant
  execute on function campaigns.settle_events(uuid[]),
  campaigns.take_events(text, text[], uuid[], text[], timestamptz[], text[], text[], boolean[]), campaigns.follow_link(uuid, integer),
  campaigns.resubscribe(uuid) to service_role;

-- ── Waves of bounces, for operators ──

-- What a mail server said, without what differs from one message to the next: addresses, and the server's own numbers of messages.
create or replace function campaigns.bounce_words(p_detail text) returns text
language sql immutable parallel safe as $$
  select regexp_replace(regexp_replace(coalesce(p_detail, ''), '\S+@\S+', '…', 'g'), '\m[[:alnum:]_-]*\d[[:alnum:]_-]{5,}', '…', 'g')
$$;

-- Addresses that were refused of late, by the day and the words: one answer to very many is a mail server's fault, not theirs.
create or replace function campaigns.bounce_waves() returns table (day date, words text, addresses bigint, senders bigint)
language sql stable security definer set search_path = '' as $$
  select util.local(s.created_at)::date, campaigns.bounce_words(s.detail), count(*), count(distinct s.user_id)
  from campaigns.suppressions s
  where s.reason = 'bounced' and s.created_at > now() - interval '30 days' and rbac.may('operations.manage')
  group by 1, 2 order by 1 desc, 3 desc, 2 limit 100
$$;

-- Takes such addresses off all lists, whoever wrote to them, and says how many. Who left or complained stays.
create or replace function campaigns.undo_bounces(p_day date, p_words text) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_addresses integer;
begin
  if not rbac.may('operations.manage') then
    raise exception 'FORBIDDEN' using errcode = 'SK001';
  end if;
  delete from campaigns.suppressions s
  where s.reason = 'bounced' and s.created_at > now() - interval '31 days'
    and util.local(s.created_at)::date = p_day and campaigns.bounce_words(s.detail) = p_words;
  get diagnostics v_addresses = row_count;
  if v_addresses > 0 then
    insert into campaigns.bounce_undos (day, words, addresses) values (p_day, p_words, v_addresses);
  end if;
  return v_addresses;
end $$;
grant execute on function campaigns.bounce_words(text), campaigns.bounce_waves(), campaigns.undo_bounces(date, text)
  to authenticated, service_role;
select audit.watch('campaigns.bounce_undos');

-- ── Who sees what ──

grant select on campaigns.delivery_events, campaigns.campaign_links to authenticated, service_role;
grant insert on campaigns.campaign_links to service_role;
grant select, insert on campaigns.signing_keys to service_role;

select util.policy('campaigns.signing_keys', 'service', 'all', 'service_role'),
  util.policy('campaigns.delivery_events', 'service', 'all', 'service_role'),
  util.policy('campaigns.delivery_events', 'own', 'select', 'authenticated', 'user_id = (select auth.uid())'),
  util.policy('campaigns.campaign_links', 'service', 'all', 'service_role'),
  util.policy('campaigns.campaign_links', 'own', 'select', 'authenticated', 'user_id = (select auth.uid())');
grant select on campaigns.bounce_undos to authenticated, service_role;
select util.policy('campaigns.bounce_undos', 'operator', 'select', 'authenticated, service_role',
  '(select rbac.may(''operations.manage''))');
