using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>A tag, and how many contacts have it.</summary>
public sealed record TagCount(string Tag, long Contacts);

/// <summary>One of many to choose: a contact or an organisation.</summary>
/// <param name="Note">What tells it from others.</param>
public sealed record Choice(Guid Id, string Text, string? Note);

/// <summary>A person's contacts: nobody else sees them.</summary>
public sealed class Contacts(Db db)
{
    private const int BlockRows = 5_000;

    private const string Columns = """
        c.id, c.email, c.name, c.organization_id, c.organization_name, c.tags, c.consent_source, c.consent_at,
        (select s.reason from campaigns.suppressions s where s.user_id = c.user_id and s.email_key = c.email_key) as suppression,
        c.version, c.created_at, c.updated_at, c.phone, c.fields::text as fields
        """;

    private const string Found = """
        from campaigns.matching(auth.uid(), @filter::jsonb) c
        where (@Suppressed::boolean is null
            or @Suppressed = exists (select 1 from campaigns.suppressions s where s.user_id = c.user_id and s.email_key = c.email_key))
        """;

    // A segment's filter and the list's own: both must hold.
    private const string FilterSql = "select coalesce((select filter from campaigns.segments where id = @SegmentId), '{}')::text";
    private const string ListSql = $"select {Columns} {Found}";
    private const string BlockSql = $"{ListSql} and c.id > @after order by c.id limit @limit";
    private const string CountSql = $"select count(*) {Found}";

    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("email", "c.email_key"), ("name", "c.name collate \"und-x-icu\""),
        ("organization", "c.organization_name collate \"und-x-icu\""), ("createdAt", "c.created_at"));

    private const string OneSql = $"select {Columns} from campaigns.contacts c where c.id = @id";
    private const string TagCountsSql = """
        select tag, count(*) as contacts from campaigns.contacts, unnest(tags) tag
        where user_id = (select auth.uid()) group by tag order by tag limit 200
        """;

    private const string ChoiceSql = """
        select c.id, coalesce(c.name, c.email) as text,
          concat_ws(' · ', case when c.name is not null then c.email end, c.organization_name) as note
        from campaigns.contacts c where c.user_id = (select auth.uid())
        """;

    private const string ChoicesSql = $"""
        ({ChoiceSql} and c.id = any (@chosen::uuid[]) order by 2, c.id limit 1000)
        union all
        ({ChoiceSql} and not c.id = any (@chosen::uuid[]) and util.finds(@Pattern::text, c.name, c.email, c.organization_name)
         order by 2, c.id limit 50)
        """;

    private const string InsertSql = """
        insert into campaigns.contacts (id, email, name, organization_name, tags, consent_source, consent_at, phone, fields)
        values (@id, @Email, @Name, @Organization, @tags::text[], @ConsentSource, @consentAt, @Phone, coalesce(@fields::jsonb, '{}'))
        """;

    private const string UpdateSql = """
        update campaigns.contacts
        set email = @Email, name = @Name, organization_name = @Organization, organization_id = case
          when @Organization::text is null then null else organization_id end,
            tags = @tags::text[], consent_source = @ConsentSource, consent_at = @consentAt, phone = @Phone,
            -- What fields that are gone left behind stays.
            fields = coalesce((fields - @known::text[]) || @fields::jsonb, fields)
        where id = @id and version = @version
        """;

    private const string DeleteSql = $"""
        with gone as (delete from campaigns.contacts k where k.id = any (@ids::uuid[]) returning 'contacts' as kind, to_jsonb(k) as content)
        {DeletedRows.KeepSql}
        """;
    private const string DeleteFoundSql = $"""
        with found as (select c.id {Found}),
        gone as (
          delete from campaigns.contacts k using found where k.id = found.id returning 'contacts' as kind, to_jsonb(k) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>
    /// Deleted contacts come back as they were, with what was written to them; a message that waited does not wait again.
    /// </summary>
    internal const string RestoreSql = """
        with kept as (
          select r.* from util.deleted_rows d, jsonb_populate_record(null::campaigns.contacts, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'contacts'),
        back as (
          insert into campaigns.contacts (id, email, name, organization_id, organization_name, tags, consent_source, consent_at, version,
              created_at, phone, fields)
          select k.id, k.email, k.name, o.id, k.organization_name, k.tags, k.consent_source, k.consent_at, k.version, k.created_at,
            k.phone, coalesce(k.fields, '{}')
          from kept k left join campaigns.organizations o on o.user_id = (select auth.uid()) and o.id = k.organization_id
          on conflict do nothing returning id),
        written as (
          update campaigns.emails_sent e set contact_id = k.id from kept k
          where e.user_id = (select auth.uid()) and e.contact_id is null and e.email_key = k.email_key and k.id in (select id from back))
        select count(*)::int from back
        """;

    // What was written to those that go counts for the one that stays; it keeps what it has, and takes what it lacks, that one of them left
    // among it. What still waits for them waits for it, once.
    private const string MergeSql = """
        select from campaigns.contacts where id = any (@ids::uuid[] || @id) order by id for update;
        update campaigns.emails_sent e set contact_id = @id where e.contact_id = any (@ids::uuid[]);
        select campaigns.readdress(array(select e.id from campaigns.emails_sent e where e.contact_id = @id and e.status = 'pending'));
        select campaigns.follow_merge(@id, @ids::uuid[]);
        select campaigns.keep_left(@id, array(select email from campaigns.contacts where id = any (@ids::uuid[])));
        with gone as (delete from campaigns.contacts where id = any (@ids::uuid[]) returning *)
        update campaigns.contacts c
        set name = coalesce(c.name, g.name), phone = coalesce(c.phone, g.phone), fields = g.fields || c.fields,
          organization_id = coalesce(c.organization_id, g.organization_id),
          organization_name = coalesce(c.organization_name, g.organization_name),
            tags = (array(select distinct t from unnest(c.tags || g.tags) t order by t))[:20],
              consent_source = coalesce(c.consent_source, g.consent_source), consent_at = coalesce(c.consent_at, g.consent_at)
        from (select (array_agg(name order by created_at) filter (where name is not null))[1] as name,
                     (array_agg(organization_id order by created_at) filter (where organization_id is not null))[1] as organization_id,
                     (array_agg(organization_name order by created_at) filter (where organization_id is not null))[1] as organization_name,
                     (array_agg(consent_source order by consent_at) filter (where consent_at is not null))[1] as consent_source,
                       min(consent_at) as consent_at,
                     (array_agg(phone order by created_at) filter (where phone is not null))[1] as phone,
                     coalesce((
                       select jsonb_object_agg(f.key, f.value order by g3.created_at desc) from gone g3, jsonb_each(g3.fields) f), '{}')
                       as fields,
                     array(select t from gone g2, unnest(g2.tags) t) as tags
              from gone) g
        where c.id = @id
        """;

    /// <summary>The caller's contacts, a page at a time.</summary>
    public Task<Paged<Contact>> List(
        Caller caller, ListQuery query, ContactFilter filter, CancellationToken ct) => db.Read(caller, async session =>
    {
        var found = await FilterOf(session, query.Q, filter);
        return await session.Page<Contact>(query, Pages, new { filter = found, filter.Suppressed, query.Limit, query.Offset });
    }, ct);

    /// <summary>All contacts that a list would show, by their ids, read as they are written.</summary>
    public async IAsyncEnumerable<Contact> All(
        Caller caller, string? q, ContactFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var after = Guid.Empty;
        for (
            IReadOnlyList<Contact>? block = null; block is null || block.Count == BlockRows;
            after = block is [.., var last] ? last.Id : after)
        {
            block = await db.Read(caller, async session =>
            {
                var found = await FilterOf(session, q, filter);
                return await session.Query<Contact>(BlockSql, new { filter = found, filter.Suppressed, after, limit = BlockRows });
            }, ct);
            foreach (var contact in block)
            {
                yield return contact;
            }
        }
    }

    /// <summary>One contact. Refuses with NOT_FOUND.</summary>
    public Task<Contact> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<Contact>(OneSql, new { id }), ct);

    /// <summary>The tags that the caller's contacts have, at most 200.</summary>
    public async Task<IReadOnlyList<string>> Tags(Caller caller, CancellationToken ct) =>
        [.. (await TagCounts(caller, ct)).Select(t => t.Tag)];

    /// <summary>The tags that the caller's contacts have, each with how many have it, at most 200.</summary>
    public Task<IReadOnlyList<TagCount>> TagCounts(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<TagCount>(TagCountsSql), ct);

    /// <summary>People to choose from: those chosen already, then those whom the words find, at most fifty.</summary>
    public Task<IReadOnlyList<Choice>> Choices(Caller caller, IReadOnlyList<Guid> chosen, string? q, CancellationToken ct) => db.Read(
        caller, session => session.Query<Choice>(ChoicesSql, new { chosen = chosen.ToArray(), new ListQuery { Q = q }.Pattern }), ct);

    /// <summary>Adds a contact, and its organisation if there is none such. Refuses with VALIDATION_FAILED, CONTACT_EXISTS.</summary>
    public Task<Contact> Create(Caller caller, ContactInput input, CancellationToken ct)
    {
        var contact = input.Normalized();
        return db.Run(caller, async session =>
        {
            var id = Guid.CreateVersion7();
            await session.Execute(InsertSql, await Values(session, id, 0, contact));
            return await session.One<Contact>(OneSql, new { id });
        }, ct);
    }

    /// <summary>Saves a contact. Refuses with VALIDATION_FAILED, CONTACT_EXISTS, NOT_FOUND, STALE.</summary>
    public Task<Contact> Update(Caller caller, Guid id, int version, ContactInput input, CancellationToken ct)
    {
        var contact = input.Normalized();
        return db.Run(caller, async session =>
        {
            if (await session.Execute(UpdateSql, await Values(session, id, version, contact)) == 0)
            {
                var found = await session.One<Contact>(OneSql, new { id });
                throw Refusal.Untouched(found.Version, version, found.Email);
            }
            return await session.One<Contact>(OneSql, new { id });
        }, ct);
    }

    /// <summary>
    /// Deletes contacts; what was written to them stays. Those that are not the caller's are left alone. They can be brought back.
    /// </summary>
    public Task<Deleted> Delete(Caller caller, IReadOnlyList<Guid> ids, CancellationToken ct) =>
        db.Run(caller, session => DeletedRows.Delete(session, DeleteSql, [.. ids]), ct);

    /// <summary>Deletes all contacts that a list shows on its pages. They can be brought back.</summary>
    public Task<Deleted> Delete(Caller caller, string? q, ContactFilter filter, CancellationToken ct)
    {
        var act = Guid.CreateVersion7();
        return db.Run(caller, async session =>
        {
            var found = await FilterOf(session, q, filter);
            return new Deleted(act, await session.Execute(DeleteFoundSql, new { act, filter = found, filter.Suppressed }));
        }, ct);
    }

    /// <summary>Merges contacts into one, which keeps its address. Refuses with NOT_FOUND.</summary>
    public Task<Contact> Merge(Caller caller, Guid id, IReadOnlyList<Guid> ids, CancellationToken ct) => db.Run(caller, async session =>
    {
        await session.One<Contact>(OneSql, new { id });
        await session.Execute(MergeSql, new { id, ids = ids.Where(other => other != id).ToArray() });
        return await session.One<Contact>(OneSql, new { id });
    }, ct);

    private static async Task<string> FilterOf(Session session, string? q, ContactFilter filter)
    {
        var found = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(
            filter.SegmentId is null ? "{}" : await session.Value<string>(FilterSql, new { filter.SegmentId }))!;
        if (Texts.Blank(q) is { } words)
        {
            found["q"] = JsonSerializer.SerializeToElement(words.Replace("\0", "", StringComparison.Ordinal));
        }
        if (Texts.Blank(filter.Tag) is { } tag)
        {
            found["tags"] = JsonSerializer.SerializeToElement(new[] { tag.ToLowerInvariant().Replace("\0", "", StringComparison.Ordinal) });
        }
        if (filter.OrganizationId is { } organization)
        {
            found["organizationIds"] = JsonSerializer.SerializeToElement(new[] { organization });
        }
        return JsonSerializer.Serialize(found);
    }

    private static async Task<object> Values(Session session, Guid id, int version, ContactInput c)
    {
        string? fields = null;
        string[] known = [];
        if (c.Fields is { } written)
        {
            var all = await ContactFields.All(session);
            var validation = new Validation();
            var before = version == 0 ? default : (await session.One<Contact>(OneSql, new { id })).Fields;
            var values = FieldValues.Read(all, FieldValues.Of(written), before, validation);
            validation.Check();
            (fields, known) = (values.ToJsonString(), [.. all.Select(f => f.Key)]);
        }
        var (tags, consentAt) = (c.Tags!.ToArray(), Days.Start(c.ConsentOn)?.Utc);
        return new { id, version, c.Email, c.Name, c.Phone, c.Organization, tags, c.ConsentSource, consentAt, fields, known };
    }
}
