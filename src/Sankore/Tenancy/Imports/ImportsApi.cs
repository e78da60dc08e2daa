using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Files;
using Sankore.Platform.Imports;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>How a file of the network is read, as far as it is not as guessed.</summary>
/// <param name="Sheet">The sheet's place among the visible ones, from 0.</param>
/// <param name="HasHeader">Whether the first row is a head.</param>
/// <param name="Columns">The place of each column that the file has, from 0, by its name.</param>
public sealed record ImportChoice(int? Sheet, bool? HasHeader, IReadOnlyDictionary<string, int>? Columns)
{
    internal ImportSettings Of(ImportView import)
    {
        var guessed = import.Guess(Sheet ?? import.Settings.Sheet);
        return guessed with { HasHeader = HasHeader ?? guessed.HasHeader, Columns = Columns ?? guessed.Columns };
    }
}

/// <summary>A file of groups, schools or staff with its rows; imported once its uploader says so.</summary>
/// <param name="GroupId">The group that its rows are of; null: they name theirs, or are groups.</param>
/// <param name="Status"><c>uploaded</c>, <c>running</c>, <c>checked</c>, <c>completed</c> or <c>failed</c>.</param>
/// <param name="Settings">How it is read.</param>
/// <param name="Sheets">Its sheets, each with its first rows and what they suggest.</param>
/// <param name="Percent">How far it is checked, from 0 to 100.</param>
/// <param name="Rows">All rows, in the file's order, once they are checked.</param>
/// <param name="Errors">How many rows have errors: with any, nothing is imported.</param>
/// <param name="Failure">The code of what checking it failed of.</param>
/// <param name="ImportedAt">When it was imported; null before.</param>
/// <param name="Result">What became of it: counts by word.</param>
public sealed record NetworkImport(
    Guid Id,
    string Kind,
    Guid? GroupId,
    string FileName,
    string Status,
    ImportSettings Settings,
    IReadOnlyList<ImportSheet> Sheets,
    int Percent,
    IReadOnlyList<ImportRow> Rows,
    int Errors,
    string? Failure,
    DateTime? ImportedAt,
    IReadOnlyDictionary<string, int>? Result)
{
    internal static NetworkImport Of(ImportView i, IReadOnlyList<ImportRow> rows) => new(
        i.Id, i.Kind, NetworkKind.GroupOf(i.Settings.Options), i.FileName, i.Status, i.Settings, i.Sheets, i.Percent, rows,
        i.Count("invalid"), i.Failure,
        i.Status == "completed" ? i.FinishedAt : null, i.Status == "completed" ? i.Result : null);
}

/// <summary>
/// Imports of groups, schools and staff over HTTP. Files come as the body itself: no form of a foreign site can send one.
/// </summary>
internal static class ImportsApi
{
    private const int MostRows = 1000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var imports = routes.MapApi("/api/imports", "imports");
        imports.MapGet("/{kind}/template", Template).NeedsOfServices("tenancy.manage");
        imports.MapPost("/{kind}", Upload).ForPeople().Produces<NetworkImport>(StatusCodes.Status202Accepted).WithMetadata(
            new RequestSizeLimitAttribute(NetworkKind.MaxBytes + 1), new RequestTimeoutAttribute(FileImports.UploadMilliseconds));
        imports.MapGet("/{id:guid}", Find).ForPeople();
        imports.MapPost("/{id:guid}/start", Start).ForPeople();
        imports.MapPost("/{id:guid}/run", Run).ForPeople();
        imports.MapGet("/{id:guid}/rows", Rows).ForPeople();
        imports.MapGet("/{id:guid}/report", Report).ForPeople();
    }

    private static async Task<FileContentHttpResult> Template(
        Caller caller, string kind, bool? many, FileImports imports, ImportReport report, CancellationToken ct)
    {
        var options = many == true ? null : NetworkKind.Of(Guid.Empty);
        var file = await report.Template(caller, KindOf(kind, imports), options, ct);
        return TypedResults.File(file, XlsxExport.MediaType, $"sankore-{kind}.xlsx");
    }

    /// <summary>Takes a file, and has it checked as its head suggests; with <c>start=false</c> it is only looked at.</summary>
    private static async Task<IResult> Upload(
        HttpRequest request, Caller caller, string kind, Guid? group, string? name, bool? start, FileImports imports, CancellationToken ct)
    {
        var upload = new ImportUpload(name, request.Body, kind == "groups" ? null : NetworkKind.Of(group));
        if (start != false)
        {
            return Started(await imports.Upload(caller, KindOf(kind, imports), upload, import => import.Settings, ct));
        }
        var kept = await imports.Upload(caller, KindOf(kind, imports), upload, null, ct);
        return TypedResults.Created($"/api/imports/{kept.Id}", NetworkImport.Of(kept, []));
    }

    private static async Task<NetworkImport> Find(Caller caller, Guid id, FileImports imports, CancellationToken ct) =>
        await WithRows(caller, await imports.Find(caller, id, NetworkKind.Names, ct), imports, ct);

    private static async Task<Accepted<NetworkImport>> Start(
        Caller caller, Guid id, ImportChoice? choice, FileImports imports, CancellationToken ct) =>
        Started(await imports.Start(caller, id, NetworkKind.Names, import => choice?.Of(import) ?? import.Settings, ct));

    private static async Task<NetworkImport> Run(Caller caller, Guid id, FileImports imports, CancellationToken ct) =>
        await WithRows(caller, await imports.Confirm(caller, id, NetworkKind.Names, ct), imports, ct);

    private static Task<IReadOnlyList<ImportRow>> Rows(
        Caller caller, Guid id, string? verdict, int? after, FileImports imports, CancellationToken ct) =>
        imports.Rows(caller, id, NetworkKind.Names, verdict, after ?? 0, MostRows, ct);

    private static Task<IResult> Report(
        Caller caller, Guid id, string? verdict, string? format, ImportReport report, CancellationToken ct) =>
        report.File(caller, id, NetworkKind.Names, verdict, format, ct);

    private static ImportKind KindOf(string name, FileImports imports) =>
        imports.Kind(NetworkKind.Names.Contains(name) ? name : null);

    private static async Task<NetworkImport> WithRows(Caller caller, ImportView import, FileImports imports, CancellationToken ct) =>
        NetworkImport.Of(import, await imports.Rows(caller, import.Id, NetworkKind.Names, null, 0, int.MaxValue, ct));

    private static Accepted<NetworkImport> Started(ImportView import) =>
        TypedResults.Accepted($"/api/imports/{import.Id}", NetworkImport.Of(import, []));
}
