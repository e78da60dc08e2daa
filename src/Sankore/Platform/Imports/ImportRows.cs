using System.Text.Encodings.Web;
using System.Text.Json;
using Sankore.Platform.Data;

namespace Sankore.Platform.Imports;

/// <summary>The rows of an import, as they are kept: written by the server in the uploader's name, read by the uploader.</summary>
public static class ImportRows
{
    private const string AddSql = """
        insert into util.import_rows (import_id, number, cells, verdict, errors)
        select @id, r.number, r.cells::jsonb, r.verdict, r.errors::jsonb
        from unnest(@numbers::int[], @cells::text[], @verdicts::text[], @errors::text[]) r (number, cells, verdict, errors)
        """;

    private const string PageSql = """
        select number, cells::text, verdict, errors::text from util.import_rows
        where import_id = @id and number > @after and (@verdict::text is null or verdict = @verdict) order by number limit @limit
        """;

    // What the file says is read by people, not put into a page as it is.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private sealed record Row(int Number, string Cells, string Verdict, string? Errors)
    {
        public ImportRow ToRow() => new(Number, JsonSerializer.Deserialize<Dictionary<string, string>>(Cells)!, Verdict,
            Errors is null ? [] : JsonSerializer.Deserialize<List<RowError>>(Errors)!);
    }

    internal static Task<int> Add(Session session, Guid id, IReadOnlyList<ImportRow> rows) => session.Execute(AddSql, new
    {
        id,
        numbers = rows.Select(r => r.Number).ToArray(),
        cells = rows.Select(r => JsonSerializer.Serialize(r.Values, Plain)).ToArray(),
        verdicts = rows.Select(r => r.Verdict).ToArray(),
        errors = rows.Select(r => r.Errors.Count == 0 ? null : JsonSerializer.Serialize(r.Errors, Plain)).ToArray(),
    });

    internal static async Task<IReadOnlyList<ImportRow>> Page(Session session, Guid id, string? verdict, int after, int limit) =>
        [.. (await session.Query<Row>(PageSql, new { id, verdict, after, limit })).Select(r => r.ToRow())];

    /// <summary>All of them, of a kind that has few.</summary>
    public static Task<IReadOnlyList<ImportRow>> All(Session session, Guid id) => Page(session, id, null, 0, int.MaxValue);
}
