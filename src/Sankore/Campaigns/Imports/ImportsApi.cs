using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy.Assignments;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns.Imports;

/// <summary>Imports of contacts over HTTP.</summary>
internal static class ImportsApi
{
    private static readonly string[] ReportHead =
        ["import.line", "contacts.organization", "contacts.email", "contacts.name", "import.verdict"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/imports", "campaigns");
        api.MapGet("", List).RequireModule(Code, ModuleRight.Write);
        api.MapGet("/{id:guid}", Find).RequireModule(Code, ModuleRight.Write);
        api.MapPost("", Upload).RequireModule(Code, ModuleRight.Write)
            .Accepts<IFormFile>("multipart/form-data").Produces<ContactImport>(StatusCodes.Status202Accepted).WithMetadata(
                new RequestSizeLimitAttribute(ContactImports.MaxRequestBytes),
                new RequestTimeoutAttribute(ContactImports.UploadMilliseconds));
        api.MapPost("/{id:guid}/start", Start).RequireModule(Code, ModuleRight.Write);
        api.MapGet("/{id:guid}/rows", Rows).RequireModule(Code, ModuleRight.Write);
        api.MapGet("/{id:guid}/report", Report).RequireModule(Code, ModuleRight.Write);
    }

    private static Task<IReadOnlyList<ContactImport>> List(Caller caller, ContactImports imports, CancellationToken ct) =>
        imports.List(caller, ct);

    private static Task<ContactImport> Find(Caller caller, Guid id, ContactImports imports, CancellationToken ct) =>
        imports.Find(caller, id, ct);

    private static async Task<Accepted<ContactImport>> Start(
        Caller caller, Guid id, ImportSettings? settings, ContactImports imports, CancellationToken ct) =>
        TypedResults.Accepted($"/api/campaigns/imports/{id}", await imports.Start(caller, id, settings, ct));

    private static Task<IReadOnlyList<ImportedRow>> Rows(
        Caller caller, Guid id, string? verdict, int? after, ContactImports imports, CancellationToken ct) =>
        imports.Rows(caller, id, verdict, after ?? 0, 1000, ct);

    private static async Task<IResult> Report(Caller caller, Guid id, string? verdict, string? format,
        ContactImports imports, IStringLocalizer<Strings> strings, CancellationToken ct)
    {
        // Refused before anything is written.
        await imports.Rows(caller, id, verdict, 0, 1, ct);
        return Exports.File(format, "import", [.. ReportHead.Select(key => strings[key].Value)], imports.Report(caller, id, verdict, ct),
            r => [r.Number.ToString(CultureInfo.InvariantCulture), r.Organization, r.Email, r.Name, strings["verdict." + r.Verdict]]);
    }

    /// <summary>
    /// Takes a form with a <c>file</c>, and imports it as its first rows suggest or as the fields <c>email</c>, <c>organization</c>, <c>name</c> (columns from 0),
    /// <c>hasHeader</c>, <c>tags</c> (with commas) and <c>consentSource</c> say; with <c>start=false</c> it is only looked at.
    /// </summary>
    private static async Task<IResult> Upload(HttpContext context, Caller caller, ContactImports imports, CancellationToken ct)
    {
        if (!context.Request.HasFormContentType)
        {
            throw new Refusal(Reason.UnsupportedMediaType);
        }
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = ContactImports.MaxRequestBytes }, ct);
        }
        catch (InvalidDataException)
        {
            throw new Refusal(Reason.TooLarge);
        }
        var file = form.Files["file"] ?? throw new Refusal(Reason.FileInvalid);
        await using var stream = file.OpenReadStream();
        var import = await imports.Upload(caller, file.FileName, stream, ct);
        if (form["start"] == "false")
        {
            return TypedResults.Created($"/api/campaigns/imports/{import.Id}", import);
        }
        var guessed = import.Settings;
        var settings = new ImportSettings(Column("email") ?? guessed.Email, form.ContainsKey("organization") ? Column("organization") : guessed.Organization, Column("name"),
            bool.TryParse(form["hasHeader"], out var head) ? head : guessed.HasHeader, form["tags"].ToString().Split(','), form["consentSource"]);
        return TypedResults.Accepted($"/api/campaigns/imports/{import.Id}", await imports.Start(caller, import.Id, settings, ct));

        int? Column(string field) => form[field].ToString() is { Length: > 0 } text ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var column) ? column : -1 : null;
    }
}
