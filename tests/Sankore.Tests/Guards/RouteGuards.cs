using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Security;
using Sankore.Tenancy;

namespace Sankore.Tests.Guards;

/// <summary>Every route says who may use it.</summary>
public sealed class RouteGuards(World world) : IClassFixture<World>
{
    /// <summary>What programs without an account change: each request is signed with a key that the operator configures.</summary>
    private static readonly string[] Signed = ["/api/campaigns/events/{provider}"];

    /// <summary>What whoever is not signed in may ask for. A new line here is a decision.</summary>
    private static readonly string[] Open =
    [
        "/login", "/register", "/forgot", "/reset", "/confirm", "/setup", "/logout", "/language", "/.well-known/jwks.json",
            "/error/{Status:int}",
            "/openapi/{documentName}.json",
            "/health/live", "/health/ready",
        "/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/confirmEmail",
        "/api/auth/forgotPassword", "/api/auth/resetPassword", "/api/auth/passkeys/request",
        // For whoever has a message: the link is signed, and all the proof there is.
        "/u/{token}", "/u/{Token}", "/c/{token}", "/o/{token}.gif", .. Signed,
        // Pictures of messages and logos: an address that nobody guesses is all the proof there is.
        "/i/{id:guid}", "/i/{id:guid}/small",
    ];

    /// <summary>Questions that change nothing, and are asked by POST for their length.</summary>
    private static readonly string[] AskedByPost = ["POST /api/campaigns/audience"];

    /// <summary>The framework's own, which it adds without a word: the fallback policy keeps them for whoever is signed in.</summary>
    private static readonly string[] Framework = ["GET /_framework/opaque-redirect", "GET,HEAD {**path:file}"];

    [Fact]
    public void Every_route_says_who_may_use_it() => Endpoints().Where(SaysNothing).Select(Name).ShouldBeSubsetOf(Framework);

    [Fact]
    public async Task What_says_nothing_is_for_whoever_is_signed_in() =>
        (await world.App.Services.GetRequiredService<IAuthorizationPolicyProvider>().GetFallbackPolicyAsync()).ShouldNotBeNull()
            .Requirements.ShouldContain(r => r is DenyAnonymousAuthorizationRequirement);

