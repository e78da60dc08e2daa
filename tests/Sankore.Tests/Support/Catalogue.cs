using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>Categories and modules that a test makes for itself, through the API.</summary>
public static class Catalogue
{
    /// <summary>A word that no other test uses.</summary>
    public static string Word() => "w" + Guid.NewGuid().ToString("N")[..10];

    /// <summary>A new category.</summary>
    public static Task<JsonElement> NewCategory(this HttpClient admin, string? name = null) =>
        admin.Ask(HttpMethod.Post, "/api/categories", new { name = name ?? $"Catégorie {Word()}" }).Json(201);

    /// <summary>A new module, of a category of its own if none is said.</summary>
    public static async Task<JsonElement> NewModule(this HttpClient admin, string? name = null, Guid? categoryId = null) =>
        await admin.Ask(
            HttpMethod.Post, "/api/modules",
            new
            {
                name = name ?? $"Module {Word()}",
                route = "https://exemple.cg/",
                categoryId = categoryId ?? (await admin.NewCategory()).Id(),
            }).Json(201);

    /// <summary>An object of the API as a body to send back, with some members set, or left out where null.</summary>
    public static Dictionary<string, object?> With(this JsonElement element, params (string Name, object? Value)[] changes)
    {
        var body = element.EnumerateObject().ToDictionary(p => p.Name, p => (object?)p.Value);
        foreach (var (name, value) in changes)
        {
            body[name] = value;
        }
        return body;
    }
}
