-- Every column of time is within the years that inputs are (util.keep_moments): what stood for "never told" is now their beginning.
alter table campaigns.email_campaigns alter column told_at set default '2000-01-01 00:00+00';
