using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>
/// The one place where a refusal becomes an answer: problem+json (RFC 9457) with a stable <c>code</c> and a message in the caller's
/// language.
/// </summary>
public sealed class Problems(IStringLocalizerFactory strings, IEnumerable<SankoreModule> modules, ILogger<Problems> log)
{
    private readonly Type[] _resources =
        [.. modules.Select(m => m.GetType().Assembly.GetType(m.GetType().Namespace + ".Strings")).OfType<Type>()];

    /// <summary>Whether the answer is read by a program rather than by a person.</summary>
    public static bool IsForPrograms(HttpRequest request) =>
        request.Path.StartsWithSegments("/api") || request.Path.StartsWithSegments("/live") || request.Path.StartsWithSegments("/health")
            || request.Path.StartsWithSegments("/openapi");

    /// <summary>The message of a refusal in the current language.</summary>
    public string Message(Refusal refusal) => Message(refusal.Reason, [.. refusal.Args]);

    /// <summary>The message of a reason in the current language; placeholders without a value are left out.</summary>
    public string Message(Reason reason, params object[] args)
    {
        var text = strings.Create(reason.Strings)[args.Length == 0 ? reason.Code : $"{reason.Code}.{args.Length}", args];
        return text.ResourceNotFound ? strings.Create(reason.Strings)[reason.Code] : text;
    }

    /// <summary>The message of one field's error in the current language.</summary>
    public string Message(FieldError error) =>
        _resources.Select(r => strings.Create(r)[error.Key, error.Args]).FirstOrDefault(text => !text.ResourceNotFound) ?? error.Key;

    public ProblemDetails Describe(Refusal refusal)
    {
        var problem = Describe(refusal.Reason, Message(refusal));
        if (refusal.Fields.Count > 0)
        {
            problem.Extensions["errors"] = refusal.Fields.ToDictionary(f => f.Key, f => new[] { Message(f.Value) });
        }
        return problem;
    }

    public static ProblemDetails Describe(Reason reason, string message) => new()
    {
        Type = $"urn:sankore:error:{reason.Code}",
        Title = message,
        Status = reason.Status,
        Extensions = { ["code"] = reason.Code, ["traceId"] = Activity.Current?.TraceId.ToString() },
    };

    /// <summary>Writes a problem as the answer.</summary>
    public static Task Write(HttpContext context, ProblemDetails problem)
    {
        context.Response.StatusCode = problem.Status!.Value;
        return context.Response.WriteAsJsonAsync(problem, options: null, contentType: "application/problem+json", context.RequestAborted);
    }

    /// <summary>
    /// Catches refusals and faults of requests by programs; pages catch their refusals themselves and have an error page for the rest.
    /// </summary>
    public async Task Catch(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            await Answer(context, e);
            return;
        }
        await Complete(context);
    }

    private async Task Answer(HttpContext context, Exception e)
    {
        var refusal = AsRefusal(context, e);
        if (refusal is null)
        {
            log.RequestFailed(context.Request.Method, context.Request.Path, Activity.Current?.TraceId.ToString() ?? "", e);
            refusal = new Refusal(Reason.Internal);
        }
        context.Response.Clear();
        if (refusal.RetryAfter is { } pause)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(pause.TotalSeconds))
                .ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        if (IsForPrograms(context.Request))
        {
            await Write(context, Describe(refusal));
        }
        else
        {
            // The error page says what it was about.
            context.Features.Set(refusal);
            context.Response.StatusCode = refusal.Reason.Status;
        }
    }

    /// <summary>Says more about an answer that is a status alone.</summary>
    private async Task Complete(HttpContext context)
    {
        if (context.Response is not { HasStarted: false, StatusCode: >= 400 })
        {
            return;
        }
        if (!IsForPrograms(context.Request))
        {
            // A page that refused before it wrote anything (a form without its token) leaves the answer to the error page.
            context.Response.ContentType = null;
            if (RequestForms.IsTooLarge(context.Features.Get<IAntiforgeryValidationFeature>()?.Error?.InnerException))
            {
                // The token could not be read, because the form was too large to be.
                context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            }
        }
        else if (context.Response is { ContentLength: null, ContentType: null })
        {
            var reason = Reason.ForStatus(context.Response.StatusCode);
            await Write(context, Describe(reason with { Status = context.Response.StatusCode }, Message(reason)));
        }
    }

    private static Refusal? AsRefusal(HttpContext context, Exception e) => e switch
    {
        Refusal refusal => refusal,
        BadHttpRequestException { StatusCode: 413 } => new Refusal(Reason.TooLarge),
        BadHttpRequestException { StatusCode: 415 } => new Refusal(Reason.UnsupportedMediaType),
        // A charset that is none; the framework has no exception of its own for it.
        InvalidOperationException { Source: "Microsoft.AspNetCore.Http.Extensions" } charset when charset.Message.Contains(
            "is not a known encoding", StringComparison.Ordinal) => new Refusal(Reason.UnsupportedMediaType),
        AntiforgeryValidationException or { InnerException: AntiforgeryValidationException } => new Refusal(Reason.BadRequest),
        BadHttpRequestException { InnerException: JsonException { Path: not null } unread } => Unread(unread),
        BadHttpRequestException or JsonException => new Refusal(Reason.BadRequest),
        // A form whose token was found to be none, when something reads it all the same.
        InvalidOperationException when context.Features.Get<IAntiforgeryValidationFeature>() is { IsValid: false } =>
            new Refusal(Reason.BadRequest),
        // A page's query that is no number or id; the framework has no exception of its own for it.
        InvalidOperationException { Source: "Microsoft.AspNetCore.Components" } parse when parse.Message.StartsWith(
            "Cannot parse the value", StringComparison.Ordinal) => new Refusal(Reason.BadRequest),
        Npgsql.PostgresException { SqlState: "57P01" or "57P03" or "53300" or "40001" or "40P01" } => new Refusal(Reason.Unavailable),
        Npgsql.NpgsqlException and not Npgsql.PostgresException or TimeoutException => new Refusal(Reason.Unavailable),
        _ => null,
    };

    /// <summary>A body of which a member could not be read: the member is named (<c>$.expiresAt</c> is <c>expiresAt</c>).</summary>
    private static Refusal Unread(JsonException e) => e switch
    {
        { Path: ['$', '.', .. var field] } => new Refusal(e is FieldException ? Reason.Invalid : Reason.BadRequest)
        {
            Fields = new Dictionary<string, FieldError> { [field] = (e as FieldException)?.Error ?? new FieldError("field.invalid") },
        },
        _ => new Refusal(Reason.BadRequest),
    };
}
