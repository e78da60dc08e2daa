using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sankore.Bench;

/// <summary>Many plain HTTP/1.1 readers of <c>GET /live</c> on raw sockets: they note when each event came, and that each came once and in order.</summary>
internal sealed class SseClients(IPEndPoint server, IReadOnlyList<string> tokens) : IDisposable
{
    private readonly List<Reader> _readers = [];
    private long _bytes;
    private long _events;
    private int _open;
    private int _disorder;

    /// <summary>Bytes that have come over all connections.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Change events that have come, over all clients.</summary>
    public long Events => Interlocked.Read(ref _events);

    /// <summary>Connections whose stream has begun.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Events that were out of order or came twice.</summary>
    public int Disorder => Volatile.Read(ref _disorder);

    /// <summary>Called with the moment at which an event came.</summary>
    public Action<long> OnEvent { get; set; } = _ => { };

    public async Task Connect(int count)
    {
        using var gate = new SemaphoreSlim(200);
        await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
        {
            await gate.WaitAsync();
            try
            {
                var reader = new Reader(this);
                lock (_readers)
                {
                    _readers.Add(reader);
                }
                await reader.Connect(server, tokens[i % tokens.Count]);
            }
            finally
            {
                gate.Release();
            }
        }));
    }

    public void Dispose() => _readers.ForEach(r => r.Dispose());

    private sealed class Reader(SseClients clients) : IDisposable
    {
        private static ReadOnlySpan<byte> Mark => "id: "u8;

        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly SocketAsyncEventArgs _args = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] _buffer = new byte[2048];
        private int _kept;
        private long _last;

        public async Task Connect(IPEndPoint server, string token)
        {
            await _socket.ConnectAsync(server);
            await _socket.SendAsync(Encoding.ASCII.GetBytes($"GET /live HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"));
            _args.Completed += (_, _) => Received();
            Receive();
            await _begun.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }

        public void Dispose()
        {
            _socket.Dispose();
            _args.Dispose();
        }

        private void Receive()
        {
            _args.SetBuffer(_buffer, _kept, _buffer.Length - _kept);
            try
            {
                if (!_socket.ReceiveAsync(_args))
                {
                    ThreadPool.UnsafeQueueUserWorkItem(_ => Received(), null);
                }
            }
            catch (ObjectDisposedException)
            {
                // The end.
            }
        }

        private void Received()
        {
            if (_args.SocketError != SocketError.Success || _args.BytesTransferred == 0)
            {
                return;
            }
            var now = Stopwatch.GetTimestamp();
            Interlocked.Add(ref clients._bytes, _args.BytesTransferred);
            var length = _kept + _args.BytesTransferred;
            Scan(_buffer.AsSpan(0, length), now);
            Receive();
        }

        private void Scan(Span<byte> bytes, long now)
        {
            if (!_begun.Task.IsCompleted && bytes.IndexOf("retry: "u8) >= 0)
            {
                Interlocked.Increment(ref clients._open);
                _begun.TrySetResult();
            }
            var from = 0;
            while (bytes[from..].IndexOf(Mark) is >= 0 and var at)
            {
                var digits = bytes[(from + at + Mark.Length)..];
                var end = digits.IndexOf((byte)'\n');
                if (end < 0)
                {
                    // The number is cut: keep it for the next read.
                    bytes[(from + at)..].CopyTo(_buffer);
                    _kept = bytes.Length - from - at;
                    return;
                }
                var id = long.Parse(digits[..end], NumberStyles.None, CultureInfo.InvariantCulture);
                if (id <= _last)
                {
                    Interlocked.Increment(ref clients._disorder);
                }
                _last = id;
                Interlocked.Increment(ref clients._events);
                clients.OnEvent(now);
                from += at + Mark.Length + end;
            }
            // A mark may be cut too.
            _kept = Math.Min(Mark.Length - 1, bytes.Length - from);
            bytes[^_kept..].CopyTo(_buffer);
        }
    }
}
