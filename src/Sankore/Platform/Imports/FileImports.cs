using System.Runtime.CompilerServices;
using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Platform.Imports;

/// <summary>A file that comes in.</summary>
/// <param name="FileName">To be shown; null: the kind's name.</param>
/// <param name="Content">Read from where it stands; kept on this node's disk if it cannot be sought in.</param>
/// <param name="Options">What the kind wants to know of it.</param>
public sealed record ImportUpload(string? FileName, Stream Content, JsonElement? Options = null);

/// <summary>
/// Files of rows that people import: uploaded and looked at, then read by a job that is followed live. Of each kind (<see
/// cref="ImportKind"/>) either the good
/// rows are imported, or all of them once the uploader has seen that none is wrong. Callers name the kinds that are theirs.
/// </summary>
public sealed class FileImports(Db db, IEnumerable<ImportKind> kinds)
{
    /// <summary>How long an upload may take: 50 MB on a bad line.</summary>
    public const int UploadMilliseconds = 15 * 60 * 1000;

    private const int PartBytes = 1024 * 1024;
    private const int ReportRows = 5_000;
    private const int MaxName = 200;

    private const string Columns =
        "id, kind, file_name, status, settings::text, sheets::text, percent, rows_read, counts::text, result::text, failure, created_at, "
            + "finished_at";

    private const string OneSql = $"select {Columns} from util.imports where id = @id and kind = any (@kinds)";

    private const string ListSql = $"""
        select {Columns} from util.imports where user_id = (select auth.uid()) and kind = any (@kinds) order by created_at desc limit 20
        """;

    private const string InsertSql = """
        insert into util.imports (id, kind, file_name, settings, sheets) values (@id, @kind, @fileName, @settings::jsonb, @sheets::jsonb)
        """;

    private const string PartSql = "insert into util.import_parts (import_id, part, content) values (@id, @part, @content)";

    private const string StartSql = $"""
        update util.imports set status = 'running', settings = @settings::jsonb where id = @id and status = 'uploaded' returning {Columns}
        """;

    private const string TakeSql = $"""
        update util.imports set status = 'running'
        where id = @id and kind = any (@kinds) and status = 'checked' and coalesce((counts ->> 'invalid')::int, 0) = 0 returning {Columns}
        """;

    private const string DoneSql = $"""
        update util.import_rows set verdict = 'imported' where import_id = @id;
        update util.imports
        set status = 'completed', finished_at = now(), result = @result::jsonb, counts = jsonb_build_object('imported', rows_read)
        where id = @id returning {Columns}
        """;

    private sealed record Row(
        Guid Id, string Kind, string FileName, string Status, string Settings, string Sheets, int Percent, int RowsRead, string Counts,
        string Result, string? Failure, DateTime CreatedAt, DateTime? FinishedAt)
    {
        public ImportView ToView() => new(Id, Kind, FileName, Status, JsonSerializer.Deserialize<ImportSettings>(Settings)!,
            JsonSerializer.Deserialize<List<ImportSheet>>(Sheets)!, Percent, RowsRead, Numbers(Counts), Numbers(Result), Failure, CreatedAt,
            FinishedAt);

        private static Dictionary<string, int> Numbers(string json) => JsonSerializer.Deserialize<Dictionary<string, int>>(json)!;
    }

    /// <summary>The kind of a name. Refuses with NOT_FOUND.</summary>
    public ImportKind Kind(string? name) => kinds.FirstOrDefault(k => k.Name == name) ?? throw new Refusal(Reason.NotFound);

