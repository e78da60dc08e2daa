using Sankore.Platform.Data;
using Sankore.Platform.Live;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Operations;

/// <summary>Keeping the platform running: audit log, outgoing mail, health, the feed's figures.</summary>
public sealed class OperationsModule : SankoreModule
{
    /// <inheritdoc/>
    public override IEnumerable<MenuEntry> Menu =>
    [
        new("audit.read", "/admin/audit", "list", "menu.audit", typeof(Strings), 41),
        new("operations.read", "/admin/outbox", "inbox", "menu.outbox", typeof(Strings), 42),
        new("operations.read", "/admin/live", "bolt", "menu.live", typeof(Strings), 43),
    ];

    /// <inheritdoc/>
    public override void Services(IServiceCollection services, IConfiguration configuration) => services.AddScoped<AuditLogs>().AddScoped<Outbox>().AddScoped<LiveNodes>();

    /// <inheritdoc/>
    public override void Routes(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/audit-logs", (Caller caller, [AsParameters] ListQuery query, [AsParameters] AuditFilter filter, AuditLogs logs, CancellationToken ct) =>
            logs.List(caller, query, filter, ct)).Needs("audit.read").WithTags("operations");
        routes.MapGet("/health/live", () => Results.Ok(new { status = "live" })).AllowAnonymous().WithTags("operations");
        routes.MapGet("/health/ready", Ready).AllowAnonymous().WithTags("operations");
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
