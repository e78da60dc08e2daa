using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Imports;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>Schools of a group, or of many.</summary>
public sealed class SchoolsKind(IStringLocalizer<Strings> texts) : NetworkKind(texts)
{
    private const string SchoolsSql = """
        insert into tenancy.schools (id, school_group_id, name, code, level, city)
        select s."Id", s."GroupId", s."Name", s."Code", s."Level", s."City"
        from jsonb_to_recordset(@rows::jsonb) as s ("Id" uuid, "GroupId" uuid, "Name" text, "Code" text, "Level" text, "City" text)
        """;

    private readonly Lazy<Dictionary<string, string>> _levels = new(() => ByAnyWord(SchoolInput.Levels, "level.", texts));

    public override string Name => "schools";

    public override IReadOnlyList<ImportColumn> Columns { get; } =
    [
        Group,
        new("name", true, "Nom", "Name", "Lycée Moderne de Brazzaville", "École", "School"),
        new("code", false, "Code", "Code", "lycee-moderne"),
        new("level", false, "Niveau", "Level", "Lycée"),
        new("city", false, "Ville", "City", "Brazzaville", "Town"),
    ];

    protected override async Task<Rules> RulesOf(Session session, Guid? groupId, IReadOnlyList<ImportRow> rows)
    {
        var groupOf = await GroupsOf(session, groupId);
        var taken = await Taken(session, "select code from tenancy.schools where code = any (@codes)", rows);
        return new Rules(Code, "code", row =>
        {
            row = groupOf(row) is null ? row.With("group", "GROUP_UNKNOWN") : row;
            row = row.Checked(() => School(row).Normalized());
            return taken.Contains(Code(row)) ? row.With("code", "SCHOOL_CODE_TAKEN") : row;
        });
    }

    protected internal override async Task<Dictionary<string, int>> Write(
        Session session, Guid id, ImportSettings settings, Func<double, Task> tell)
    {
        var groupOf = await GroupsOf(session, GroupOf(settings.Options));
        var schools = (await ImportRows.All(session, id)).Select(row => (GroupId: groupOf(row), Input: School(row).Normalized())).ToList();
        await session.Execute(SchoolsSql, new
        {
            rows = JsonSerializer.Serialize(schools.Select(s =>
                new { Id = Guid.CreateVersion7(), s.GroupId, s.Input.Name, s.Input.Code, s.Input.Level, s.Input.City })),
        });
        return new() { ["schools"] = schools.Count };
    }

    private SchoolInput School(ImportRow row) => new(row["name"], row["code"], Level(row["level"]), row["city"], null, null);

    /// <summary>The level that people write in either language, or as it is written.</summary>
    private string? Level(string? written) => written is null ? null : _levels.Value.GetValueOrDefault(Codes.Normalize(written), written);
}
