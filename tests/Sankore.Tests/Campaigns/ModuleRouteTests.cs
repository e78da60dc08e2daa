using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Sankore.Identity;
using Sankore.Tenancy;

namespace Sankore.Tests.Campaigns;

/// <summary>Every route and page of a built module is refused to whoever has not the module, before anything is read or done.</summary>
public sealed class ModuleRouteTests(World world) : IClassFixture<World>
{
    public static TheoryData<string> Without => [Cast.HeadOnEssentiel, Cast.HeadOnGratuit, Cast.Super];

    [Theory]
    [MemberData(nameof(Without))]
    public async Task Whoever_has_not_the_module_is_refused_everywhere(string email)
    {
        using var client = await world.As(email);
        foreach (var (method, path) in Routes().Where(r => r.Path.StartsWith("/api/", StringComparison.Ordinal)))
        {
            await client.Ask(new HttpMethod(method), path, method is "GET" or "DELETE" ? null : Body(path))
                .ShouldRefuse(403, "MODULE_REFUSED");
        }
        using var browser = new Browser(world.Address);
        await browser.SignIn(email, PasswordRules.Demo);
        foreach (var (_, path) in Routes().Where(r => !r.Path.StartsWith("/api/", StringComparison.Ordinal)))
        {
            (await browser.Page(path, System.Net.HttpStatusCode.Forbidden))
                .ShouldContain(email == Cast.Super ? "aucune fonction" : "Campagnes");
        }
    }

    [Fact]
    public async Task Whoever_may_only_read_changes_nothing()
    {
        // The supervisor of a school with the module has its category to read.
        using var client = await world.As("supervisor.s0004.1@sankore.test");
        // A question may be asked by POST, for its length.
        foreach (var (method, path) in Routes()
            .Where(
                r => r.Path.StartsWith("/api/", StringComparison.Ordinal) && r.Method != "GET"
                && !r.Path.EndsWith("/audience", StringComparison.Ordinal) && !r.Path.EndsWith("/preview", StringComparison.Ordinal)))
        {
            await client.Ask(new HttpMethod(method), path, method is "DELETE" ? null : Body(path)).ShouldRefuse(403, "MODULE_REFUSED");
        }
        await client.Ask(HttpMethod.Get, "/api/campaigns/contacts").Json();
    }

    private static HttpContent Body(string path) => path.EndsWith("/imports", StringComparison.Ordinal)
        || path.EndsWith("/attachments", StringComparison.Ordinal) || path.EndsWith("/pictures", StringComparison.Ordinal)
        ? new MultipartFormDataContent { { new StringContent("x"), "file", "x.csv" } }
        : new StringContent("{}", Encoding.UTF8, "application/json");

    private List<(string Method, string Path)> Routes()
    {
        var routes = ((IEndpointRouteBuilder)world.App).DataSources.SelectMany(d => d.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<RequireModuleAttribute>() is not null)
            .SelectMany(
                e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
                .Select(m => (m, "/" + Regex.Replace(e.RoutePattern.RawText!.Trim('/'), @"\{\w+:guid\}", Guid.Empty.ToString()))))
            .Where(r => r.m is "GET" or "POST" or "PUT" or "DELETE").ToList();
        routes.Count.ShouldBeGreaterThan(30);
        return routes;
    }
}
