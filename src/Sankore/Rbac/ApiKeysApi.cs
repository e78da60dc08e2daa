using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>Keys of services over HTTP.</summary>
internal static class ApiKeysApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var keys = routes.MapApi("/api/api-keys", "rbac");
        keys.MapGet("", List).Needs("identity.manage_keys");
        keys.MapPost("", Create).Needs("identity.manage_keys");
        keys.MapDelete("/{id:guid}", Revoke).Needs("identity.manage_keys");
    }

    private static Task<IReadOnlyList<ApiKey>> List(Caller caller, ApiKeys keys, CancellationToken ct) => keys.List(caller, ct);

    private static Task<NewApiKey> Create(Caller caller, ApiKeyInput input, ApiKeys keys, CancellationToken ct) =>
        keys.Create(caller, input, ct);

    private static Task Revoke(Caller caller, Guid id, ApiKeys keys, CancellationToken ct) => keys.Revoke(caller, id, ct);
}
