-- One campaign writes to an address once, in whatever spelling. Messages that went to one in two leave one of them, and what the other's
-- links need.
select live.keep_partitions();
with twins as (
  select e.id, e.user_id, e.campaign_id, e.contact_id, e.recipient_email, l.had_left,
    row_number() over (partition by e.campaign_id, e.email_key order by l.had_left desc, e.status = 'failed', e.created_at, e.id) as place
  from campaigns.emails_sent e
  cross join lateral (select e.status in ('sending', 'sent', 'delivered', 'bounced')
    or e.error_code is not distinct from 'OUTCOME_UNKNOWN' as had_left) l),
kept as (
  insert into campaigns.past_messages (id, user_id, campaign_id, contact_id, sender, recipient_email)
  select t.id, t.user_id, t.campaign_id, t.contact_id, coalesce(c.from_name, p.display_name), t.recipient_email
  from twins t join campaigns.email_campaigns c on c.id = t.campaign_id join public.profiles p on p.id = t.user_id
  where t.place > 1 and t.had_left)
delete from campaigns.emails_sent e using twins t where e.id = t.id and t.place > 1;
alter table campaigns.emails_sent
  drop constraint emails_sent_campaign_id_recipient_email_unique,
  add constraint emails_sent_campaign_id_email_key_unique unique (campaign_id, email_key);

-- Whoever leaves by a message of a campaign that is gone leaves as by any other: campaigns.take_events.
drop function if exists campaigns.leave_past(uuid);
drop index campaigns.idx_past_messages_user_id;
create index idx_past_messages_user_id_contact_id on campaigns.past_messages (user_id, contact_id);
