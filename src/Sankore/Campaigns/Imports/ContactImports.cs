using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Campaigns.Imports;

/// <summary>Imports of contacts: a file is uploaded and looked at, then imported whole or not at all by a job that is followed live.</summary>
public sealed class ContactImports(Db db)
{
    /// <summary>The largest request that carries a file.</summary>
    public const int MaxRequestBytes = 51 * 1024 * 1024;

    /// <summary>How long an upload may take: 50 MB on a bad line.</summary>
    public const int UploadMilliseconds = 15 * 60 * 1000;

    private const int PartBytes = 1024 * 1024;
    private const int PreviewRows = 12;
    private const int GuessRows = 1000;
    private const int ReportRows = 5_000;

    /// <summary>What may become of a row.</summary>
    public static readonly string[] Verdicts = ["imported", "updated", "unchanged", "duplicate", "invalid", "empty"];

    private const string Columns = """
        id, file_name, status, settings::text, preview::text, percent, rows_done, imported, updated, unchanged, duplicate, invalid, empty, organizations, failure, created_at, finished_at
        """;

    private const string OneSql = $"select {Columns} from campaigns.imports where id = @id";
    private const string ListSql = $"select {Columns} from campaigns.imports where user_id = (select auth.uid()) order by created_at desc limit 20";
    private const string InsertSql = "insert into campaigns.imports (id, file_name, settings, preview) values (@id, @fileName, @settings::jsonb, @preview::jsonb)";
    private const string PartSql = "insert into campaigns.import_parts (import_id, part, content) values (@id, @part, @content)";
    private const string StartSql = $"update campaigns.imports set status = 'running', settings = @settings::jsonb where id = @id and status = 'uploaded' returning {Columns}";

    private const string ReportSql = """
        select number, organization, email, name, verdict from campaigns.import_rows
        where import_id = @id and number > @after and (@verdict::text is null or verdict = @verdict) order by number limit @limit
        """;

    private sealed record Row(Guid Id, string FileName, string Status, string Settings, string Preview, int Percent, int RowsDone, int Imported, int Updated, int Unchanged, int Duplicate, int Invalid,
        int Empty, int Organizations, string? Failure, DateTime CreatedAt, DateTime? FinishedAt)
    {
        public ContactImport ToView() => new(Id, FileName, Status, JsonSerializer.Deserialize<ImportSettings>(Settings)!, JsonSerializer.Deserialize<List<string[]>>(Preview)!, Percent, RowsDone,
            Imported, Updated, Unchanged, Duplicate, Invalid, Empty, Organizations, Failure, CreatedAt, FinishedAt);
    }

    /// <summary>Takes a file in: its first rows say how it is probably to be read. Refuses with FILE_INVALID, FILE_PROTECTED, TOO_LARGE, IMPORT_COLUMNS.</summary>
    /// <param name="caller">Whose contacts.</param>
    /// <param name="fileName">To be shown.</param>
    /// <param name="file">Can be sought in.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ContactImport> Upload(Caller caller, string? fileName, Stream file, CancellationToken ct)
    {
        var first = FirstRows(file);
        var (id, settings) = (Guid.CreateVersion7(), ImportSettings.Guess(first));
        var name = string.IsNullOrWhiteSpace(fileName) ? "contacts" : Path.GetFileName(fileName.Trim().Replace('\\', '/'));
        var preview = first.Take(PreviewRows).Select(r => r.Cells);
        return await db.Run(caller, async session =>
        {
            await session.Execute(InsertSql, new { id, fileName = name[..Math.Min(200, name.Length)], settings = JsonSerializer.Serialize(settings), preview = JsonSerializer.Serialize(preview) });
            file.Position = 0;
            var buffer = new byte[PartBytes];
            for (var part = 0; await file.ReadAtLeastAsync(buffer, PartBytes, throwOnEndOfStream: false, ct) is > 0 and var length; part++)
            {
                await session.Execute(PartSql, new { id, part, content = length == PartBytes ? buffer : buffer[..length] });
            }
            return (await session.One<Row>(OneSql, new { id })).ToView();
        }, ct);
    }

    /// <summary>Has a file imported. Refuses with IMPORT_COLUMNS, VALIDATION_FAILED, NOT_FOUND, IMPORT_STARTED.</summary>
    /// <param name="caller">Whose contacts.</param>
    /// <param name="id">Which file.</param>
    /// <param name="settings">How its rows are read; null: as guessed.</param>
    /// <param name="ct">Cancels.</param>
    public Task<ContactImport> Start(Caller caller, Guid id, ImportSettings? settings, CancellationToken ct) => db.Run(caller, async session =>
    {
        var found = (await session.One<Row>(OneSql, new { id })).ToView();
        var chosen = (settings ?? found.Settings).Normalized();
        var started = await session.Find<Row>(StartSql, new { id, settings = JsonSerializer.Serialize(chosen) }) ?? throw new Refusal(Reason.ImportStarted);
        await session.Enqueue(ContactImportJob.Type, new ContactImportJob.Order(id, caller.UserId!.Value), priority: 50);
        return started.ToView();
    }, ct);

    /// <summary>One import. Refuses with NOT_FOUND.</summary>
    public Task<ContactImport> Find(Caller caller, Guid id, CancellationToken ct) => db.Read(caller, async session => (await session.One<Row>(OneSql, new { id })).ToView(), ct);

    /// <summary>The caller's latest imports, at most 20.</summary>
    public Task<IReadOnlyList<ContactImport>> List(Caller caller, CancellationToken ct) => db.Read<IReadOnlyList<ContactImport>>(caller, async session =>
        [.. (await session.Query<Row>(ListSql)).Select(r => r.ToView())], ct);

    /// <summary>The report's first rows after a number. Refuses with NOT_FOUND, VALIDATION_FAILED.</summary>
    public Task<IReadOnlyList<ImportedRow>> Rows(Caller caller, Guid id, string? verdict, int after, int limit, CancellationToken ct)
    {
        new Validation().That("verdict", verdict is null || Verdicts.Contains(verdict)).Check();
        return db.Read(caller, async session =>
        {
            await session.One<Row>(OneSql, new { id });
            return await session.Query<ImportedRow>(ReportSql, new { id, after, verdict, limit });
        }, ct);
    }

    /// <summary>The whole report, read as it is written. Refuses with NOT_FOUND.</summary>
    public async IAsyncEnumerable<ImportedRow> Report(Caller caller, Guid id, string? verdict, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var after = 0;
        for (IReadOnlyList<ImportedRow> rows = []; after == 0 || rows.Count == ReportRows; after = rows.Count > 0 ? rows[^1].Number : -1)
        {
            rows = await Rows(caller, id, verdict, after, ReportRows, ct);
            foreach (var row in rows)
            {
                yield return row;
            }
        }
    }

    private static List<SheetRow> FirstRows(Stream file)
    {
        using var sheet = SheetFile.Open(file, ImportSettings.Limits);
        var rows = sheet.Rows().Take(GuessRows).ToList();
        return rows.Count > 0 ? rows : throw new Refusal(Reason.FileInvalid);
    }
}
