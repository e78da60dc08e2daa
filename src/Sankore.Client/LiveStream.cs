using System.Net;
using System.Net.ServerSentEvents;

namespace Sankore.Client;

/// <summary>One connection to the feed, from the request to its end.</summary>
internal sealed class LiveStream : IAsyncDisposable
{
    private readonly HttpResponseMessage _answer;
    private readonly SilenceLimit _limit;
    private readonly SseParser<byte[]> _parser;
    private readonly IAsyncEnumerator<SseItem<byte[]>> _items;

    private LiveStream(HttpResponseMessage answer, Stream body, SilenceLimit limit)
    {
        (_answer, _limit) = (answer, limit);
        _parser = SseParser.Create(new WatchedStream(body, limit), (_, data) => data.ToArray());
        _items = _parser.EnumerateAsync(limit.Token).GetAsyncEnumerator(limit.Token);
    }

    /// <summary>How long the server asks to wait before the next connection; null when it has not said.</summary>
    public TimeSpan? Retry => _parser.ReconnectionInterval is var said && said > TimeSpan.Zero ? said : null;

    /// <summary>Sends the request.</summary>
    /// <returns>The stream, or the refusal if the token is not good (401).</returns>
    /// <exception cref="HttpRequestException">The server cannot be reached, or asks to come back later.</exception>
    /// <exception cref="TimeoutException">Nothing came within the silence limit.</exception>
    /// <exception cref="RefusedException">Any other answer but a stream.</exception>
    public static async Task<(LiveStream? Stream, RefusedException? Refusal)> Open(
        HttpClient http, HttpRequestMessage request, LiveFeedOptions options, CancellationToken ct)
    {
        var limit = new SilenceLimit(options, ct);
        HttpResponseMessage? answer = null;
        try
        {
            answer = await limit.Within(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token))
                .ConfigureAwait(false);
            if (answer is { StatusCode: HttpStatusCode.OK, Content.Headers.ContentType.MediaType: "text/event-stream" })
            {
                var stream = new LiveStream(answer, await answer.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false), limit);
                (answer, limit) = (null, null);
                return (stream, null);
            }
            if (RefusedException.IsPassing(answer.StatusCode))
            {
                throw BusyException.From(answer, options.Time);
            }
            var refusal = await limit.Within(token => RefusedException.From(answer, token)).ConfigureAwait(false);
            return answer.StatusCode == HttpStatusCode.Unauthorized ? (null, refusal) : throw refusal;
        }
        finally
        {
            answer?.Dispose();
            limit?.Dispose();
        }
    }

    /// <summary>The next event as it came; null when the server has ended the stream. An event that was cut off is none.</summary>
    public async Task<SseItem<byte[]>?> Next() => await _items.MoveNextAsync().ConfigureAwait(false) ? _items.Current : null;

    public async ValueTask DisposeAsync()
    {
        await _items.DisposeAsync().ConfigureAwait(false);
        _answer.Dispose();
        _limit.Dispose();
    }

    /// <summary>Ends a wait for the server that lasts too long. Between waits it counts nothing: a slow reader is no silence.</summary>
    private sealed class SilenceLimit : IDisposable
    {
        private readonly LiveFeedOptions _options;
        private readonly CancellationTokenSource _silent;
        private readonly CancellationTokenSource _either;

        public SilenceLimit(LiveFeedOptions options, CancellationToken ct)
        {
            (_options, _silent) = (options, new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Time));
            _either = CancellationTokenSource.CreateLinkedTokenSource(ct, _silent.Token);
        }

        public CancellationToken Token => _either.Token;

        public async Task<T> Within<T>(Func<CancellationToken, Task<T>> wait)
        {
            _silent.CancelAfter(_options.SilenceLimit);
            try
            {
                return await wait(Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_silent.IsCancellationRequested)
            {
                throw new TimeoutException($"nothing came for {_options.SilenceLimit.TotalSeconds:0} s");
            }
            finally
            {
                _silent.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose()
        {
            _either.Dispose();
            _silent.Dispose();
        }
    }

    /// <summary>The answer's body, each read of it within the limit: comments, which the parser swallows, are signs of life too.</summary>
    private sealed class WatchedStream(Stream body, SilenceLimit limit) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await limit.Within(token => body.ReadAsync(buffer, token).AsTask()).ConfigureAwait(false);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
    }
}
