using System.Text.Json;

namespace Sankore.Tests.Fuzz;

/// <summary>Makes JSON for schemas.</summary>
/// <param name="random">Decides what is left open; as much of it whatever is wrong.</param>
/// <param name="document">Knows the schemas.</param>
/// <param name="idOf">Gives an id of a noun.</param>
/// <param name="mischief">Says what is wrong.</param>
/// <param name="mark">Stands in texts.</param>
internal sealed class Bodies(Random random, ApiDocument document, Func<string, string> idOf, Mischief mischief, string mark)
{
    /// <summary>A body for an operation.</summary>
    public string Of(Operation operation)
    {
        var (shape, schema) = document.Resolve(operation.Body);
        return Right(shape, schema, operation.Noun, operation.Noun);
    }

    private string Value(JsonElement declared, string name, string noun)
    {
        var (shape, schema) = document.Resolve(declared);
        var right = Right(shape, schema, name, noun);
        return mischief.At(right, Values.Wrong(shape, right));
    }

    private string Right(string shape, JsonElement schema, string name, string noun) => shape switch
    {
        "object" => $"{{{string.Join(',', Members(schema, noun).Where(member => member != ""))}}}",
        "array" => $"[{string.Join(',', Enumerable.Range(0, random.Next(3)).Select(_ => Value(schema.GetProperty("items"), name, noun)))}]",
        "boolean" => random.Next(4) > 0 ? "true" : "false",
        // A header says it.
        "integer" => name == "version" ? "null" : $"{random.Next(4)}",
        // Of categories are categoryIds, and ids of what the address names.
        "uuid" => Values.Quoted(idOf(name == "ids" ? noun : name)),
        "date-time" => Values.Quoted(random.Moment()),
        _ => Values.Quoted(random.Text($"{noun}.{name}", name, mark)),
    };

    private IEnumerable<string> Members(JsonElement schema, string noun)
    {
        // How many of a hundred are left out.
        var gaps = random.Pick([0, 10, 50, 80]);
        foreach (var property in schema.TryGetProperty("properties", out var declared) ? declared.EnumerateObject() : default)
        {
            var strikes = mischief.Strikes;
            var member = $"{Values.Quoted(property.Name)}:{Value(property.Value, property.Name, noun)}";
            var isLeftOut = random.Next(100) < gaps && mischief.Strikes == strikes;
            yield return mischief.At(isLeftOut ? "" : member, ["", $"{member},{member}", $"{member},{Values.Quoted(property.Name)}:null"]);
        }
        if (schema.TryGetProperty("additionalProperties", out var more) && more.ValueKind == JsonValueKind.Object)
        {
            yield return $"{Values.Quoted(random.Pick(["name", "email"]))}:{Value(more, "", noun)}";
        }
        yield return mischief.At("", Values.Unknown);
    }
}
