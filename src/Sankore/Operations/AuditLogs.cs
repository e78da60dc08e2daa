using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Operations;

/// <summary>An entry of the audit log (document 000, « Audit Logs »).</summary>
/// <param name="UserName">The person's name, where the reader may see it.</param>
/// <param name="Key">The key of the service that did it.</param>
/// <param name="KeyName">What the key is for, where the reader may see it.</param>
/// <param name="Act">What the entries of one transaction have in common; null: it was written before they had.</param>
public sealed record AuditEntry(
    long Id, string Table, string Action, string Record, Guid? User, string? UserName, Guid? Key, string? KeyName, string Role,
    JsonElement? Before, JsonElement? After,
    DateTime At, long? Act)
{
    /// <summary>Columns that say nothing to people: what always changes, and what the database works out.</summary>
    internal static readonly string[] Unsaid =
    [
        "id", "version", "created_at", "updated_at", "created_by", "created_by_key", "key_prefix", "email_key", "anchored_at", "sign_count",
        "transports",
    ];

    /// <summary>What stands between the values of a list.</summary>
    internal const char Between = '\u001f';

    /// <summary>The fields that changed, without those that always do.</summary>
    public IEnumerable<(string Field, string? Before, string? After)> Changes()
    {
        var before = Fields(Before);
        var after = Fields(After);
        return before.Keys.Union(after.Keys)
            .Where(k => !Unsaid.Contains(k))
            .Select(k => (k, before.GetValueOrDefault(k), after.GetValueOrDefault(k))).Where(c => c.Item2 != c.Item3);
    }

    private static Dictionary<string, string?> Fields(JsonElement? row) => row is not { ValueKind: JsonValueKind.Object } o ? []
        : o.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.True or JsonValueKind.False => p.Value.GetRawText(),
            JsonValueKind.Array => string.Join(Between, p.Value.EnumerateArray().Select(v => v.ToString())),
            _ => p.Value.ToString(),
        });
}

/// <summary>What of the log is asked for.</summary>
public sealed record AuditFilter
{
    /// <summary>With or without its schema: <c>tenancy.modules</c> or <c>modules</c>.</summary>
    public string? Table { get; init; }

    /// <summary>The row's id.</summary>
    public string? Record { get; init; }

    /// <summary>Who did it.</summary>
    public Guid? User { get; init; }

    /// <summary>By which key.</summary>
    public Guid? Key { get; init; }

    /// <summary>Not before.</summary>
    public Moment? From { get; init; }

    /// <summary>Before.</summary>
    public Moment? To { get; init; }

    /// <summary><c>INSERT</c>, <c>UPDATE</c> or <c>DELETE</c>.</summary>
    public string? Action { get; init; }

    /// <summary>The actions that the log knows.</summary>
    public static readonly string[] Actions = ["INSERT", "UPDATE", "DELETE"];
}

/// <summary>The audit log, for whoever has <c>audit.read</c> (the row policy asks it).</summary>
public sealed class AuditLogs(Db db)
{
    private const string Where = """
        from audit.audit_logs a
        where (@Table::text is null or a.table_name = @Table or split_part(a.table_name, '.', 2) = @Table)
          and (@Record::text is null or a.record_id = @Record) and (@User::uuid is null or a.user_id = @User)
          and (@Key::uuid is null or a.key_id = @Key)
          and (@Action::text is null or a.action = @Action)
          and (@from::timestamptz is null or a.created_at >= @from) and (@to::timestamptz is null or a.created_at < @to)
        """;

    private const string PageSql = $"""
        select a.id, a.table_name, a.action, a.record_id, a.user_id,
          (select p.display_name from public.profiles p where p.id = a.user_id) as user_name, a.key_id,
          (select k.name from rbac.api_keys k where k.id = a.key_id) as key_name, a.role,
               a.before::text, a.after::text, a.created_at, a.act
        {Where}
        order by a.id desc limit @Limit offset @Offset
        """;

    private sealed record Row(
        long Id, string TableName, string Action, string RecordId, Guid? UserId, string? UserName, Guid? KeyId, string? KeyName,
            string Role,
        string? Before,
        string? After, DateTime CreatedAt, long? Act)
    {
        public AuditEntry ToEntry() =>
            new(Id, TableName, Action, RecordId, UserId, UserName, KeyId, KeyName, Role, Parse(Before), Parse(After), CreatedAt, Act);

        private static JsonElement? Parse(string? json) => json is null ? null : JsonElement.Parse(json);
    }

    // Whatever rows under audit point to, by what people call it; of what is no more, by its last entry.
    private const string NamesSql = """
        with alive as (
          select id, util.said(name, name_en) as name from tenancy.modules where id = any (@ids::uuid[]) union all
          select id, util.said(name, name_en) from tenancy.business_categories where id = any (@ids::uuid[]) union all
          select id, util.said(name, name_en) from tenancy.subscription_plans where id = any (@ids::uuid[]) union all
          select id, name from tenancy.school_groups where id = any (@ids::uuid[]) union all
          select id, name from tenancy.schools where id = any (@ids::uuid[]) union all
          select id, role_name from rbac.roles where id = any (@ids::uuid[]) union all
          select id, name from rbac.api_keys where id = any (@ids::uuid[]) union all
          select id, permission_key from rbac.permissions where id = any (@ids::uuid[]) union all
          select id, display_name from public.profiles where id = any (@ids::uuid[]))
        select * from alive union all
        (select distinct on (a.record_id) a.record_id::uuid, coalesce(a.after, a.before) ->> 'name'
         from audit.audit_logs a
         where a.table_name in ('tenancy.modules', 'tenancy.business_categories', 'tenancy.subscription_plans', 'tenancy.school_groups',
            'tenancy.schools', 'rbac.api_keys')
           and a.record_id = any (@ids::text[]) and a.record_id <> all (select id::text from alive)
         order by a.record_id, a.id desc)
        """;

    private sealed record Named(Guid Id, string Name);

    /// <summary>The names of what entries point to, as far as it is there and the caller sees it.</summary>
    public Task<Dictionary<Guid, string>> Names(Caller caller, IEnumerable<AuditEntry> entries, CancellationToken ct)
    {
        var ids = entries.SelectMany(e => new[] { e.Before, e.After }).OfType<JsonElement>()
            .SelectMany(row => row.ValueKind == JsonValueKind.Object ? row.EnumerateObject().Select(v => v.Value) : [])
            .Where(v => v.ValueKind == JsonValueKind.String).Select(v => Parse.Id(v.GetString())).OfType<Guid>().Distinct().ToArray();
        return db.Read(caller, async session => (await session.Query<Named>(NamesSql, new { ids })).DistinctBy(n => n.Id)
            .ToDictionary(n => n.Id, n => n.Name), ct);
    }

    /// <summary>Entries, newest first, a page at a time.</summary>
    public Task<Paged<AuditEntry>> List(
        Caller caller, ListQuery query, AuditFilter filter, CancellationToken ct) => db.Read(caller, async session =>
        (await session.Page<Row>(query, $"select count(*) {Where};" + PageSql, new
        {
            filter.Table,
            filter.Record,
            filter.User,
            filter.Key,
            filter.Action,
            from = filter.From?.Utc,
            to = filter.To?.Utc,
            query.Limit,
            query.Offset,
        })).Select(r => r.ToEntry()), ct);
}
