using Sankore.Campaigns.Contacts;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy.Assignments;

namespace Sankore.Campaigns;

/// <summary>E-mail campaigns (document 001): contacts and organisations, templates, campaigns, and what became of each message. The module <c>campagnes</c> of the catalogue.</summary>
public sealed class CampaignsModule : SankoreModule
{
    /// <summary>The module's code in the catalogue: whoever's chain holds for it has these pages and endpoints.</summary>
    public const string Code = "campagnes";

    /// <inheritdoc/>
    public override IEnumerable<Reason> Reasons => CampaignsReasons.All;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["contacts_user_id_email_unique"] = Reason.ContactExists,
        ["organizations_user_id_name_unique"] = Reason.OrganizationExists,
        ["segments_user_id_name_unique"] = Reason.SegmentExists,
        ["suppressions_user_id_email_unique"] = Reason.SuppressionExists,
    };

    /// <inheritdoc/>
    public override void Services(IServiceCollection services, IConfiguration configuration) =>
        services.AddScoped<Contacts.Contacts>().AddScoped<Organizations>().AddScoped<Segments>().AddScoped<Suppressions>();

    /// <inheritdoc/>
    public override void Routes(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/campaigns").WithTags("campaigns").RequireAuthorization();
        var (read, write, delete) = (api.MapGroup("").RequireModule(Code), api.MapGroup("").RequireModule(Code, ModuleRight.Write), api.MapGroup("").RequireModule(Code, ModuleRight.Delete));

        read.MapGet("/contacts", (Caller caller, [AsParameters] ListQuery query, [AsParameters] ContactFilter filter, Contacts.Contacts use, CancellationToken ct) => use.List(caller, query, filter, ct));
        read.MapGet("/contacts/{id:guid}", async (HttpContext context, Caller caller, Guid id, Contacts.Contacts use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        read.MapGet("/tags", (Caller caller, Contacts.Contacts use, CancellationToken ct) => use.Tags(caller, ct));
        write.MapPost("/contacts", async (HttpContext context, Caller caller, ContactInput input, Contacts.Contacts use, CancellationToken ct) =>
        {
            var contact = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/campaigns/contacts/{contact.Id}", contact);
        });
        write.MapPut("/contacts/{id:guid}", async (HttpContext context, Caller caller, Guid id, ContactInput input, Contacts.Contacts use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct)));
        write.MapPost("/contacts/{id:guid}/merge", async (HttpContext context, Caller caller, Guid id, MergeInput input, Contacts.Contacts use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Merge(caller, id, input.Ids ?? [], ct)));
        delete.MapDelete("/contacts/{id:guid}", async (Caller caller, Guid id, Contacts.Contacts use, CancellationToken ct) =>
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
