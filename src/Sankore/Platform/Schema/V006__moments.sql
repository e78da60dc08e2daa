-- Every column of time is within the years that inputs are (util.keep_moments): what stood for "long ago" is now their beginning.
alter table live.nodes alter column watched_until set default '2000-01-01 00:00+00';
update live.nodes set watched_until = default where not isfinite(watched_until);

-- What a service changed tells by which key.
alter table audit.audit_logs add column key_id uuid;
create index idx_audit_logs_key_id on audit.audit_logs (key_id, id desc);
