using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Text;
using Sankore.Tenancy.Staff;
using Sankore.Tenancy.Subscriptions;

namespace Sankore.Tenancy.Imports;

/// <summary>Writes the rows of an import, in the caller's transaction and with the caller's rights.</summary>
public sealed class RowWriter(RowRules rules, Staff.Staff staff, TimeProvider time)
{
    private const string GroupsSql = """
        insert into tenancy.school_groups (id, name, code, city, country, contact_email, contact_phone)
        select g."Id", g."Name", g."Code", g."City", g."Country", g."ContactEmail", g."ContactPhone"
        from jsonb_to_recordset(@rows::jsonb) as g ("Id" uuid, "Name" text, "Code" text, "City" text, "Country" text, "ContactEmail" text, "ContactPhone" text)
        """;

    private const string SubscriptionsSql = """
        insert into tenancy.subscriptions (id, school_group_id, plan_id, status, billing_period, starts_at, ends_at, auto_renew)
        select s."Id", s."GroupId", s."PlanId", 'active', 'yearly', s."StartsAt", s."EndsAt", true
        from jsonb_to_recordset(@rows::jsonb) as s ("Id" uuid, "GroupId" uuid, "PlanId" uuid, "StartsAt" timestamptz, "EndsAt" timestamptz)
        """;

    private const string SchoolsSql = """
        insert into tenancy.schools (id, school_group_id, name, code, level, city)
        select s."Id", s."GroupId", s."Name", s."Code", s."Level", s."City"
        from jsonb_to_recordset(@rows::jsonb) as s ("Id" uuid, "GroupId" uuid, "Name" text, "Code" text, "Level" text, "City" text)
        """;

    internal async Task<Dictionary<string, int>> Write(Session session, ImportView import) => import.Kind switch
    {
        "groups" => await Groups(session, import.Rows),
        "schools" => await Schools(session, import),
        _ => await Staff(session, import),
    };

    private async Task<Dictionary<string, int>> Groups(Session session, IReadOnlyList<ImportRow> rows)
    {
        var plans = (await session.Query<(Guid, string, string)>("select id, slug, name from tenancy.subscription_plans")).ToList();
        var groups = rows.Select(row => (Row: row, Id: Guid.CreateVersion7(), Input: RowRules.Group(row).Normalized())).ToList();
        await session.Execute(GroupsSql, new { rows = JsonSerializer.Serialize(groups.Select(g => new { g.Id, g.Input.Name, g.Input.Code, g.Input.City, g.Input.Country, g.Input.ContactEmail, g.Input.ContactPhone })) });
        var subscriptions = groups.Where(g => g.Row["plan"] is not null).Select(g => (g.Id, Input: new SubscriptionInput(RowRules.Plan(plans, g.Row["plan"]), null, "yearly", null, Days.End("endsOn", g.Row["endsOn"]), true, null).ForNew(time.GetUtcNow()))).ToList();
        await session.Execute(SubscriptionsSql, new { rows = JsonSerializer.Serialize(subscriptions.Select(s => new { Id = Guid.CreateVersion7(), GroupId = s.Id, s.Input.PlanId, s.Input.StartsAt, s.Input.EndsAt })) });
        var invited = 0;
        foreach (var (row, id, _) in groups.Where(g => g.Row["adminEmail"] is not null))
        {
            await staff.Admit(session, id, [new StaffInput(row["adminEmail"], row["adminName"] ?? row["adminEmail"], "group_admin", null, null).Normalized()]);
            invited++;
        }
        return new Dictionary<string, int> { ["groups"] = groups.Count, ["subscriptions"] = subscriptions.Count, ["invited"] = invited };
    }

    private async Task<Dictionary<string, int>> Schools(Session session, ImportView import)
    {
        var groupOf = await RowRules.GroupsOf(session, import.GroupId);
        var schools = import.Rows.Select(row => (GroupId: groupOf(row), Input: rules.SchoolOf(row).Normalized())).ToList();
        await session.Execute(SchoolsSql, new { rows = JsonSerializer.Serialize(schools.Select(s => new { Id = Guid.CreateVersion7(), s.GroupId, s.Input.Name, s.Input.Code, s.Input.Level, s.Input.City })) });
        return new Dictionary<string, int> { ["schools"] = schools.Count };
    }

    private async Task<Dictionary<string, int>> Staff(Session session, ImportView import)
    {
        var groupOf = await RowRules.GroupsOf(session, import.GroupId);
        var schoolOf = await RowRules.SchoolsOf(session, groupOf, import.Rows);
        var result = new Dictionary<string, int> { ["created"] = 0, ["placed"] = 0, ["invited"] = 0, ["unchanged"] = 0 };
        foreach (var group in import.Rows.GroupBy(groupOf))
        {
            // A group that has gone since the file was looked at is refused like one that never was.
            var admission = await staff.Admit(session, group.Key ?? Guid.Empty, [.. group.Select(row => rules.Person(row, schoolOf(row)).Normalized())]);
            result["created"] += admission.Created;
            result["placed"] += admission.Placed;
            result["invited"] += admission.Invited;
            result["unchanged"] += admission.Unchanged;
        }
        return result;
    }
}
