using System.Net.Sockets;
using System.Threading.Channels;

namespace Sankore.Platform.Live;

/// <summary>
/// One open stream. Everything here belongs to the thread of its <see cref="LiveShard"/>; only <see cref="Closed"/> and
/// <see cref="Outgoing"/> are for the request that waits for the stream's end.
/// </summary>
public sealed class LiveConnection
{
    private const int MaxBacklogBytes = 64 * 1024;

    private readonly Socket? _socket;
    private readonly Channel<byte[]>? _channel;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Queue<ArraySegment<byte>>? _backlog;
    private int _backlogBytes;

    private LiveConnection(Guid userId, string securityStamp, long cursor, Socket? socket, Channel<byte[]>? channel) =>
        (UserId, SecurityStamp, Cursor, _socket, _channel) = (userId, securityStamp, cursor, socket, channel);

    /// <summary>A stream whose connection the hub writes to itself, without waiting (HTTP/1.1 without TLS).</summary>
    public static LiveConnection Direct(Guid userId, string securityStamp, long cursor, Socket socket) =>
        new(userId, securityStamp, cursor, socket, null);

    /// <summary>A stream that its own request writes, from a bounded queue (TLS, HTTP/2).</summary>
    public static LiveConnection Queued(Guid userId, string securityStamp, long cursor) =>
        new(userId, securityStamp, cursor, null, Channel.CreateBounded<byte[]>(new BoundedChannelOptions(256) { SingleReader = true, SingleWriter = true }));

    /// <summary>Whose stream it is.</summary>
    public Guid UserId { get; }

    /// <summary>The session's stamp; a stream whose stamp is no longer the account's is ended.</summary>
    public string SecurityStamp { get; }

    /// <summary>Completes when the stream is over.</summary>
    public Task Closed => _closed.Task;

    /// <summary>What a queued stream has to write.</summary>
    public ChannelReader<byte[]>? Outgoing => _channel?.Reader;

    internal long Cursor { get; set; }
    internal long RightsAsOf { get; set; }
    internal string[] Topics { get; set; } = [];
    internal DateTime ValidUntil { get; set; } = DateTime.MaxValue;
    internal bool Pending { get; set; }
    internal int HeartbeatSlot { get; set; }
    internal bool IsClosed { get; private set; }
    internal bool HasBacklog => _backlogBytes > 0;

    /// <summary>Writes without ever waiting. What the socket does not take is kept, up to a bound; beyond it the stream is closed, and its cursor resumes it.</summary>
    /// <returns>False when the stream is over.</returns>
    internal bool Send(LiveFrame frame)
    {
        if (IsClosed)
        {
            return false;
        }
        if (_socket is null)
        {
            return _channel!.Writer.TryWrite(frame.Payload) || Close();
        }
        if (HasBacklog)
        {
            return Keep(frame.Chunk);
        }
        var sent = TrySend(frame.Chunk, out var error);
        return error switch
        {
            SocketError.Success when sent == frame.Chunk.Length => true,
            SocketError.Success => Keep(new ArraySegment<byte>(frame.Chunk, sent, frame.Chunk.Length - sent)),
            SocketError.WouldBlock => Keep(frame.Chunk),
            _ => Close(),
        };
    }

    /// <summary>Tries again what was kept. True when nothing is left.</summary>
    internal bool Flush()
    {
        while (_backlog is { Count: > 0 } && !IsClosed)
        {
            var next = _backlog.Peek();
            var sent = TrySend(next, out var error);
            if (error == SocketError.WouldBlock)
            {
                return false;
            }
            if (error != SocketError.Success)
            {
                Close();
                return true;
            }
            _backlog.Dequeue();
            _backlogBytes -= sent;
            if (sent < next.Count)
            {
                // The rest stays first.
                var rest = _backlog.ToArray();
                _backlog.Clear();
                _backlog.Enqueue(next[sent..]);
                Array.ForEach(rest, _backlog.Enqueue);
                return false;
            }
        }
        return true;
    }

    /// <summary>Ends the stream.</summary>
    internal bool Close()
    {
        IsClosed = true;
        (_backlog, _backlogBytes) = (null, 0);
        _channel?.Writer.TryComplete();
        _closed.TrySetResult();
        return false;
    }

    private int TrySend(ArraySegment<byte> bytes, out SocketError error)
    {
        try
        {
            if (_socket!.Blocking)
            {
                _socket.Blocking = false;
            }
            return _socket.Send(bytes.Array!, bytes.Offset, bytes.Count, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            // The client left, and the server has not taken the stream out yet.
            error = SocketError.NotConnected;
            return 0;
        }
    }

    private bool Keep(ArraySegment<byte> rest)
    {
        if (_backlogBytes + rest.Count > MaxBacklogBytes)
        {
            return Close();
        }
        (_backlog ??= new Queue<ArraySegment<byte>>()).Enqueue(rest);
        _backlogBytes += rest.Count;
        return true;
    }
}

/// <summary>Bytes ready for both ways out: as they are, and as one chunk of HTTP/1.1's chunked coding.</summary>
public sealed class LiveFrame
{
    /// <summary>A frame of some text/event-stream bytes.</summary>
    public LiveFrame(byte[] payload)
    {
        Payload = payload;
        Chunk = [.. System.Text.Encoding.ASCII.GetBytes($"{payload.Length:x}\r\n"), .. payload, (byte)'\r', (byte)'\n'];
    }

    /// <summary>The bytes themselves.</summary>
    public byte[] Payload { get; }

    /// <summary>The bytes as one chunk.</summary>
    public byte[] Chunk { get; }

    /// <summary>One frame of several changes, so that a burst is one write.</summary>
    public static LiveFrame Of(IEnumerable<Change> changes) => new([.. changes.SelectMany(c => c.Event)]);

    /// <summary>Nothing, to keep the connection open.</summary>
    public static LiveFrame Heartbeat { get; } = new(": still here\n\n"u8.ToArray());

    /// <summary>Says that the page must be read again, within <paramref name="spread"/> of now so that all do not come at once.</summary>
    public static LiveFrame Reset(long position, TimeSpan spread) => new(System.Text.Encoding.ASCII.GetBytes(
        $"id: {position}\nevent: reset\ndata: {{\"spread\":{(int)spread.TotalMilliseconds}}}\n\n"));
}
