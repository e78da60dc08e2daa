using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Imports;
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
    private const int MaxPhone = 40;
    private const int SavedRows = 20_000;

    // Each address once in the file: who comes first has it, and a row that has none left is one too many.
    private const string DuplicatesSql = """
        with given as materialized (
          select r.number, a.email, a.nth, util.address_key(split_part(a.email, e'\t', 1)) as email_key
          from util.import_rows r
          cross join lateral (
            select r.cells ->> 'email' as email, 0 as nth union all
            select o, n::int from string_to_table(r.cells ->> 'others', e'\n') with ordinality x (o, n)) a
          where r.import_id = @id and r.verdict = 'imported'),
        twice as (select email_key from given group by email_key having count(*) > 1),
        placed as (
          select *, row_number() over (partition by email_key order by number, nth) = 1 as is_first from given
          where number in (select number from given where email_key in (select email_key from twice))),
        rows as (
          select number, array_agg(email order by nth) filter (where is_first) as emails from placed group by number
          having bool_or(not is_first))
        update util.import_rows r
        set verdict = case when rows.emails is null then 'duplicate' else r.verdict end,
          cells = case when rows.emails is null then r.cells
            else case when strpos(rows.emails[1], e'\t') = 0 then r.cells
                else r.cells - 'name' || jsonb_strip_nulls(jsonb_build_object('name', nullif(split_part(rows.emails[1], e'\t', 2), ''))) end
              || jsonb_build_object('email', split_part(rows.emails[1], e'\t', 1),
              'others', array_to_string(rows.emails[2:], e'\n')) end
        from rows where r.import_id = @id and r.number = rows.number
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
          select r.number, split_part(a.email, e'\t', 1) as email, util.address_key(split_part(a.email, e'\t', 1)) as email_key,
            case when a.is_first then r.cells ->> 'name' else nullif(split_part(a.email, e'\t', 2), '') end as name,
            r.cells ->> 'organization' as organization, case when a.is_first then r.cells ->> 'phone' end as phone,
            coalesce((r.cells ->> 'fields')::jsonb, '{}') as fields,
            r.cells ->> 'consentSource' as consent_source, (r.cells ->> 'consentAt')::timestamptz as consent_at,
            case when r.cells -> 'tags' is null then @tags::text[] else
              array(select distinct t from unnest(@tags::text[]
                || array(select lower(btrim(w)) from regexp_split_to_table(r.cells ->> 'tags', '[,;]') w)) t where t <> '' order by t)
            end as tags
          from util.import_rows r
          cross join lateral (
            select r.cells ->> 'email' as email, true as is_first union all
            select o, false from string_to_table(nullif(r.cells ->> 'others', ''), e'\n') o) a
          where r.import_id = @id and r.number between @first and @last and r.verdict = 'imported'),
        keys as materialized (
          select n.organization, campaigns.name_key(n.organization) as name_key
          from (select distinct organization from given where organization is not null) n),
        rows as materialized (
          select g.number, g.email, g.email_key, g.name, g.phone, g.fields, g.tags[:20] as tags,
            coalesce(g.consent_source, @ConsentSource) as consent_source,
            coalesce(g.consent_at, case when coalesce(g.consent_source, @ConsentSource) is not null then now() end) as consent_at,
            o.id as organization_id, o.name as organization_name
          from given g
          left join keys k on k.organization = g.organization
          left join campaigns.organizations o on o.user_id = auth.uid() and o.name_key = k.name_key),
        saved as (
          insert into campaigns.contacts as c (email, name, organization_id, organization_name, tags, consent_source, consent_at, phone,
            fields)
          select email, name, organization_id, organization_name, tags, consent_source, consent_at, phone, fields from rows
          on conflict on constraint contacts_user_id_email_key_unique do update
          set name = coalesce(excluded.name, c.name), phone = coalesce(excluded.phone, c.phone), fields = c.fields || excluded.fields,
              organization_id = coalesce(excluded.organization_id, c.organization_id),
              organization_name = coalesce(excluded.organization_name, c.organization_name),
              tags = (array(select distinct t from unnest(c.tags || excluded.tags) t order by t))[:20],
              consent_source = coalesce(c.consent_source, excluded.consent_source), consent_at = coalesce(c.consent_at, excluded.consent_at)
          where (excluded.name is not null and excluded.name is distinct from c.name)
             or (excluded.organization_id is not null and excluded.organization_id is distinct from c.organization_id)
             or (excluded.phone is not null and excluded.phone is distinct from c.phone) or not c.fields @> excluded.fields
             or not c.tags @> excluded.tags or (c.consent_source is null and excluded.consent_source is not null)
          returning c.email_key, xmax = 0 as is_new)
        update util.import_rows r set verdict = case when d.is_saved then 'updated' else 'unchanged' end
        from (
          select rows.number, bool_or(coalesce(s.is_new, false)) as is_new, count(s.email_key) > 0 as is_saved
          from rows left join saved s on s.email_key = rows.email_key group by rows.number) d
        where r.import_id = @id and r.number between @first and @last and r.number = d.number and not d.is_new
        """;

    public override string Name => Names[0];

    public override IReadOnlyList<ImportColumn> Columns { get; } =
    [
        new("organization", false, "Organisation", "Organisation", "Lycée Savorgnan", "Organization", "Société", "Entreprise",
            "Établissement", "Company", "Organization Name", "Organization 1 - Name", "École", "Lycée", "Collège", "Structure",
            "Institution", "School", "Organisations", "Établissements", "Écoles", "Lycées", "Collèges",
            "Organisme", "Association", "Établissement scolaire", "Nom de votre établissement",
            "Votre établissement", "Nom de l'école", "Nom de l'établissement", "Nom de l'organisation", "Raison sociale")
        {
            IsFirstLeft = true,
        },
        new("email", true, "Adresse e-mail", "E-mail address", "amina@exemple.cg", ImportColumn.EmailHeads)
        {
            Holds = cell => AddressCell.Read(cell).Count > 0,
        },
        new("email2", false, "Autre adresse", "Other address", "", "E-mail 2 - Value", "E-mail 2 Address", "E-mail 2",
            "Adresse de messagerie 2", "Adresse e-mail 2", "Courriel 2", "Email 2")
        {
            Holds = cell => AddressCell.Read(cell).Count > 0,
            IsSpare = true,
            IsMinor = true,
        },
        new("email3", false, "Troisième adresse", "Third address", "", "E-mail 3 - Value", "E-mail 3 Address", "E-mail 3",
            "Adresse de messagerie 3", "Adresse e-mail 3", "Courriel 3", "Email 3")
        {
            Holds = cell => AddressCell.Read(cell).Count > 0,
            IsSpare = true,
            IsMinor = true,
        },
        new("firstName", false, "Prénom", "First name", "", "Prénoms", "Prénom(s)", "Given Name", "Firstname", "Forename")
        {
            IsMinor = true,
        },
        new("lastName", false, "Nom de famille", "Last name", "", "Family Name", "Surname", "Lastname", "Nom", "Name")
        {
            Beside = "firstName",
            IsMinor = true,
        },
        new("name", false, "Nom", "Name", "Amina Nkounkou", "Nom complet", "Full name", "Nom et prénom", "Nom et prénoms",
            "Noms et prénoms", "Nom & prénom", "Nom & prénoms",
            "Prénom et nom", "Display Name")
        {
            Without = ("firstName",
                ["Responsable", "Nom du responsable", "Nom et prénom du responsable", "Parent", "Nom du parent", "Nom et prénom du parent",
                    "Contact"]),
        },
        new("phone", false, "Téléphone", "Phone", "+242 06 612 34 56", "Téléphones", "Tél", "Tel", "Tél.", "N° de téléphone",
            "Numéro de téléphone", "Portable", "Mobile", "GSM", "WhatsApp", "Téléphone portable", "Téléphone mobile",
            "Phone number", "Mobile phone", "Phone 1 - Value", "Contact téléphonique", "Tél du parent", "Téléphone du parent"),
        new("tags", false, "Étiquettes", "Tags", "", "Étiquette", "Tag", "Labels", "Groupe", "Groupes", "Group", "Groups",
            "Group Membership") { IsMinor = true },
        new("consentSource", false, "Consentement", "Consent", "", "Source du consentement") { IsMinor = true },
        new("consentOn", false, "Date du consentement", "Date of consent", "") { IsMinor = true },
    ];

    /// <summary>Files up to 50 MB; more rows than half a million are for two files. Columns up to ZZ.</summary>
    public override SheetLimits Limits { get; } = new(50 * 1024 * 1024, 500_000, 702, 2_000, 600L * 1024 * 1024);

    public override IReadOnlyList<string> Verdicts { get; } = ["imported", "updated", "unchanged", "duplicate", "invalid", "empty"];

    public override bool IsAllOrNothing => false;

    private IReadOnlyList<ContactField> _fields = [];

    /// <summary>A person's own fields are columns too.</summary>
    public override IEnumerable<ImportColumn> ColumnsOf(JsonElement? options) =>
        Columns.Concat(_fields.Select(f => new ImportColumn(f.Column, false, f.Label, f.Label, f.Example, f.Key)));

    protected internal override async Task Load(Session session) => _fields = await ContactFields.All(session);

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
        Task.FromResult<JudgeRows>(block => Task.FromResult<IReadOnlyList<ImportRow>>([.. block.Select(row => Judged(row, _fields))]));

    protected internal override async Task<Dictionary<string, int>> Write(
        Session session, Guid id, ImportSettings settings, Func<double, Task> tell)
    {
        var options = ContactOptions.Of(settings.Options);
        var tags = options.Tags.Order(StringComparer.Ordinal).ToArray();
        await session.Execute(DuplicatesSql, new { id });
        var organizations = await session.Execute(OrganizationsSql, new { id });
        var end = await session.Value<int?>("select max(number) from util.import_rows where import_id = @id", new { id }) ?? 0;
        for (var first = 1; first <= end; first += SavedRows)
        {
            await session.Execute(
                ContactsSql, new { id, first, last = first + SavedRows - 1, tags, options.ConsentSource });
            await tell(Math.Min(1, (double)(first + SavedRows) / end));
        }
        return new Dictionary<string, int> { ["organizations"] = organizations };
    }

    private static ImportRow Judged(ImportRow row, IReadOnlyList<ContactField> fields)
    {
        var values = new Dictionary<string, string>(row.Values.Count);
        foreach (var (column, cell) in row.Values.Where(v => !v.Key.StartsWith("email", StringComparison.Ordinal)))
        {
            if (Texts.Blank(cell.ReplaceLineEndings(" ")) is { } value)
            {
                values[column] = value;
            }
        }
        if (values.Remove("firstName", out var first) | values.Remove("lastName", out var last)
            && !values.ContainsKey("name"))
        {
            values["name"] = $"{first} {last}".Trim();
        }
        var written = row["email"] ?? row["email2"] ?? row["email3"];
        var isEmpty = values.Count == 0 && written is null;
        var hasAddress = written is not null && Address(values, written);
        if (values.TryGetValue("consentOn", out var day) && Days.Written(day) is { } on && Days.Start(Days.Text(on)) is { } at)
        {
            values["consentAt"] = at.Utc.ToString("O", CultureInfo.InvariantCulture);
        }
        List<RowError> errors = [.. Errors(values, isEmpty || hasAddress), .. OfFields(values, fields)];
        foreach (var blank in values.Where(v => v.Value.Length == 0).Select(v => v.Key).ToList())
        {
            values.Remove(blank);
        }
        return new ImportRow(row.Number, values, isEmpty ? "empty" : errors.Count == 0 ? "imported" : "invalid", errors);
    }

    /// <summary>Puts the values of a person's own fields together, as they are kept; says which are none.</summary>
    private static List<RowError> OfFields(Dictionary<string, string> values, IReadOnlyList<ContactField> fields)
    {
        var (kept, errors) = (new System.Text.Json.Nodes.JsonObject(), new List<RowError>());
        foreach (var field in fields)
        {
            if (values.TryGetValue(field.Column, out var written))
            {
                if (field.Read(written) is { } value)
                {
                    kept[field.Key] = value;
                }
                else
                {
                    errors.Add(new RowError(field.Column, "field.value." + field.Kind));
                }
            }
        }
        if (kept.Count > 0)
        {
            values["fields"] = kept.ToJsonString();
        }
        return errors;
    }

    /// <summary>Puts the addresses of a row to its values; says whether they are some.</summary>
    private static bool Address(Dictionary<string, string> values, string written)
    {
        var found = AddressCell.Read(written);
        if (found.Count == 0)
        {
            values["email"] = written.ReplaceLineEndings(" ");
            return false;
        }
        var name = values.GetValueOrDefault("name");
        values["email"] = found[0].Address;
        values["name"] = name ?? found[0].Name ?? "";
        // Each with its own name, if the row has none for all of them.
        values["others"] = string.Join('\n', found.Skip(1).Select(f => $"{f.Address}\t{name ?? f.Name}"));
        return true;
    }

    private static IEnumerable<RowError> Errors(Dictionary<string, string> values, bool hasAddress)
    {
        if (!hasAddress)
        {
            yield return new RowError("email", values.ContainsKey("email") ? "EMAIL_INVALID" : "import.no_address");
        }
        foreach (var (column, value) in values.Where(v => v.Key is "name" or "organization" or "consentSource" && v.Value.Length > MaxText))
        {
            yield return new RowError(column, "field.too_long", "200");
        }
        if (values.TryGetValue("phone", out var phone) && phone.Length > MaxPhone)
        {
            yield return new RowError("phone", "field.too_long", "40");
        }
        if (values.ContainsKey("consentOn") && !values.ContainsKey("consentAt"))
        {
            yield return new RowError("consentOn", "field.invalid");
        }
        if (values.TryGetValue("tags", out var tags) && ContactInput.TagsOf([tags]) is var one
            && (one.Count > ContactInput.MaxTags || one.Exists(t => t.Length > 40)))
        {
            yield return new RowError("tags", "contact.tags");
        }
    }
}
