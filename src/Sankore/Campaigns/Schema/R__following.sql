-- ── What waits follows the person ──

-- A filter or an audience in which one organisation stands for those that were merged into it.
create or replace function campaigns.with_organization(p_filter jsonb, p_merged text[], p_id text) returns jsonb
language sql immutable parallel safe as $$
  select jsonb_set(p_filter, '{organizationIds}', (
    select jsonb_agg(distinct case when id = any (p_merged) then p_id else id end)
    from jsonb_array_elements_text(p_filter -> 'organizationIds') id))
$$;
grant execute on function campaigns.with_organization(jsonb, text[], text) to authenticated, service_role;

-- Messages that wait go to the address that their contact has now; of two that would go to one, and beside one that has left for them, one
-- is enough.
create or replace function campaigns.readdress(p_messages uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- A message that was kept back because its contact went is no message to the address.
  delete from campaigns.emails_sent x
  using campaigns.emails_sent m join campaigns.contacts k on k.user_id = m.user_id and k.id = m.contact_id
  where m.id = any (p_messages) and m.status = 'pending' and (auth.uid() is null or m.user_id = auth.uid())
    and x.campaign_id = m.campaign_id and x.email_key = k.email_key and x.status = 'failed' and x.error_code = 'CONTACT_DELETED';
  update campaigns.emails_sent e
  set recipient_email = case when o.is_there then e.recipient_email else o.email end,
    status = case when o.is_there then 'failed' else 'pending' end, error_code = case when o.is_there then 'CONTACT_MERGED' end
  from (
    select m.id, k.email, row_number() over (partition by m.campaign_id, k.id order by m.email_key = k.email_key desc, m.id) > 1
      or exists (select from campaigns.emails_sent x where x.campaign_id = m.campaign_id and x.id <> m.id and x.email_key = k.email_key)
      or exists (
        select from campaigns.emails_sent x where x.user_id = m.user_id and x.contact_id = k.id and x.campaign_id = m.campaign_id
          and (x.status in ('sending', 'sent', 'delivered') or x.error_code = 'OUTCOME_UNKNOWN')) as is_there
    from campaigns.emails_sent m join campaigns.contacts k on k.user_id = m.user_id and k.id = m.contact_id
    where m.id = any (p_messages) and m.status = 'pending' and (auth.uid() is null or m.user_id = auth.uid())) o
  -- What has left since is not put back.
  where e.id = o.id and e.status = 'pending';
end $$;
grant execute on function campaigns.readdress(uuid[]) to authenticated, service_role;

-- What still waits for somebody follows them: to their new address, or nowhere once they are gone. Whoever left has left at a new address
-- too.
create or replace function campaigns.follow_contact() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    update campaigns.emails_sent e set status = 'failed', error_code = 'CONTACT_DELETED'
    where e.user_id = old.user_id and e.contact_id = old.id and e.status = 'pending';
    return old;
  end if;
  perform campaigns.readdress(array(
    select e.id from campaigns.emails_sent e where e.user_id = new.user_id and e.contact_id = new.id and e.status = 'pending'));
  perform campaigns.keep_left(new.id, array[old.email]);
  return null;
end $$;
create or replace trigger follow_contact_on_update after update of email on campaigns.contacts
  for each row when (new.email is distinct from old.email) execute function campaigns.follow_contact();
create or replace trigger follow_contact_on_delete before delete on campaigns.contacts
  for each row execute function campaigns.follow_contact();

-- Messages of campaigns that are gone since are the contact's into which their own was merged.
create or replace function campaigns.follow_merge(p_contact uuid, p_merged uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_scheduled uuid[];
begin
  update campaigns.past_messages m set contact_id = c.id from campaigns.contacts c
  where c.id = p_contact and c.user_id = auth.uid() and m.user_id = c.user_id and m.contact_id = any (p_merged);
  -- What waits for them waits for the one. What is scheduled is settled: it is taken back for as long.
  v_scheduled := array(select e.id from campaigns.email_campaigns e
    where e.user_id = auth.uid() and e.status = 'scheduled' and e.audience -> 'contactIds' ?| p_merged::text[]);
  update campaigns.email_campaigns e set status = 'draft' where e.id = any (v_scheduled);
  update campaigns.email_campaigns e
  set audience = jsonb_set(e.audience, '{contactIds}', (
    select jsonb_agg(distinct case when c.value = any (p_merged::text[]) then p_contact::text else c.value end)
    from jsonb_array_elements_text(e.audience -> 'contactIds') c))
  where e.user_id = auth.uid() and e.status = 'draft' and e.audience -> 'contactIds' ?| p_merged::text[];
  update campaigns.email_campaigns e set status = 'scheduled' where e.id = any (v_scheduled);
end $$;
grant execute on function campaigns.follow_merge(uuid, uuid[]) to authenticated;

-- A contact whose person left at one of these addresses has left: in another spelling, or as one of two that became one.
create or replace function campaigns.keep_left(p_contact uuid, p_addresses text[]) returns void
language sql security definer set search_path = '' as $$
  insert into campaigns.suppressions as s (user_id, email, reason, campaign_id, detail)
  select distinct on (c.id) c.user_id, c.email, l.reason, l.campaign_id, l.detail
  from campaigns.contacts c
  join campaigns.suppressions l on l.user_id = c.user_id and l.reason in ('unsubscribed', 'complained')
    and l.email_key in (select util.address_key(a) from unnest(p_addresses) a)
  where c.id = p_contact and (auth.uid() is null or c.user_id = auth.uid())
  order by c.id, l.reason
  on conflict on constraint suppressions_user_id_email_key_unique do update
    set reason = excluded.reason, campaign_id = excluded.campaign_id, detail = excluded.detail
  where s.reason not in ('unsubscribed', 'complained')
$$;
grant execute on function campaigns.keep_left(uuid, text[]) to authenticated, service_role;
