using Microsoft.AspNetCore.HostFiltering;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>
/// Whom the server takes for itself: the host of its public address, and pages of it. What a request says in its Host header bends no link
/// (<see cref="AppAddress"/>), and what another site's page sends with a person's cookie changes nothing.
/// </summary>
public static class OwnOrigin
{
    private static readonly string[] Wildcards = ["*", "+", "0.0.0.0", "::", "[::]"];
    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>
    /// The hosts that requests may name: that of <c>Sankore:PublicUrl</c>, or of the addresses that the server listens at; those of
    /// <c>AllowedHosts</c>; and this machine. One that listens everywhere and has no public address takes any.
    /// </summary>
    public static IServiceCollection AddOwnHosts(this IServiceCollection services, IConfiguration configuration) =>
        services.PostConfigure<HostFilteringOptions>(o => o.AllowedHosts = HostsOf(configuration));

    internal static string[] HostsOf(IConfiguration configuration)
    {
        var said = (configuration["AllowedHosts"] ?? "*").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(h => h != "*");
        var own = (configuration["Sankore:PublicUrl"] ?? configuration["urls"] ?? "http://127.0.0.1:5080").Split(';')
            .Select(url => BindingAddress.Parse(url).Host).ToList();
        return own.Exists(Wildcards.Contains) ? ["*"] : [.. own.Concat(said).Concat(Loopback).Distinct()];
    }

    /// <summary>
    /// Refuses with ORIGIN_FOREIGN what would change something in the name of whoever has the cookie and was not sent by a page of ours.
    /// Browsers say where a request comes from; what they do not say counts as foreign.
    /// </summary>
    public static IApplicationBuilder UseOwnOrigin(this IApplicationBuilder app) => app.Use((context, next) =>
        Changes(context.Request) && HasCookie(context) && !IsOwn(context, From(context.Request.Headers))
            ? throw new Refusal(Reason.OriginForeign) : next(context));

    private static bool Changes(HttpRequest request) =>
        !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method);

    private static bool HasCookie(HttpContext context) =>
        context.Caller().UserId is not null && context.Request.Headers.Authorization.Count == 0;

    /// <summary>Whether an address, an origin say, is one of ours.</summary>
    public static bool IsOwn(HttpContext context, string? address) => Uri.TryCreate(address, UriKind.Absolute, out var origin)
        && (origin.Authority == context.Request.Host.Value
            || origin.Authority == context.RequestServices.GetRequiredService<AppAddress>().Base.Authority);

    private static string From(IHeaderDictionary headers) =>
        headers.Origin.Count > 0 ? headers.Origin.ToString() : headers.Referer.ToString();
}
