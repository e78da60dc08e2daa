using Sankore.Platform.Data;
using Sankore.Platform.Live;
using Sankore.Platform.Security;

namespace Sankore.Operations;

/// <summary>Whether a node lives and can serve, for load balancers.</summary>
internal static class HealthApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").WithTags("operations");
        health.MapGet("/live", () => Results.Ok(new { status = "live" })).AllowAnonymous();
        health.MapGet("/ready", Ready).AllowAnonymous();
    }

    private static async Task<IResult> Ready(Db db, ChangeLog log, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            await db.Read(Caller.Anonymous, session => session.Value<long>("select live.position()"), patience.Token);
        }
        catch (Exception e) when (e is System.Data.Common.DbException or OperationCanceledException or TimeoutException)
        {
            throw new Refusal(Reason.Unavailable);
        }
        return log.Healthy ? Results.Ok(new { status = "ready" }) : throw new Refusal(Reason.Unavailable);
    }
}
