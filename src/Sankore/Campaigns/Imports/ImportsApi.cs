using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Imports;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Imports of contacts over HTTP.</summary>
internal static class ImportsApi
{
    /// <summary>The largest request that carries a file.</summary>
    public const int MaxRequestBytes = 51 * 1024 * 1024;

    private const int MostRows = 1000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/imports", "campaigns");
        api.MapGet("", List).RequireModule(Code, ModuleRight.Write);
        api.MapGet("/{id:guid}", Find).RequireModule(Code, ModuleRight.Write);
        api.MapPost("", Upload).RequireModule(Code, ModuleRight.Write)
            .Accepts<IFormFile>("multipart/form-data").Produces<ContactImport>(StatusCodes.Status202Accepted).WithMetadata(
                new RequestSizeLimitAttribute(MaxRequestBytes),
                new RequestTimeoutAttribute(FileImports.UploadMilliseconds));
        api.MapGet("/template", Template).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/start", Start).RequireModule(Code, ModuleRight.Write);
        api.MapGet("/{id:guid}/rows", Rows).RequireModule(Code, ModuleRight.Write);
        api.MapGet("/{id:guid}/report", Report).RequireModule(Code, ModuleRight.Write);
    }

    private static async Task<IReadOnlyList<ContactImport>> List(Caller caller, FileImports imports, CancellationToken ct) =>
        [.. (await imports.List(caller, ContactsKind.Names, ct)).Select(ContactImport.Of)];

    private static async Task<ContactImport> Find(Caller caller, Guid id, FileImports imports, CancellationToken ct) =>
        ContactImport.Of(await imports.Find(caller, id, ContactsKind.Names, ct));

    private static async Task<FileContentHttpResult> Template(
        Caller caller, FileImports imports, ImportReport report, CancellationToken ct) => TypedResults.File(
        await report.Template(caller, imports.Kind(ContactsKind.Names[0]), null, ct), Platform.Files.XlsxExport.MediaType,
        "sankore-contacts.xlsx");

    private static async Task<Accepted<ContactImport>> Start(
        Caller caller, Guid id, ContactImportSettings? settings, FileImports imports, CancellationToken ct) =>
        Started(await imports.Start(caller, id, ContactsKind.Names, import => settings?.ToSettings() ?? import.Settings, ct));

    private static async Task<IReadOnlyList<ImportedRow>> Rows(
        Caller caller, Guid id, string? verdict, int? after, FileImports imports, CancellationToken ct) =>
        [.. (await imports.Rows(caller, id, ContactsKind.Names, verdict, after ?? 0, MostRows, ct))
            .Select(r => new ImportedRow(r.Number, r["organization"], r["email"], r["name"], r.Verdict))];

    private static Task<IResult> Report(
        Caller caller, Guid id, string? verdict, string? format, ImportReport report, CancellationToken ct) =>
        report.File(caller, id, ContactsKind.Names, verdict, format, ct);

    /// <summary>
    /// Takes a form with a <c>file</c>, and imports it as its first rows suggest or as the fields <c>sheet</c>, <c>email</c>,
    /// <c>organization</c>, <c>name</c>
    /// (columns from 0), <c>hasHeader</c>, <c>tags</c> (with commas) and <c>consentSource</c> say; with <c>start=false</c> it is only
    /// looked at.
    /// </summary>
    private static async Task<IResult> Upload(HttpContext context, Caller caller, FileImports imports, CancellationToken ct)
    {
        var form = await context.Request.ReadForm(MaxRequestBytes, ct);
        var file = form.Files["file"] ?? throw new Refusal(Reason.FileInvalid);
        await using var stream = file.OpenReadStream();
        var upload = new ImportUpload(file.FileName, stream);
        var kind = imports.Kind(ContactsKind.Names[0]);
        if (form["start"] != "false")
        {
            return Started(await imports.Upload(caller, kind, upload, import => Chosen(form, import), ct));
        }
        var kept = await imports.Upload(caller, kind, upload, null, ct);
        return TypedResults.Created($"/api/campaigns/imports/{kept.Id}", ContactImport.Of(kept));
    }

    private static ImportSettings Chosen(IFormCollection form, ImportView import)
    {
        var guessed = ContactImportSettings.Of(import.Guess(Place("sheet") ?? import.Settings.Sheet));
        return (guessed with
        {
            Email = Place("email") ?? guessed.Email,
            Organization = form.ContainsKey("organization") ? Place("organization") : guessed.Organization,
            Name = form.ContainsKey("name") ? Place("name") : guessed.Name,
            HasHeader = bool.TryParse(form["hasHeader"], out var head) ? head : guessed.HasHeader,
            Tags = form["tags"].ToString().Split(','),
            ConsentSource = form["consentSource"],
        }).ToSettings();

        int? Place(string field) => form[field].ToString() is { Length: > 0 } text
            ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : -1 : null;
    }

    private static Accepted<ContactImport> Started(ImportView import) =>
        TypedResults.Accepted($"/api/campaigns/imports/{import.Id}", ContactImport.Of(import));
}
