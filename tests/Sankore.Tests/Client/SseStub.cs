using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Sankore.Tests.Client;

/// <summary>A server that answers as a test says: for what a real one does only in trouble.</summary>
internal sealed class SseStub : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _lock = new();

    private SseStub(WebApplication app) => _app = app;

    public Uri Address => World.AddressOf(_app);

    /// <summary>The positions that were asked for, one per connection.</summary>
    public IReadOnlyList<string> Positions { get; private set; } = [];

    /// <summary>The tokens that came, one per connection.</summary>
    public IReadOnlyList<string> Tokens { get; private set; } = [];

    /// <summary>Starts it. Each connection gets the next answer; the last answer is for all that come after it too.</summary>
    public static async Task<SseStub> Start(params Func<HttpContext, Task>[] answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var stub = new SseStub(builder.Build());
        stub._app.Run(async context =>
        {
            int number;
            lock (stub._lock)
            {
                number = stub.Positions.Count;
                stub.Positions = [.. stub.Positions, context.Request.Headers["Last-Event-ID"].ToString()];
                stub.Tokens = [.. stub.Tokens, context.Request.Headers.Authorization.ToString()];
            }
            await answers[Math.Min(number, answers.Length - 1)](context);
        });
        await stub._app.StartAsync();
        return stub;
    }

    /// <summary>A stream that says this and ends.</summary>
    public static Func<HttpContext, Task> Says(string text) => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(text);
    };

    /// <summary>A stream that says this and stays open until the client leaves; then what else it is given.</summary>
    public static Func<HttpContext, Task> Stays(string text, ChannelReader<string>? more = null) => async context =>
    {
        await Says(text)(context);
        await context.Response.Body.FlushAsync();
        try
        {
            if (more is not null)
            {
                await foreach (var next in more.ReadAllAsync(context.RequestAborted))
                {
                    await context.Response.WriteAsync(next);
                    await context.Response.Body.FlushAsync();
                }
            }
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The client left.
        }
    };

    /// <summary>An answer that is no stream.</summary>
    public static Func<HttpContext, Task> Answers(
        int status, string? retryAfter = null, string contentType = "application/problem+json",
        string body = """{"code":"STUB","title":"so says the stub"}""") => async context =>
    {
        (context.Response.StatusCode, context.Response.ContentType) = (status, contentType);
        if (retryAfter is not null)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }
        await context.Response.WriteAsync(body);
    };

    /// <summary>A change as the server writes it.</summary>
    public static string Change(long id, string name = "Caisse") =>
        "id: " + id + "\nevent: change\ndata: {\"table\":\"tenancy.modules\",\"op\":\"UPDATE\",\"id\":\"m1\",\"row\":{\"name\":\"" + name
            + "\"},\"at\":\"2026-01-01T00:00:00.000Z\"}\n\n";

    /// <summary>A reset as the server writes it.</summary>
    public static string Reset(long id, int spread = 10_000) => $"id: {id}\nevent: reset\ndata: {{\"spread\":{spread}}}\n\n";

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
