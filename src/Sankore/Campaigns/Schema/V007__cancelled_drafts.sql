-- A draft that was called off before anything was written in it says nothing.
alter table campaigns.email_campaigns
  drop constraint email_campaigns_content_check,
  add constraint email_campaigns_content_check
    check (length(content) <= 500000 and (status in ('draft', 'cancelled') or (subject <> '' and content <> '')));
