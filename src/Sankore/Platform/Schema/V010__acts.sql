-- What one transaction changed is one act: its entries are shown together. Those from before have none.
alter table audit.audit_logs add column act bigint;
alter table audit.audit_logs alter column act set default pg_current_xact_id()::text::bigint;
