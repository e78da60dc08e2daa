using Microsoft.AspNetCore.Authorization;
using Sankore.Platform.Security;

namespace Sankore.Identity.Accounts;

/// <summary>Whether people may register themselves: <c>Sankore:Registration</c> = <c>open</c> (default) or <c>closed</c>.</summary>
internal static class Registration
{
    /// <summary>Whether registration is open.</summary>
    public static bool IsOpen(IConfiguration configuration) => configuration["Sankore:Registration"] is not "closed";

    /// <summary>Refuses <c>POST /api/auth/register</c> where registration is closed.</summary>
    public static EndpointFilterDelegate WhereOpen(EndpointFilterFactoryContext factory, EndpointFilterDelegate next) => context =>
        context.HttpContext.Request.Path.Value!.EndsWith("/register", StringComparison.OrdinalIgnoreCase)
        && !IsOpen(context.HttpContext.RequestServices.GetRequiredService<IConfiguration>())
            ? throw new Refusal(Reason.RegistrationClosed)
            : next(context);

    /// <summary>What is not under <c>/manage</c> is for people who are not signed in yet.</summary>
    public static void OpenToAll(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder route && route.RoutePattern.RawText?.Contains("/manage", StringComparison.Ordinal) != true)
        {
            endpoint.Metadata.Add(new AllowAnonymousAttribute());
        }
    }
}
