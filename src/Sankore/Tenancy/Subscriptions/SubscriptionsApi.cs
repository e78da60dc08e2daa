using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>Groups' subscriptions over HTTP.</summary>
internal static class SubscriptionsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api", "network");
        api.MapGet("/groups/{groupId:guid}/subscriptions", Of).NeedsOfServices("tenancy.read");
        api.MapPost("/groups/{groupId:guid}/subscriptions", Create).Needs("tenancy.manage");
        api.MapPut("/subscriptions/{id:guid}", Update).Needs("tenancy.manage");
    }

    private static Task<IReadOnlyList<Subscription>> Of(Caller caller, Guid groupId, Subscriptions subscriptions, CancellationToken ct) =>
        subscriptions.Of(caller, groupId, ct);

    private static async Task<Created<Subscription>> Create(
        Caller caller, Guid groupId, SubscriptionInput input, Subscriptions subscriptions, CancellationToken ct) =>
        TypedResults.Created($"/api/groups/{groupId}/subscriptions", await subscriptions.Create(caller, groupId, input, ct));

    private static Task<Subscription> Update(
        Caller caller, Guid id, IfMatch match, SubscriptionInput input, Subscriptions subscriptions, CancellationToken ct) =>
        subscriptions.Update(caller, id, match.Or(input.Version), input, ct);
}
