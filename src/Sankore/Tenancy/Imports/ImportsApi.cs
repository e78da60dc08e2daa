using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy.Imports;

/// <summary>Imports of groups, schools and staff over HTTP. Files come as the body itself: no form of a foreign site can send one.</summary>
internal static class ImportsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var imports = routes.MapApi("/api/imports", "imports");
        imports.MapGet("/{kind}/template", Template).NeedsOfServices("tenancy.manage");
        imports.MapPost("/{kind}", Upload).ForPeople().WithMetadata(new RequestSizeLimitAttribute(Imports.MaxBytes + 1));
        imports.MapGet("/{id:guid}", Find).ForPeople();
        imports.MapPost("/{id:guid}/run", Run).ForPeople();
    }

    private static async Task<FileContentHttpResult> Template(string kind, bool? many, CancellationToken ct)
    {
        var language = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;
        var known = ImportKind.Named(kind) ?? throw new Refusal(Reason.NotFound);
        return TypedResults.File(await Imports.Template(known, many ?? false, language, ct), XlsxExport.MediaType, $"sankore-{kind}.xlsx");
    }

    private static async Task<ImportView> Upload(
        HttpRequest request, Caller caller, string kind, Guid? group, string? name, Imports imports, CancellationToken ct)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, ct);
        var known = ImportKind.Named(kind) ?? throw new Refusal(Reason.NotFound);
        return await imports.Preview(caller, known, kind == "groups" ? null : group, name, body.ToArray(), ct);
    }

    private static Task<ImportView> Find(Caller caller, Guid id, Imports imports, CancellationToken ct) => imports.Find(caller, id, ct);

    private static Task<ImportView> Run(Caller caller, Guid id, Imports imports, CancellationToken ct) => imports.Run(caller, id, ct);
}
