using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Sankore.Platform.Live;

/// <summary>
/// A connection whose socket outlives its HTTP request: a stream keeps the socket, and nothing else of the request stays in memory.
/// </summary>
internal interface ISocketHandover
{
    /// <summary>
    /// Takes the socket; what was flushed before is with the kernel. The request then ends with <see cref="HttpContext.Abort"/>, which no
    /// longer reaches the socket.
    /// </summary>
    /// <param name="ended">Called once, when the client is gone or sends what nobody asked for.</param>
    Socket Take(Action ended);
}

/// <summary>
/// Kestrel's transport for TCP, with one thing more: <see cref="ISocketHandover"/>. Kestrel parses, limits and answers every request as
/// with its own transport; other endpoints (Unix sockets, inherited handles) stay with that one.
/// </summary>
internal sealed class LiveTransport(IMemoryPoolFactory<byte> pools) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private const int Backlog = 8192;

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
        socket.Listen(Backlog);
        return new(new Listener(socket, pools.Create()));
    }

    private sealed class Listener(Socket socket, MemoryPool<byte> pool) : IConnectionListener
    {
        private long _accepted;

        public EndPoint EndPoint => socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    var accepted = await socket.AcceptAsync(cancellationToken);
                    accepted.NoDelay = true;
                    return new Connection(accepted, pool, $"{++_accepted:x}").Start();
                }
                catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    return null;
                }
                catch (SocketException)
                {
                    // It was reset while it waited to be accepted, or there is no descriptor left: the next one.
                    await Task.Delay(1, cancellationToken);
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return default;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            pool.Dispose();
            return default;
        }
    }

    /// <summary>
    /// The socket, and whoever hears what comes over it: its connection first, then the stream that took it. It alone stays in memory then.
    /// </summary>
    private sealed class Wire(Socket socket, Connection connection)
    {
        private readonly Lock _lock = new();
        private Connection? _connection = connection;
        private Action? _ended;
        private bool _isOver;

        public Socket Socket => socket;

        public bool IsTaken => Volatile.Read(ref _ended) is not null;

        /// <summary>Hands over; it is over at once if the client is gone, or has said more than its request.</summary>
        public void Take(Action ended)
        {
            lock (_lock)
            {
                // First of all: what is read from here on Receive notices, and what was read before is still there.
                Volatile.Write(ref _ended, ended);
                var hasMore = _connection!.HasMore();
                _connection = null;
                if (!_isOver && !hasMore)
                {
                    return;
                }
                _isOver = true;
            }
            ended();
        }

        /// <summary>Reads until the end. Without a buffer as long as nothing comes, so that an idle connection costs none.</summary>
        public async Task Receive()
        {
            try
            {
                while (true)
                {
                    await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
                    // What arrives while the socket is taken belongs to nobody either.
                    if (_connection is not { } reader || !await reader.Read() || IsTaken)
                    {
                        break;
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client left, or the server has closed the socket.
            }
            // Whoever has it now is told; whoever takes it from now on is told by Take.
            Connection? left;
            lock (_lock)
            {
                if (_isOver)
                {
                    return;
                }
                _isOver = true;
                left = _connection;
            }
            if (left is null)
            {
                _ended!();
                return;
            }
            await left.ReadAll();
        }
    }

    private sealed class Connection : DefaultConnectionContext, ISocketHandover, IMemoryPoolFeature
    {
        private const int MinRead = 2048;
        private const int MaxUnread = 1024 * 1024;

        private readonly Wire _wire;
        private readonly Pipe _input;
        private readonly Pipe _output;
        private readonly CancellationTokenSource _closed = new();
        private readonly Lock _closing = new();
        private Task _receiving = Task.CompletedTask;
        private Task _sending = Task.CompletedTask;
        private bool _isShut;

        public Connection(Socket socket, MemoryPool<byte> pool, string id) : base(id)
        {
            MemoryPool = pool;
            _wire = new Wire(socket, this);
            _input = new(new PipeOptions(
                pool, PipeScheduler.ThreadPool, PipeScheduler.ThreadPool, MaxUnread, MaxUnread / 2, useSynchronizationContext: false));
            // A flush sends at once, on its own thread, and returns when the kernel has all of it: so nothing is left to be sent when the
            // socket is taken.
            _output = new(new PipeOptions(
                pool, PipeScheduler.Inline, PipeScheduler.ThreadPool, pauseWriterThreshold: 1, resumeWriterThreshold: 1,
                useSynchronizationContext: false));
            Transport = new Duplex(_input.Reader, _output.Writer);
            Application = new Duplex(_output.Reader, _input.Writer);
            (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
            ConnectionClosed = _closed.Token;
            Features.Set<ISocketHandover>(this);
            Features.Set<IMemoryPoolFeature>(this);
        }

        public MemoryPool<byte> MemoryPool { get; }

        public Connection Start()
        {
            (_receiving, _sending) = (_wire.Receive(), Send());
            return this;
        }

        public Socket Take(Action ended)
        {
            _wire.Take(ended);
            return _wire.Socket;
        }

        /// <summary>
        /// Whether the client has said more than its request: Kestrel reads nothing while one without a body is answered.
        /// </summary>
        public bool HasMore()
        {
            if (!_input.Reader.TryRead(out var unread))
            {
                return false;
            }
            _input.Reader.AdvanceTo(unread.Buffer.Start);
            return !unread.Buffer.IsEmpty;
        }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            Shut();
            _output.Reader.CancelPendingRead();
        }

        public override async ValueTask DisposeAsync()
        {
            await Transport.Input.CompleteAsync();
            await Transport.Output.CompleteAsync();
            await _sending;
            if (!_wire.IsTaken)
            {
                await _receiving;
            }
            await _input.Writer.CompleteAsync();
            _closed.Dispose();
            await base.DisposeAsync();
        }

        /// <summary>Hands on what has come. False at the end.</summary>
        public async Task<bool> Read()
        {
            var read = await _wire.Socket.ReceiveAsync(_input.Writer.GetMemory(MinRead), SocketFlags.None);
            if (read == 0)
            {
                return false;
            }
            _input.Writer.Advance(read);
            var flushed = await _input.Writer.FlushAsync();
            return !flushed.IsCompleted && !flushed.IsCanceled;
        }

        /// <summary>Nothing more comes.</summary>
        public async Task ReadAll()
        {
            await _input.Writer.CompleteAsync();
            await _closed.CancelAsync();
        }

        private async Task Send()
        {
            var reader = _output.Reader;
            try
            {
                while (await reader.ReadAsync() is { IsCanceled: false } result)
                {
                    await Send(result.Buffer);
                    reader.AdvanceTo(result.Buffer.End);
                    if (result.IsCompleted)
                    {
                        break;
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client left, or the connection was aborted.
            }
            Shut();
            await reader.CompleteAsync();
            _input.Writer.CancelPendingFlush();
        }

        private async ValueTask Send(ReadOnlySequence<byte> bytes)
        {
            if (bytes.IsSingleSegment)
            {
                for (var rest = bytes.First; !rest.IsEmpty;)
                {
                    rest = rest[await _wire.Socket.SendAsync(rest, SocketFlags.None)..];
                }
                return;
            }
            var parts = new List<ArraySegment<byte>>();
            foreach (var part in bytes)
            {
                parts.Add(MemoryMarshal.TryGetArray(part, out var segment) ? segment : part.ToArray());
            }
            await _wire.Socket.SendAsync(parts, SocketFlags.None);
        }

        private void Shut()
        {
            lock (_closing)
            {
                if (_isShut || _wire.IsTaken)
                {
                    return;
                }
                _isShut = true;
            }
            try
            {
                _wire.Socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // It is shut already.
            }
            _wire.Socket.Dispose();
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
