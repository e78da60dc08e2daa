-- Messages that were written into the outbox, for want of a mail server: nobody has got them, so no figure says that they were sent.
alter table campaigns.campaign_counts add column written integer not null default 0;
