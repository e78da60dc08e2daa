-- live.watch tells pages of the network from here on (R__tenancy).
drop function if exists tenancy.publish_network();
