using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Tenancy.Assignments;
using Sankore.Tenancy.Groups;
using Sankore.Tenancy.Staff;

namespace Sankore.Tenancy.Imports;

/// <summary>What is wrong with rows: the use cases' own rules, what the file says twice, and what the database has already.</summary>
public sealed class RowRules(IStringLocalizer<Strings> strings, IStringLocalizer<Ui.UiStrings> ui)
{
    private sealed record Named(Guid Id, string Code, string Name);

    private sealed record School(Guid Id, Guid GroupId, string Code, string Name);

    /// <summary>Refuses with NOT_FOUND or FORBIDDEN unless the caller may import rows of a group; groups themselves, and rows of many, are the operator's.</summary>
    internal static async Task MayImport(Session session, ImportKind kind, Guid? groupId)
    {
        if (kind != ImportKind.Groups && groupId is { } id)
        {
            await Tenancy.Groups.Groups.MayManage(session, id);
        }
        else if (!await session.Value<bool>("select rbac.has_permission((select auth.uid()), 'tenancy.manage')"))
        {
            throw new Refusal(Reason.Forbidden);
        }
    }

    internal Task<List<ImportRow>> Check(Session session, ImportKind kind, Guid? groupId, List<ImportRow> rows) => kind.Name switch
    {
        "groups" => Groups(session, rows),
        "schools" => Schools(session, groupId, rows),
        _ => Staff(session, groupId, rows),
    };

    /// <summary>Which group each row is of: the import's, or the one that it names; null where there is none such.</summary>
    internal static async Task<Func<ImportRow, Guid?>> GroupsOf(Session session, Guid? groupId)
    {
        if (groupId is not null)
        {
            return _ => groupId;
        }
        var groups = (await session.Query<Named>("select id, code, name from tenancy.school_groups")).SelectMany(g => new[] { (Codes.Normalize(g.Name), g.Id), (g.Code, g.Id) }).Reverse().DistinctBy(g => g.Item1).ToDictionary(g => g.Item1, g => g.Id);
        return row => groups.TryGetValue(Codes.Normalize(row["group"]), out var id) ? id : null;
    }

    /// <summary>The school that each row names, by its code or its name, within its group; null where there is none such.</summary>
    internal static async Task<Func<ImportRow, Guid?>> SchoolsOf(Session session, Func<ImportRow, Guid?> groupOf, IEnumerable<ImportRow> rows)
    {
        var groups = rows.Select(groupOf).OfType<Guid>().Distinct().ToArray();
        var schools = await session.Query<School>("select id, school_group_id as group_id, code, name from tenancy.schools where school_group_id = any (@groups)", new { groups });
        var byWord = schools.SelectMany(s => new[] { ((s.GroupId, Codes.Normalize(s.Name)), s.Id), ((s.GroupId, s.Code), s.Id) }).Reverse().DistinctBy(s => s.Item1).ToDictionary(s => s.Item1, s => s.Id);
        return row => groupOf(row) is { } group && byWord.TryGetValue((group, Codes.Normalize(row["school"])), out var id) ? id : null;
    }

    /// <summary>The level that people write in either language, or its code.</summary>
    internal string? Level(string? written) => Word(written, SchoolInput.Levels, "level.", strings);

    /// <summary>The role that people write in either language, or its code.</summary>
    internal string? Role(string? written) => Word(written, Memberships.Roles, "role.", ui);

    internal static GroupInput Group(ImportRow row) => new(row["name"], row["code"], row["city"], row["country"], row["contactEmail"], row["contactPhone"], null, null);

    internal SchoolInput SchoolOf(ImportRow row) => new(row["name"], row["code"], row["level"] is { } level ? Level(level) ?? level : null, row["city"], null, null);

    internal StaffInput Person(ImportRow row, Guid? school) => new(row["email"], row["name"], Role(row["role"]) ?? row["role"], school, row["phone"]);

