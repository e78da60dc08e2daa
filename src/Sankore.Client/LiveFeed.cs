using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace Sankore.Client;

/// <summary>
/// The changes that a person of a Sankoré server may see, as they happen (<c>GET /live</c>). Connects again for ever, and goes on where it
/// stopped: every event comes at least once, in order; within one run none comes twice.
/// </summary>
/// <param name="http">How to reach the server; its base address is the server's. Neither changed nor disposed.</param>
/// <param name="options">How to behave.</param>
public sealed class LiveFeed(HttpClient http, LiveFeedOptions options)
{
    /// <summary>
    /// No database was ever there, so the answer is a reset with the position of now: nothing falls between what is read then and what
    /// follows.
    /// </summary>
    private const long Nowhere = long.MaxValue;

    /// <summary>A token may be too old, and a new one too new for a node that has not heard of it.</summary>
    private const int TokensTried = 3;

    /// <summary>Whatever the server asks for: somebody may have put it right.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private int _reading;
    private long? _position;
    private int _failures;
    private int _refused;
    private string? _refusedToken;
    private TimeSpan? _retry;
    private Exception? _error;

    /// <summary>
    /// Reads for ever. An event counts as processed when the next one is asked for: only then its position is stored. Whoever stops in the
    /// middle of one (an exception, <c>break</c>, a crash) gets it again at the next start.
    /// </summary>
    /// <param name="ct">Ends it.</param>
    /// <returns>The events, in order. One reader at a time.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> was cancelled.</exception>
    /// <exception cref="RefusedException">The server does not give this person a stream: 400, 403, 404 …, or 401 for three tokens in a
    /// row.</exception>
    /// <exception cref="MalformedEventException">The server sent what is no event of the feed.</exception>
    /// <exception cref="InvalidOperationException">The feed is being read already.</exception>
    public async IAsyncEnumerable<LiveEvent> Read([EnumeratorCancellation] CancellationToken ct = default)
    {
        if (Interlocked.Exchange(ref _reading, 1) == 1)
        {
            throw new InvalidOperationException("The feed is being read already: each reader needs a feed, and a cursor, of its own.");
        }
        try
        {
            (_position, _failures, _refused, _refusedToken, _retry) =
                (await options.Cursor.Load(ct).ConfigureAwait(false), 0, 0, null, null);
            while (true)
            {
                await using (var stream = await Connect(ct).ConfigureAwait(false))
                {
                    options.OnState?.Invoke(new Connected(_position));
                    while (await Next(stream, ct).ConfigureAwait(false) is { } next)
                    {
                        yield return next;
                        _position = next.Position;
                        await options.Cursor.Save(next.Position).ConfigureAwait(false);
                    }
                }
                await Pause(ct).ConfigureAwait(false);
            }
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    /// <summary>The stream's next event that is news; null when the stream is over.</summary>
    private async Task<LiveEvent?> Next(LiveStream stream, CancellationToken ct)
    {
        try
        {
            while (await stream.Next().ConfigureAwait(false) is { } item)
            {
                switch (LiveEvent.From(item))
                {
                    case Reset reset:
                        // Not even one that goes back is old: the server's database may be another than it was.
                        return _position is null ? reset with { Spread = TimeSpan.Zero } : reset;
                    case { } change when change.Position > (_position ?? -1):
                        return change;
                }
            }
            _error = null;
        }
        catch (Exception e) when (Passes(e))
        {
            ct.ThrowIfCancellationRequested();
            _error = e;
        }
        _retry = stream.Retry ?? _retry;
        return null;
    }

    /// <summary>Opens a stream, however often it takes.</summary>
    private async Task<LiveStream> Connect(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                if (await TryConnect(ct).ConfigureAwait(false) is { } stream)
                {
                    (_failures, _refused, _refusedToken) = (0, 0, null);
                    return stream;
                }
                _error = new HttpRequestException("the server refused the token", null, HttpStatusCode.Unauthorized);
            }
            catch (Exception e) when (Passes(e))
            {
                ct.ThrowIfCancellationRequested();
                _error = e;
            }
            _failures++;
            await Pause(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a stream; null when the token was refused. The first time another is tried at once.</summary>
    private async Task<LiveStream?> TryConnect(CancellationToken ct)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("live", UriKind.Relative));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            request.Headers.Add("Last-Event-ID", (_position ?? Nowhere).ToString(CultureInfo.InvariantCulture));
            var token = options.Token is { } source ? await source(_refusedToken, ct).ConfigureAwait(false) : null;
            if (token is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }
            var (stream, refusal) = await LiveStream.Open(http, request, options, ct).ConfigureAwait(false);
            if (refusal is null)
            {
                return stream;
            }
            _refusedToken = token;
            if (token is null || ++_refused == TokensTried)
            {
                throw refusal;
            }
            if (_refused > 1)
            {
                return null;
            }
        }
    }

    /// <summary>Waits what the server asked for, and at random up to a bound that doubles with every failure in a row.</summary>
    private async Task Pause(CancellationToken ct)
    {
        var first = _retry ?? options.MinBackoff;
        var least = _error is BusyException { RetryAfter: { } after } && after > first ? after : first;
        var bound = Math.Min(options.MaxBackoff.TotalMilliseconds, first.TotalMilliseconds * (Math.Pow(2, Math.Min(_failures, 30)) - 1));
        var wait = TimeSpan.FromMilliseconds(
            Math.Min(LongestWait.TotalMilliseconds, least.TotalMilliseconds + (long)(Random.Shared.NextDouble() * bound)));
        options.OnState?.Invoke(new Disconnected(_error?.Message ?? "the server ended the stream", wait, _error));
        await Task.Delay(wait, options.Time, ct).ConfigureAwait(false);
    }

    private static bool Passes(Exception e) =>
        e is HttpRequestException or IOException or TimeoutException or OperationCanceledException { InnerException: TimeoutException };
}
