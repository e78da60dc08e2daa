using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Tenancy.Imports;

/// <summary>Imports of groups, schools and staff: a file is read and looked at row by row, then imported whole or not at all.</summary>
public sealed class Imports(Db db, RowRules rules, RowWriter writer)
{
    /// <summary>The largest file, in bytes.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    /// <summary>How much of a file is read.</summary>
    public static readonly SheetLimits Limits = new(MaxBytes, Rows: 10_000, Columns: 50, CellLength: 1_000, UncompressedBytes: 20L * MaxBytes);

    private const string InsertSql = """
        insert into tenancy.imports (id, kind, school_group_id, file_name, rows, row_count, error_count, created_by)
        values (@id, @Kind, @groupId, @FileName, @rows::jsonb, @count, @Errors, @UserId)
        """;

    private const string Columns = "id, kind, school_group_id as group_id, file_name, rows::text, error_count, imported_at, result::text";
    private const string OneSql = $"select {Columns} from tenancy.imports where id = @id";
    private const string TakeSql = $"update tenancy.imports set imported_at = now() where id = @id and imported_at is null and error_count = 0 returning {Columns}";
    private const string ResultSql = "update tenancy.imports set result = @result::jsonb where id = @id returning result::text";

    private sealed record Row(Guid Id, string Kind, Guid? GroupId, string FileName, string Rows, int ErrorCount, DateTime? ImportedAt, string? Result)
    {
        public ImportView ToView() => new(Id, Kind, GroupId, FileName, JsonSerializer.Deserialize<List<ImportRow>>(Rows)!, ErrorCount, ImportedAt,
            Result is null ? null : Counts(Result));
    }

    /// <summary>A template to fill in: heads in a language, and an example.</summary>
    public static async Task<byte[]> Template(ImportKind kind, bool many, string language, CancellationToken ct)
    {
        string[][] rows = [[.. kind.ColumnsOf(many).Select(c => language == "en" ? c.English : c.French)], [.. kind.ColumnsOf(many).Select(c => c.Example)]];
        using var file = new MemoryStream();
        await XlsxExport.Write(file, kind.Name, rows.ToAsyncEnumerable(), ct);
        return file.ToArray();
    }

    /// <summary>Reads a file and says what is wrong with it, row by row; imports nothing. Refuses with FILE_INVALID, FILE_PROTECTED, TOO_LARGE, COLUMN_MISSING, NOT_FOUND, FORBIDDEN.</summary>
    /// <param name="caller">Who uploads.</param>
    /// <param name="kind">What the rows are.</param>
    /// <param name="groupId">The group of schools and staff; null for groups, and where rows name theirs (the operator's).</param>
    /// <param name="fileName">The file's name, to be shown.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImportView> Preview(Caller caller, ImportKind kind, Guid? groupId, string? fileName, byte[] file, CancellationToken ct)
    {
        await db.Read(caller, async session => { await RowRules.MayImport(session, kind, groupId); return true; }, ct);
        var read = Rows(kind, file);
        return await db.Run(caller, async session =>
        {
            var rows = await rules.Check(session, kind, groupId, read);
            var id = Guid.CreateVersion7();
            var name = string.IsNullOrWhiteSpace(fileName) ? kind.Name : Path.GetFileName(fileName.Trim());
            var import = new ImportView(id, kind.Name, groupId, name[..Math.Min(200, name.Length)], rows, rows.Count(r => r.Errors.Count > 0), null, null);
            await session.Execute(InsertSql, new { id, import.Kind, groupId, import.FileName, rows = JsonSerializer.Serialize(rows), count = rows.Count, import.Errors, caller.UserId });
            return import;
        }, ct);
    }

    /// <summary>A file that the caller uploaded, within seven days. Refuses with NOT_FOUND.</summary>
    public async Task<ImportView> Find(Caller caller, Guid id, CancellationToken ct) => (await db.Read(caller, session => session.One<Row>(OneSql, new { id }), ct)).ToView();

    /// <summary>
    /// Imports the rows of a file in one transaction; a second time says what the first did. Refuses with IMPORT_INVALID, NOT_FOUND, FORBIDDEN, and with
    /// whatever a row came to stand against since it was looked at; nothing is imported then.
    /// </summary>
    public Task<ImportView> Run(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        if (await session.Find<Row>(TakeSql, new { id }) is not { } taken)
        {
            // Of two clicks at once one waits for the other, and finds it done.
            var done = await session.One<Row>(OneSql, new { id });
            return done.ImportedAt is not null ? done.ToView() : throw new Refusal(Reason.ImportInvalid);
        }
        var import = taken.ToView();
        await RowRules.MayImport(session, ImportKind.Named(import.Kind)!, import.GroupId);
        var result = JsonSerializer.Serialize(await writer.Write(session, import));
        return import with { Result = Counts(await session.Value<string>(ResultSql, new { id, result })) };
    }, ct);

    private static Dictionary<string, int> Counts(string json) => JsonSerializer.Deserialize<Dictionary<string, int>>(json)!;

    private static List<ImportRow> Rows(ImportKind kind, byte[] file)
    {
        using var opened = SheetFile.Open(new MemoryStream(file), Limits);
        var sheet = opened.Rows().ToList();
        var head = sheet.Count > 0 ? sheet[0].Cells : [];
        var places = kind.Columns.Select(column => (Column: column, Place: Array.FindIndex(head, column.Is))).Where(p => p.Place >= 0).ToList();
        if (kind.Columns.FirstOrDefault(c => c.Required && places.TrueForAll(p => p.Column != c)) is { } missing)
        {
            throw new Refusal(Reason.ColumnMissing, System.Globalization.CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en" ? missing.English : missing.French);
        }
        return [.. sheet.Skip(1).Select(row => new ImportRow(row.Number, places.ToDictionary(p => p.Column.Name, p => p.Place < row.Cells.Length ? row.Cells[p.Place] : ""), []))];
    }
}
