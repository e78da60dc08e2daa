using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Operations;

/// <summary>The audit log over HTTP.</summary>
internal static class AuditLogsApi
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapApi("/api/audit-logs", "operations").MapGet("", List).Needs("audit.read");

    private static Task<Paged<AuditEntry>> List(
        Caller caller, [AsParameters] ListQuery query, [AsParameters] AuditFilter filter, AuditLogs logs, CancellationToken ct) =>
        logs.List(caller, query, filter, ct);
}