    private static async Task<List<ImportRow>> Groups(Session session, List<ImportRow> rows)
    {
        var plans = await session.Query<(Guid, string, string)>("select id, slug, name from tenancy.subscription_plans");
        var taken = await Taken(session, "select code from tenancy.school_groups where code = any (@codes)", rows);
        return [.. Twice(rows, "code", Code).Select(row =>
        {
            row = row.Checked(() => Group(row).Normalized());
            row = taken.Contains(Code(row)) ? row.With("code", "GROUP_CODE_TAKEN") : row;
            row = row["plan"] is { } plan && Plan(plans, plan) is null ? row.With("plan", "PLAN_UNKNOWN") : row;
            row = row["endsOn"] is not null && row["plan"] is null ? row.With("endsOn", "import.end_without_plan") : row;
            row = row["endsOn"] is { } end ? row.Checked(() => new Validation().That("endsOn", Days.End("endsOn", end) > DateTimeOffset.UtcNow, "period.over").Check()) : row;
            return row["adminEmail"] is null && row["adminName"] is null ? row
                : row.Checked(() => new StaffInput(row["adminEmail"], row["adminName"] ?? row["adminEmail"], "group_admin", null, null).Normalized(), new Dictionary<string, string> { ["email"] = "adminEmail", ["name"] = "adminName" });
        })];
    }

    private async Task<List<ImportRow>> Schools(Session session, Guid? groupId, List<ImportRow> rows)
    {
        var groupOf = await GroupsOf(session, groupId);
        var taken = await Taken(session, "select code from tenancy.schools where code = any (@codes)", rows);
        return [.. Twice(rows, "code", Code).Select(row =>
        {
            row = groupOf(row) is null ? row.With("group", "GROUP_UNKNOWN") : row;
            row = row.Checked(() => SchoolOf(row).Normalized());
            return taken.Contains(Code(row)) ? row.With("code", "SCHOOL_CODE_TAKEN") : row;
        })];
    }

    private async Task<List<ImportRow>> Staff(Session session, Guid? groupId, List<ImportRow> rows)
    {
        var groupOf = await GroupsOf(session, groupId);
        var schoolOf = await SchoolsOf(session, groupOf, rows);
        return [.. Twice(rows, "email", row => $"{row["email"]?.ToUpperInvariant()} {Role(row["role"])} {groupOf(row)} {schoolOf(row)}").Select(row =>
        {
            var known = row["school"] is null || schoolOf(row) is not null;
            row = groupOf(row) is null ? row.With("group", "GROUP_UNKNOWN") : known ? row : row.With("school", "SCHOOL_UNKNOWN");
            row = Role(row["role"]) is null ? row.With("role", "import.role", string.Join(", ", Memberships.Roles.Select(r => ui["role." + r].Value))) : row;
            return Role(row["role"]) is null || !known ? row : row.Checked(() => Person(row, schoolOf(row)).Normalized(), new Dictionary<string, string> { ["schoolId"] = "school" });
        })];
    }

    /// <summary>The plan that is called so, by its code or its name.</summary>
    internal static Guid? Plan(IEnumerable<(Guid Id, string Code, string Name)> plans, string? written) =>
        plans.Where(p => Codes.Normalize(written) is { Length: > 0 } code && (p.Code == code || Codes.Normalize(p.Name) == code)).Select(p => (Guid?)p.Id).FirstOrDefault();

    /// <summary>The code that a row will have.</summary>
    internal static string Code(ImportRow row) => Inputs.Code(row["code"], row["name"]);

    private static async Task<HashSet<string>> Taken(Session session, string sql, List<ImportRow> rows) =>
        [.. await session.AsService(s => s.Query<string>(sql, new { codes = rows.Select(Code).Distinct().ToArray() }))];

    private static IEnumerable<ImportRow> Twice(List<ImportRow> rows, string column, Func<ImportRow, string> key)
    {
        var first = new Dictionary<string, int>();
        foreach (var row in rows)
        {
            yield return first.TryAdd(key(row), row.Number) ? row : row.With(column, "import.twice", first[key(row)].ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static string? Word(string? written, string[] codes, string prefix, IStringLocalizer words)
    {
        if (Codes.Normalize(written) is not { Length: > 0 } word)
        {
            return null;
        }
        return codes.FirstOrDefault(c => Codes.Normalize(c) == word || Languages.Any(culture => Codes.Normalize(In(culture, words, prefix + c)) == word));
    }

    private static readonly System.Globalization.CultureInfo[] Languages = [System.Globalization.CultureInfo.GetCultureInfo("fr"), System.Globalization.CultureInfo.GetCultureInfo("en")];

    private static string In(System.Globalization.CultureInfo culture, IStringLocalizer words, string key)
    {
        var before = System.Globalization.CultureInfo.CurrentUICulture;
        System.Globalization.CultureInfo.CurrentUICulture = culture;
        try
        {
            return words[key];
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentUICulture = before;
        }
    }
}
