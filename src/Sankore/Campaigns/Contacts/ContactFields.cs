using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>A person's own fields of contacts: nobody else sees them.</summary>
public sealed class ContactFields(Db db)
{
    // Counted only where it is shown: a field of a hundred thousand contacts is not counted for each of their pages.
    private const string Uncounted = "0::bigint";
    private const string Counts = "(select count(*) from campaigns.contacts c where c.user_id = f.user_id and c.fields ? f.key)";

    private const string Fields = "select f.id, f.key, f.label, f.kind, f.choices";
    private const string From = "as contacts, f.version from campaigns.contact_fields f";
    private const string Own = "where f.user_id = (select auth.uid()) order by f.label collate \"und-x-icu\", f.id";

    private const string AllSql = $"{Fields}, {Uncounted} {From} {Own}";
    private const string CountedSql = $"{Fields}, {Counts} {From} {Own}";
    private const string OneSql = $"{Fields}, {Uncounted} {From} where f.id = @id";

    private const string InsertSql = """
        insert into campaigns.contact_fields (id, key, label, kind, choices)
        select @id, @key, @Label, @Kind, @choices::text[]
        where (select count(*) from campaigns.contact_fields f where f.user_id = (select auth.uid())) < @most
        """;

    private const string UpdateSql = """
        update campaigns.contact_fields set label = @Label, choices = @choices::text[] where id = @id and version = @version
        """;

    private const string DeleteSql = $"""
        with gone as (
          delete from campaigns.contact_fields f where f.id = any (@ids::uuid[]) returning 'contact_fields' as kind, to_jsonb(f) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>Deleted fields come back; their values were there all the time.</summary>
    internal const string RestoreSql = """
        with back as (
          insert into campaigns.contact_fields (id, key, label, kind, choices, version, created_at)
          select r.id, r.key, r.label, r.kind, r.choices, r.version, r.created_at
          from util.deleted_rows d, jsonb_populate_record(null::campaigns.contact_fields, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'contact_fields'
          on conflict do nothing returning id)
        select count(*)::int from back
        """;

    /// <summary>The caller's fields, by label; how many contacts have each is not counted.</summary>
    public Task<IReadOnlyList<ContactField>> All(Caller caller, CancellationToken ct) => db.Read(caller, All, ct);

    /// <summary>The same, each with how many contacts have it.</summary>
    public Task<IReadOnlyList<ContactField>> Counted(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<ContactField>(CountedSql), ct);

    /// <summary>Makes a field. Refuses with VALIDATION_FAILED, FIELD_EXISTS, FIELDS_FULL.</summary>
    public Task<ContactField> Create(Caller caller, ContactFieldInput input, CancellationToken ct)
    {
        var (field, id) = (input.Normalized(), Guid.CreateVersion7());
        return db.Run(caller, async session =>
        {
            var key = ContactFieldInput.KeyOf(field.Label!);
            var args = new { id, key, field.Label, field.Kind, choices = field.Choices!.ToArray(), most = ContactFieldInput.MaxFields };
            return await session.Execute(InsertSql, args) == 0 ? throw new Refusal(Reason.FieldsFull)
                : await session.One<ContactField>(OneSql, new { id });
        }, ct);
    }

    /// <summary>Changes a field's label and choices. Refuses with VALIDATION_FAILED, NOT_FOUND, STALE.</summary>
    public Task<ContactField> Update(Caller caller, Guid id, int version, ContactFieldInput input, CancellationToken ct) =>
        db.Run(caller, async session =>
        {
            var found = await session.One<ContactField>(OneSql, new { id });
            var field = (input with { Kind = found.Kind }).Normalized();
            return await session.Execute(UpdateSql, new { id, version, field.Label, choices = field.Choices!.ToArray() }) == 0
                ? throw Refusal.Untouched(found.Version, version, found.Label)
                : await session.One<ContactField>(OneSql, new { id });
        }, ct);

    /// <summary>
    /// Deletes a field; contacts keep their values, and have them again with a field of the same name. Refuses with NOT_FOUND.
    /// </summary>
    public Task<Deleted> Delete(Caller caller, Guid id, CancellationToken ct) =>
        db.Run(caller, session => DeletedRows.DeleteOne(session, DeleteSql, id), ct);

    /// <summary>The fields that a message names and the caller does not have.</summary>
    public Task<IReadOnlyList<string>> Unknown(Caller caller, string subject, string content, CancellationToken ct) =>
        db.Read(caller, session => Unknown(session, subject, content), ct);

    /// <summary>The same, within what is being done.</summary>
    internal static async Task<IReadOnlyList<string>> Unknown(Session session, string subject, string content)
    {
        var named = MergeText.OwnFields(subject, content);
        return named.Count == 0 ? [] : [.. named.Except((await All(session)).Select(f => f.Key)).Order(StringComparer.Ordinal)];
    }

    /// <summary>The caller's fields, within what is being done.</summary>
    internal static Task<IReadOnlyList<ContactField>> All(Session session) => session.Query<ContactField>(AllSql);
}
