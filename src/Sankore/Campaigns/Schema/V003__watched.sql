-- live.watch tells pages of what people have from here on, and rows of the feed carry figures alone (R__campaigns).
drop function if exists campaigns.tell(text), campaigns.tell_campaign(uuid), campaigns.dashboard_row(), campaigns.campaign_row(uuid), campaigns.duration(integer);
alter table campaigns.email_campaigns drop column told_status, drop column told_left;
