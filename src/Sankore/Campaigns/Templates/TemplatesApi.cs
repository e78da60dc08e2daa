using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Templates over HTTP, and the documents that the editor's frame shows.</summary>
internal static class TemplatesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/templates", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapGet("/{id:guid}", Find).RequireModule(Code);
        api.MapPost("", Create).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/{id:guid}", Update).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/duplicate", Duplicate).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/preview", Preview).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);

        var frames = routes.MapGroup("/campaigns/templates").ExcludeFromDescription();
        frames.MapGet("/{id:guid}/preview", ShowTemplate).RequireModule(Code);
        frames.MapGet("/preview", ShowStarter).RequireModule(Code);
        frames.MapPost("/preview", ShowForm).RequireModule(Code, ModuleRight.Write);
    }

    private static Task<Paged<TemplateLine>> List(
        Caller caller, [AsParameters] ListQuery query, EmailTemplates templates, CancellationToken ct) =>
        templates.List(caller, query, ct);

    private static Task<EmailTemplate> Find(Caller caller, Guid id, EmailTemplates templates, CancellationToken ct) =>
        templates.Find(caller, id, ct);

    private static async Task<Created<EmailTemplate>> Create(
        Caller caller, TemplateInput input, EmailTemplates templates, CancellationToken ct) =>
        Created(await templates.Create(caller, input, ct));

    private static Task<EmailTemplate> Update(
        Caller caller, Guid id, IfMatch match, TemplateInput input, EmailTemplates templates, CancellationToken ct) =>
        templates.Update(caller, id, match.Or(input.Version), input, ct);

    private static async Task<Created<EmailTemplate>> Duplicate(Caller caller, Guid id, EmailTemplates templates, CancellationToken ct) =>
        Created(await templates.Duplicate(caller, id, ct));

    private static Task<FilledMessage> Preview(Caller caller, PreviewInput input, Previews previews, CancellationToken ct) =>
        previews.Fill(caller, input, ct);

    private static async Task Delete(Caller caller, Guid id, EmailTemplates templates, CancellationToken ct) =>
        await templates.Delete(caller, id, ct);

    /// <summary>A saved template, filled in for a contact.</summary>
    private static Task<RazorComponentResult> ShowTemplate(
        HttpContext context, Caller caller, Guid id, Guid? contactId, bool? dark, EmailTemplates templates, Previews previews) =>
        PreviewDocuments.Show(context, async () =>
        {
            var template = await templates.Find(caller, id, context.RequestAborted);
            var input = new PreviewInput(template.Subject, template.Content, contactId, Dark: dark ?? false);
            return await previews.Fill(caller, input, context.RequestAborted);
        });

    /// <summary>A starting template, or a sentence that the preview will stand here.</summary>
    private static Task<RazorComponentResult> ShowStarter(
        HttpContext context, Caller caller, string? start, Previews previews, CancellationToken ct) =>
        PreviewDocuments.Show(context, async () => Starters.Find(start) is { } starter
            ? await previews.Fill(caller, new PreviewInput(starter.Subject, null, null, starter.Design), ct)
            : null);

    /// <summary>What stands in the editor's form.</summary>
    private static Task<RazorComponentResult> ShowForm(
        HttpContext context, Caller caller, [AsParameters] EditorForm form, Previews previews, IAntiforgery antiforgery) =>
        PreviewDocuments.Show(context, async () =>
        {
            await antiforgery.ValidateRequestAsync(context);
            var posted = await context.Request.ReadFormAsync(context.RequestAborted);
            var design = DesignForm.Has(posted) ? DesignForm.Read(posted) : null;
            var input = new PreviewInput(form.Subject, form.Content, Parse.Id(form.ContactId), design, form.Dark == "true");
            return await previews.Fill(caller, input, context.RequestAborted);
        });

    private static Created<EmailTemplate> Created(EmailTemplate template) =>
        TypedResults.Created($"/api/campaigns/templates/{template.Id}", template);

    /// <summary>The editor's fields that a preview shows.</summary>
    internal sealed record EditorForm
    {
        [FromForm(Name = "Form.Subject")] public string? Subject { get; init; }
        [FromForm(Name = "Form.Content")] public string? Content { get; init; }
        [FromForm(Name = "Form.ContactId")] public string? ContactId { get; init; }
        [FromForm(Name = "Form.Dark")] public string? Dark { get; init; }
    }
}
