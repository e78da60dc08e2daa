using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Sankore.Tests.Support;

/// <summary>A token endpoint (OAuth 2.0) that answers as a test tells it to, and remembers what it was sent.</summary>
public sealed class TokenEndpoint : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TokenEndpoint(WebApplication app) => _app = app;

    public Uri Address => new(World.AddressOf(_app), "/token");

    /// <summary>Each request's form.</summary>
    public ConcurrentQueue<Dictionary<string, string>> Asked { get; } = new();

    /// <summary>Starts it.</summary>
    /// <param name="answer">The status and the body of each answer, by the number of the request from 1.</param>
    public static async Task<TokenEndpoint> Start(Func<int, (int Status, string Body)> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var endpoint = new TokenEndpoint(builder.Build());
        var asked = 0;
        endpoint._app.MapPost("/token", async context =>
        {
            var form = await context.Request.ReadFormAsync();
            endpoint.Asked.Enqueue(form.ToDictionary(f => f.Key, f => f.Value.ToString()));
            var (status, body) = answer(Interlocked.Increment(ref asked));
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            if (status == 302)
            {
                context.Response.Headers.Location = "/token";
            }
            await context.Response.WriteAsync(body);
        });
        await endpoint._app.StartAsync();
        return endpoint;
    }

    /// <summary>An answer with a token.</summary>
    public static (int Status, string Body) Token(string token, int seconds = 3600, string? refresh = null) =>
        (200, $$"""{"token_type":"Bearer","access_token":"{{token}}","expires_in":{{seconds}},"refresh_token":{{Quoted(refresh)}}}""");

    private static string Quoted(string? text) => text is null ? "null" : $"\"{text}\"";

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
