using System.Diagnostics;
using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Platform.Imports;

/// <summary>
/// Reads a file in one transaction: rows are judged in blocks into the report, then, unless its uploader is to confirm it first,
/// written by its kind. A second
/// run changes nothing. A file that turns out broken fails and leaves nothing behind.
/// </summary>
public sealed class ImportJob(Db db, IServiceScopeFactory scopes) : IJobHandler
{
    public const string Type = "import";

    private const int BlockRows = 5_000;
    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(250);

    private const string OneSql =
        "select kind, settings::text from util.imports where id = @Import and user_id = auth.uid() and status = 'running'";

    private const string PartSql = "select content from util.import_parts where import_id = @Import and part = @part";

    // One at a time, whoever else was given the job: the other finds it done. Rows of this transaction have no statistics: taken for few,
    // they would be joined row by row. What cannot be joined otherwise seems to cost so much then that it would be compiled, each time.
    private const string BeginSql = """
        select pg_advisory_xact_lock(hashtextextended(@Import::text, 0)), set_config('enable_nestloop', 'off', true),
          set_config('jit', 'off', true)
        """;

    private const string IsRunningSql = "select exists (select 1 from util.imports where id = @Import and status = 'running')";

    private const string EndSql = """
        update util.imports i
        set status = @status, percent = 100, finished_at = case when @status = 'completed' then now() end,
            rows_read = c.rows, counts = c.counts, result = @result::jsonb
        from (
          select coalesce(sum(n), 0) as rows, coalesce(jsonb_object_agg(verdict, n), '{}') as counts
          from (select verdict, count(*) as n from util.import_rows where import_id = @Import group by verdict) by_verdict) c
        where i.id = @Import and i.status = 'running';
        delete from util.import_parts where import_id = @Import;
        select util.publish_import(@Import)
        """;

    private const string FailSql = """
        update util.imports set status = 'failed', failure = @code, finished_at = now() where id = @Import and status = 'running';
        delete from util.import_parts where import_id = @Import;
        select util.publish_import(@Import)
        """;

    private const string ProgressSql = """
        update util.imports set percent = @percent, rows_read = @rows where id = @Import and status = 'running';
        select util.publish_import(@Import)
        """;

    /// <summary>What the job needs to know.</summary>
    public sealed record Payload(Guid Import, Guid User);

    private sealed record Begun(string Kind, string Settings);

    public string JobType => Type;

    /// <summary>A small file does not wait for a large one.</summary>
    public int AtOnce => 2;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>()!;
        var server = Caller.Person(payload.User).AsService();
        if (await db.Read(server, session => session.Find<Begun>(OneSql, new { payload.Import }), ct) is not { } begun)
        {
            return;
        }
        await using var scope = scopes.CreateAsyncScope();
        var kind = scope.ServiceProvider.GetRequiredService<FileImports>().Kind(begun.Kind);
        var settings = JsonSerializer.Deserialize<ImportSettings>(begun.Settings)!;
        await using var file = await Fetch(server, payload, ct);
        try
        {
            await new Reading(db, kind, settings, payload, server).Run(file, ct);
        }
        catch (Refusal refusal)
        {
            await db.Run(server, session => session.Execute(FailSql, new { payload.Import, code = refusal.Reason.Code }), ct);
        }
    }

    /// <summary>The file, out of its parts, on this node's disk for as long as it is open.</summary>
    private async Task<FileStream> Fetch(Caller server, Payload payload, CancellationToken ct)
    {
        var file = ImportFile.Temporary();
        Task<byte[]?> Part(int part) => db.Read(server, session => session.Find<byte[]>(PartSql, new { payload.Import, part }), ct);
        for (var part = 0; await Part(part) is { } content; part++)
        {
            await file.WriteAsync(content, ct);
        }
        return file;
    }

    /// <summary>One file on its way.</summary>
    private sealed class Reading(Db db, ImportKind kind, ImportSettings settings, Payload payload, Caller server)
    {
        private readonly KeyValuePair<string, int>[] _columns = [.. settings.Columns];
        private readonly Stopwatch _told = Stopwatch.StartNew();
        private int _rows;

        // What nobody confirms is written as the server in the person's name: what was begun is finished, even if the person has lost the
        // module since. What they confirm later is judged by what they see.
        public Task Run(FileStream file, CancellationToken ct) =>
            db.Run(kind.IsAllOrNothing ? Caller.Person(payload.User) : server, session => Import(session, file, ct), ct);

        private async Task Import(Session session, FileStream file, CancellationToken ct)
        {
            await session.Execute(BeginSql, new { payload.Import });
            if (!await session.Value<bool>(IsRunningSql, new { payload.Import }))
            {
                return;
            }
            await kind.Load(session);
            await kind.MayImport(session, settings.Options);
            await Read(session, file, ct);
            var result = kind.IsAllOrNothing
                ? []
                : await kind.Write(session, payload.Import, settings, share => Publish(50 + share * 50, ct));
            var end =
                new { payload.Import, status = kind.IsAllOrNothing ? "checked" : "completed", result = JsonSerializer.Serialize(result) };
            await session.AsService(s => s.Execute(EndSql, end));
        }

        private async Task Read(Session session, FileStream file, CancellationToken ct)
        {
            _rows = 0;
            var judge = await kind.Judge(session, settings);
            using var sheet = SheetFile.Open(file, kind.Limits);
            var adding = Task.CompletedTask;
            try
            {
                var rows = sheet.Rows(settings.Sheet).Skip(settings.Skipped).Select(r => Row(r, sheet.MayBeGuarded));
                foreach (var block in rows.Chunk(BlockRows))
                {
                    // While the database took in the block before, this one was read.
                    await adding;
                    var judged = await judge(block);
                    adding = session.AsService(s => ImportRows.Add(s, payload.Import, judged));
                    _rows += block.Length;
                    // Reading is half of the way, writing the other half.
                    await Publish(sheet.Progress * (kind.IsAllOrNothing ? 100 : 50), ct);
                }
            }
            finally
            {
                await adding;
            }
        }

        private ImportRow Row(SheetRow row, bool mayBeGuarded)
        {
            var values = new Dictionary<string, string>(_columns.Length);
            foreach (var (name, place) in _columns)
            {
                var cell = place < row.Cells.Length ? row.Cells[place] : "";
                values[name] = mayBeGuarded ? CsvExport.Unguarded(cell) : cell;
            }
            return new ImportRow(row.Number, values, "", []);
        }

        private async Task Publish(double percent, CancellationToken ct)
        {
            if (_told.Elapsed >= TellEvery)
            {
                _told.Restart();
                var figures = new { payload.Import, percent = (int)percent, rows = _rows };
                await db.Run(server, other => other.Execute(ProgressSql, figures), ct);
            }
        }
    }
}
