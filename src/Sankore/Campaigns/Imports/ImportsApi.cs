using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;

namespace Sankore.Campaigns.Imports;

/// <summary>Imports of contacts over HTTP.</summary>
internal static class ImportsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void Map(RouteGroupBuilder write)
    {
        write.MapGet("/imports", (Caller caller, ContactImports use, CancellationToken ct) => use.List(caller, ct));
        write.MapGet("/imports/{id:guid}", (Caller caller, Guid id, ContactImports use, CancellationToken ct) => use.Find(caller, id, ct));
        write.MapPost("/imports", Upload).Accepts<IFormFile>("multipart/form-data").Produces<ContactImport>(StatusCodes.Status202Accepted)
            .WithMetadata(new RequestSizeLimitAttribute(ContactImports.MaxRequestBytes), new RequestTimeoutAttribute(ContactImports.UploadMilliseconds));
        write.MapPost("/imports/{id:guid}/start", async (Caller caller, Guid id, ImportSettings? settings, ContactImports use, CancellationToken ct) =>
            TypedResults.Accepted($"/api/campaigns/imports/{id}", await use.Start(caller, id, settings, ct)));
        write.MapGet("/imports/{id:guid}/rows", (Caller caller, Guid id, string? verdict, int? after, ContactImports use, CancellationToken ct) => use.Rows(caller, id, verdict, after ?? 0, 1000, ct));
        write.MapGet("/imports/{id:guid}/report", async (Caller caller, Guid id, string? verdict, string? format, ContactImports use, IStringLocalizer<Strings> strings, CancellationToken ct) =>
        {
            // Refused before anything is written.
            await use.Rows(caller, id, verdict, 0, 1, ct);
            return Exports.File(format, "import", [strings["import.line"], strings["contacts.organization"], strings["contacts.email"], strings["contacts.name"], strings["import.verdict"]],
                use.Report(caller, id, verdict, ct), r => [r.Number.ToString(CultureInfo.InvariantCulture), r.Organization, r.Email, r.Name, strings["verdict." + r.Verdict]]);
        });
    }

    /// <summary>
    /// Takes a form with a <c>file</c>, and imports it as its first rows suggest or as the fields <c>email</c>, <c>organization</c>, <c>name</c> (columns from 0),
    /// <c>hasHeader</c>, <c>tags</c> (with commas) and <c>consentSource</c> say; with <c>start=false</c> it is only looked at.
    /// </summary>
    private static async Task<IResult> Upload(HttpContext context, Caller caller, ContactImports use, CancellationToken ct)
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
        var import = await use.Upload(caller, file.FileName, stream, ct);
        if (form["start"] == "false")
        {
            return TypedResults.Created($"/api/campaigns/imports/{import.Id}", import);
        }
        var guessed = import.Settings;
        var settings = new ImportSettings(Column("email") ?? guessed.Email, form.ContainsKey("organization") ? Column("organization") : guessed.Organization, Column("name"),
            bool.TryParse(form["hasHeader"], out var head) ? head : guessed.HasHeader, form["tags"].ToString().Split(','), form["consentSource"]);
        return TypedResults.Accepted($"/api/campaigns/imports/{import.Id}", await use.Start(caller, import.Id, settings, ct));

        int? Column(string field) => form[field].ToString() is { Length: > 0 } text ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var column) ? column : -1 : null;
    }
}
