using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Live;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>The request's caller and rights.</summary>
public static class CallerFeature
{
    /// <summary>The claim that carries the account's security stamp in cookies and tokens.</summary>
    public const string StampClaim = "AspNet.Identity.SecurityStamp";

    /// <summary>The claim that marks an API key; its permissions follow as <see cref="PermissionClaim"/>.</summary>
    public const string ServiceClaim = "sankore:service";

    /// <summary>A permission of an API key.</summary>
    public const string PermissionClaim = "sankore:permission";

    private sealed record Known(Caller Caller, Rights Rights);

    public static Caller Caller(this HttpContext context) => context.Features.Get<Known>()?.Caller ?? Security.Caller.Anonymous;

    /// <summary>The security stamp that the session was made with.</summary>
    public static string? Stamp(this HttpContext context) => context.User.FindFirstValue(StampClaim);

    /// <summary>What the caller may do.</summary>
    public static Rights Rights(this HttpContext context) => context.Features.Get<Known>()?.Rights ?? Security.Rights.None;

    /// <summary>
    /// After authentication: finds the caller's rights, and makes a request anonymous whose session was ended (its security stamp is no
    /// longer the account's) — at once on every node, because the log says so.
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
            var cache = context.RequestServices.GetRequiredService<RightsCache>();
            var stamp = context.Stamp();
            var rights = await cache.Get(userId, context.RequestAborted, context.Request.IsForStream());
            if (rights.SecurityStamp != stamp)
            {
                // A session made this moment may be ahead of what this node has read of the log.
                cache.Forget([userId], []);
                rights = await cache.Get(userId, context.RequestAborted, context.Request.IsForStream());
            }
            if (stamp is not null && rights.SecurityStamp == stamp)
            {
                context.Features.Set(new Known(Security.Caller.Person(userId), rights));
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
}
