using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>The catalogue's modules over HTTP. Members read too, and their row policies decide what they see.</summary>
internal static class ModulesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var modules = routes.MapApi("/api/modules", "modules");
        modules.MapGet("", List).NeedsOfServices("tenancy.read");
        modules.MapGet("/{id:guid}", Find).NeedsOfServices("tenancy.read");
        modules.MapPost("", Create).Needs("tenancy.manage");
        modules.MapPut("/{id:guid}", Update).Needs("tenancy.manage");
        modules.MapDelete("/{id:guid}", Delete).Needs("tenancy.delete");
    }

    private static Task<Paged<Module>> List(Caller caller, [AsParameters] ListQuery query, Modules modules, CancellationToken ct) =>
        modules.List(caller, query, ct);

    private static Task<Module> Find(Caller caller, Guid id, Modules modules, CancellationToken ct) => modules.Find(caller, id, ct);

    private static async Task<Created<Module>> Create(Caller caller, ModuleInput input, Modules modules, CancellationToken ct)
    {
        var module = await modules.Create(caller, input, ct);
        return TypedResults.Created($"/api/modules/{module.Id}", module);
    }

    private static Task<Module> Update(Caller caller, Guid id, IfMatch match, ModuleInput input, Modules modules, CancellationToken ct) =>
        modules.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task Delete(Caller caller, Guid id, IfMatch match, Modules modules, CancellationToken ct) =>
        modules.Delete(caller, id, match.Version, ct);
}
