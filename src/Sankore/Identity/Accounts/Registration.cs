using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>Whether people may register themselves: <c>Sankore:Registration</c> = <c>open</c> (default) or <c>closed</c>.</summary>
internal static class Registration
{
    /// <summary>Whether registration is open.</summary>
    public static bool IsOpen(IConfiguration configuration) => configuration["Sankore:Registration"] is not "closed";

    /// <summary>
    /// Before two of the framework's endpoints: registering is refused where it is closed; a forgotten password is answered here, because
    /// the framework mails only to confirmed addresses, and nobody must confirm one.
    /// </summary>
    public static async ValueTask<object?> Instead(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var services = context.HttpContext.RequestServices;
        var path = context.HttpContext.Request.Path.Value!;
        if (path.EndsWith("/register", StringComparison.OrdinalIgnoreCase) && !IsOpen(services.GetRequiredService<IConfiguration>()))
        {
            throw new Refusal(Reason.RegistrationClosed);
        }
        if (context.Arguments.OfType<ForgotPasswordRequest>().FirstOrDefault() is { } forgot)
        {
            await services.GetRequiredService<AccountMails>().SendReset(services.GetRequiredService<UserManager<Account>>(), forgot.Email);
            return TypedResults.Ok();
        }
        return await next(context);
    }

    /// <summary>What is not under <c>/manage</c> is for people who are not signed in yet.</summary>
    public static void OpenToAll(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder route && route.RoutePattern.RawText?.Contains("/manage", StringComparison.Ordinal) != true)
        {
            endpoint.Metadata.Add(new AllowAnonymousAttribute());
        }
    }
}
