using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Live;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>The request's caller and rights.</summary>
public static class CallerFeature
{
    /// <summary>The claim that carries the session in cookies and tokens.</summary>
    public const string SessionClaim = "sankore:session";

    /// <summary>The claim that marks an API key; its permissions follow as <see cref="PermissionClaim"/>.</summary>
    public const string ServiceClaim = "sankore:service";

    /// <summary>A permission of an API key.</summary>
    public const string PermissionClaim = "sankore:permission";

    private sealed record Known(Caller Caller, Rights Rights);

    public static Caller Caller(this HttpContext context) => context.Features.Get<Known>()?.Caller ?? Security.Caller.Anonymous;

    /// <summary>The session that the cookie or token belongs to, whether or not it has ended.</summary>
    public static Guid? SessionId(this HttpContext context) =>
        Guid.TryParse(context.User.FindFirstValue(SessionClaim), out var id) ? id : null;

    /// <summary>What the caller may do.</summary>
    public static Rights Rights(this HttpContext context) => context.Features.Get<Known>()?.Rights ?? Security.Rights.None;

    /// <summary>
    /// After authentication: finds the caller's rights, and makes a request anonymous whose session has ended — at once on every node,
    /// because the log says so.
    /// </summary>
    public static IApplicationBuilder UseCaller(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (Guid.TryParse(context.User.FindFirstValue(ServiceClaim), out var keyId))
        {
            var permissions = context.User.FindAll(PermissionClaim).Select(c => c.Value).ToHashSet();
            context.Features.Set(new Known(Security.Caller.Key(keyId), Security.Rights.None with { Permissions = permissions }));
        }
        else if (Guid.TryParse(context.User.FindFirstValue(ClaimTypes.NameIdentifier), out var userId))
        {
            var (rights, session) = await RightsOf(context, userId);
            if (session is not null)
            {
                context.Features.Set(new Known(Security.Caller.Person(userId), rights));
                await Seen(context, session);
            }
            else
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity());
                context.Features.Set<IAuthenticateResultFeature>(null);
                if (context.Request.Cookies.Count > 0)
                {
                    await context.SignOutAsync(IdentityConstants.ApplicationScheme);
                }
            }
        }
        await next(context);
    });

    private static async Task<(Rights Rights, SeenSession? Session)> RightsOf(HttpContext context, Guid userId)
    {
        var cache = context.RequestServices.GetRequiredService<RightsCache>();
        var rights = await cache.Get(userId, context.RequestAborted, context.Request.IsForStream());
        if (rights.Session(context.SessionId()) is null)
        {
            // A session made this moment may be ahead of what this node has read of the log.
            cache.Forget([userId], []);
            rights = await cache.Get(userId, context.RequestAborted, context.Request.IsForStream());
        }
        return (rights, rights.Session(context.SessionId()));
    }

    /// <summary>Once an hour it is written down that a session is in use, and it lasts another two weeks from then.</summary>
    private static async Task Seen(HttpContext context, SeenSession session)
    {
        if (session.IsDue(context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeSeconds()))
        {
            await context.RequestServices.GetRequiredService<Db>().Run(Security.Caller.Service, s => s.Execute(
                "update auth.sessions set seen_at = now(), ends_at = now() + interval '14 days' where id = @Id", new { session.Id }),
                context.RequestAborted);
        }
    }
}