    [Fact]
    public void Only_these_routes_are_open_to_whoever_is_not_signed_in() =>
        Endpoints()
            .Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is not null && e.Metadata.GetMetadata<StaticAssetDescriptor>() is null)
            .Select(e => e.RoutePattern.RawText!).Distinct().Order().ShouldBe(Open.Order());

    [Fact]
    public void Every_change_through_the_API_needs_a_permission() => Endpoints().Where(ChangesFreely).Select(Name).ShouldBeEmpty();

    [Fact]
    public void No_change_needs_only_the_right_to_read() =>
        Endpoints().Where(ChangesByReading).Select(Name).ShouldBe(AskedByPost);

    [Fact]
    public async Task Every_permission_that_a_route_or_a_menu_names_is_one_of_the_database()
    {
        var named = Endpoints().Select(e => e.Metadata.GetMetadata<PermissionAttribute>()?.Key).OfType<string>()
            .Concat(SankoreApp.Modules.SelectMany(m => m.Menu).Select(m => m.Permission));
        var known = await world.AsRole<string>("anon", null, "select permission_key from rbac.permissions");
        named.Distinct().ShouldBeSubsetOf(known);
    }

    [Fact]
    public async Task A_route_that_says_nothing_or_changes_freely_is_named()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.MapPost("/api/planted", () => "");
        app.MapPost("/api/planted-for-anybody-signed-in", () => "").RequireAuthorization();
        app.MapPost("/api/guarded", () => "").Needs("tenancy.manage");
        app.MapPost("/api/of-a-module", () => "").RequireModule("campagnes", ModuleRight.Write);
        app.MapPut("/api/of-people", () => "").ForPeople();
        app.MapPost("/api/of-a-module-by-reading", () => "").RequireModule("campagnes");
        app.MapDelete("/api/by-reading", () => "").Needs("tenancy.read");
        app.MapPut("/api/by-services-that-read", () => "").NeedsOfServices("tenancy.read");
        Endpoints(app).Where(SaysNothing).Select(Name).ShouldBe(["POST /api/planted"]);
        Endpoints(app).Where(ChangesFreely).Select(Name).ShouldBe(["POST /api/planted", "POST /api/planted-for-anybody-signed-in"]);
        Endpoints(app).Where(ChangesByReading).Select(Name)
            .ShouldBe(["POST /api/of-a-module-by-reading", "DELETE /api/by-reading", "PUT /api/by-services-that-read"]);
    }

    [Fact]
    public async Task Nobody_gets_past_a_route_that_needs_a_permission()
    {
        using var nobody = world.Nobody();
        foreach (var endpoint in Endpoints().Where(e => NeedsSomething(e) && Methods(e).Contains("GET")))
        {
            var path = endpoint.RoutePattern.RawText!.Replace("{id:guid}", Guid.Empty.ToString(), StringComparison.Ordinal);
            var answer = await Status(nobody, path);
            // A program is told; a person is led to sign-in.
            answer.ShouldBe(path.StartsWith("/api", StringComparison.Ordinal) ? 401 : 200, path);
        }
    }

    [Fact]
    public async Task Operator_or_module_holder_gets_an_answer_at_every_address_without_parameters()
    {
        using var admin = await world.As(Cast.Super);
        using var member = await world.As(Cast.HeadOnPremium);
        foreach (var endpoint in Endpoints()
            .Where(
            e => Methods(e).Contains("GET") && e.Metadata.GetMetadata<IAllowAnonymous>() is null && e.RoutePattern.Parameters.Count == 0))
        {
            var path = endpoint.RoutePattern.RawText!;
            if (path != "/live" && !path.StartsWith("/_framework", StringComparison.Ordinal))
            {
                (await Status(endpoint.Metadata.GetMetadata<RequireModuleAttribute>() is null ? admin : member, path)).ShouldBe(200, path);
            }
        }
    }

    private IEnumerable<RouteEndpoint> Endpoints() => Endpoints(world.App);

    private static IEnumerable<RouteEndpoint> Endpoints(IEndpointRouteBuilder app) =>
        app.DataSources.SelectMany(d => d.Endpoints).OfType<RouteEndpoint>();

    private static bool SaysNothing(RouteEndpoint e) =>
        e.Metadata.GetMetadata<IAuthorizeData>() is null && e.Metadata.GetMetadata<RequireModuleAttribute>() is null
            && e.Metadata.GetMetadata<IAllowAnonymous>() is null && e.Metadata.GetMetadata<PermissionAttribute>() is null;

    private static bool ChangesFreely(RouteEndpoint e) =>
        e.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal)
            && !e.RoutePattern.RawText.StartsWith("/api/auth/", StringComparison.Ordinal)
        && Changes(e) && !NeedsSomething(e) && !Signed.Contains(e.RoutePattern.RawText);

    private static bool ChangesByReading(RouteEndpoint e) =>
        e.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal) && Changes(e)
        && (e.Metadata.GetMetadata<PermissionAttribute>()?.Key.EndsWith(".read", StringComparison.Ordinal) == true
            || e.Metadata.GetMetadata<RequireModuleAttribute>()?.Permission == ModuleRight.Read);

    private static bool Changes(RouteEndpoint e) => Methods(e).Any(m => m is "POST" or "PUT" or "PATCH" or "DELETE");

    /// <summary>A permission, a module of the caller's, or a person whose row policies decide.</summary>
    private static bool NeedsSomething(RouteEndpoint e) => e.Metadata.GetMetadata<PermissionAttribute>() is not null
        || e.Metadata.GetMetadata<RequireModuleAttribute>() is not null || e.Metadata.GetMetadata<ForPeopleAttribute>() is not null;

    private static IReadOnlyList<string> Methods(RouteEndpoint e) =>
        e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST"];

    private static string Name(RouteEndpoint e) => $"{string.Join(',', Methods(e))} {e.RoutePattern.RawText}";

    private static async Task<int> Status(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return (int)answer.StatusCode;
    }
}
