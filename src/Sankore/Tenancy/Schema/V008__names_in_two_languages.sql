-- What the catalogue calls things, in English too; null: as in French.
alter table tenancy.business_categories
  add column name_en text,
  add constraint business_categories_name_en_check check (length(btrim(name_en)) between 1 and 120);
alter table tenancy.modules
  add column name_en text,
  add constraint modules_name_en_check check (length(btrim(name_en)) between 1 and 120);
alter table tenancy.subscription_plans
  add column name_en text,
  add constraint subscription_plans_name_en_check check (length(btrim(name_en)) between 1 and 120);
