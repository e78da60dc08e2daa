using System.Text.Json;
using System.Text.Json.Serialization;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>Which contacts a segment has; all that is said must hold, and nothing said is everybody.</summary>
/// <param name="Q">Words in the address, the name or the organisation's name.</param>
/// <param name="Tags">Any of these tags.</param>
/// <param name="OrganizationIds">Of any of these organisations.</param>
/// <param name="Domain">With an address of this domain.</param>
/// <param name="Consent">Whether a consent is recorded.</param>
/// <param name="Fields">What holds of fields.</param>
public sealed record SegmentFilter(
    string? Q = null, IReadOnlyList<string>? Tags = null, IReadOnlyList<Guid>? OrganizationIds = null, string? Domain = null,
    bool? Consent = null, IReadOnlyList<FieldCondition>? Fields = null)
{
    /// <summary>How many conditions on fields a segment may have.</summary>
    public const int MaxConditions = 10;

    private static readonly JsonSerializerOptions Json =
        new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    internal static SegmentFilter Of(string json) => JsonSerializer.Deserialize<SegmentFilter>(json, Json)!;

    internal SegmentFilter Normalized() => new(
        Texts.Blank(Q), Tags is { Count: > 0 } ? ContactInput.TagsOf(Tags) : null, OrganizationIds is { Count: > 0 }
        ? [.. OrganizationIds.Distinct()] : null,
        Addresses.Normalize(Domain is null ? null : "@" + Domain.Trim().TrimStart('@'))?.TrimStart('@'), Consent,
        Fields is { Count: > 0 } ? Fields : null);

    /// <summary>The same with what its conditions compare in the form in which contacts have it. Refuses with VALIDATION_FAILED.</summary>
    internal async Task<SegmentFilter> Against(Session session)
    {
        if (Fields is null)
        {
            return this;
        }
        var fields = await ContactFields.All(session);
        var validation = new Validation().That("fields", Fields.Count <= MaxConditions && Fields.All(c => c is not null));
        validation.Check();
        var against = Fields.Select(c => c.Against(fields, validation)).ToList();
        validation.Check();
        return this with { Fields = against };
    }
}

/// <summary>Something that must hold of a field.</summary>
/// <param name="Key">The field's.</param>
/// <param name="Op"><c>eq</c>, <c>ne</c>, <c>lt</c>, <c>gt</c> (the last two of numbers and days), <c>has</c> or <c>lacks</c> (any value).
/// </param>
/// <param name="Value">What it is compared with; none for the last two.</param>
public sealed record FieldCondition(string? Key, string? Op, JsonElement? Value = null)
{
    /// <summary>All operators; the database has the same (<c>campaigns.field_holds</c>).</summary>
    public static readonly string[] Ops = ["eq", "ne", "lt", "gt", "has", "lacks"];

    internal FieldCondition Against(IReadOnlyList<ContactField> fields, Validation validation)
    {
        var field = fields.FirstOrDefault(f => f.Key == Key);
        validation.That("fields", field is not null, "field.value.unknown").OneOf("fields", Op, Ops)
            .That("fields", Op is not ("lt" or "gt") || field?.Kind is "number" or "date", "field.value.order");
        if (field is null || Op is "has" or "lacks")
        {
            return this with { Value = null };
        }
        var written = Value is { ValueKind: JsonValueKind.String or JsonValueKind.Number } given ? Texts.Blank(given.ToString()) : null;
        var value = written is null ? null : field.Read(written);
        validation.That("fields", value is not null, "field.value." + field.Kind);
        return this with { Value = value is null ? null : JsonSerializer.SerializeToElement(value) };
    }
}

/// <summary>A saved filter of contacts.</summary>
/// <param name="Contacts">How many contacts it finds now.</param>
public sealed record Segment(Guid Id, string Name, SegmentFilter Filter, long Contacts, int Version, DateTime UpdatedAt) : IVersioned;

/// <summary>What a person writes of a segment.</summary>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record SegmentInput(string? Name, SegmentFilter? Filter, int? Version)
{
    internal SegmentInput Normalized()
    {
        var input = this with { Name = Texts.Blank(Name), Filter = (Filter ?? new SegmentFilter()).Normalized() };
        new Validation().Required("name", input.Name, 120).Optional("q", input.Filter.Q, 100)
            .That("tags", (input.Filter.Tags?.Count ?? 0) <= ContactInput.MaxTags, "contact.tags")
            .That("organizationIds", (input.Filter.OrganizationIds?.Count ?? 0) <= 1000)
            .That("domain", input.Filter.Domain is null || Mail.IsAddress("a@" + input.Filter.Domain)).Check();
        return input;
    }
}

