using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Imports;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>People of a group, or of many: accounts, places and invitations.</summary>
public sealed class StaffKind(IStringLocalizer<Strings> texts, IStringLocalizer<Ui.UiStrings> ui, Staff staff) : NetworkKind(texts)
{
    private const string RoleUnknown = "import.role";

    private static readonly Dictionary<string, string> SchoolColumn = new() { ["schoolId"] = "school" };

    private readonly Lazy<Dictionary<string, string>> _roles = new(() => ByAnyWord(Memberships.Roles, "role.", ui));

    public override string Name => "staff";

    public override IReadOnlyList<ImportColumn> Columns { get; } =
    [
        Group,
        new("name", true, "Nom", "Name", "Orel Mboungou", "Nom complet", "Full name"),
        new("email", true, "Courriel", "E-mail", "orel@exemple.cg", ImportColumn.EmailHeads),
        new("role", true, "Rôle", "Role", "Enseignant", "Fonction", "Poste", "Position"),
        new("school", false, "École", "School", "lycee-moderne", "Code de l'école"),
        new("phone", false, "Téléphone", "Phone", "+242 06 000 00 00", "Telephone", "Tél", "Mobile", "Portable"),
    ];

    /// <summary>A role that is none is answered with those that there are.</summary>
    public override RowError InWords(RowError error) => error.Key != RoleUnknown ? error
        : new RowError(error.Column, error.Key, string.Join(", ", Memberships.Roles.Select(r => ui["role." + r].Value)));

    protected override async Task<Rules> RulesOf(Session session, Guid? groupId, IReadOnlyList<ImportRow> rows)
    {
        var groupOf = await GroupsOf(session, groupId);
        var schoolOf = await SchoolsOf(session, groupOf, rows);
        return new Rules(row => $"{row["email"]?.ToUpperInvariant()} {Role(row)} {groupOf(row)} {schoolOf(row)}", "email", row =>
        {
            var (isRole, isPlace) = (Role(row) is not null, row["school"] is null || schoolOf(row) is not null);
            row = groupOf(row) is null ? row.With("group", "GROUP_UNKNOWN") : isPlace ? row : row.With("school", "SCHOOL_UNKNOWN");
            row = isRole ? row : row.With("role", RoleUnknown);
            return isRole && isPlace ? row.Checked(() => Person(row, schoolOf(row)).Normalized(), SchoolColumn) : row;
        });
    }

    protected internal override async Task<Dictionary<string, int>> Write(
        Session session, Guid id, ImportSettings settings, Func<double, Task> tell)
    {
        var rows = await ImportRows.All(session, id);
        var groupOf = await GroupsOf(session, GroupOf(settings.Options));
        var schoolOf = await SchoolsOf(session, groupOf, rows);
        var result = new Dictionary<string, int> { ["created"] = 0, ["placed"] = 0, ["invited"] = 0, ["unchanged"] = 0 };
        foreach (var group in rows.GroupBy(groupOf))
        {
            // A group that has gone since the file was looked at is refused like one that never was.
            var admission =
                await staff.Admit(session, group.Key ?? Guid.Empty, [.. group.Select(row => Person(row, schoolOf(row)).Normalized())]);
            result["created"] += admission.Created;
            result["placed"] += admission.Placed;
            result["invited"] += admission.Invited;
            result["unchanged"] += admission.Unchanged;
        }
        return result;
    }

    /// <summary>The role that people write in either language; null: none.</summary>
    private string? Role(ImportRow row) => _roles.Value.GetValueOrDefault(Codes.Normalize(row["role"]));

    private StaffInput Person(ImportRow row, Guid? school) =>
        new(row["email"], row["name"], Role(row) ?? row["role"], school, row["phone"]);
}
