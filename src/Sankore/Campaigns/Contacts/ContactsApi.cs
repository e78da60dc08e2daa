using System.Globalization;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns.Contacts;

/// <summary>Contacts, organisations, segments and the suppression list over HTTP.</summary>
internal static class ContactsApi
{
    /// <summary>Maps the endpoints, each under the right that it needs.</summary>
    public static void Map(RouteGroupBuilder read, RouteGroupBuilder write, RouteGroupBuilder delete, RouteGroupBuilder export)
    {
        read.MapGet("/contacts", (Caller caller, [AsParameters] ListQuery query, [AsParameters] ContactFilter filter, Contacts use, CancellationToken ct) => use.List(caller, query, filter, ct));
        read.MapGet("/contacts/{id:guid}", async (HttpContext context, Caller caller, Guid id, Contacts use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        export.MapGet("/contacts/export", (Caller caller, [AsParameters] ListQuery query, [AsParameters] ContactFilter filter, string? format, Contacts use, IStringLocalizer<Strings> strings, CancellationToken ct) =>
            Exports.File(format, "contacts", [strings["contacts.email"], strings["contacts.name"], strings["contacts.organization"], strings["contacts.tags"], strings["contacts.consent"], strings["contacts.consent.on"], strings["suppressions.reason"]],
                use.All(caller, query.Q, filter, ct), c => [c.Email, c.Name, c.OrganizationName, string.Join(", ", c.Tags), c.ConsentSource, c.ConsentAt?.Add(Days.Offset).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), c.Suppression is null ? null : strings["suppression." + c.Suppression].Value]));
        read.MapGet("/tags", (Caller caller, Contacts use, CancellationToken ct) => use.Tags(caller, ct));
        write.MapPost("/contacts", async (HttpContext context, Caller caller, ContactInput input, Contacts use, CancellationToken ct) =>
        {
            var contact = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/campaigns/contacts/{contact.Id}", contact);
        });
        write.MapPut("/contacts/{id:guid}", async (HttpContext context, Caller caller, Guid id, ContactInput input, Contacts use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct)));
        write.MapPost("/contacts/{id:guid}/merge", async (HttpContext context, Caller caller, Guid id, MergeInput input, Contacts use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Merge(caller, id, input.Ids ?? [], ct)));
        delete.MapDelete("/contacts/{id:guid}", async (Caller caller, Guid id, Contacts use, CancellationToken ct) =>
            await use.Delete(caller, [id], ct) > 0 ? TypedResults.NoContent() : throw new Refusal(Reason.NotFound));

        read.MapGet("/organizations", (Caller caller, [AsParameters] ListQuery query, Organizations use, CancellationToken ct) => use.List(caller, query, ct));
        read.MapGet("/organizations/{id:guid}", async (HttpContext context, Caller caller, Guid id, Organizations use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        write.MapPost("/organizations", async (HttpContext context, Caller caller, OrganizationInput input, Organizations use, CancellationToken ct) =>
        {
            var organization = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/campaigns/organizations/{organization.Id}", organization);
        });
        write.MapPut("/organizations/{id:guid}", async (HttpContext context, Caller caller, Guid id, OrganizationInput input, Organizations use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct)));
        write.MapPost("/organizations/{id:guid}/merge", async (HttpContext context, Caller caller, Guid id, MergeInput input, Organizations use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Merge(caller, id, input.Ids ?? [], ct)));
        delete.MapDelete("/organizations/{id:guid}", async (Caller caller, Guid id, Organizations use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, ct);
            return TypedResults.NoContent();
        });

        read.MapGet("/segments", (Caller caller, Segments use, CancellationToken ct) => use.List(caller, ct));
        read.MapGet("/segments/{id:guid}", async (HttpContext context, Caller caller, Guid id, Segments use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        write.MapPost("/segments", async (HttpContext context, Caller caller, SegmentInput input, Segments use, CancellationToken ct) =>
        {
            var segment = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/campaigns/segments/{segment.Id}", segment);
        });
        write.MapPut("/segments/{id:guid}", async (HttpContext context, Caller caller, Guid id, SegmentInput input, Segments use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct)));
        delete.MapDelete("/segments/{id:guid}", async (Caller caller, Guid id, Segments use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, ct);
            return TypedResults.NoContent();
        });

        read.MapGet("/suppressions", (Caller caller, [AsParameters] ListQuery query, string? reason, Suppressions use, CancellationToken ct) => use.List(caller, query, reason, ct));
        write.MapPost("/suppressions", async (Caller caller, SuppressionInput input, Suppressions use, CancellationToken ct) =>
        {
            var suppression = await use.Add(caller, input, ct);
            return TypedResults.Created("/api/campaigns/suppressions", suppression);
        });
        delete.MapDelete("/suppressions/{id:guid}", async (Caller caller, Guid id, Suppressions use, CancellationToken ct) =>
        {
            await use.Remove(caller, id, ct);
            return TypedResults.NoContent();
        });
    }
}
