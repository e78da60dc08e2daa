using System.Text.Json;

namespace Sankore.Tests.Fuzz;

/// <summary>A value that a route reads from its path or its query.</summary>
/// <param name="Noun">What its ids are of: the segment before it, or its name.</param>
internal sealed record Parameter(string Name, bool IsInPath, string Noun, JsonElement Schema);

/// <summary>A method at an address, as the document describes it.</summary>
/// <param name="BodyType">The media type of its body; null: it has none, or reads any.</param>
/// <param name="Body">The body's schema, if there is one.</param>
internal sealed record Operation(
    string Method, string Route, IReadOnlyList<Parameter> Parameters, string? BodyType = null, JsonElement Body = default)
{
    /// <summary>The last thing that its address names: what <c>ids</c> in its body are of.</summary>
    public string Noun => Parameters.LastOrDefault(p => p.IsInPath)?.Noun ?? Route.Split('/')[^1];
}

/// <summary>The server's OpenAPI document as routes to ask.</summary>
internal sealed class ApiDocument
{
    private readonly JsonElement _schemas;

    private ApiDocument(JsonElement document)
    {
        _schemas = document.GetProperty("components").GetProperty("schemas");
        Operations = [
            .. from path in document.GetProperty("paths").EnumerateObject()
            from method in path.Value.EnumerateObject()
            select Read(method.Name.ToUpperInvariant(), path.Name, method.Value)];
    }

    /// <summary>Every method of every address, in the document's order.</summary>
    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>The document of a running server.</summary>
    public static async Task<ApiDocument> Of(World world)
    {
        using var nobody = world.Nobody();
        return new ApiDocument(await nobody.Ask(HttpMethod.Get, "/openapi/v1.json").Json());
    }

    /// <summary>
    /// What a schema stands for, without references and nulls: <c>object</c>, <c>array</c>, <c>boolean</c>, <c>integer</c>,
    /// <c>string</c>, or a string's format: <c>uuid</c>, <c>date-time</c>.
    /// </summary>
    public (string Shape, JsonElement Schema) Resolve(JsonElement schema)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Resolve(_schemas.GetProperty(reference.GetString()!.Split('/')[^1]));
        }
        if (schema.TryGetProperty("oneOf", out var choices))
        {
            return Resolve(choices.EnumerateArray().First(c => c.TryGetProperty("$ref", out _)));
        }
        if (schema.TryGetProperty("format", out var format) && format.GetString() is "uuid" or "date-time")
        {
            return (format.GetString()!, schema);
        }
        string[] types = !schema.TryGetProperty("type", out var type) ? []
            : type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray().Select(t => t.GetString()!)] : [type.GetString()!];
        return (((string[])["object", "array", "boolean", "integer"]).FirstOrDefault(types.Contains) ?? "string", schema);
    }

    private static Operation Read(string method, string route, JsonElement operation)
    {
        Parameter[] parameters = operation.TryGetProperty("parameters", out var list)
            ? [.. list.EnumerateArray().Select(p => Read(route, p)).OfType<Parameter>()] : [];
        return operation.TryGetProperty("requestBody", out var body)
            && body.GetProperty("content").EnumerateObject().First() is { } content
            ? new Operation(method, route, parameters, content.Name, content.Value.GetProperty("schema"))
            : new Operation(method, route, parameters);
    }

    private static Parameter? Read(string route, JsonElement parameter)
    {
        var (name, place) = (parameter.Text("name"), parameter.Text("in"));
        var noun = place == "path" ? route[..(route.IndexOf($"{{{name}}}", StringComparison.Ordinal) - 1)].Split('/')[^1] : name;
        return place is "path" or "query" ? new Parameter(name, place == "path", noun, parameter.GetProperty("schema")) : null;
    }
}
