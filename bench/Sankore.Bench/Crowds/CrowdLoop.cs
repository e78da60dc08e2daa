using System.Diagnostics;
using System.Text;

namespace Sankore.Bench.Crowds;

/// <summary>The crowd's one thread.</summary>
public sealed partial class Crowd : CrowdStream.IReader
{
    // {"protocol":"json","version":1} and its end, in a masked frame whose mask is zero.
    private static readonly byte[] Handshake = [0x81, 0x80 | 32, 0, 0, 0, 0, .. "{\"protocol\":\"json\",\"version\":1}"u8, 0x1e];

    private CrowdClient _current = null!;
    private int _eventsOfRead;

    private void Run()
    {
        while (!_stopped)
        {
            while (_asked.TryDequeue(out var action))
            {
                action();
            }
            Begin();
            if (_awaited is { } awaited && _events >= awaited.Events)
            {
                _awaited = null;
                awaited.Reached.SetResult();
            }
            var ready = _epoll.Wait(Pause());
            for (var i = 0; i < ready; i++)
            {
                var (number, what) = _epoll.At(i);
                if (number < 0)
                {
                    _epoll.Woken();
                }
                else
                {
                    Handle(_clients[number], what);
                }
            }
        }
    }

    private int Pause()
    {
        var now = Environment.TickCount64;
        var due = _later.TryPeek(out _, out var at) ? at : now + 1000;
        return _next.Count > 0 && _connecting < _options.Concurrency ? 5 : (int)Math.Clamp(due - now, 0, 1000);
    }

    /// <summary>Begins as many connections as may be on their way at once.</summary>
    private void Begin()
    {
        var now = Environment.TickCount64;
        while (_later.TryPeek(out var client, out var due) && due <= now)
        {
            _next.Enqueue(_later.Dequeue());
        }
        while (_hoped.TryPeek(out var hoped) && hoped.Until <= now)
        {
            _hoped.Dequeue();
            if (hoped.Client.Attempts == hoped.Attempt && !hoped.Client.IsOpen && hoped.Client.Descriptor >= 0)
            {
                End(hoped.Client, -110);
            }
        }
        // As the time goes by, and no more at once than a twentieth of a second's, so that a rate is no row of bursts.
        _allowed = Math.Min(_allowed + (now - _allowedAt) * (double)_options.Rate / 1000, Math.Max(1, _options.Rate / 20.0));
        _allowedAt = now;
        while (_connecting < _options.Concurrency && _allowed >= 1 && _next.TryDequeue(out var client))
        {
            if (client.Descriptor < 0 && !client.IsAway)
            {
                Begin(client, now);
            }
        }
    }

    private void Begin(CrowdClient client, long now)
    {
        _allowed--;
        client.Attempts++;
        client.Stream = default;
        var descriptor = Native.Connect(_options.Servers[client.Server], _options.From, _options.ReceiveBuffer);
        if (descriptor < 0)
        {
            End(client, descriptor);
            return;
        }
        _connecting++;
        client.Descriptor = descriptor;
        _hoped.Enqueue((client, client.Attempts, now + (long)Patience.TotalMilliseconds));
        _epoll.Watch(descriptor, client.Number, Ready.Write);
    }

    private void Handle(CrowdClient client, Ready what)
    {
        if (client.Descriptor < 0)
        {
            return;
        }
        if (what.HasFlag(Ready.Write))
        {
            var request = Request(client);
            var sent = Native.Send(client.Descriptor, request);
            if (sent != request.Length)
            {
                End(client, sent);
                return;
            }
            _epoll.Rewatch(client.Descriptor, client.Number, Ready.Read);
        }
        else if (!client.IsDeaf)
        {
            Receive(client);
        }
        else
        {
            End(client, 0);
        }
    }

    private void Receive(CrowdClient client)
    {
        var count = Native.Receive(client.Descriptor, _buffer);
        if (count <= 0)
        {
            if (count is not -Native.Again and not -Native.Interrupted)
            {
                End(client, count);
            }
            return;
        }
        var now = Stopwatch.GetTimestamp();
        _bytes += count;
        (_current, _eventsOfRead) = (client, 0);
        client.Stream.Feed(_buffer.AsSpan(0, count), this);
        if (_eventsOfRead > 0)
        {
            _arrivals.Add((now, _eventsOfRead));
        }
    }

    bool CrowdStream.IReader.Head(int status)
    {
        if (status != (_options.SignalR ? 101 : 200))
        {
            End(_current, status);
            return false;
        }
        if (!_options.SignalR)
        {
            Opened(_current);
        }
        else if (Native.Send(_current.Descriptor, Handshake) != Handshake.Length)
        {
            End(_current, 0);
            return false;
        }
        return true;
    }

    void CrowdStream.IReader.Frame() => _frames++;

    void CrowdStream.IReader.Message(ReadOnlySpan<byte> message)
    {
        if (_options.SignalR ? message.StartsWith("{\"type\":1,"u8) : message.IndexOf("data: "u8) >= 0)
        {
            Heard(_current, new CrowdEvent(message));
        }
        else if (_options.SignalR && !_current.IsOpen)
        {
            Opened(_current);
        }
        else if (!_options.ByCounter && new CrowdEvent(message).Id is >= 0 and var reached)
        {
            // An id without an event: how far it need not ask again.
            _current.LastId = reached;
        }
    }

    private void Heard(CrowdClient client, CrowdEvent heard)
    {
        if (heard.IsReset)
        {
            client.Resets++;
            _resets++;
            client.LastId = heard.Id;
        }
        else
        {
            var id = _options.ByCounter ? heard.Counter : heard.Id;
            if (id <= client.LastId)
            {
                _disorder++;
            }
            client.LastId = id;
            client.Events++;
            _events++;
            _eventsOfRead++;
        }
        _options.Seen?.Invoke(client, heard);
    }

    private void Opened(CrowdClient client)
    {
        client.IsOpen = true;
        _connecting--;
        _open++;
    }

    /// <summary>A stream or an attempt is over. <paramref name="why"/>: the answer's status, or minus the system's error.</summary>
    private void End(CrowdClient client, int why)
    {
        if (client.Descriptor >= 0)
        {
            _ = Native.Close(client.Descriptor);
            client.Descriptor = -1;
            _ = client.IsOpen ? _open-- : _connecting--;
        }
        if (client.IsOpen)
        {
            _ended++;
        }
        else
        {
            _refused++;
            LastRefusal = why;
        }
        client.IsOpen = client.IsDeaf = false;
        client.Server = (client.Server + 1) % _options.Servers.Count;
        _later.Enqueue(client, Environment.TickCount64 + (long)(_options.Return.TotalMilliseconds * (0.5 + Random.Shared.NextDouble())));
    }

    private void Deaf(CrowdClient client, bool deaf)
    {
        if (client.IsOpen)
        {
            client.IsDeaf = deaf;
            _epoll.Rewatch(client.Descriptor, client.Number, deaf ? Ready.None : Ready.Read);
        }
    }

    private byte[] Request(CrowdClient client)
    {
        var text = new StringBuilder($"GET {_options.Path} HTTP/1.1\r\nHost: {_options.Servers[client.Server]}\r\n", 1024);
        text.Append(_options.SignalR
            ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            : "Accept: text/event-stream\r\n");
        if (client.Token.Length > 0)
        {
            text.Append("Authorization: Bearer ").Append(client.Token).Append("\r\n");
        }
        if (client.LastId >= 0 && !_options.ByCounter)
        {
            text.Append("Last-Event-ID: ").Append(client.LastId).Append("\r\n");
        }
        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }
}
