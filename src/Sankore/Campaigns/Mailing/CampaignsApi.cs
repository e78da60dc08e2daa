using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Campaigns over HTTP: what they say, to whom, when they leave, and how they do.</summary>
internal static class CampaignsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns", "campaigns");
        api.MapGet("/dashboard", ReadDashboard).RequireModule(Code);
        api.MapGet("", List).RequireModule(Code);
        api.MapGet("/{id:guid}", Find).RequireModule(Code);
        api.MapGet("/{id:guid}/analytics", Line).RequireModule(Code);
        api.MapGet("/{id:guid}/details", Details).RequireModule(Code);
        api.MapGet("/contacts/{id:guid}/analytics", OfContact).RequireModule(Code);
        api.MapPost("/audience", Count).RequireModule(Code);
        api.MapPost("", Create).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/{id:guid}", Update).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/{id:guid}/message", UpdateMessage).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/duplicate", Duplicate).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/send", Send).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/test", SendTest).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/schedule", Schedule).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/unschedule", Unschedule).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/pause", Pause).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/resume", Resume).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/cancel", Cancel).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);

        routes.MapGet("/campaigns/{id:guid}/preview", Preview).RequireModule(Code).ExcludeFromDescription();
    }

    private static Task<DashboardView> ReadDashboard(Caller caller, Dashboard dashboard, CancellationToken ct) =>
        dashboard.Read(caller, ct);

    private static Task<Paged<CampaignLine>> List(
        Caller caller, [AsParameters] ListQuery query, string? status, EmailCampaigns campaigns, CancellationToken ct) =>
        campaigns.List(caller, query, status, ct);

    private static Task<Campaign> Find(Caller caller, Guid id, EmailCampaigns campaigns, CancellationToken ct) =>
        campaigns.Find(caller, id, ct);

    private static Task<CampaignLine> Line(Caller caller, Guid id, EmailCampaigns campaigns, CancellationToken ct) =>
        campaigns.Line(caller, id, ct);

    private static async Task<CampaignDetails> Details(
        Caller caller, Guid id, EmailCampaigns campaigns, Analytics analytics, CancellationToken ct)
    {
        await campaigns.Find(caller, id, ct);
        return await analytics.Of(caller, id, ct);
    }

    private static Task<ContactAnalytics> OfContact(Caller caller, Guid id, Analytics analytics, CancellationToken ct) =>
        analytics.OfContact(caller, id, ct);

    private static Task<AudienceCount> Count(Caller caller, Audience audience, EmailCampaigns campaigns, CancellationToken ct) =>
        campaigns.Count(caller, audience, ct);

    private static async Task<Created<Campaign>> Create(Caller caller, CampaignInput input, EmailCampaigns campaigns, CancellationToken ct)
    {
        var campaign = await campaigns.Create(caller, input, ct);
        return TypedResults.Created($"/api/campaigns/{campaign.Id}", campaign);
    }

    private static Task<Campaign> Update(
        Caller caller, Guid id, IfMatch match, CampaignInput input, EmailCampaigns campaigns, CancellationToken ct) =>
        campaigns.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task<Campaign> UpdateMessage(
        Caller caller, Guid id, IfMatch match, MessageInput input, EmailCampaigns campaigns, CancellationToken ct) =>
        campaigns.Update(caller, id, match.Or(input.Version), input, ct);

    private static async Task<Created<Campaign>> Duplicate(
        Caller caller, Guid id, EmailCampaigns campaigns, IStringLocalizer<Strings> strings, CancellationToken ct)
    {
        var name = strings["campaigns.copy_of", (await campaigns.Find(caller, id, ct)).Name];
        var copy = await campaigns.Duplicate(caller, id, name, ct);
        return TypedResults.Created($"/api/campaigns/{copy.Id}", copy);
    }

    private static async Task<Accepted<Campaign>> Send(Caller caller, Guid id, Dispatch dispatch, CancellationToken ct) =>
        TypedResults.Accepted($"/api/campaigns/{id}/analytics", await dispatch.Send(caller, id, ct));

    private static async Task<Accepted> SendTest(Caller caller, Guid id, Dispatch dispatch, CancellationToken ct)
    {
        await dispatch.Try(caller, id, ct);
        return TypedResults.Accepted((string?)null);
    }

    private static Task<Campaign> Schedule(Caller caller, Guid id, ScheduleInput input, Dispatch dispatch, CancellationToken ct) =>
        dispatch.Schedule(caller, id, input, ct);

    private static Task<Campaign> Unschedule(Caller caller, Guid id, Dispatch dispatch, CancellationToken ct) =>
        dispatch.Unschedule(caller, id, ct);

    private static Task<Campaign> Pause(Caller caller, Guid id, Dispatch dispatch, CancellationToken ct) => dispatch.Pause(caller, id, ct);

    private static Task<Campaign> Resume(Caller caller, Guid id, Dispatch dispatch, CancellationToken ct) =>
        dispatch.Resume(caller, id, ct);

    private static Task<Campaign> Cancel(Caller caller, Guid id, Dispatch dispatch, CancellationToken ct) =>
        dispatch.Cancel(caller, id, ct);

    private static async Task Delete(Caller caller, Guid id, EmailCampaigns campaigns, CancellationToken ct) =>
        await campaigns.Delete(caller, id, ct);

    /// <summary>What the page's frame shows of a campaign: what it says, or a sentence that it says nothing yet.</summary>
    private static Task<RazorComponentResult> Preview(
        HttpContext context, Caller caller, Guid id, bool? dark, EmailCampaigns campaigns, Previews previews, CancellationToken ct) =>
        PreviewDocuments.Show(context, async () =>
        {
            var campaign = await campaigns.Find(caller, id, ct);
            // What is being written has its subject last, often.
            var subject = campaign.Subject.Length > 0 ? campaign.Subject : "—";
            return campaign.Content.Length > 0
                ? await previews.Fill(caller, new PreviewInput(subject, campaign.Content, null, Dark: dark ?? false), ct)
                : null;
        });
}
