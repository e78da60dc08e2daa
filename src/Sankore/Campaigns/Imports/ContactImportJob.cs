using System.Diagnostics;
using System.Text.Json;
using Sankore.Campaigns.Contacts;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns.Imports;

/// <summary>
/// Imports a file of contacts as its user, in one transaction: rows are read in blocks into the report, then become organisations and contacts by statements
/// over sets. A second run, or the same file once more, changes nothing. A file that turns out broken fails the import and leaves nothing behind.
/// </summary>
public sealed class ContactImportJob(Db db) : IJobHandler
{
    /// <summary>The job's type.</summary>
    public const string Type = "contacts_import";

    private const int BlockRows = 5_000;
    private const int SavedRows = 20_000;
    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(250);

    private const string OneSql =
        "select settings::text from campaigns.imports where id = @Import and user_id = auth.uid() and status = 'running'";
    private const string PartSql = "select content from campaigns.import_parts where import_id = @Import and part = @part";
    // Rows of this transaction have no statistics: taken for few, they would be joined row by row.
    private const string BeginSql = "delete from campaigns.import_rows where import_id = @Import; select set_config('enable_nestloop', 'off', true)";

    private const string RowsSql = """
        insert into campaigns.import_rows (import_id, number, organization, email, name, verdict)
        select @Import, r.* from unnest(@numbers::int[], @organizations::text[], @emails::text[], @names::text[], @verdicts::text[]) r
        """;

    private const string DuplicatesSql = """
        update campaigns.import_rows r set verdict = 'duplicate'
        from (select number, row_number() over (partition by email order by number) as nth from campaigns.import_rows where import_id = @Import and verdict = 'imported') d
        where r.import_id = @Import and r.number = d.number and d.nth > 1
        """;

    private const string OrganizationsSql = """
        insert into campaigns.organizations (name)
        select distinct on (organization_key) organization from campaigns.import_rows
        where import_id = @Import and verdict = 'imported' and organization is not null order by organization_key, number
        on conflict on constraint organizations_user_id_name_unique do nothing
        """;

    // What the file does not say of a contact stays as it was. A row is touched only where something differs.
    private const string ContactsSql = """
        with rows as (
          select r.number, r.email, r.name, o.id as organization_id, o.name as organization_name
          from campaigns.import_rows r
          left join campaigns.organizations o on o.user_id = r.user_id and o.name_key = r.organization_key
          where r.import_id = @Import and r.number between @first and @last and r.verdict = 'imported'),
        saved as (
          insert into campaigns.contacts as c (email, name, organization_id, organization_name, tags, consent_source, consent_at)
          select email, name, organization_id, organization_name, @tags::text[], @ConsentSource, case when @ConsentSource::text is not null then now() end from rows
          on conflict on constraint contacts_user_id_email_unique do update
          set name = coalesce(excluded.name, c.name), organization_id = coalesce(excluded.organization_id, c.organization_id), organization_name = coalesce(excluded.organization_name, c.organization_name),
              tags = (array(select distinct t from unnest(c.tags || excluded.tags) t order by t))[:20],
              consent_source = coalesce(c.consent_source, excluded.consent_source), consent_at = coalesce(c.consent_at, excluded.consent_at)
          where (excluded.name is not null and excluded.name is distinct from c.name) or (excluded.organization_id is not null and excluded.organization_id is distinct from c.organization_id)
             or not c.tags @> excluded.tags or (c.consent_source is null and excluded.consent_source is not null)
          returning c.email, xmax = 0 as is_new)
        update campaigns.import_rows r set verdict = case when s.is_new then 'imported' when s.is_new is null then 'unchanged' else 'updated' end
        from rows left join saved s on s.email = rows.email
        where r.import_id = @Import and r.number = rows.number and s.is_new is not true
        """;

    private const string EndSql = """
        update campaigns.imports i
        set status = 'completed', percent = 100, finished_at = now(), rows_done = c.rows, imported = c.imported, updated = c.updated, unchanged = c.unchanged, duplicate = c.duplicate, invalid = c.invalid,
            empty = c.empty, organizations = @organizations
        from (
          select count(*) as rows, count(*) filter (where verdict = 'imported') as imported, count(*) filter (where verdict = 'updated') as updated,
                 count(*) filter (where verdict = 'unchanged') as unchanged, count(*) filter (where verdict = 'duplicate') as duplicate,
                 count(*) filter (where verdict = 'invalid') as invalid, count(*) filter (where verdict = 'empty') as empty
          from campaigns.import_rows where import_id = @Import) c
        where i.id = @Import and i.status = 'running';
        delete from campaigns.import_parts where import_id = @Import;
        select campaigns.tell_import(@Import)
        """;

