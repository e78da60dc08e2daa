using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>The catalogue's categories over HTTP. Members read too, and their row policies decide what they see.</summary>
internal static class CategoriesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var categories = routes.MapApi("/api/categories", "categories");
        categories.MapGet("", List).NeedsOfServices("tenancy.read");
        categories.MapGet("/{id:guid}", Find).NeedsOfServices("tenancy.read");
        categories.MapPost("", Create).Needs("tenancy.manage");
        categories.MapPut("/{id:guid}", Update).Needs("tenancy.manage");
        categories.MapDelete("/{id:guid}", Delete).Needs("tenancy.delete");
    }

    private static Task<Paged<Category>> List(Caller caller, [AsParameters] ListQuery query, Categories categories, CancellationToken ct) =>
        categories.List(caller, query, ct);

    private static Task<Category> Find(Caller caller, Guid id, Categories categories, CancellationToken ct) =>
        categories.Find(caller, id, ct);

    private static async Task<Created<Category>> Create(Caller caller, CategoryInput input, Categories categories, CancellationToken ct)
    {
        var category = await categories.Create(caller, input, ct);
        return TypedResults.Created($"/api/categories/{category.Id}", category);
    }

    private static Task<Category> Update(
        Caller caller, Guid id, IfMatch match, CategoryInput input, Categories categories, CancellationToken ct) =>
        categories.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task Delete(Caller caller, Guid id, IfMatch match, Categories categories, CancellationToken ct) =>
        categories.Delete(caller, id, match.Version, ct);
}
