using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>A row whose version counts its changes.</summary>
public interface IVersioned
{
    /// <summary>From 1; a change must name the one it is based on.</summary>
    int Version { get; }
}

/// <summary>The version that a change is based on, from the header: <c>If-Match: "3"</c>.</summary>
/// <param name="Version">Null: the header is not there.</param>
public readonly record struct IfMatch(int? Version)
{
    /// <summary>Reads the header. Refuses with BAD_REQUEST when it names no version.</summary>
    public static ValueTask<IfMatch> BindAsync(HttpContext context)
    {
        var header = context.Request.Headers.IfMatch.ToString();
        return ValueTask.FromResult(new IfMatch(header.Length == 0 ? null : VersionOf(header)));
    }

    /// <summary>The header's version, or else the body's. Refuses with VERSION_REQUIRED when neither says one.</summary>
    public int Or(int? fromBody) => Version ?? fromBody ?? throw new Refusal(Reason.VersionRequired);

    // Not as people write numbers: a header is a program's.
    private static int VersionOf(string header) =>
        int.TryParse(
            header.Replace("W/", "", StringComparison.Ordinal).Trim('"', ' '), NumberStyles.None, CultureInfo.InvariantCulture,
            out var version)
            ? version
            : throw new Refusal(Reason.BadRequest);
}

/// <summary>What all routes of the API have in common.</summary>
public static class ApiRoutes
{
    /// <summary>
    /// A group of API routes. A handler returns the row or the page that it answers with: a versioned row carries its version as
    /// <c>ETag: "3"</c>, also in a 201 or 202; a handler that returns nothing answers 204.
    /// </summary>
    public static RouteGroupBuilder MapApi(this IEndpointRouteBuilder routes, string prefix, string tag)
    {
        var group = routes.MapGroup(prefix).WithTags(tag).AddEndpointFilter(Answer);
        ((IEndpointConventionBuilder)group).Add(DescribeNoContent);
        return group;
    }

    private static async ValueTask<object?> Answer(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var answer = await next(invocation);
        if ((answer is IValueHttpResult result ? result.Value : answer) is IVersioned row)
        {
            invocation.HttpContext.Response.Headers.ETag = $"\"{row.Version}\"";
        }
        if (answer is not EmptyHttpResult)
        {
            return answer;
        }
        // Of a value that it cannot read, the binding that is made with the program says this only, and calls no handler.
        return invocation.HttpContext.Response.StatusCode == StatusCodes.Status400BadRequest
            ? throw new Refusal(Reason.BadRequest)
            : TypedResults.NoContent();
    }

    private static void DescribeNoContent(EndpointBuilder endpoint)
    {
        if (endpoint.Metadata.OfType<System.Reflection.MethodInfo>().FirstOrDefault()?.ReturnType == typeof(Task))
        {
            endpoint.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status204NoContent, typeof(void)));
        }
    }
}
