using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Sankore.Platform.Web;

namespace Sankore.Platform.Security;

/// <summary>The permission (<c>domain.action</c>, document 004) that an endpoint or a page needs.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class PermissionAttribute(string key) : AuthorizeAttribute, IAuthorizationRequirement, IAuthorizationRequirementData
{
    public string Key { get; } = key;

    /// <summary>Whether only services need it: what people see is their row policies' matter.</summary>
    public bool OfServices { get; init; }

    public IEnumerable<IAuthorizationRequirement> GetRequirements() => [this];
}

/// <summary>
/// A route for signed-in people, whose row policies decide what they see and change: a group's administrators have no permission of the
/// platform. A service's key, which no row policy limits, is refused.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ForPeopleAttribute : AuthorizeAttribute, IAuthorizationRequirement, IAuthorizationRequirementData
{
    public IEnumerable<IAuthorizationRequirement> GetRequirements() => [this];
}

/// <summary>Says what a route needs.</summary>
public static class PermissionRoutes
{
    /// <summary>Requires a permission.</summary>
    public static T Needs<T>(this T route, string permission) where T : IEndpointConventionBuilder =>
        route.WithMetadata(new PermissionAttribute(permission));

    /// <summary>Requires a permission of services; people need only be signed in, and see what their row policies say.</summary>
    public static T NeedsOfServices<T>(this T route, string permission) where T : IEndpointConventionBuilder =>
        route.WithMetadata(new PermissionAttribute(permission) { OfServices = true });

    /// <summary>
    /// Requires a person, not a service; row policies say what the person sees and changes (<see cref="ForPeopleAttribute"/>).
    /// </summary>
    public static T ForPeople<T>(this T route) where T : IEndpointConventionBuilder => route.WithMetadata(new ForPeopleAttribute());
}

/// <summary>Asks the caller's rights, which the database decided.</summary>
internal sealed class PermissionHandler(IHttpContextAccessor http) : AuthorizationHandler<PermissionAttribute>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, PermissionAttribute requirement)
    {
        if (http.HttpContext!.Rights().May(requirement.Key) || requirement.OfServices && http.HttpContext!.Caller().UserId is not null)
        {
            context.Succeed(requirement);
        }
        return Task.CompletedTask;
    }
}

/// <summary>Whether a person is asking.</summary>
internal sealed class ForPeopleHandler(IHttpContextAccessor http) : AuthorizationHandler<ForPeopleAttribute>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ForPeopleAttribute requirement)
    {
        if (http.HttpContext!.Caller().UserId is not null)
        {
            context.Succeed(requirement);
        }
        return Task.CompletedTask;
    }
}

/// <summary>
/// A refused request gets the problem with its code; a refused page leads to sign-in, or says that it is not for this person.
/// </summary>
internal sealed class RefusedAuthorization : IAuthorizationMiddlewareResultHandler
{
    public Task HandleAsync(
        RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded)
        {
            return next(context);
        }
        var signedIn = context.Caller().Role != "anon";
        if (!signedIn && !Problems.IsForPrograms(context.Request))
        {
            context.Response.Redirect("/login?returnUrl=" + Uri.EscapeDataString(context.Request.Path + context.Request.QueryString));
            return Task.CompletedTask;
        }
        context.Response.StatusCode = signedIn ? 403 : 401;
        return Task.CompletedTask;
    }
}
