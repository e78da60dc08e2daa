using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>An answer of the API: its status and its body.</summary>
public sealed record Answer(HttpStatusCode Status, JsonElement Body)
{
    /// <summary>The code of a problem; null when it is none.</summary>
    public string? Code => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("code", out var code) ? code.GetString() : null;

    /// <summary>The rows of a list.</summary>
    public IReadOnlyList<JsonElement> Items => Code is not null ? throw new InvalidOperationException($"no list but {Body}")
        : [.. (Body.ValueKind == JsonValueKind.Array ? Body : Body.GetProperty("items")).EnumerateArray()];

    /// <summary>A text field of the body.</summary>
    public string Text(string field) => Body.GetProperty(field).GetString()!;
}

/// <summary>Requests as one line each.</summary>
public static class Http
{
    public static Task<Answer> Ask(this HttpClient client, string path) => client.Send(HttpMethod.Get, path, null);
    public static Task<Answer> Post(this HttpClient client, string path, object body) => client.Send(HttpMethod.Post, path, body);
    public static Task<Answer> Put(this HttpClient client, string path, object body) => client.Send(HttpMethod.Put, path, body);
    public static Task<Answer> Remove(this HttpClient client, string path) => client.Send(HttpMethod.Delete, path, null);

    private static async Task<Answer> Send(this HttpClient client, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return new Answer(answer.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text));
    }
}
