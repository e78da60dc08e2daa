-- Groups, schools and staff are kinds of util.imports from here on. What was looked at and not imported yet is uploaded again.
drop table tenancy.imports;
