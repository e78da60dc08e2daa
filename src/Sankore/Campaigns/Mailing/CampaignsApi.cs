using Microsoft.Extensions.Localization;
using Sankore.Campaigns.Templates;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns.Mailing;

/// <summary>Campaigns over HTTP.</summary>
internal static class CampaignsApi
{
    /// <summary>Maps the endpoints, each under the right that it needs.</summary>
    public static void Map(RouteGroupBuilder read, RouteGroupBuilder write, RouteGroupBuilder delete)
    {
        read.MapGet("", (Caller caller, [AsParameters] ListQuery query, string? status, Campaigns use, CancellationToken ct) => use.List(caller, query, status, ct));
        read.MapGet("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Campaigns use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        read.MapGet("/{id:guid}/analytics", (Caller caller, Guid id, Campaigns use, CancellationToken ct) => use.Line(caller, id, ct));
        read.MapGet("/{id:guid}/details", async (Caller caller, Guid id, Campaigns campaigns, Analytics use, CancellationToken ct) =>
        {
            await campaigns.Find(caller, id, ct);
            return await use.Of(caller, id, ct);
        });
        read.MapGet("/contacts/{id:guid}/analytics", (Caller caller, Guid id, Analytics use, CancellationToken ct) => use.OfContact(caller, id, ct));
        read.MapGet("/outbox", (Caller caller, [AsParameters] ListQuery query, CampaignOutbox use, CancellationToken ct) => use.List(caller, query, ct));
        read.MapGet("/outbox/{id:guid}", Eml).Produces(StatusCodes.Status200OK, contentType: "message/rfc822");
        read.MapPost("/audience", (Caller caller, Audience audience, Campaigns use, CancellationToken ct) => use.Count(caller, audience, ct));
        write.MapPost("", async (HttpContext context, Caller caller, CampaignInput input, Campaigns use, CancellationToken ct) =>
        {
            var campaign = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/campaigns/{campaign.Id}", campaign);
        });
        write.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, CampaignInput input, Campaigns use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct)));
        write.MapPost("/{id:guid}/duplicate", async (HttpContext context, Caller caller, Guid id, Campaigns use, IStringLocalizer<Strings> strings, CancellationToken ct) =>
        {
            var name = strings["campaigns.copy_of", (await use.Find(caller, id, ct)).Name];
            var copy = await use.Duplicate(caller, id, name, ct);
            return Versions.Created(context, $"/api/campaigns/{copy.Id}", copy);
        });
        write.MapPost("/{id:guid}/send", async (Caller caller, Guid id, Dispatch use, CancellationToken ct) => TypedResults.Accepted($"/api/campaigns/{id}/analytics", await use.Send(caller, id, ct)));
        write.MapPost("/{id:guid}/test", async (Caller caller, Guid id, Dispatch use, CancellationToken ct) =>
        {
            await use.Try(caller, id, ct);
            return TypedResults.Accepted((string?)null);
        });
        write.MapPost("/{id:guid}/schedule", (Caller caller, Guid id, ScheduleInput input, Dispatch use, CancellationToken ct) => use.Schedule(caller, id, input, ct));
        write.MapPost("/{id:guid}/unschedule", (Caller caller, Guid id, Dispatch use, CancellationToken ct) => use.Unschedule(caller, id, ct));
        write.MapPost("/{id:guid}/pause", (Caller caller, Guid id, Dispatch use, CancellationToken ct) => use.Pause(caller, id, ct));
        write.MapPost("/{id:guid}/resume", (Caller caller, Guid id, Dispatch use, CancellationToken ct) => use.Resume(caller, id, ct));
        write.MapPost("/{id:guid}/cancel", (Caller caller, Guid id, Dispatch use, CancellationToken ct) => use.Cancel(caller, id, ct));
        delete.MapDelete("/{id:guid}", async (Caller caller, Guid id, Campaigns use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, ct);
            return TypedResults.NoContent();
        });
    }

    /// <summary>Maps what a frame shows of a campaign: what it says, or a word that it does not say anything yet.</summary>
    public static void MapPreviews(RouteGroupBuilder read) =>
        read.MapGet("/{id:guid}/preview", (HttpContext context, Caller caller, Guid id, Campaigns campaigns, Previews use, CancellationToken ct) => TemplatesApi.Shown(context, async () =>
        {
            var campaign = await campaigns.Find(caller, id, ct);
            return campaign.Subject.Length > 0 && campaign.Content.Length > 0 ? await use.Fill(caller, new PreviewInput(campaign.Subject, campaign.Content, null), ct) : null;
        }));

    /// <summary>Maps what a frame shows of a message in the outbox, and its file.</summary>
    public static void MapOutbox(RouteGroupBuilder read)
    {
        read.MapGet("/outbox/{id:guid}/preview", (HttpContext context, Caller caller, Guid id, CampaignOutbox use, CancellationToken ct) =>
            TemplatesApi.Shown(context, async () => (await use.Find(caller, id, ct)).Filled, isSent: true));
        read.MapGet("/outbox/{id:guid}/eml", Eml);
    }

    private static async Task<IResult> Eml(Caller caller, Guid id, CampaignOutbox use, CancellationToken ct) => TypedResults.File((await use.Find(caller, id, ct)).Raw, "message/rfc822", $"{id}.eml");
}
