using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>An organisation that contacts belong to (document 001, « organizations »): not a tenant of the platform.</summary>
/// <param name="Contacts">How many contacts it has.</param>
public sealed record Organization(Guid Id, string Name, long Contacts, int Version, DateTime CreatedAt, DateTime UpdatedAt) : IVersioned;

/// <summary>What a person writes of an organisation.</summary>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record OrganizationInput(string? Name, int? Version);

/// <summary>A person's organisations.</summary>
public sealed class Organizations(Db db)
{
    private const string Columns = """
        o.id, o.name,
        (select count(*) from campaigns.contacts c where c.user_id = o.user_id and c.organization_id = o.id) as contacts,
        o.version, o.created_at, o.updated_at
        """;

    private const string Found =
        "from campaigns.organizations o where o.user_id = (select auth.uid()) and util.finds(@Pattern::text, o.name)";
    private const string ListSql = $"select {Columns} {Found}";
    private const string CountSql = $"select count(*) {Found}";

    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("name", "o.name collate \"und-x-icu\""), ("contacts", "contacts"), ("createdAt", "o.created_at"));

    private const string ChoicesSql = """
        select o.id, o.name as text, (
          select count(*)::text from campaigns.contacts c where c.user_id = o.user_id and c.organization_id = o.id) as note
        from (
          (select * from campaigns.organizations where user_id = (select auth.uid()) and id = any (@chosen::uuid[])
           order by name collate "und-x-icu", id limit 1000)
          union all
          (select * from campaigns.organizations
           where user_id = (select auth.uid()) and not id = any (@chosen::uuid[]) and util.finds(@Pattern::text, name)
           order by name collate "und-x-icu", id limit 50)) o
        """;

    private const string OneSql = $"select {Columns} from campaigns.organizations o where o.id = @id";
    private const string UpdateSql = "update campaigns.organizations set name = @name where id = @id and version = @version";

    // What names those that go names the one that stays from then on. A scheduled campaign is taken back for that: its audience is settled.
    private const string MergeSql = """
        select from campaigns.organizations where id = any (@ids::uuid[] || @id) order by id for update;
        update campaigns.contacts c set organization_id = o.id, organization_name = o.name from campaigns.organizations o
        where o.id = @id and c.organization_id = any (@ids::uuid[]);
        update campaigns.segments set filter = campaigns.with_organization(filter, @ids::text[], @id::text)
        where user_id = (select auth.uid()) and filter -> 'organizationIds' ?| @ids::text[];
        update campaigns.email_campaigns set audience = campaigns.with_organization(audience, @ids::text[], @id::text)
        where user_id = (select auth.uid()) and status = 'draft' and audience -> 'organizationIds' ?| @ids::text[];
        update campaigns.email_campaigns set status = 'scheduled' where id = any (@scheduled::uuid[]);
        delete from campaigns.organizations where id = any (@ids::uuid[])
        """;

    private const string TakeBackSql = """
        update campaigns.email_campaigns set status = 'draft'
        where user_id = (select auth.uid()) and status = 'scheduled' and audience -> 'organizationIds' ?| @ids::text[] returning id
        """;

    // Its contacts, which stay, are kept with it: they are its own again when it comes back.
    private const string DeleteSql = $"""
        with gone as (
          delete from campaigns.organizations o where o.id = any (@ids::uuid[])
          returning 'organizations' as kind, to_jsonb(o) || jsonb_build_object('contacts', array(
            select k.id from campaigns.contacts k where k.user_id = o.user_id and k.organization_id = o.id)) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>Deleted organisations come back, and those of their contacts that have joined no other.</summary>
    internal const string RestoreSql = """
        with kept as (
          select r.*, d.content from util.deleted_rows d, jsonb_populate_record(null::campaigns.organizations, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'organizations'),
        back as (
          insert into campaigns.organizations (id, name, version, created_at) select id, name, version, created_at from kept
          on conflict do nothing returning id)
        select count(*)::int from back;
        update campaigns.contacts c set organization_id = o.id, organization_name = o.name
        from util.deleted_rows d, jsonb_array_elements_text(d.content -> 'contacts') k, campaigns.organizations o
        where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'organizations'
          and c.user_id = d.user_id and c.id = k::uuid and c.organization_id is null
          and o.user_id = d.user_id and o.id = (d.content ->> 'id')::uuid
        """;

    /// <summary>Organisations to choose from: those chosen already, then those whom the words find, at most fifty.</summary>
    public Task<IReadOnlyList<Choice>> Choices(Caller caller, IReadOnlyList<Guid> chosen, string? q, CancellationToken ct) => db.Read(
        caller, session => session.Query<Choice>(ChoicesSql, new { chosen = chosen.ToArray(), new ListQuery { Q = q }.Pattern }), ct);

    /// <summary>The caller's organisations, a page at a time.</summary>
    public Task<Paged<Organization>> List(Caller caller, ListQuery query, CancellationToken ct) =>
        db.Read(caller, session => session.Page<Organization>(query, Pages, new { query.Pattern, query.Limit, query.Offset }), ct);

    /// <summary>One organisation. Refuses with NOT_FOUND.</summary>
    public Task<Organization> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<Organization>(OneSql, new { id }), ct);

    /// <summary>Adds an organisation. Refuses with VALIDATION_FAILED, ORGANIZATION_EXISTS.</summary>
    public Task<Organization> Create(Caller caller, OrganizationInput input, CancellationToken ct)
    {
        var name = Name(input);
        return db.Run(caller, async session =>
        {
            var id = Guid.CreateVersion7();
            await session.Execute("insert into campaigns.organizations (id, name) values (@id, @name)", new { id, name });
            return await session.One<Organization>(OneSql, new { id });
        }, ct);
    }

    /// <summary>
    /// Renames an organisation, for its contacts too. Refuses with VALIDATION_FAILED, ORGANIZATION_EXISTS, NOT_FOUND, STALE.
    /// </summary>
    public Task<Organization> Update(Caller caller, Guid id, int version, OrganizationInput input, CancellationToken ct)
    {
        var name = Name(input);
        return db.Run(caller, async session =>
        {
            if (await session.Execute(UpdateSql, new { id, version, name }) == 0)
            {
                var found = await session.One<Organization>(OneSql, new { id });
                throw Refusal.Untouched(found.Version, version, found.Name);
            }
            return await session.One<Organization>(OneSql, new { id });
        }, ct);
    }

    /// <summary>The campaigns that wait to be sent to an organisation.</summary>
    public Task<IReadOnlyList<string>> Users(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => EmailCampaigns.UsersOf(session, id), ct);

    /// <summary>
    /// Deletes an organisation; its contacts stay, without one. Refuses with NOT_FOUND, and with AUDIENCE_IN_USE unless it is to go
    /// <paramref name="anyway"/>.
    /// </summary>
    public Task<Deleted> Delete(Caller caller, Guid id, bool anyway, CancellationToken ct) => db.Run(caller, async session =>
    {
        if (!anyway)
        {
            await EmailCampaigns.RefuseInUse(session, id);
        }
        return await DeletedRows.DeleteOne(session, DeleteSql, id);
    }, ct);

    /// <summary>
    /// Deletes organisations; their contacts stay, without one. Those that are not the caller's are left alone. They can be brought back.
    /// </summary>
    public Task<Deleted> Delete(Caller caller, IReadOnlyList<Guid> ids, CancellationToken ct) =>
        db.Run(caller, session => DeletedRows.Delete(session, DeleteSql, [.. ids]), ct);

    /// <summary>
    /// Merges organisations into one, which keeps its name, takes their contacts and stands for them in segments and campaigns. Refuses
    /// with NOT_FOUND.
    /// </summary>
    public Task<Organization> Merge(
        Caller caller, Guid id, IReadOnlyList<Guid> ids, CancellationToken ct) => db.Run(caller, async session =>
    {
        await session.One<Organization>(OneSql, new { id });
        var merged = ids.Where(other => other != id).ToArray();
        var scheduled = await session.Query<Guid>(TakeBackSql, new { ids = merged });
        await session.Execute(MergeSql, new { id, ids = merged, scheduled = scheduled.ToArray() });
        return await session.One<Organization>(OneSql, new { id });
    }, ct);

    private static string Name(OrganizationInput input)
    {
        var name = Texts.Blank(input.Name);
        new Validation().Required("name", name, 200).Check();
        return name!;
    }
}
