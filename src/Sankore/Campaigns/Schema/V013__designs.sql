-- What a message was put together from, beside the HTML that it became; null: its author wrote the HTML.
alter table campaigns.email_templates
  add column design jsonb,
  add constraint email_templates_design_check check (jsonb_typeof(design) = 'object' and length(design::text) <= 500000);
alter table campaigns.email_campaigns
  add column design jsonb,
  add constraint email_campaigns_design_check check (jsonb_typeof(design) = 'object' and length(design::text) <= 500000);
