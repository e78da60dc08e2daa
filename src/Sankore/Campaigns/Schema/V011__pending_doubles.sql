-- A message that waits beside another one of its campaign to the same address, in another spelling: one is enough.
update campaigns.emails_sent e set status = 'failed', error_code = 'CONTACT_MERGED'
where e.status = 'pending' and exists (
  select from campaigns.emails_sent x
  where x.campaign_id = e.campaign_id and x.email_key = e.email_key and x.id <> e.id
    and (x.status in ('sending', 'sent', 'delivered', 'bounced') or (x.status = 'pending' and x.id < e.id)));
