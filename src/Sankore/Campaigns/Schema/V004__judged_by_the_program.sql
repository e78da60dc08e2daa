-- Campaigns that wait for ever are found in C# from here on (CampaignRescue); versions are counted by util.touch alone.
drop function if exists campaigns.rescue(), campaigns.give_up_lost(uuid[], integer), campaigns.finish(uuid[]),
  campaigns.pause_refused(uuid[]);
drop function if exists campaigns.update_updated_at_column();
