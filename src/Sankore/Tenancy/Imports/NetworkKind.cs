using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Imports;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>
/// What files of groups, schools and staff have in common: they are imported whole or not at all, by whoever may do by hand what their
/// rows say.
/// </summary>
/// <param name="texts">The module's texts.</param>
public abstract class NetworkKind(IStringLocalizer texts) : ImportKind(texts)
{
    /// <summary>The largest file, in bytes.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    /// <summary>The column that says which group a row of many groups is of.</summary>
    protected static readonly ImportColumn Group = new("group", false, "Groupe", "Group", "gs-excellence", "Code du groupe");

    internal static readonly string[] Names = ["groups", "schools", "staff"];

    private static readonly CultureInfo[] Languages = [CultureInfo.GetCultureInfo("fr"), CultureInfo.GetCultureInfo("en")];

    private sealed record Options(Guid? Group);

    private sealed record Named(Guid Id, string Code, string Name);

    private sealed record School(Guid Id, Guid GroupId, string Code, string Name);

    /// <summary>What a block of rows is judged by.</summary>
    /// <param name="Key">What no two rows have alike.</param>
    /// <param name="KeyColumn">The column beside which that is said.</param>
    /// <param name="Check">Everything else.</param>
    protected sealed record Rules(Func<ImportRow, string> Key, string KeyColumn, Func<ImportRow, ImportRow> Check);

    public override SheetLimits Limits { get; } =
        new(MaxBytes, Rows: 10_000, Columns: 50, CellLength: 1_000, UncompressedBytes: 20L * MaxBytes);

    public override IReadOnlyList<string> Verdicts { get; } = ["invalid", "good", "imported"];

    public override bool IsAllOrNothing => true;

    /// <summary>The options of a file of one group; null: of many, whose rows name theirs.</summary>
    internal static JsonElement? Of(Guid? groupId) => groupId is null ? null : JsonSerializer.SerializeToElement(new Options(groupId));

    /// <summary>The group of a file; null: many.</summary>
    internal static Guid? GroupOf(JsonElement? options) => options?.Deserialize<Options>()?.Group;

    /// <summary>The page of what a kind imports: of a group, or the operator's.</summary>
    internal static string PageOf(string? kind, Guid? groupId) =>
        groupId is { } group ? $"/groups/{group}/{kind}" : kind == "staff" ? "/admin/people" : $"/admin/{kind}";

    public override IEnumerable<ImportColumn> ColumnsOf(JsonElement? options) => Columns.Where(c => c != Group || GroupOf(options) is null);

    /// <summary>
    /// Rows of a group are for whoever manages it; groups themselves, and rows of many, are the operator's. Refuses with NOT_FOUND,
    /// FORBIDDEN.
    /// </summary>
    protected internal override async Task MayImport(Session session, JsonElement? options)
    {
        if (GroupOf(options) is { } id)
        {
            await Groups.MayManage(session, id);
        }
        else if (!await session.Value<bool>("select rbac.has_permission((select auth.uid()), 'tenancy.manage')"))
        {
            throw new Refusal(Reason.Forbidden);
        }
    }

    protected internal override Task<JudgeRows> Judge(Session session, ImportSettings settings)
    {
        var first = new Dictionary<string, int>();
        return Task.FromResult<JudgeRows>(async block =>
        {
            var rules = await RulesOf(session, GroupOf(settings.Options), block);
            return [.. block.Select(row => Verdict(rules.Check(Twice(row, rules))))];
        });

        ImportRow Twice(ImportRow row, Rules rules) => first.TryAdd(rules.Key(row), row.Number) ? row
            : row.With(rules.KeyColumn, "import.twice", first[rules.Key(row)].ToString(CultureInfo.InvariantCulture));

        static ImportRow Verdict(ImportRow row) => row with { Verdict = row.Errors.Count == 0 ? "good" : "invalid" };
    }

    /// <summary>Reads what the rows of a block are compared with.</summary>
    protected abstract Task<Rules> RulesOf(Session session, Guid? groupId, IReadOnlyList<ImportRow> rows);

    /// <summary>The code that a row will have.</summary>
    protected static string Code(ImportRow row) => Inputs.Code(row["code"], row["name"]);

    /// <summary>Codes of the rows that others have already, whether the caller sees those or not.</summary>
    protected static async Task<HashSet<string>> Taken(Session session, string sql, IReadOnlyList<ImportRow> rows) =>
        [.. await session.AsService(s => s.Query<string>(sql, new { codes = rows.Select(Code).Distinct().ToArray() }))];

    /// <summary>Which group each row is of: the import's, or the one that it names; null where there is none such.</summary>
    protected static async Task<Func<ImportRow, Guid?>> GroupsOf(Session session, Guid? groupId)
    {
        if (groupId is not null)
        {
            return _ => groupId;
        }
        var groups = await session.Query<Named>("select id, code, name from tenancy.school_groups");
        var byWord = ByWord(groups, g => Codes.Normalize(g.Name), g => g.Code, g => g.Id);
        return row => byWord.TryGetValue(Codes.Normalize(row["group"]), out var id) ? id : null;
    }

    /// <summary>The school that each row names, by its code or its name, within its group; null where there is none such.</summary>
    protected static async Task<Func<ImportRow, Guid?>> SchoolsOf(
        Session session, Func<ImportRow, Guid?> groupOf, IEnumerable<ImportRow> rows)
    {
        var groups = rows.Select(groupOf).OfType<Guid>().Distinct().ToArray();
        var schools = await session.Query<School>(
            "select id, school_group_id as group_id, code, name from tenancy.schools where school_group_id = any (@groups)",
            new { groups });
        var byWord = ByWord(schools, s => (s.GroupId, Codes.Normalize(s.Name)), s => (s.GroupId, s.Code), s => s.Id);
        return row => groupOf(row) is { } group && byWord.TryGetValue((group, Codes.Normalize(row["school"])), out var id) ? id : null;
    }

    /// <summary>Codes by each word that people write for them, in either language.</summary>
    protected static Dictionary<string, string> ByAnyWord(string[] codes, string prefix, IStringLocalizer words)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            return codes.SelectMany(code => Languages.Select(language =>
            {
                CultureInfo.CurrentUICulture = language;
                return Codes.Normalize(words[prefix + code]);
            }).Append(Codes.Normalize(code)).Distinct().Select(word => (word, code))).DistinctBy(w => w.word).ToDictionary();
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    // A code counts before a name.
    private static Dictionary<TKey, Guid> ByWord<T, TKey>(
        IEnumerable<T> all, Func<T, TKey> name, Func<T, TKey> code, Func<T, Guid> id) where TKey : notnull =>
        all.SelectMany(x => new[] { (name(x), id(x)), (code(x), id(x)) }).Reverse().DistinctBy(x => x.Item1).ToDictionary();
}
