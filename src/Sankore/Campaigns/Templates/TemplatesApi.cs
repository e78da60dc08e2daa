using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns.Templates;

/// <summary>Templates over HTTP, and the documents that the editor's frame shows.</summary>
internal static class TemplatesApi
{
    private const string PreviewPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'";

    // Of what was sent no image is loaded: one of them counts who has opened the message.
    private const string SentPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

    /// <summary>Maps the endpoints, each under the right that it needs.</summary>
    public static void Map(RouteGroupBuilder read, RouteGroupBuilder write, RouteGroupBuilder delete)
    {
        read.MapGet("/templates", (Caller caller, [AsParameters] ListQuery query, EmailTemplates use, CancellationToken ct) => use.List(caller, query, ct));
        read.MapGet("/templates/{id:guid}", async (HttpContext context, Caller caller, Guid id, EmailTemplates use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        write.MapPost("/templates", async (HttpContext context, Caller caller, TemplateInput input, EmailTemplates use, CancellationToken ct) =>
        {
            var template = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/campaigns/templates/{template.Id}", template);
        });
        write.MapPut("/templates/{id:guid}", async (HttpContext context, Caller caller, Guid id, TemplateInput input, EmailTemplates use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct)));
        write.MapPost("/templates/{id:guid}/duplicate", async (HttpContext context, Caller caller, Guid id, EmailTemplates use, CancellationToken ct) =>
        {
            var template = await use.Duplicate(caller, id, ct);
            return Versions.Created(context, $"/api/campaigns/templates/{template.Id}", template);
        });
        write.MapPost("/templates/preview", (Caller caller, PreviewInput input, Previews use, CancellationToken ct) => use.Fill(caller, input, ct));
        delete.MapDelete("/templates/{id:guid}", async (Caller caller, Guid id, EmailTemplates use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, ct);
            return TypedResults.NoContent();
        });
    }

    /// <summary>Maps what the frame shows: a saved template, a starting template (or a word of what will be there), and what stands in the form.</summary>
    public static void MapPreviews(RouteGroupBuilder read, RouteGroupBuilder write)
    {
        read.MapGet("/{id:guid}/preview", (HttpContext context, Caller caller, Guid id, Guid? contactId, EmailTemplates templates, Previews use, CancellationToken ct) => Shown(context, async () =>
        {
            var template = await templates.Find(caller, id, ct);
            return await use.Fill(caller, new PreviewInput(template.Subject, template.Content, contactId), ct);
        }));
        read.MapGet("/preview", (HttpContext context, Caller caller, string? start, Previews use, CancellationToken ct) => Shown(context, async () =>
            Starters.Find(start) is { } starter ? await use.Fill(caller, new PreviewInput(starter.Subject, starter.Content, null), ct) : null));
        write.MapPost("/preview", (HttpContext context, Caller caller, [FromForm(Name = "Form.Subject")] string? subject, [FromForm(Name = "Form.Content")] string? content,
            [FromForm(Name = "Form.ContactId")] string? contactId, Previews use, IAntiforgery antiforgery, CancellationToken ct) => Shown(context, async () =>
        {
            await antiforgery.ValidateRequestAsync(context);
            return await use.Fill(caller, new PreviewInput(subject, content, Guid.TryParse(contactId, out var id) ? id : null), ct);
        }));
    }

    /// <summary>The document that a frame shows: a message, a word that there is none, or what is wrong with it.</summary>
    internal static async Task<RazorComponentResult<PreviewDocument>> Shown(HttpContext context, Func<Task<FilledMessage?>> fill, bool isSent = false)
    {
        FilledMessage? message = null;
        Refusal? refused = null;
        try
        {
            message = await fill();
        }
        catch (Refusal refusal)
        {
            refused = refusal;
        }
        var headers = context.Response.Headers;
        (headers.ContentSecurityPolicy, headers.XFrameOptions, headers.CacheControl) = (isSent ? SentPolicy : PreviewPolicy, "SAMEORIGIN", "no-store");
        return new RazorComponentResult<PreviewDocument>(new Dictionary<string, object?> { ["Message"] = message, ["Refusal"] = refused })
        {
            // What is wrong with the text is what is shown of it.
            StatusCode = refused is null || refused.Reason == Reason.Invalid ? StatusCodes.Status200OK : refused.Reason.Status,
        };
    }
}
