using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Text;

namespace Sankore.Tests.Guards;

/// <summary>A moment that comes from outside is a <see cref="Moment"/>, whatever it comes in: a body, a query, a path, a form, a
/// text.</summary>
public sealed partial class MomentGuards(World world) : IClassFixture<World>
{
    private static readonly Type[] OfTime = [typeof(DateTime), typeof(DateTimeOffset), typeof(DateOnly), typeof(TimeOnly),
        typeof(TimeSpan)];

    // The two that read moments, and the workbook's reader, to which a cell's date is a text to write another way.
    private static readonly string[] Readers =
        ["src/Sankore/Platform/Text/Moment.cs", "src/Sankore/Platform/Text/Days.cs", "src/Sankore/Platform/Files/CellText.cs"];

    [Fact]
    public void No_input_of_a_route_has_a_moment_that_is_not_bounded() => Offenders(world.App).ShouldBeEmpty();

    [Fact]
    public void No_form_and_no_query_of_a_page_has_a_moment_that_is_not_bounded() =>
        Pages().SelectMany(p => Times(p.PropertyType, $"{p.DeclaringType!.Name}.{p.Name}", [])).ShouldBeEmpty();

    [Fact]
    public void Every_page_s_forms_are_looked_at() => Pages().Count().ShouldBeGreaterThan(40);

    [Fact]
    public void Nothing_but_the_readers_of_moments_reads_one_from_a_text() =>
        Repository.SourceFiles("*.cs", "*.razor").Where(f => !Readers.Contains(Repository.Name(f)))
            .SelectMany(f => Reading().Matches(File.ReadAllText(f)).Select(m => $"{Repository.Name(f)}: {m.Value}")).ShouldBeEmpty();

    [Fact]
    public async Task An_input_with_another_type_of_moment_is_named()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.MapPost("/body", (Planted body) => body.Inner.Count);
        app.MapGet("/query", ([AsParameters] PlantedQuery query) => query.From);
        app.MapGet("/{until}", (DateOnly until) => until.Year);
        app.MapPost("/fine", (PlantedFine body) => body.At);
        Offenders(app).ShouldBe(["POST /body: Planted.Inner.At", "GET /query: PlantedQuery.From", "GET /{until}: until"]);
        Reading().IsMatch("DateTimeOffset.TryParse(text, out var at)").ShouldBeTrue();
        Reading().IsMatch("DateTimeOffset.FromUnixTimeSeconds(n)").ShouldBeTrue();
    }

    private sealed record PlantedInner(DateTimeOffset? At);

    private sealed record Planted(List<PlantedInner> Inner);

    private sealed record PlantedQuery(DateTime? From);

    private sealed record PlantedFine(Moment? At, Guid[]? Ids);

    private static IEnumerable<string> Offenders(WebApplication app) =>
        from endpoint in ((IEndpointRouteBuilder)app).DataSources.SelectMany(d => d.Endpoints).OfType<RouteEndpoint>()
        from method in endpoint.Metadata.OfType<MethodInfo>()
        from parameter in method.GetParameters()
        where !app.Services.GetRequiredService<IServiceProviderIsService>().IsService(parameter.ParameterType)
        from time in Times(parameter.ParameterType, IsOurs(parameter.ParameterType) ? parameter.ParameterType.Name : parameter.Name!, [])
        select $"{Methods(endpoint)} {endpoint.RoutePattern.RawText}: {time}";

    private static string Methods(RouteEndpoint endpoint) =>
        string.Join(',', endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []);

    /// <summary>What a page is given by a form or an address.</summary>
    private static IEnumerable<PropertyInfo> Pages() =>
        from type in typeof(SankoreApp).Assembly.GetTypes()
        where typeof(IComponent).IsAssignableFrom(type)
        from property in type.GetProperties(
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where property.GetCustomAttribute<SupplyParameterFromFormAttribute>() is not null
            || property.GetCustomAttribute<SupplyParameterFromQueryAttribute>() is not null
            || type.GetCustomAttributes<Microsoft.AspNetCore.Components.RouteAttribute>().Any()
                && property.GetCustomAttribute<ParameterAttribute>() is not null
        select property;

    /// <summary>Where in an input there are moments of other types.</summary>
    private static IEnumerable<string> Times(Type type, string path, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (OfTime.Contains(type))
        {
            return [path];
        }
        var parts = type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments();
        var members = IsOurs(type) && type != typeof(Moment) && seen.Add(type)
            ? type.GetProperties().Where(p => p.CanWrite).SelectMany(p => Times(p.PropertyType, $"{path}.{p.Name}", seen)) : [];
        return parts.SelectMany(part => Times(part, path, seen)).Concat(members);
    }

    private static bool IsOurs(Type type) => type.Namespace?.StartsWith("Sankore", StringComparison.Ordinal) == true;

    [GeneratedRegex(@"\b(DateTime|DateTimeOffset|DateOnly|TimeOnly)\.(Try)?Parse(Exact)?\(|\bFromUnixTime\w*\(|DateTimeFromUnix")]
    private static partial Regex Reading();
}
