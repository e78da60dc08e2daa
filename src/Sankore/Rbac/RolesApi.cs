using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>People and their roles over HTTP.</summary>
internal static class RolesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api", "rbac");
        api.MapGet("/roles", List).Needs("rbac.read");
        api.MapGet("/users", People).Needs("identity.read");
        api.MapGet("/users/{id:guid}/roles", Of).Needs("rbac.read");
        api.MapPost("/users/{id:guid}/roles", Grant).Needs("rbac.grant");
        api.MapDelete("/users/{id:guid}/roles/{role}", Revoke).Needs("rbac.grant");
    }

    private static Task<IReadOnlyList<Role>> List(Caller caller, Roles roles, CancellationToken ct) => roles.List(caller, ct);

    private static Task<Paged<PersonView>> People(Caller caller, [AsParameters] ListQuery query, Roles roles, CancellationToken ct) =>
        roles.People(caller, query, ct);

    private static async Task<IReadOnlyList<GrantView>> Of(Caller caller, Guid id, Roles roles, CancellationToken ct)
    {
        await roles.Person(caller, id, ct);
        return await roles.Of(caller, id, ct);
    }

    private static Task Grant(Caller caller, Guid id, GrantInput input, Roles roles, CancellationToken ct) =>
        roles.Grant(caller, id, input, ct);

    private static Task Revoke(Caller caller, Guid id, string role, string? reason, Roles roles, CancellationToken ct) =>
        roles.Revoke(caller, id, role, reason, ct);
}
