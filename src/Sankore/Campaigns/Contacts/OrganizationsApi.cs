using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Organisations of contacts over HTTP.</summary>
internal static class OrganizationsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/organizations", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapGet("/{id:guid}", Find).RequireModule(Code);
        api.MapPost("", Create).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/{id:guid}", Update).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/{id:guid}/merge", Merge).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);
    }

    private static Task<Paged<Organization>> List(
        Caller caller, [AsParameters] ListQuery query, Organizations organizations, CancellationToken ct) =>
        organizations.List(caller, query, ct);

    private static Task<Organization> Find(Caller caller, Guid id, Organizations organizations, CancellationToken ct) =>
        organizations.Find(caller, id, ct);

    private static async Task<Created<Organization>> Create(
        Caller caller, OrganizationInput input, Organizations organizations, CancellationToken ct)
    {
        var organization = await organizations.Create(caller, input, ct);
        return TypedResults.Created($"/api/campaigns/organizations/{organization.Id}", organization);
    }

    private static Task<Organization> Update(
        Caller caller, Guid id, IfMatch match, OrganizationInput input, Organizations organizations, CancellationToken ct) =>
        organizations.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task<Organization> Merge(Caller caller, Guid id, MergeInput input, Organizations organizations, CancellationToken ct) =>
        organizations.Merge(caller, id, input.Ids ?? [], ct);

    private static async Task Delete(Caller caller, Guid id, bool? anyway, Organizations organizations, CancellationToken ct) =>
        await organizations.Delete(caller, id, anyway ?? false, ct);
}
