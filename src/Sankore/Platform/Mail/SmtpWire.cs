using System.Buffers;
using System.Globalization;
using System.Net.Security;
using System.Text;
using System.Text.RegularExpressions;

namespace Sankore.Platform.Mail;

/// <summary>The server does not speak SMTP, or no more.</summary>
internal sealed class SmtpProtocolException(string message) : IOException(message);

/// <summary>A reply, of one line or several.</summary>
/// <param name="Code">Three digits, as a number.</param>
/// <param name="Lines">What it says, line by line.</param>
internal sealed partial record SmtpReply(int Code, IReadOnlyList<string> Lines)
{
    /// <summary>2xx: done.</summary>
    public bool Done => Code / 100 == 2;

    /// <summary>The lines as one text.</summary>
    public string Text => string.Join(' ', Lines);

    /// <summary>The enhanced status (RFC 3463), such as 5.1.1, where the reply has one that agrees with its code.</summary>
    public string? Status => StatusCode().Match(Lines[0]) is { Success: true } match && match.Value[0] - '0' == Code / 100 ? match.Value : null;

    [GeneratedRegex(@"\A[245]\.[0-9]{1,3}\.[0-9]{1,3}(?=\s|\z)")]
    private static partial Regex StatusCode();
}

/// <summary>The bytes of a connection: what is written leaves at once, replies are read within limits.</summary>
internal sealed class SmtpWire(Stream stream) : IAsyncDisposable
{
    private const int MaxLine = 4096;
    private const int MaxLines = 128;

    private readonly byte[] _buffer = new byte[MaxLine];
    private int _start;
    private int _end;

    /// <summary>Writes all of it.</summary>
    public ValueTask Write(ReadOnlyMemory<byte> bytes, CancellationToken ct) => stream.WriteAsync(bytes, ct);

    /// <summary>Writes command lines, each with its line break.</summary>
    public async ValueTask Write(string commands, CancellationToken ct)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(commands.Length));
        try
        {
            await stream.WriteAsync(bytes.AsMemory(0, Encoding.UTF8.GetBytes(commands, bytes)), ct);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
        }
    }

    /// <summary>Reads a reply.</summary>
    /// <exception cref="IOException">The connection is lost, or what comes is no reply.</exception>
    public async ValueTask<SmtpReply> Read(CancellationToken ct)
    {
        List<string>? lines = null;
        while (true)
        {
            var line = await ReadLine(ct);
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code) || code is < 200 or > 599 || (line.Length > 3 && line[3] is not (' ' or '-')))
            {
                throw new SmtpProtocolException("the server's answer is no SMTP reply");
            }
            (lines ??= []).Add(line.Length > 4 ? line[4..] : "");
            if (line.Length == 3 || line[3] == ' ')
            {
                return new SmtpReply(code, lines);
            }
            if (lines.Count >= MaxLines)
            {
                throw new SmtpProtocolException("the server's reply does not end");
            }
        }
    }

    /// <summary>Puts TLS under what follows. What the server said before that, unasked, may be somebody else's: it ends the connection (RFC 3207, 6).</summary>
    public async Task Encrypt(SslClientAuthenticationOptions options, CancellationToken ct)
    {
        if (_start < _end)
        {
            throw new SmtpProtocolException("the server said more than it was asked before TLS");
        }
        var encrypted = new SslStream(stream);
        stream = encrypted;
        await encrypted.AuthenticateAsClientAsync(options, ct);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async ValueTask<string> ReadLine(CancellationToken ct)
    {
        while (true)
        {
            var end = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = Encoding.UTF8.GetString(_buffer.AsSpan(_start, end)).TrimEnd('\r');
                _start += end + 1;
                return line;
            }
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            if (_end == _buffer.Length)
            {
                throw new SmtpProtocolException("a line of the server's reply does not end");
            }
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), ct);
            _end += read > 0 ? read : throw new IOException("the server has closed the connection");
        }
    }
}
