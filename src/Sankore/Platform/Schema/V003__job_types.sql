-- Each type of job is claimed by itself: long ones never hold up the others.
drop index util.idx_job_queue_due;
create index idx_job_queue_job_type_due on util.job_queue (job_type, priority, run_at) where status = 'pending';
drop index util.idx_job_queue_locked_until;
create index idx_job_queue_job_type_locked_until on util.job_queue (job_type, locked_until) where status = 'running';
