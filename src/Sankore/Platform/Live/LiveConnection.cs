using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Sankore.Platform.Live;

/// <summary>
/// One open stream. Everything here belongs to the thread of its <see cref="LiveShard"/>; only <see cref="End"/> and
/// <see cref="Outgoing"/> are also for whoever learns that the client has gone.
/// </summary>
internal sealed class LiveConnection(LiveHub hub, Guid userId, string securityStamp, IPAddress address, long cursor)
{
    /// <summary>How much of earlier frames may be waiting when another comes. The bytes are shared; what is bounded is how far behind a reader may be.</summary>
    private const int MaxBacklogBytes = 256 * 1024;

    private const int KernelBufferBytes = 128 * 1024;

    private Socket? _socket;
    private Channel<LiveFrame>? _channel;
    private Queue<ArraySegment<byte>>? _backlog;
    private int _backlogBytes;
    private int _ended;

    /// <summary>Whose stream it is.</summary>
    public Guid UserId => userId;

    /// <summary>Where the client is, for the limit per address.</summary>
    public IPAddress Address => address;

    /// <summary>The session's stamp; a stream whose stamp is no longer the account's is ended.</summary>
    public string SecurityStamp => securityStamp;

    /// <summary>What a queued stream has to write; it completes when the stream is over.</summary>
    public ChannelReader<LiveFrame>? Outgoing => _channel?.Reader;

    /// <summary>The last change that it was told, or need not be told.</summary>
    internal long Cursor { get; set; } = cursor;

    /// <summary>The position that its rights are known for.</summary>
    internal long RightsAsOf { get; set; }

    /// <summary>When the first of its rights ends (<see cref="Security.Rights.EndsAt"/>).</summary>
    internal long EndsAt { get; set; } = long.MaxValue;

    /// <summary>Its rights are being decided anew; until then it is told nothing.</summary>
    internal bool IsDeciding { get; set; }

    /// <summary>The shard that writes to it.</summary>
    internal LiveShard? Shard { get; set; }

    /// <summary>Everybody in the shard with the same topics, and its place among them.</summary>
    internal Audience? Audience { get; set; }
    internal int AudienceIndex { get; set; }

    /// <summary>The next stream of the same person in the shard.</summary>
    internal LiveConnection? NextOfPerson { get; set; }

    internal int HeartbeatSlot { get; set; }
    internal int HeartbeatIndex { get; set; }

    /// <summary>When the socket last took something, while it is behind.</summary>
    internal long MovedAt { get; set; }

    internal bool IsEnded => Volatile.Read(ref _ended) != 0;
    internal bool HasBacklog => _backlogBytes > 0;

    /// <summary>The stream is written by the hub itself, without waiting (HTTP/1.1 without TLS).</summary>
    internal void WriteTo(Socket socket)
    {
        socket.Blocking = false;
        // Else the kernel would keep up to some megabytes for a reader who does not read.
        socket.SendBufferSize = KernelBufferBytes;
        _socket = socket;
    }

    /// <summary>The stream is written by its own request, from a bounded queue (TLS, HTTP/2).</summary>
    internal void WriteQueued() =>
        _channel = Channel.CreateBounded<LiveFrame>(new BoundedChannelOptions(256) { SingleReader = true });

    /// <summary>Writes without ever waiting. What the socket does not take is kept, up to a bound.</summary>
    /// <returns>False when the reader is too far behind.</returns>
    internal bool Send(LiveFrame frame)
    {
        if (IsEnded)
        {
            return true;
        }
        if (_socket is null)
        {
            return _channel!.Writer.TryWrite(frame);
        }
        if (HasBacklog)
        {
            return _backlogBytes <= MaxBacklogBytes && Keep(frame.Chunk);
        }
        var sent = TrySend(frame.Chunk, out var error);
        return error switch
        {
            SocketError.Success when sent == frame.Chunk.Length => true,
            SocketError.Success => Keep(new ArraySegment<byte>(frame.Chunk, sent, frame.Chunk.Length - sent)),
            SocketError.WouldBlock => Keep(frame.Chunk),
            _ => End(),
        };
    }

    /// <summary>Tries again what was kept.</summary>
    /// <returns>How many bytes the socket took.</returns>
    internal int Flush()
    {
        var total = 0;
        while (_backlog is { Count: > 0 } && !IsEnded)
        {
            var next = _backlog.Peek();
            var sent = TrySend(next, out var error);
            if (error is not SocketError.Success)
            {
                return error is SocketError.WouldBlock || End() ? total : 0;
            }
            _backlog.Dequeue();
            _backlogBytes -= sent;
            total += sent;
            if (sent < next.Count)
            {
                _backlog = new Queue<ArraySegment<byte>>([next[sent..], .. _backlog]);
                return total;
            }
        }
        _backlog = null;
        return total;
    }

    /// <summary>Ends the stream, if it has not ended. The client comes back with its cursor.</summary>
    /// <returns>True.</returns>
    internal bool End()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            _channel?.Writer.TryComplete();
            Hangup();
            hub.Leave(this);
        }
        return true;
    }

    private void Hangup()
    {
        if (_socket is null)
        {
            return;
        }
        if (HasBacklog)
        {
            // Reset: what a reader who does not read has not taken would else stay with the kernel for minutes, and the end behind it.
            _socket.Close(timeout: 0);
            return;
        }
        try
        {
            // A proxy sees a whole response.
            _socket.Send(LiveFrame.End, SocketFlags.None, out _);
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client is gone.
        }
        _socket.Dispose();
    }

    private int TrySend(ArraySegment<byte> bytes, out SocketError error)
    {
        try
        {
            return _socket!.Send(bytes.AsSpan(), SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            // The client has gone, and another thread has learnt it first.
            error = SocketError.NotConnected;
            return 0;
        }
    }

    private bool Keep(ArraySegment<byte> rest)
    {
        (_backlog ??= []).Enqueue(rest);
        _backlogBytes += rest.Count;
        return true;
    }
}
