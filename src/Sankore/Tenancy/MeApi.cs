using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>The caller's own account and menu over HTTP.</summary>
internal static class MeApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var me = routes.MapApi("/api/me", "me");
        me.MapGet("", View).ForPeople();
        me.MapGet("/menu", Menu).ForPeople();
    }

    private static Task<MeView> View(HttpContext context, Caller caller, Me me, CancellationToken ct) =>
        me.View(caller, context.Rights(), ct);

    private static Task<IReadOnlyList<MenuItem>> Menu(Caller caller, Me me, CancellationToken ct) => me.Menu(caller, ct);
}
