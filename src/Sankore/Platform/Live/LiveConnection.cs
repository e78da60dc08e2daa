using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Sankore.Platform.Live;

/// <summary>
/// One open stream. Everything here belongs to the thread of its <see cref="LiveShard"/>; only <see cref="End"/> and
/// <see cref="Outgoing"/> are also for whoever learns that the client has gone.
/// </summary>
internal sealed class LiveConnection(LiveHub hub, Guid userId, Guid session, IPAddress address, long since)
{
    /// <summary>
    /// How much may still be waiting when more is told. The bytes are shared; what is bounded is how far behind a reader may be.
    /// </summary>
    private const int MaxBacklogBytes = 1024 * 1024;

    private const int KernelBufferBytes = 128 * 1024;

    private Socket? _socket;
    private int _descriptor = -1;
    private Channel<LiveFrame>? _channel;
    private Queue<ArraySegment<byte>>? _backlog;
    private int _backlogBytes;
    private bool _isDeciding;
    private int _ended;

    /// <summary>Whose stream it is.</summary>
    public Guid UserId => userId;

    /// <summary>Where the client is, for the limit per address.</summary>
    public IPAddress Address => address;

    /// <summary>The session that it belongs to, and ends with.</summary>
    public Guid Session => session;

    /// <summary>The position that the client came with.</summary>
    public long Since => since;

    /// <summary>What a queued stream has to write; it completes when the stream is over.</summary>
    public ChannelReader<LiveFrame>? Outgoing => _channel?.Reader;

    /// <summary>The position that its rights are known for.</summary>
    internal long RightsAsOf { get; set; }

    /// <summary>Its rights are being decided anew; until then it is told nothing.</summary>
    internal bool IsDeciding
    {
        get => _isDeciding;
        set
        {
            _isDeciding = value;
            Mark();
        }
    }

    /// <summary>The shard that writes to it.</summary>
    internal LiveShard? Shard { get; set; }

    /// <summary>Everybody in the shard with the same topics, and its place among them.</summary>
    internal Audience? Audience { get; set; }
    internal int Place { get; set; }

    /// <summary>What is needed of it among its neighbours.</summary>
    internal ref Member Self => ref Audience!.Members[Place];

    /// <summary>The next stream of the same person in the shard.</summary>
    internal LiveConnection? NextOfPerson { get; set; }

    internal int HeartbeatSlot { get; set; }
    internal int HeartbeatPlace { get; set; }

    /// <summary>When the socket last took something, while it is behind.</summary>
    internal long MovedAt { get; set; }

    internal bool IsEnded => Volatile.Read(ref _ended) != 0;
    internal bool HasBacklog => _backlogBytes > 0;
    internal bool IsTooFarBehind => _backlogBytes > MaxBacklogBytes;

    /// <summary>The socket's descriptor while bytes may go to it straight away; else -1.</summary>
    internal int Descriptor => _isDeciding || HasBacklog || IsEnded ? -1 : _descriptor;

    /// <summary>The stream is written by the hub itself, without waiting (HTTP/1.1 without TLS).</summary>
    internal void WriteTo(Socket socket)
    {
        _socket = socket;
        try
        {
            socket.Blocking = false;
            // Else the kernel would keep up to some megabytes for a reader who does not read.
            socket.SendBufferSize = KernelBufferBytes;
            _descriptor = Kernel.Descriptor(socket);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was gone before its socket was taken.
            End();
        }
    }

    /// <summary>The stream is written by its own request, from a bounded queue (TLS, HTTP/2).</summary>
    internal void WriteQueued() =>
        _channel = Channel.CreateBounded<LiveFrame>(new BoundedChannelOptions(256) { SingleReader = true });

    /// <summary>Writes without ever waiting. What the socket does not take is kept.</summary>
    /// <returns>False when a queue is full.</returns>
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
            return Keep(frame.Chunk);
        }
        var sent = TrySend(frame.Chunk, out var error);
        return error switch
        {
            SocketError.Success => KeepRest(frame, sent),
            SocketError.WouldBlock => Keep(frame.Chunk),
            _ => End(),
        };
    }

    /// <summary>Keeps what the socket has not taken of a frame.</summary>
    /// <returns>True.</returns>
    internal bool KeepRest(LiveFrame frame, int sent) =>
        sent == frame.Chunk.Length || Keep(new ArraySegment<byte>(frame.Chunk, sent, frame.Chunk.Length - sent));

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
        Mark();
        return total;
    }

    /// <summary>Ends the stream, if it has not ended; its shard hangs up. The client comes back with its cursor.</summary>
    /// <returns>True.</returns>
    internal bool End()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            _channel?.Writer.TryComplete();
            hub.Leave(this);
        }
        return true;
    }

    /// <summary>Closes the socket: when nobody writes to its descriptor any more.</summary>
    internal void Hangup()
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
            error = SocketError.NotConnected;
            return 0;
        }
    }

    private bool Keep(ArraySegment<byte> rest)
    {
        (_backlog ??= []).Enqueue(rest);
        _backlogBytes += rest.Count;
        Mark();
        return true;
    }

    private void Mark()
    {
        if (Audience is not null)
        {
            Self.Descriptor = Descriptor;
        }
    }
}