    private const string FailSql = """
        update campaigns.imports set status = 'failed', failure = @code, finished_at = now() where id = @Import and status = 'running';
        delete from campaigns.import_parts where import_id = @Import;
        select campaigns.tell_import(@Import)
        """;

    private const string ProgressSql = "update campaigns.imports set percent = @percent, rows_done = @rows where id = @Import and status = 'running'; select campaigns.tell_import(@Import)";

    /// <summary>What the job needs to know.</summary>
    public sealed record Order(Guid Import, Guid User);

    /// <inheritdoc/>
    public string JobType => Type;

    /// <inheritdoc/>
    public async Task Run(Job job, CancellationToken ct)
    {
        var order = job.Payload.Deserialize<Order>()!;
        // As the server in the person's name: what was begun is finished, even if the person has lost the module since.
        var caller = Caller.Service with { UserId = order.User };
        if (await db.Read(caller, session => session.Find<string>(OneSql, new { order.Import }), ct) is not { } json)
        {
            return;
        }
        await using var file = await Fetch(caller, order, ct);
        try
        {
            await db.Run(caller, session => Import(session, caller, order, JsonSerializer.Deserialize<ImportSettings>(json)!, file, ct), ct);
        }
        catch (Refusal refusal)
        {
            await db.Run(caller, session => session.Execute(FailSql, new { order.Import, code = refusal.Reason.Code }), ct);
        }
    }

    /// <summary>The file, out of its parts, on this node's disk for as long as it is open.</summary>
    private async Task<FileStream> Fetch(Caller caller, Order order, CancellationToken ct)
    {
        var file = new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 65536, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        for (var part = 0; await db.Read(caller, session => session.Find<byte[]>(PartSql, new { order.Import, part }), ct) is { } content; part++)
        {
            await file.WriteAsync(content, ct);
        }
        return file;
    }

    private async Task Import(Session session, Caller caller, Order order, ImportSettings settings, FileStream file, CancellationToken ct)
    {
        await session.Execute(BeginSql, new { order.Import });
        using var sheet = SheetFile.Open(file, ImportSettings.Limits);
        var (told, rows) = (Stopwatch.StartNew(), 0);
        // Reading is half of the way, saving the other half.
        foreach (var block in sheet.Rows().Skip(settings.HasHeader ? 1 : 0).Select(row => Read(row, settings)).Chunk(BlockRows))
        {
            await session.Execute(RowsSql, new
            {
                order.Import,
                numbers = block.Select(r => r.Number).ToArray(),
                organizations = block.Select(r => r.Organization).ToArray(),
                emails = block.Select(r => r.Email).ToArray(),
                names = block.Select(r => r.Name).ToArray(),
                verdicts = block.Select(r => r.Verdict).ToArray(),
            });
            rows += block.Length;
            await Tell((int)(sheet.Progress * 50));
        }
        await session.Execute(DuplicatesSql, new { order.Import });
        var organizations = await session.Execute(OrganizationsSql, new { order.Import });
        var end = await session.Value<int?>("select max(number) from campaigns.import_rows where import_id = @Import", new { order.Import }) ?? 0;
        for (var first = 1; first <= end; first += SavedRows)
        {
            await session.Execute(ContactsSql, new { order.Import, first, last = first + SavedRows - 1, tags = settings.Tags?.ToArray() ?? [], settings.ConsentSource });
            await Tell(50 + (int)(50L * first / end));
        }
        await session.Execute(EndSql, new { order.Import, organizations });

        async Task Tell(int percent)
        {
            if (told.Elapsed >= TellEvery)
            {
                told.Restart();
                await db.Run(caller, other => other.Execute(ProgressSql, new { order.Import, percent, rows }), ct);
            }
        }
    }

    private static ImportedRow Read(SheetRow row, ImportSettings settings)
    {
        var (email, organization, name) = (Addresses.Normalize(Cell(settings.Email)), Cell(settings.Organization), Cell(settings.Name));
        var verdict = Mail.IsAddress(email) && organization is not { Length: > 200 } && name is not { Length: > 200 } ? "imported" : email is null && organization is null && name is null ? "empty" : "invalid";
        return new ImportedRow(row.Number, organization, email, name, verdict);

        string? Cell(int? column) => column is { } c && c < row.Cells.Length ? Texts.Blank(row.Cells[c].ReplaceLineEndings(" ")) : null;
    }
}
