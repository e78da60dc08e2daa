using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Imports;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>School groups, each with its subscription and first administrator if the file says so. The operator's.</summary>
public sealed class GroupsKind(IStringLocalizer<Strings> texts, Staff staff, TimeProvider time) : NetworkKind(texts)
{
    private const string PlansSql = "select id, slug, name from tenancy.subscription_plans";

    private const string GroupsSql = """
        insert into tenancy.school_groups (id, name, code, city, country, contact_email, contact_phone, time_zone)
        select g."Id", g."Name", g."Code", g."City", g."Country", g."ContactEmail", g."ContactPhone", g."TimeZone"
        from jsonb_to_recordset(@rows::jsonb) as g
          ("Id" uuid, "Name" text, "Code" text, "City" text, "Country" text, "ContactEmail" text, "ContactPhone" text, "TimeZone" text)
        """;

    private const string SubscriptionsSql = """
        insert into tenancy.subscriptions (id, school_group_id, plan_id, status, billing_period, starts_at, ends_at, auto_renew)
        select s."Id", g.id, s."PlanId", 'active', 'yearly', s."StartsAt", coalesce(s."EndsAt", tenancy.next_due(
          s."StartsAt" at time zone g.time_zone, 'yearly', g.time_zone, s."StartsAt")), true
        from jsonb_to_recordset(@rows::jsonb) as s ("Id" uuid, "GroupId" uuid, "PlanId" uuid, "StartsAt" timestamptz, "EndsAt" timestamptz)
        join tenancy.school_groups g on g.id = s."GroupId"
        """;

    private static readonly Dictionary<string, string> AdminColumns = new() { ["email"] = "adminEmail", ["name"] = "adminName" };

    public override string Name => "groups";

    public override IReadOnlyList<ImportColumn> Columns { get; } =
    [
        new("name", true, "Nom", "Name", "Groupe scolaire Excellence", "Groupe"),
        new("code", false, "Code", "Code", "gs-excellence"),
        new("city", false, "Ville", "City", "Brazzaville", "Town"),
        new("country", false, "Pays", "Country", "CG"),
        new("contactEmail", false, "Courriel", "E-mail", "contact@exemple.cg", "Email", "Contact"),
        new("contactPhone", false, "Téléphone", "Phone", "+242 06 000 00 00", "Telephone"),
        new("timeZone", false, "Fuseau horaire", "Time zone", "Africa/Brazzaville", "Fuseau"),
        new("plan", false, "Plan", "Plan", "Essentiel"),
        new("endsOn", false, "Dernier jour", "Last day", "2027-12-31", "Fin", "End"),
        new("adminName", false, "Nom de l'administrateur", "Administrator's name", "Amina Nkounkou", "Administrateur", "Administrator"),
        new("adminEmail", false, "Courriel de l'administrateur", "Administrator's e-mail", "amina@exemple.cg", "Email administrateur"),
    ];

    protected override async Task<Rules> RulesOf(Session session, Guid? groupId, IReadOnlyList<ImportRow> rows)
    {
        var plans = await session.Query<(Guid, string, string)>(PlansSql);
        var taken = await Taken(session, "select code from tenancy.school_groups where code = any (@codes)", rows);
        return new Rules(Code, "code", row =>
        {
            row = row.Checked(() => GroupOf(row).Normalized());
            row = taken.Contains(Code(row)) ? row.With("code", "GROUP_CODE_TAKEN") : row;
            row = row["plan"] is { } plan && Plan(plans, plan) is null ? row.With("plan", "PLAN_UNKNOWN") : row;
            row = row["endsOn"] is not null && row["plan"] is null ? row.With("endsOn", "import.end_without_plan") : row;
            row = row["endsOn"] is { } end ? row.Checked(() => EndsLater(row, end)) : row;
            return row["adminEmail"] is null && row["adminName"] is null ? row
                : row.Checked(() => Administrator(row).Normalized(), AdminColumns);
        });
    }

    protected internal override async Task<Dictionary<string, int>> Write(
        Session session, Guid id, ImportSettings settings, Func<double, Task> tell)
    {
        var plans = await session.Query<(Guid, string, string)>(PlansSql);
        var groups = (await ImportRows.All(session, id))
            .Select(row => (Row: row, Id: Guid.CreateVersion7(), Input: GroupOf(row).Normalized())).ToList();
        await session.Execute(GroupsSql, new
        {
            rows = JsonSerializer.Serialize(groups.Select(g =>
                new
                {
                    g.Id,
                    g.Input.Name,
                    g.Input.Code,
                    g.Input.City,
                    g.Input.Country,
                    g.Input.ContactEmail,
                    g.Input.ContactPhone,
                    g.Input.TimeZone,
                })),
        });
        var subscriptions = groups.Where(g => g.Row["plan"] is not null).Select(g => (g.Id, Input: Subscription(g.Row, plans))).ToList();
        await session.Execute(SubscriptionsSql, new
        {
            rows = JsonSerializer.Serialize(subscriptions.Select(s =>
                new { Id = Guid.CreateVersion7(), GroupId = s.Id, s.Input.PlanId, s.Input.StartsAt, s.Input.EndsAt })),
        });
        var administrators = groups.Where(g => g.Row["adminEmail"] is not null).ToList();
        foreach (var (row, group, _) in administrators)
        {
            await staff.Admit(session, group, [Administrator(row).Normalized()]);
        }
        return new() { ["groups"] = groups.Count, ["subscriptions"] = subscriptions.Count, ["invited"] = administrators.Count };
    }

    private static GroupInput GroupOf(ImportRow row) =>
        new(row["name"], row["code"], row["city"], row["country"], row["contactEmail"], row["contactPhone"], null, null, row["timeZone"]);

    private static StaffInput Administrator(ImportRow row) =>
        new(row["adminEmail"], row["adminName"] ?? row["adminEmail"], "group_admin", null, null);

    private void EndsLater(ImportRow row, string end) =>
        new Validation().That("endsOn", EndOf(row, end) > time.GetUtcNow(), "period.over").Check();

    private static Moment? EndOf(ImportRow row, string? end) => Days.End("endsOn", end, Zones.Find(row["timeZone"]));

    private SubscriptionInput Subscription(ImportRow row, IEnumerable<(Guid, string, string)> plans) =>
        new SubscriptionInput(Plan(plans, row["plan"]), null, "yearly", null, EndOf(row, row["endsOn"]), true, null)
            .ForNew(Moment.Of(time.GetUtcNow())!.Value);

    /// <summary>The plan that is called so, by its code or its name.</summary>
    private static Guid? Plan(IEnumerable<(Guid Id, string Code, string Name)> plans, string? written) =>
        Codes.Normalize(written) is not { Length: > 0 } code ? null
            : plans.Where(p => p.Code == code || Codes.Normalize(p.Name) == code).Select(p => (Guid?)p.Id).FirstOrDefault();
}
