using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>Lost second factors over HTTP.</summary>
internal static class RecoveriesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var recoveries = routes.MapApi("/api/users/{userId:guid}/recovery", "auth");
        recoveries.MapPost("", Begin).Needs("identity.recover");
        recoveries.MapDelete("", Cancel).Needs("identity.recover");
        routes.MapApi("/api/auth/recovery", "auth").MapDelete("", CancelOwn).ForPeople();
    }

    private static Task Begin(Caller caller, Guid userId, RecoveryInput input, Recoveries recoveries, CancellationToken ct) =>
        recoveries.Begin(caller, userId, input, ct);

    private static Task Cancel(Caller caller, Guid userId, Recoveries recoveries, CancellationToken ct) =>
        recoveries.Cancel(caller, userId, ct);

    private static Task CancelOwn(Caller caller, Recoveries recoveries, CancellationToken ct) =>
        recoveries.Cancel(caller, caller.UserId!.Value, ct);
}
