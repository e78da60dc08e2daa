using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Sankore.Client;

/// <summary>
/// The server refuses, and asking again would not help: wrong password, no right to a stream, a malformed position, no feed at the address.
/// </summary>
public sealed class RefusedException : Exception
{
    internal RefusedException(HttpStatusCode status, string? code, string message) : base(message) => (Status, Code) = (status, code);

    /// <summary>The answer's status.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>
    /// The refusal's stable code (<c>FORBIDDEN</c>, <c>INVALID_CREDENTIALS</c> …); null when the answer was none of Sankoré's.
    /// </summary>
    public string? Code { get; }

    /// <summary>Whether the same question may be answered later.</summary>
    internal static bool IsPassing(HttpStatusCode status) =>
        (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or (HttpStatusCode)425;

    /// <summary>The refusal that an answer is.</summary>
    internal static async Task<RefusedException> From(HttpResponseMessage answer, CancellationToken ct)
    {
        Problem? problem = null;
        if (answer.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                problem = await answer.Content.ReadFromJsonAsync(WireContext.Default.Problem, ct).ConfigureAwait(false);
            }
            catch (JsonException)
            {
                // Then the status has to say it.
            }
        }
        var said = problem?.Title ?? $"{answer.Content.Headers.ContentType?.MediaType ?? "nothing"} instead of what was asked for";
        return new RefusedException(
            answer.StatusCode, problem?.Code,
            $"{answer.RequestMessage?.RequestUri} answered {(int)answer.StatusCode} {problem?.Code}: {said}");
    }
}

/// <summary>
/// The feed sent an event that is not what docs/live.md describes. Asking again would bring it again, and skipping it would lose a change.
/// </summary>
public sealed class MalformedEventException : Exception
{
    internal MalformedEventException(string? id, string type, string data, Exception inner)
        : base($"The event {id} is no {type}: {inner.Message}", inner) => (EventType, EventData) = (type, data);

    /// <summary>The event's type as sent.</summary>
    public string EventType { get; }

    /// <summary>The event's data as sent.</summary>
    public string EventData { get; }
}

/// <summary>The server is there and asks to come back later.</summary>
internal sealed class BusyException(HttpStatusCode status, TimeSpan? retryAfter)
    : HttpRequestException($"the server answered {(int)status}", null, status)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>What an answer says of when to come back.</summary>
    public static BusyException From(
        HttpResponseMessage answer, TimeProvider time) => new(answer.StatusCode, answer.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => null,
        });
}

internal sealed record Problem(string? Code = null, string? Title = null);
