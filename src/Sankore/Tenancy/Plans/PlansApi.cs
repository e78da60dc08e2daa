using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A plan and the modules that it says something about.</summary>
public sealed record PlanWithModules(Plan Plan, IReadOnlyList<PlanModule> Modules) : IVersioned
{
    /// <summary>The plan's, for the entity tag.</summary>
    [JsonIgnore]
    public int Version => Plan.Version;
}

/// <summary>Plans over HTTP. Members read too, and their row policies decide what they see.</summary>
internal static class PlansApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var plans = routes.MapApi("/api/plans", "plans");
        plans.MapGet("", List).NeedsOfServices("tenancy.read");
        plans.MapGet("/{id:guid}", Find).NeedsOfServices("tenancy.read");
        plans.MapPost("", Create).Needs("tenancy.manage");
        plans.MapPut("/{id:guid}", Update).Needs("tenancy.manage");
        plans.MapPost("/{id:guid}/preview", Preview).Needs("tenancy.manage");
        plans.MapDelete("/{id:guid}", Delete).Needs("tenancy.delete");
    }

    private static Task<Paged<Plan>> List(Caller caller, [AsParameters] ListQuery query, Plans plans, CancellationToken ct) =>
        plans.List(caller, query, ct);

    private static async Task<PlanWithModules> Find(Caller caller, Guid id, Plans plans, CancellationToken ct)
    {
        var (plan, modules) = await plans.Find(caller, id, ct);
        return new PlanWithModules(plan, modules);
    }

    private static async Task<Created<Plan>> Create(Caller caller, PlanInput input, Plans plans, CancellationToken ct)
    {
        var plan = await plans.Create(caller, input, ct);
        return TypedResults.Created($"/api/plans/{plan.Id}", plan);
    }

    private static Task<Plan> Update(Caller caller, Guid id, IfMatch match, PlanInput input, Plans plans, CancellationToken ct) =>
        plans.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task<PlanPreview> Preview(Caller caller, Guid id, PlanInput input, Plans plans, CancellationToken ct) =>
        plans.Preview(caller, id, input, ct);

    private static Task Delete(Caller caller, Guid id, IfMatch match, Plans plans, CancellationToken ct) =>
        plans.Delete(caller, id, match.Version, ct);
}