/// <summary>A person's segments.</summary>
public sealed class Segments(Db db)
{
    private const string Columns =
        "s.id, s.name, s.filter::text, (select count(*) from campaigns.matching(s.user_id, s.filter)) as contacts, s.version, s.updated_at";
    private const string ListSql = $"""
        select {Columns} from campaigns.segments s where s.user_id = (select auth.uid()) order by s.name collate "und-x-icu", s.id limit 200
        """;
    private const string OneSql = $"select {Columns} from campaigns.segments s where s.id = @id";
    private const string InsertSql = "insert into campaigns.segments (id, name, filter) values (@id, @Name, @filter::jsonb)";
    private const string UpdateSql = """
        update campaigns.segments set name = @Name, filter = @filter::jsonb where id = @id and version = @version
        """;

    private const string DeleteSql = $"""
        with gone as (delete from campaigns.segments s where s.id = any (@ids::uuid[]) returning 'segments' as kind, to_jsonb(s) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>Deleted segments come back: campaigns for them have somebody to write to again.</summary>
    internal const string RestoreSql = """
        with back as (
          insert into campaigns.segments (id, name, filter, version, created_at)
          select r.id, r.name, r.filter, r.version, r.created_at
          from util.deleted_rows d, jsonb_populate_record(null::campaigns.segments, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'segments'
          on conflict do nothing returning id)
        select count(*)::int from back
        """;

    private sealed record Row(Guid Id, string Name, string Filter, long Contacts, int Version, DateTime UpdatedAt)
    {
        public Segment ToView() => new(Id, Name, SegmentFilter.Of(Filter), Contacts, Version, UpdatedAt);
    }

    /// <summary>The caller's segments, at most 200.</summary>
    public Task<IReadOnlyList<Segment>> List(
        Caller caller, CancellationToken ct) => db.Read<IReadOnlyList<Segment>>(caller, async session =>
        [.. (await session.Query<Row>(ListSql)).Select(r => r.ToView())], ct);

    /// <summary>One segment. Refuses with NOT_FOUND.</summary>
    public Task<Segment> Find(Caller caller, Guid id, CancellationToken ct) => db.Read(caller, session => One(session, id), ct);

    /// <summary>Saves a filter under a name. Refuses with VALIDATION_FAILED, SEGMENT_EXISTS.</summary>
    public Task<Segment> Create(Caller caller, SegmentInput input, CancellationToken ct)
    {
        var segment = input.Normalized();
        return db.Run(caller, async session =>
        {
            var id = Guid.CreateVersion7();
            var filter = await segment.Filter!.Against(session);
            await session.Execute(InsertSql, new { id, segment.Name, filter = filter.ToJson() });
            return await One(session, id);
        }, ct);
    }

    /// <summary>Changes a segment. Refuses with VALIDATION_FAILED, SEGMENT_EXISTS, NOT_FOUND, STALE.</summary>
    public Task<Segment> Update(Caller caller, Guid id, int version, SegmentInput input, CancellationToken ct)
    {
        var segment = input.Normalized();
        return db.Run(caller, async session =>
        {
            var filter = await segment.Filter!.Against(session);
            if (await session.Execute(UpdateSql, new { id, version, segment.Name, filter = filter.ToJson() }) == 0)
            {
                var found = await session.One<Row>(OneSql, new { id });
                throw Refusal.Untouched(found.Version, version, found.Name);
            }
            return await One(session, id);
        }, ct);
    }

    /// <summary>The campaigns that wait to be sent to a segment.</summary>
    public Task<IReadOnlyList<string>> Users(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => EmailCampaigns.UsersOf(session, id), ct);

    /// <summary>
    /// Deletes a segment; its contacts stay. Refuses with NOT_FOUND, and with AUDIENCE_IN_USE unless it is to go
    /// <paramref name="anyway"/>: campaigns for it have nobody to write to then.
    /// </summary>
    public Task<Deleted> Delete(Caller caller, Guid id, bool anyway, CancellationToken ct) => db.Run(caller, async session =>
    {
        if (!anyway)
        {
            await EmailCampaigns.RefuseInUse(session, id);
        }
        return await DeletedRows.DeleteOne(session, DeleteSql, id);
    }, ct);

    private static async Task<Segment> One(Session session, Guid id) => (await session.One<Row>(OneSql, new { id })).ToView();
}
