-- ── What events make of messages ──

-- Which reason for not writing to somebody outlasts which: what people said of themselves outlasts what their mail server said, and that
-- what the sender wished.
create or replace function campaigns.suppression_rank(p_reason text) returns integer
language sql immutable parallel safe as $$
  select case p_reason when 'complained' then 3 when 'unsubscribed' then 2 else 0 end
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
-- Gives how many were of a message that there is, or was before its campaign went, and the campaigns that changed. What is said of a
-- message that has not quite left (its own server was faster to tell than ours) waits.
create
  or replace function campaigns.take_events(p_provider text, p_ids text[], p_messages uuid[], p_kinds text[], p_ats timestamptz[],
    p_codes text[], p_details text[], p_suppresses boolean[],
  out accepted integer, out campaigns uuid[])
language plpgsql security definer set search_path = '' as $$
begin
  perform 1 from campaigns.emails_sent e where e.id = any (p_messages) order by e.id for no key update;
  select count(*) into accepted from unnest(p_messages) m
  where exists (select from campaigns.emails_sent e where e.id = m) or exists (select from campaigns.past_messages p where p.id = m);
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
  select distinct on (m.user_id, util.address_key(w.address)) m.user_id, w.address, m.kind, m.campaign_id, m.detail
  from (
    select e.user_id, e.contact_id, e.recipient_email, e.campaign_id, a.kind, a.detail, a.event_id
    from added a join told t using (event_id, message_id) join campaigns.emails_sent e on e.id = a.message_id where t.suppresses
    union all
    select p.user_id, p.contact_id, p.recipient_email, null, t.kind, t.detail, t.event_id
    from told t join campaigns.past_messages p on p.id = t.message_id where t.suppresses and p.user_id is not null) m
  -- Whoever leaves by an old message is a person, wherever they are written to now.
  cross join lateral (
    select m.recipient_email as address union
    select k.email from campaigns.contacts k where k.user_id = m.user_id and k.id = m.contact_id and m.kind <> 'bounced') w
  order by m.user_id, util.address_key(w.address), campaigns.suppression_rank(m.kind) desc, m.event_id
  on conflict on constraint suppressions_user_id_email_key_unique do update
    set reason = excluded.reason, campaign_id = excluded.campaign_id, detail = excluded.detail
  where campaigns.suppression_rank(excluded.reason) > campaigns.suppression_rank(s.reason);
  campaigns := array(select c from campaigns.settle_events(p_messages) c);
end $$;

-- Whom a message was for, and who wrote it: one that left, whatever became of its campaign, or one that somebody sent to themselves. Its
-- addresses are all that its recipient is written to by.
create or replace function campaigns.written(p_message uuid)
returns table (user_id uuid, sender text, address text, addresses text[], is_try boolean, is_past boolean)
language sql stable security definer set search_path = '' as $$
  select e.user_id, coalesce(c.from_name, p.display_name), e.recipient_email, array_remove(array[e.recipient_email, k.email], null),
    false, false
  from campaigns.emails_sent e
  join campaigns.email_campaigns c on c.user_id = e.user_id and c.id = e.campaign_id
  join public.profiles p on p.id = e.user_id
  left join campaigns.contacts k on k.user_id = e.user_id and k.id = e.contact_id
  where e.id = p_message
  union all
  select m.user_id, m.sender, m.recipient_email, array_remove(array[m.recipient_email, k.email], null), false, true
  from campaigns.past_messages m left join campaigns.contacts k on k.user_id = m.user_id and k.id = m.contact_id
  where m.id = p_message
  union all
  select t.user_id, coalesce(c.from_name, p.display_name), t.recipient_email, '{}', true, false
  from campaigns.tries t
  join campaigns.email_campaigns c on c.user_id = t.user_id and c.id = t.campaign_id
  join public.profiles p on p.id = t.user_id
  where t.id = p_message
$$;

-- Where a link of a message leads, counting nothing.
create or replace function campaigns.link_url(p_message uuid, p_number integer) returns setof text
language sql stable security definer set search_path = '' as $$
  select l.url
  from (select e.user_id, e.campaign_id from campaigns.emails_sent e where e.id = p_message
        union all select t.user_id, t.campaign_id from campaigns.tries t where t.id = p_message) m
  join campaigns.campaign_links l on l.user_id = m.user_id and l.campaign_id = m.campaign_id and l.number = p_number
  union all
  select l.url from campaigns.past_messages m join campaigns.past_links l on l.campaign_id = m.campaign_id and l.number = p_number
  where m.id = p_message
$$;