    /// <summary>
    /// Takes a file in. Refuses with FILE_INVALID, FILE_PROTECTED, TOO_LARGE, and with whatever keeps the caller from importing; with
    /// <paramref name="start"/>,
    /// as <see cref="Start"/> does: nothing is kept then.
    /// </summary>
    /// <param name="caller">Who uploads.</param>
    /// <param name="kind">What its rows are.</param>
    /// <param name="upload">The file.</param>
    /// <param name="start">How it is read, for one that is started at once; null: it is looked at first.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImportView> Upload(
        Caller caller, ImportKind kind, ImportUpload upload, Func<ImportView, ImportSettings>? start, CancellationToken ct)
    {
        var options = kind.Normalized(upload.Options);
        await db.Read(caller, async session =>
        {
            await kind.Load(session);
            await kind.MayImport(session, options);
            return true;
        }, ct);
        await using var copy = upload.Content.CanSeek ? null : await ImportFile.Kept(upload.Content, kind.Limits.Bytes, ct);
        var file = copy ?? upload.Content;
        var sheets = ImportFile.Sheets(file, kind.Limits, [.. kind.ColumnsOf(options)]);
        // Instructions come before the sheet that they are about.
        var required = kind.ColumnsOf(options).Where(c => c.Required).Select(c => c.Name).ToList();
        var place = Math.Max(0, sheets.FindIndex(s => required.TrueForAll(s.Columns.ContainsKey)));
        var settings = new ImportSettings(place, sheets[place].HasHeader, sheets[place].Columns, options, sheets[place].Above);
        return await db.Run(caller, async session =>
        {
            var id = await Keep(session, kind, NameOf(upload.FileName ?? kind.Name), settings, sheets, file, ct);
            var kept = (await session.One<Row>(OneSql, new { id, kinds = new[] { kind.Name } })).ToView();
            return start is null ? kept : await Begin(session, kept, start(kept));
        }, ct);
    }

    /// <summary>
    /// Has a file read. Refuses with IMPORT_COLUMNS, COLUMN_MISSING, VALIDATION_FAILED, NOT_FOUND, IMPORT_STARTED, and with whatever
    /// keeps the caller from
    /// importing.
    /// </summary>
    /// <param name="caller">Who uploaded it.</param>
    /// <param name="id">Which file.</param>
    /// <param name="of">The kinds that it may be of.</param>
    /// <param name="choose">How it is read.</param>
    /// <param name="ct">Cancels.</param>
    public Task<ImportView> Start(Caller caller, Guid id, string[] of, Func<ImportView, ImportSettings> choose, CancellationToken ct) =>
        db.Run(caller, async session =>
        {
            var found = await One(session, id, of);
            return await Begin(session, found, choose(found));
        }, ct);

    /// <summary>
    /// Imports a file that was checked, in one transaction and with the caller's own rights; a second time says what the first did.
    /// Refuses with
    /// IMPORT_UNCHECKED, IMPORT_INVALID, NOT_FOUND, and with whatever a row came to stand against since; nothing is imported then.
    /// </summary>
    public Task<ImportView> Confirm(Caller caller, Guid id, string[] of, CancellationToken ct) => db.Run(caller, async session =>
    {
        if (await session.Find<Row>(TakeSql, new { id, kinds = of }) is not { } row)
        {
            // Of two clicks at once one waits for the other, and finds it done.
            var found = await One(session, id, of);
            return found.Status == "completed" ? found
                : throw new Refusal(found.Status is "uploaded" or "running" ? Reason.ImportUnchecked : Reason.ImportInvalid);
        }
        var (taken, kind) = (row.ToView(), Kind(row.Kind));
        await kind.Load(session);
        await kind.MayImport(session, taken.Settings.Options);
        var result = JsonSerializer.Serialize(await kind.Write(session, id, taken.Settings, _ => Task.CompletedTask));
        return (await session.AsService(s => s.One<Row>(DoneSql, new { id, result }))).ToView();
    }, ct);

    /// <summary>Has a kind read what its columns depend on, for the caller.</summary>
    internal Task Load(Caller caller, ImportKind kind, CancellationToken ct) => db.Read(caller, async session =>
    {
        await kind.Load(session);
        return true;
    }, ct);

    /// <summary>One import. Refuses with NOT_FOUND.</summary>
    public Task<ImportView> Find(Caller caller, Guid id, string[] of, CancellationToken ct) =>
        db.Read(caller, session => One(session, id, of), ct);

    /// <summary>The caller's latest imports, at most 20.</summary>
    public Task<IReadOnlyList<ImportView>> List(Caller caller, string[] of, CancellationToken ct) => db.Read<IReadOnlyList<ImportView>>(
        caller, async session => [.. (await session.Query<Row>(ListSql, new { kinds = of })).Select(r => r.ToView())], ct);

    /// <summary>
    /// The report's first rows after a number, with what is wrong in the reader's language. Refuses with NOT_FOUND, VALIDATION_FAILED.
    /// </summary>
    public Task<IReadOnlyList<ImportRow>> Rows(
        Caller caller, Guid id, string[] of, string? verdict, int after, int limit, CancellationToken ct) =>
        db.Read(caller, async session =>
    {
        var kind = Kind((await One(session, id, of)).Kind);
        new Validation().That("verdict", verdict is null || kind.Verdicts.Contains(verdict)).Check();
        var rows = await ImportRows.Page(session, id, verdict, after, limit);
        return (IReadOnlyList<ImportRow>)[.. rows.Select(
            r => r.Errors.Count == 0 ? r : r with { Errors = [.. r.Errors.Select(kind.InWords)] })];
    }, ct);

    /// <summary>The whole report, read as it is written. Refuses with NOT_FOUND, VALIDATION_FAILED.</summary>
    public async IAsyncEnumerable<ImportRow> Report(
        Caller caller, Guid id, string[] of, string? verdict, [EnumeratorCancellation] CancellationToken ct)
    {
        var after = 0;
        for (IReadOnlyList<ImportRow> rows = []; after == 0 || rows.Count == ReportRows; after = rows.Count > 0 ? rows[^1].Number : -1)
        {
            rows = await Rows(caller, id, of, verdict, after, ReportRows, ct);
            foreach (var row in rows)
            {
                yield return row;
            }
        }
    }

    private async Task<ImportView> One(Session session, Guid id, string[] of)
    {
        var import = (await session.One<Row>(OneSql, new { id, kinds = of })).ToView();
        await Kind(import.Kind).Load(session);
        return import;
    }

    private static string NameOf(string fileName)
    {
        var name = Path.GetFileName(fileName.Trim().Replace('\\', '/'));
        return name.Length == 0 ? "-" : Texts.Cut(name, MaxName);
    }

    private static async Task<Guid> Keep(
        Session session, ImportKind kind, string fileName, ImportSettings settings, List<ImportSheet> sheets, Stream file,
        CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        await session.Execute(InsertSql, new
        {
            id,
            kind = kind.Name,
            fileName,
            settings = JsonSerializer.Serialize(settings),
            sheets = JsonSerializer.Serialize(sheets),
        });
        file.Position = 0;
        var buffer = new byte[PartBytes];
        for (var part = 0; await file.ReadAtLeastAsync(buffer, PartBytes, throwOnEndOfStream: false, ct) is > 0 and var length; part++)
        {
            await session.Execute(PartSql, new { id, part, content = length == PartBytes ? buffer : buffer[..length] });
        }
        return id;
    }

    private async Task<ImportView> Begin(Session session, ImportView found, ImportSettings settings)
    {
        var kind = Kind(found.Kind);
        await kind.MayImport(session, found.Settings.Options);
        var chosen = Checked(kind, found, settings);
        var started = await session.Find<Row>(StartSql, new { found.Id, settings = JsonSerializer.Serialize(chosen) })
            ?? throw new Refusal(Reason.ImportStarted);
        await session.Enqueue(ImportJob.Type, new ImportJob.Payload(found.Id, session.Caller.UserId!.Value), priority: 50);
        return started.ToView();
    }

    /// <summary>The settings in their one form.</summary>
    private static ImportSettings Checked(ImportKind kind, ImportView import, ImportSettings settings)
    {
        var sheet = import.Sheets[import.Guess(settings.Sheet).Sheet];
        var columns = kind.ColumnsOf(import.Settings.Options).ToList();
        var places = settings.Columns.Values.ToList();
        if (settings.Columns.Keys.Any(name => !columns.Exists(c => c.Name == name))
            || places.Exists(p => p < 0 || p >= kind.Limits.Columns) || places.Distinct().Count() < places.Count)
        {
            throw new Refusal(Reason.ImportColumns);
        }
        return columns.Find(c => c.Required && !settings.Columns.ContainsKey(c.Name)) is { } missing
            ? throw kind.Missing(missing, sheet.Rows.Count == 0)
            : settings with { Options = kind.Normalized(settings.Options) };
    }
}
