using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Sankore.Bench.Crowds;

/// <summary>One event as it came: valid only while it is being shown.</summary>
/// <param name="message">The lines of one server-sent event, or one message of SignalR.</param>
public readonly ref struct CrowdEvent(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>The feed's cursor; -1 where the event has none.</summary>
    public long Id => Utf8Parser.TryParse(After("id: "u8), out long id, out _) ? id : -1;

    /// <summary>Whether it says that everything must be read again.</summary>
    public bool IsReset => _message.IndexOf("event: reset"u8) >= 0;

    /// <summary>The row's id; empty where there is none.</summary>
    public Guid Row => Utf8Parser.TryParse(After("\"id\":\""u8), out Guid id, out _) ? id : Guid.Empty;

    /// <summary>The number behind the first <c>#</c> of the data, as in a name like "Inscriptions #12"; 0 where there is none.</summary>
    public long Counter => Utf8Parser.TryParse(After("#"u8), out long number, out _) ? number : 0;

    private ReadOnlySpan<byte> After(ReadOnlySpan<byte> mark) =>
        _message.IndexOf(mark) is >= 0 and var at ? _message[(at + mark.Length)..] : [];
}

/// <summary>
/// What comes over one connection, taken apart wherever the reads cut it: the answer's head, then chunks (HTTP/1.1), frames (WebSocket) or
/// plain bytes, and in them events.
/// </summary>
internal struct CrowdStream
{
    private enum Part : byte { Head, Plain, ChunkSize, Chunk, FrameHead, Frame }

    private Part _part;
    private byte _headBytes;
    private byte _sizeBytes;
    private bool _control;
    private long _left;
    private byte[]? _kept;

    /// <summary>Told what a stream holds.</summary>
    public interface IReader
    {
        /// <summary>The answer's head has come. False when it is not the one hoped for: nothing more is read.</summary>
        bool Head(int status);

        /// <summary>A chunk or frame begins.</summary>
        void Frame();

        /// <summary>An event, a comment or a message is complete.</summary>
        void Message(ReadOnlySpan<byte> message);
    }

    /// <summary>Takes what one read brought.</summary>
    public void Feed(ReadOnlySpan<byte> bytes, IReader reader)
    {
        while (bytes.Length > 0)
        {
            switch (_part)
            {
                case Part.Head:
                    if (!Head(ref bytes, reader))
                    {
                        return;
                    }
                    break;
                case Part.Plain:
                    Body(bytes, (byte)'\n', reader);
                    return;
                case Part.ChunkSize:
                    ChunkSize(ref bytes, reader);
                    break;
                case Part.FrameHead:
                    FrameHead(ref bytes, reader);
                    break;
                default:
                    Payload(ref bytes, reader);
                    break;
            }
        }
    }

    private bool Head(ref ReadOnlySpan<byte> bytes, IReader reader)
    {
        var all = Joined(bytes);
        var end = all.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            _kept = all.ToArray();
            return false;
        }
        var head = Encoding.ASCII.GetString(all[..end]);
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        _part = status == 101 ? Part.FrameHead : head.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase)
            ? Part.ChunkSize : Part.Plain;
        bytes = all[(end + 4)..];
        return reader.Head(status);
    }

    /// <summary>Hexadecimal digits up to the line's end; the empty line that ends the chunk before is passed over.</summary>
    private void ChunkSize(ref ReadOnlySpan<byte> bytes, IReader reader)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n' && _headBytes > 0)
            {
                (_part, _headBytes) = (Part.Chunk, 0);
                bytes = bytes[(i + 1)..];
                reader.Frame();
                return;
            }
            if (bytes[i] > ' ')
            {
                _left = (_left << 4) + Convert.ToInt32(((char)bytes[i]).ToString(), 16);
                _headBytes++;
            }
        }
        bytes = [];
    }

    /// <summary>Kind, then a length of 7 bits, or of two or eight bytes.</summary>
    private void FrameHead(ref ReadOnlySpan<byte> bytes, IReader reader)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            switch (_headBytes++)
            {
                case 0:
                    _control = (bytes[i] & 0x0f) >= 8;
                    continue;
                case 1:
                    _sizeBytes = (bytes[i] & 0x7f) switch { 126 => 2, 127 => 8, _ => 0 };
                    _left = _sizeBytes > 0 ? 0 : bytes[i] & 0x7f;
                    break;
                default:
                    _left = (_left << 8) + bytes[i];
                    _sizeBytes--;
                    break;
            }
            if (_sizeBytes == 0)
            {
                (_part, _headBytes) = (_left > 0 ? Part.Frame : Part.FrameHead, 0);
                bytes = bytes[(i + 1)..];
                reader.Frame();
                return;
            }
        }
        bytes = [];
    }

    private void Payload(ref ReadOnlySpan<byte> bytes, IReader reader)
    {
        var payload = bytes[..(int)Math.Min(_left, bytes.Length)];
        bytes = bytes[payload.Length..];
        _left -= payload.Length;
        var isFrame = _part == Part.Frame;
        if (_left == 0)
        {
            _part = isFrame ? Part.FrameHead : Part.ChunkSize;
        }
        if (!isFrame || !_control)
        {
            Body(payload, isFrame ? (byte)0x1e : (byte)'\n', reader);
        }
    }

    /// <summary>Events end with an empty line, SignalR's messages with 0x1e; what is cut waits for the next read.</summary>
    private void Body(ReadOnlySpan<byte> payload, byte end, IReader reader)
    {
        var rest = Joined(payload);
        ReadOnlySpan<byte> mark = end == '\n' ? "\n\n"u8 : [0x1e];
        while (rest.IndexOf(mark) is >= 0 and var at)
        {
            reader.Message(rest[..at]);
            rest = rest[(at + mark.Length)..];
        }
        if (rest.Length > 0)
        {
            _kept = rest.ToArray();
        }
    }

    private ReadOnlySpan<byte> Joined(ReadOnlySpan<byte> bytes)
    {
        if (_kept is null)
        {
            return bytes;
        }
        byte[] all = [.. _kept, .. bytes];
        _kept = null;
        return all;
    }
}
