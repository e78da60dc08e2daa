using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Platform.Live;

/// <summary>
/// <c>GET /live</c>: the caller's stream (text/event-stream). Starts after <c>Last-Event-ID</c>, or <c>?since=</c> (the position that a
/// page was rendered with), or now. Topics are decided from the caller's rights; nobody names one.
/// </summary>
public static class LiveEndpoint
{
    /// <summary>Maps the stream.</summary>
    public static void MapLive(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/live", Stream).RequireAuthorization().DisableRequestTimeout().WithTags("live")
            .WithSummary(
                "The caller's live changes as server-sent events: change, reset, and every 25 s a comment or the position reached.");

    /// <summary>Whether a stream is asked for.</summary>
    public static bool IsForStream(this HttpRequest request) => request.Path.StartsWithSegments("/live");

    /// <summary>Has streams wait for their turn before anything else is done for them.</summary>
    public static IApplicationBuilder UseLiveGate(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (!context.Request.IsForStream())
        {
            await next(context);
            return;
        }
        using var turn = await context.RequestServices.GetRequiredService<LiveGate>().Enter(context.RequestAborted);
        context.Features.Set(turn);
        await next(context);
    });

    private static async Task Stream(HttpContext context, LiveHub hub, ChangeLog log, RightsCache rightsCache, Db db)
    {
        var ct = context.RequestAborted;
        await log.Started.WaitAsync(TimeSpan.FromSeconds(10), ct);
        if (context.Caller().UserId is not { } userId)
        {
            throw new Refusal(Reason.Forbidden);
        }
        var asOf = hub.Position;
        var rights = await rightsCache.Get(userId, ct, forStream: true);
        if (rights.Session(context.SessionId()) is not { } session)
        {
            throw new Refusal(Reason.Unauthenticated);
        }
        var cursor = await Start(context.Request, hub, db, ct);
        var handover = Handover(context);
        var connection = hub.Admit(userId, session.Id, context.Connection.RemoteIpAddress ?? IPAddress.None, cursor);
        await Begin(context, connection, cursor, isLast: handover is not null);
        asOf = Math.Max(asOf, rights.Position);
        if (handover is not null)
        {
            // The request is over; what stays of it is the socket.
            connection.WriteTo(handover.Take(() => connection.End()));
            hub.Attach(connection, rights, asOf);
        }
        else
        {
            connection.WriteQueued();
            hub.Attach(connection, rights, asOf);
            context.Features.Get<IDisposable>()?.Dispose();
            await WriteQueued(context, connection);
        }
        context.Abort();
    }

    /// <summary>Where a stream goes on from; negative: from nowhere, everything is read again.</summary>
    private static async Task<long> Start(HttpRequest request, LiveHub hub, Db db, CancellationToken ct)
    {
        var cursor = Cursor(request, hub.Position);
        // A position this database never had (it was restored, or made anew): read everything again.
        return cursor > hub.Position
            && cursor > await db.Read(Caller.Anonymous, session => session.Value<long>("select live.position()"), ct) ? -1 : cursor;
    }

    private static async Task Begin(HttpContext context, LiveConnection connection, long cursor, bool isLast)
    {
        try
        {
            await WriteHead(context, cursor, isLast);
        }
        catch
        {
            connection.End();
            throw;
        }
    }

    private static async Task WriteHead(HttpContext context, long cursor, bool isLast)
    {
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        if (isLast)
        {
            // No other request comes over this connection: Kestrel is done with it when this one ends.
            context.Response.Headers.Connection = "close";
        }
        // Clients that lose their connection together come back spread over two seconds, and whoever is cut off before hearing anything
        // goes on from here: an id without an event is where a reader is.
        var position = cursor < 0 ? "" : $"id: {cursor}\n";
        await context.Response.WriteAsync($"retry: {1000 + Random.Shared.Next(2000)}\n{position}\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static async Task WriteQueued(HttpContext context, LiveConnection connection)
    {
        try
        {
            await foreach (var frame in connection.Outgoing!.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.Body.WriteAsync(frame.Payload, context.RequestAborted);
                if (!connection.Outgoing.TryPeek(out _))
                {
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The client left.
        }
        finally
        {
            connection.End();
        }
    }

    private static long Cursor(HttpRequest request, long now)
    {
        var given = request.Headers["Last-Event-ID"].FirstOrDefault() is { Length: > 0 } last ? last
            : request.Query["since"].FirstOrDefault();
        return given switch
        {
            null or "" => now,
            _ when long.TryParse(
                given, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var cursor) => cursor,
            _ => throw new Refusal(Reason.BadRequest),
        };
    }

    /// <summary>The connection's socket can be had where bytes may go to it as they are: HTTP/1.1 on plain TCP.</summary>
    private static ISocketHandover? Handover(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<ITlsHandshakeFeature>() is null
            ? context.Features.Get<ISocketHandover>()
            : null;
}
