-- Contacts are a kind of util.imports from here on. Files that were half done are uploaded again: none was kept for longer than a report is.
drop table campaigns.import_rows, campaigns.import_parts, campaigns.imports;
drop function if exists campaigns.tell_import(uuid);
delete from util.job_queue where job_type = 'contacts_import';
