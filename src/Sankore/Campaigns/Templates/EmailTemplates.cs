using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>A person's e-mail templates: nobody else sees them.</summary>
public sealed class EmailTemplates(Db db, IStringLocalizer<Strings> words)
{
    private const string Found =
        "from campaigns.email_templates t where t.user_id = (select auth.uid()) and util.finds(@Pattern::text, t.name, t.subject)";
    private const string ListSql = $"select t.id, t.name, t.subject, t.version, t.created_at, t.updated_at {Found}";
    private const string CountSql = $"select count(*) {Found}";

    private static readonly PagedSql Pages = new(CountSql, ListSql,
        ("name", "t.name collate \"und-x-icu\""), ("subject", "t.subject collate \"und-x-icu\""),
        ("createdAt", "t.created_at"), ("updatedAt", "t.updated_at"));

    private const string OneSql = """
        select id, name, subject, content, version, created_at, updated_at, design::text from campaigns.email_templates where id = @id
        """;
    private const string InsertSql = """
        insert into campaigns.email_templates (id, name, subject, content, design) values (@id, @Name, @Subject, @Content, @design::jsonb)
        """;
    private const string UpdateSql = """
        update campaigns.email_templates set name = @Name, subject = @Subject, content = @Content, design = @design::jsonb
        where id = @id and version = @version
        """;

    private sealed record Row(
        Guid Id, string Name, string Subject, string Content, int Version, DateTime CreatedAt, DateTime UpdatedAt, string? Design)
    {
        public EmailTemplate ToView() => new(Id, Name, Subject, Content, Version, CreatedAt, UpdatedAt, MessageDesign.Of(Design));
    }

    private const string DeleteSql = $"""
        with gone as (
          delete from campaigns.email_templates t where t.id = any (@ids::uuid[]) returning 'templates' as kind, to_jsonb(t) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>Deleted templates come back.</summary>
    internal const string RestoreSql = """
        with back as (
          insert into campaigns.email_templates (id, name, subject, content, version, created_at, design)
          select r.id, r.name, r.subject, r.content, r.version, r.created_at, r.design
          from util.deleted_rows d, jsonb_populate_record(null::campaigns.email_templates, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'templates'
          on conflict do nothing returning id)
        select count(*)::int from back
        """;

    /// <summary>The caller's templates, a page at a time, the last changed first.</summary>
    public Task<Paged<TemplateLine>> List(Caller caller, ListQuery query, CancellationToken ct) => db.Read(caller, session =>
    {
        var sorted = string.IsNullOrEmpty(query.Sort) ? query with { Sort = "-updatedAt" } : query;
        return session.Page<TemplateLine>(sorted, Pages, new { query.Pattern, query.Limit, query.Offset });
    }, ct);

    /// <summary>One template. Refuses with NOT_FOUND.</summary>
    public Task<EmailTemplate> Find(Caller caller, Guid id, CancellationToken ct) =>
        db.Read(caller, session => One(session, id), ct);

    /// <summary>Adds a template. Refuses with VALIDATION_FAILED.</summary>
    public Task<EmailTemplate> Create(Caller caller, TemplateInput input, CancellationToken ct)
    {
        var template = input.Normalized();
        return db.Run(caller, session => Insert(session, template), ct);
    }

    /// <summary>Saves a template. Refuses with VALIDATION_FAILED, NOT_FOUND, STALE.</summary>
    public Task<EmailTemplate> Update(Caller caller, Guid id, int version, TemplateInput input, CancellationToken ct)
    {
        var template = input.Normalized();
        return db.Run(caller, async session =>
        {
            if (await session.Execute(UpdateSql, Values(id, version, await Written(session, template))) == 0)
            {
                var found = await One(session, id);
                throw Refusal.Untouched(found.Version, version, found.Name);
            }
            return await One(session, id);
        }, ct);
    }

    /// <summary>Adds a copy of a template, which says in its name that it is one. Refuses with NOT_FOUND.</summary>
    public Task<EmailTemplate> Duplicate(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        var found = await One(session, id);
        var mark = words["templates.copy"].Value;
        var name = Texts.Cut(found.Name, TemplateInput.MaxName - mark.Length) + mark;
        return await Insert(session, new TemplateInput(name, found.Subject, found.Content, null, found.Design));
    }, ct);

    /// <summary>Deletes a template; campaigns made from it keep what they say. Refuses with NOT_FOUND.</summary>
    public Task<Deleted> Delete(Caller caller, Guid id, CancellationToken ct) =>
        db.Run(caller, session => DeletedRows.DeleteOne(session, DeleteSql, id), ct);

    private async Task<EmailTemplate> Insert(Session session, TemplateInput template)
    {
        var id = Guid.CreateVersion7();
        await session.Execute(InsertSql, Values(id, 0, await Written(session, template)));
        return await One(session, id);
    }

    /// <summary>What a design becomes, and whether that can be sent. Refuses with VALIDATION_FAILED.</summary>
    private async Task<TemplateInput> Written(Session session, TemplateInput template)
    {
        if (template.Design is not { } design)
        {
            return template;
        }
        var content = await DesignMail.Of(session, design, template.Subject, words);
        new Validation().Message(template.Subject, content).Check();
        return template with { Content = content };
    }

    private static async Task<EmailTemplate> One(Session session, Guid id) => (await session.One<Row>(OneSql, new { id })).ToView();

    private static object Values(Guid id, int version, TemplateInput t) =>
        new { id, version, t.Name, t.Subject, t.Content, design = t.Design?.ToJson() };
}
