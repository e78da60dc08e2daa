using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Imports;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>What every contact of a file gets.</summary>
/// <param name="Tags">What it is tagged with.</param>
/// <param name="ConsentSource">Where its people agreed to be written to.</param>
public sealed record ContactOptions(IReadOnlyList<string> Tags, string? ConsentSource)
{
    /// <summary>The options of an import.</summary>
    public static ContactOptions Of(JsonElement? options) => options?.Deserialize<ContactOptions>() ?? new ContactOptions([], null);
}

/// <summary>
/// Contacts (document 001, « Import Excel »: column A the organisation, column B the address): each row with an address becomes a
/// contact, or adds to the one
/// that has it. The same file once more changes nothing.
/// </summary>
public sealed class ContactsKind(IStringLocalizer<Strings> texts) : ImportKind(texts)
{
    /// <summary>The kind's name, as those who import contacts name what is theirs.</summary>
    public static readonly string[] Names = ["contacts"];

    private const int MaxText = 200;
    private const int SavedRows = 20_000;

    private const string DuplicatesSql = """
        update util.import_rows r set verdict = 'duplicate'
        from (
          select number, row_number() over (partition by util.address_key(cells ->> 'email') order by number) as nth
          from util.import_rows where import_id = @id and verdict = 'imported') d
        where r.import_id = @id and r.number = d.number and d.nth > 1
        """;

    private const string OrganizationsSql = """
        insert into campaigns.organizations (name)
        select distinct on (campaigns.name_key(n.name)) n.name
        from (
          select cells ->> 'organization' as name, min(number) as number
          from util.import_rows where import_id = @id and verdict = 'imported' group by 1) n
        where n.name is not null order by campaigns.name_key(n.name), n.number
        on conflict on constraint organizations_user_id_name_unique do nothing
        """;

    // What the file does not say of a contact stays as it was. A row is touched only where something differs.
    private const string ContactsSql = """
        with given as materialized (
          select number, cells ->> 'email' as email, util.address_key(cells ->> 'email') as email_key,
            cells ->> 'name' as name, cells ->> 'organization' as organization
          from util.import_rows where import_id = @id and number between @first and @last and verdict = 'imported'),
        keys as materialized (
          select n.organization, campaigns.name_key(n.organization) as name_key
          from (select distinct organization from given where organization is not null) n),
        rows as materialized (
          select g.number, g.email, g.email_key, g.name, o.id as organization_id, o.name as organization_name
          from given g
          left join keys k on k.organization = g.organization
          left join campaigns.organizations o on o.user_id = auth.uid() and o.name_key = k.name_key),
        saved as (
          insert into campaigns.contacts as c (email, name, organization_id, organization_name, tags, consent_source, consent_at)
          select email, name, organization_id, organization_name, @tags::text[], @ConsentSource, case
            when @ConsentSource::text is not null then now() end
          from rows
          on conflict on constraint contacts_user_id_email_key_unique do update
          set name = coalesce(excluded.name, c.name), organization_id = coalesce(excluded.organization_id, c.organization_id),
              organization_name = coalesce(excluded.organization_name, c.organization_name),
              tags = (array(select distinct t from unnest(c.tags || excluded.tags) t order by t))[:20],
              consent_source = coalesce(c.consent_source, excluded.consent_source), consent_at = coalesce(c.consent_at, excluded.consent_at)
          where (excluded.name is not null and excluded.name is distinct from c.name)
             or (excluded.organization_id is not null and excluded.organization_id is distinct from c.organization_id)
             or not c.tags @> excluded.tags or (c.consent_source is null and excluded.consent_source is not null)
          returning c.email_key, xmax = 0 as is_new)
        update util.import_rows r set verdict = case when s.is_new is null then 'unchanged' else 'updated' end
        from rows left join saved s on s.email_key = rows.email_key
        where r.import_id = @id and r.number = rows.number and s.is_new is not true
        """;

    public override string Name => Names[0];

    public override IReadOnlyList<ImportColumn> Columns { get; } =
    [
        new("organization", false, "Organisation", "Organisation", "Lycée Savorgnan", "Organization", "Société", "Entreprise",
            "Établissement", "Company")
        {
            IsFirstLeft = true,
        },
        new("email", true, "Adresse e-mail", "E-mail address", "amina@exemple.cg", ImportColumn.EmailHeads)
        {
            Holds = cell => Mail.IsAddress(Addresses.Normalize(cell)),
        },
        new("name", false, "Nom", "Name", "Amina Nkounkou", "Nom complet", "Full name"),
    ];

    /// <summary>Files up to 50 MB; more rows than half a million are for two files.</summary>
    public override SheetLimits Limits { get; } = new(50 * 1024 * 1024, 500_000, 26, 300, 600L * 1024 * 1024);

    public override IReadOnlyList<string> Verdicts { get; } = ["imported", "updated", "unchanged", "duplicate", "invalid", "empty"];

    public override bool IsAllOrNothing => false;

    public override JsonElement? Normalized(JsonElement? options)
    {
        var given = ContactOptions.Of(options);
        var one = new ContactOptions(ContactInput.TagsOf(given.Tags), Texts.Blank(given.ConsentSource));
        var areTags = one.Tags.Count <= ContactInput.MaxTags && one.Tags.All(t => t.Length <= 40);
        new Validation().That("tags", areTags, "contact.tags").Optional("consentSource", one.ConsentSource, MaxText).Check();
        return JsonSerializer.SerializeToElement(one);
    }

    protected internal override Refusal Missing(ImportColumn column, bool isEmpty) =>
        new(isEmpty ? Reason.FileInvalid : Reason.ImportColumns);

    protected internal override Task<JudgeRows> Judge(Session session, ImportSettings settings) =>
        Task.FromResult<JudgeRows>(block => Task.FromResult<IReadOnlyList<ImportRow>>([.. block.Select(Judged)]));

    protected internal override async Task<Dictionary<string, int>> Write(
        Session session, Guid id, ImportSettings settings, Func<double, Task> tell)
    {
        var options = ContactOptions.Of(settings.Options);
        await session.Execute(DuplicatesSql, new { id });
        var organizations = await session.Execute(OrganizationsSql, new { id });
        var end = await session.Value<int?>("select max(number) from util.import_rows where import_id = @id", new { id }) ?? 0;
        for (var first = 1; first <= end; first += SavedRows)
        {
            await session.Execute(
                ContactsSql, new { id, first, last = first + SavedRows - 1, tags = options.Tags.ToArray(), options.ConsentSource });
            await tell(Math.Min(1, (double)(first + SavedRows) / end));
        }
        return new Dictionary<string, int> { ["organizations"] = organizations };
    }

    private static ImportRow Judged(ImportRow row)
    {
        var values = new Dictionary<string, string>(row.Values.Count);
        foreach (var (column, cell) in row.Values)
        {
            var line = cell.ReplaceLineEndings(" ");
            if ((column == "email" ? Addresses.Normalize(line) : Texts.Blank(line)) is { } value)
            {
                values[column] = value;
            }
        }
        List<RowError> errors = values.Count == 0 || Mail.IsAddress(values.GetValueOrDefault("email"))
            ? [] : [new RowError("email", "EMAIL_INVALID", [])];
        errors.AddRange(
            values.Where(v => v.Key != "email" && v.Value.Length > MaxText).Select(v => new RowError(v.Key, "field.too_long", ["200"])));
        return new ImportRow(row.Number, values, values.Count == 0 ? "empty" : errors.Count == 0 ? "imported" : "invalid", errors);
    }
}