-- A campaign that goes leaves behind what its messages' links need. Of a sender who is gone nobody's address is kept.
create or replace function campaigns.keep_links() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_sender text;
begin
  select p.display_name into v_sender from public.profiles p where p.id = old.user_id;
  insert into campaigns.past_messages (id, user_id, campaign_id, contact_id, sender, recipient_email)
  select e.id, case when v_sender is not null then e.user_id end, e.campaign_id, e.contact_id, coalesce(old.from_name, v_sender, ''), case
    when v_sender is not null then e.recipient_email end
  from campaigns.emails_sent e
  where e.user_id = old.user_id and e.campaign_id = old.id
    and (e.status in ('sending', 'sent', 'delivered', 'bounced') or (e.status = 'failed' and e.error_code = 'OUTCOME_UNKNOWN'));
  insert into campaigns.past_links (campaign_id, number, url)
  select l.campaign_id, l.number, l.url from campaigns.campaign_links l where l.user_id = old.user_id and l.campaign_id = old.id;
  return old;
end $$;
create or replace trigger keep_links before delete on campaigns.email_campaigns for each row execute function campaigns.keep_links();

create or replace function campaigns.forget_addresses() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.recipient_email := null;
  return new;
end $$;
create or replace trigger forget_addresses before update of user_id on campaigns.past_messages
  for each row when (new.user_id is null) execute function campaigns.forget_addresses();

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
-- Gives the campaign, if there still is one.
create or replace function campaigns.resubscribe(p_message uuid) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  v_campaign uuid;
begin
  select e.campaign_id into v_campaign from campaigns.emails_sent e where e.id = p_message for no key update;
  delete from campaigns.suppressions s using campaigns.written(p_message) w
  where s.user_id = w.user_id and s.email_key in (select util.address_key(a) from unnest(w.addresses) a) and s.reason = 'unsubscribed';
  update campaigns.emails_sent e set unsubscribed_at = null where e.id = p_message and e.unsubscribed_at is not null;
  return v_campaign;
end $$;

grant
  execute on function campaigns.settle_events(uuid[]),
  campaigns.take_events(text, text[], uuid[], text[], timestamptz[], text[], text[], boolean[]), campaigns.follow_link(uuid, integer),
  campaigns.resubscribe(uuid), campaigns.written(uuid), campaigns.link_url(uuid, integer) to service_role;

-- ── Waves of bounces, for operators ──

-- What a mail server said, without what differs from one message to the next: addresses, and the server's own numbers of messages.
create or replace function campaigns.bounce_words(p_detail text) returns text
language sql immutable parallel safe as $$
  select regexp_replace(regexp_replace(coalesce(p_detail, ''), '\S+@\S+', '…', 'g'), '\m(?=[[:alpha:]_-]*\d)[[:alnum:]_-]{6,}', '…', 'g')
$$;

-- Addresses that were refused of late, by the day and the words: one answer to very many is a mail server's fault, not theirs.
create or replace function campaigns.bounce_waves() returns table (day date, words text, addresses bigint, senders bigint)
language sql stable security definer set search_path = '' as $$
  select w.day, w.words, w.addresses, w.senders
  from (
    select util.local(s.created_at)::date as day, campaigns.bounce_words(s.detail) as words, count(*) as addresses,
      count(distinct s.user_id) as senders,
      row_number() over (
        partition by util.local(s.created_at)::date order by count(*) desc, campaigns.bounce_words(s.detail)) as place
    from campaigns.suppressions s
    where s.reason = 'bounced' and s.created_at > now() - interval '30 days' and rbac.may('operations.manage')
    group by 1, 2) w
  where w.place <= 10 order by w.day desc, w.addresses desc, w.words
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
grant insert, update, delete on campaigns.campaign_links to service_role;
grant select on campaigns.past_messages, campaigns.past_links to service_role;
grant select, insert on campaigns.signing_keys to service_role;

select util.policy('campaigns.signing_keys', 'service', 'all', 'service_role'),
  util.policy('campaigns.past_messages', 'service', 'select', 'service_role'),
  util.policy('campaigns.past_links', 'service', 'select', 'service_role'),
  util.policy('campaigns.delivery_events', 'service', 'all', 'service_role'),
  util.policy('campaigns.delivery_events', 'own', 'select', 'authenticated', 'user_id = (select auth.uid())'),
  util.policy('campaigns.campaign_links', 'service', 'all', 'service_role'),
  util.policy('campaigns.campaign_links', 'own', 'select', 'authenticated', 'user_id = (select auth.uid())');
grant select on campaigns.bounce_undos to authenticated, service_role;
select util.policy('campaigns.bounce_undos', 'operator', 'select', 'authenticated, service_role',
  '(select rbac.may(''operations.manage''))');
