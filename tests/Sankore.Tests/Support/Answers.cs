using System.Net.Http.Json;
using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>What a client of the API sends and reads.</summary>
public static class Answers
{
    /// <summary>A request with a body as JSON, if any, and the headers that matter here.</summary>
    public static Task<HttpResponseMessage> Ask(
        this HttpClient client, HttpMethod method, string path, object? body = null, string? ifMatch = null, string? language = null)
    {
        var request =
            new HttpRequestMessage(method, path) { Content = body as HttpContent ?? (body is null ? null : JsonContent.Create(body)) };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }
        if (language is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept-Language", language);
        }
        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>The answer's JSON; fails on any other status.</summary>
    public static async Task<JsonElement> Json(this Task<HttpResponseMessage> asked, int status = 200)
    {
        using var answer = await asked;
        var text = await answer.Body();
        ((int)answer.StatusCode).ShouldBe(status, text);
        return text.Length == 0 ? default : JsonElement.Parse(text);
    }

    /// <summary>The answer's body.</summary>
    public static Task<string> Body(this HttpResponseMessage answer) =>
        answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    /// <summary>Fails unless the answer is the RFC 9457 problem of this code.</summary>
    public static async Task<JsonElement> ShouldRefuse(this Task<HttpResponseMessage> asked, int status, string code)
    {
        using var answer = await asked;
        var text = await answer.Body();
        ((int)answer.StatusCode).ShouldBe(status, text);
        answer.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json", text);
        var problem = JsonElement.Parse(text);
        problem.Text("code").ShouldBe(code, text);
        problem.GetProperty("status").GetInt32().ShouldBe(status, text);
        problem.Text("type").ShouldEndWith(":" + code);
        problem.Text("title").ShouldNotBeNullOrWhiteSpace();
        problem.Text("title").ShouldNotBe(code);
        return problem;
    }

    /// <summary>The message for one field of a refusal; a sentence, not the key of one.</summary>
    public static string ErrorOf(this JsonElement problem, string field)
    {
        problem.TryGetProperty("errors", out var errors).ShouldBeTrue(problem.ToString());
        errors.TryGetProperty(field, out var messages).ShouldBeTrue(problem.ToString());
        var message = messages[0].GetString()!;
        message.ShouldContain(" ", Case.Sensitive, problem.ToString());
        return message;
    }

    /// <summary>A text of an object.</summary>
    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    /// <summary>The id of an object.</summary>
    public static Guid Id(this JsonElement element) => element.GetProperty("id").GetGuid();

    /// <summary>One text of every element.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement array, string name) => [.. array.EnumerateArray().Select(e => e.Text(name))];

    /// <summary>One text of every element.</summary>
    public static IReadOnlyList<string> Texts(this IEnumerable<JsonElement> elements, string name) =>
        [.. elements.Select(e => e.Text(name))];

    /// <summary>The names of an object's members.</summary>
    public static IReadOnlyList<string> Names(this JsonElement element) => [.. element.EnumerateObject().Select(p => p.Name)];
}
