-- Assignments are judged in C# from here on (ChangeAssignments), and a plan's modules have one view (included_modules).
drop function if exists tenancy.change_assignments(
  boolean, uuid[], uuid[], uuid[], uuid, uuid, boolean, boolean, boolean, timestamptz, integer, boolean);
drop function if exists tenancy.rights_of(tenancy.user_module_permissions);
drop function if exists tenancy.plans_including(uuid, uuid);
