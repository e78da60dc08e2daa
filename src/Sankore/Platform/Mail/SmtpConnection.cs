using System.Buffers;
using System.Net.Sockets;
using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>Who a mail is from and for on its way; both apart from what the message itself says.</summary>
/// <param name="From">Where it goes back to when it cannot be delivered; null: nowhere (<c>&lt;&gt;</c>).</param>
/// <param name="To">Whom it is for.</param>
public sealed record Envelope(Mailbox? From, Mailbox To);

/// <summary>What became of a mail.</summary>
public enum SmtpOutcome
{
    /// <summary>The server has it and answers for it.</summary>
    Accepted,

    /// <summary>The server does not take it now (4xx): try again later.</summary>
    Deferred,

    /// <summary>The server does not take it (5xx), or cannot (too large, an address it has no letters for): do not try again.</summary>
    Rejected,

    /// <summary>It has not left: the end of its data was never written. Try again, here or elsewhere.</summary>
    NotSent,

    /// <summary>Its end may have left and no answer came: it may have been delivered. Never send it again.</summary>
    Unknown,
}

/// <summary>What became of a mail, and what the server said to it.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Code">The reply's code; 0: there was none.</param>
/// <param name="Status">The enhanced status (RFC 3463), such as 5.1.1, where there is one.</param>
/// <param name="Text">The reply's text, or what went wrong. It may name the recipient: not for logs.</param>
public sealed record SmtpResult(SmtpOutcome Outcome, int Code, string? Status, string Text);

/// <summary>A connection to a mail server (RFC 5321, submission as in RFC 6409), for one mail after the other: one write a phase, all of it in two writes where the server pipelines (RFC 2920).</summary>
public sealed class SmtpConnection : IAsyncDisposable
{
    private const int Block = 256 * 1024;
    private const int KeptBuffer = 1024 * 1024;

    private readonly SmtpTimeouts _timeouts;
    private readonly SmtpWire _wire;
    private readonly SmtpAbilities _server;
    private ArrayBufferWriter<byte> _data = new(16 * 1024);
    private bool _mayHaveLeft;

    private SmtpConnection(SmtpWire wire, SmtpAbilities server, SmtpTimeouts timeouts) => (_wire, _server, _timeouts) = (wire, server, timeouts);

    /// <summary>Whether another mail may go this way.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <summary>How many mails were offered to the server.</summary>
    public int Offered { get; private set; }

    /// <summary>Connects, encrypts as the options say, and signs in.</summary>
    /// <exception cref="SmtpConnectionException">That cannot be done.</exception>
    public static async Task<SmtpConnection> OpenAsync(SmtpOptions options, CancellationToken ct)
    {
        var (wire, abilities) = await SmtpHandshake.Run(options, ct);
        return new SmtpConnection(wire, abilities, options.Timeouts);
    }

    /// <summary>
    /// Sends one mail. Whatever happens on the way is told by the result, and so is being called off. Nothing can have been delivered
    /// if it is <see cref="SmtpOutcome.NotSent"/>, <see cref="SmtpOutcome.Deferred"/> or <see cref="SmtpOutcome.Rejected"/>: the end of the data was
    /// not written, or the server said that it does not take it. Not for two mails at once.
    /// </summary>
    /// <param name="envelope">From and to whom.</param>
    /// <param name="message">The whole message, with CRLF, without dots doubled.</param>
    /// <param name="ct">Calls it off; once the end of the data is on its way, its answer is still waited for a little.</param>
    /// <exception cref="ArgumentException">The message has a CR or LF alone: servers do not agree where it would end. Nothing was sent.</exception>
    public async Task<SmtpResult> SendAsync(Envelope envelope, ReadOnlyMemory<byte> message, CancellationToken ct)
    {
        if (!IsUsable)
        {
            return new SmtpResult(SmtpOutcome.NotSent, 0, null, "the connection is no longer usable");
        }
        var eightBit = !Ascii.IsValid(message.Span);
        if (Impossible(envelope, message.Length, eightBit) is { } impossible)
        {
            return impossible;
        }
        StuffDots(message.Span);
        Offered++;
        Volatile.Write(ref _mayHaveLeft, false);
        using var phase = new CancellationTokenSource();
        // Not linked to the caller's: after the end of the data being called off only shortens the wait.
        await using var calledOff = ct.UnsafeRegister(_ => CallOff(phase), null);
        try
        {
            return await Offer(Commands(envelope, message.Length, eightBit), phase) ?? await SendData(phase, ct);
        }
        catch (Exception e) when (_mayHaveLeft || e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            IsUsable = false;
            return new SmtpResult(_mayHaveLeft ? SmtpOutcome.Unknown : SmtpOutcome.NotSent, 0, null, e is OperationCanceledException ? "the server did not answer in time, or the mail was called off" : e.Message);
        }
        finally
        {
            _data = _data.Capacity > KeptBuffer ? new ArrayBufferWriter<byte>(16 * 1024) : _data;
        }
    }

    /// <summary>Says goodbye, if there is somebody to say it to, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsUsable)
        {
            IsUsable = false;
            try
            {
                // The answer is of no use, and some servers take their time.
                using var moment = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await _wire.Write("QUIT\r\n", moment.Token);
                await _wire.Read(moment.Token);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // It is closed either way.
            }
        }
        await _wire.DisposeAsync();
    }

    private void CallOff(CancellationTokenSource phase)
    {
        if (Volatile.Read(ref _mayHaveLeft))
        {
            phase.CancelAfter(_timeouts.Grace);
        }
        else
        {
            phase.Cancel();
        }
    }

    private SmtpResult? Impossible(Envelope envelope, long size, bool eightBit)
    {
        if ((envelope.To.NeedsSmtpUtf8 || envelope.From?.NeedsSmtpUtf8 == true) && !_server.Utf8)
        {
            return new SmtpResult(SmtpOutcome.Rejected, 553, "5.6.7", "the mail server takes only ASCII before the @ (no SMTPUTF8)");
        }
        if (eightBit && !_server.EightBit)
        {
            return new SmtpResult(SmtpOutcome.Rejected, 554, "5.6.3", "the mail server takes only ASCII (no 8BITMIME)");
        }
        return _server.MaxSize > 0 && size > _server.MaxSize ? new SmtpResult(SmtpOutcome.Rejected, 552, "5.3.4", $"the mail server takes at most {_server.MaxSize} bytes") : null;
    }

    private string[] Commands(Envelope envelope, long size, bool eightBit)
    {
        var mail = new StringBuilder($"MAIL FROM:<{envelope.From?.Address}>");
        mail.Append(_server.SizeKnown ? $" SIZE={size}" : "").Append(eightBit ? " BODY=8BITMIME" : "");
        mail.Append(envelope.To.NeedsSmtpUtf8 || envelope.From?.NeedsSmtpUtf8 == true ? " SMTPUTF8" : "");
        return [$"{mail}\r\n", $"RCPT TO:<{envelope.To.Address}>\r\n", "DATA\r\n"];
    }

    /// <summary>MAIL, RCPT and DATA; null: the server waits for the data.</summary>
    private async Task<SmtpResult?> Offer(string[] commands, CancellationTokenSource phase)
    {
        phase.CancelAfter(_timeouts.Command);
        SmtpResult? refused = null;
        try
        {
            if (_server.Pipelining)
            {
                await _wire.Write(string.Concat(commands), phase.Token);
            }
            var senderTaken = false;
            for (var i = 0; i < commands.Length && (refused is null || (IsUsable && _server.Pipelining)); i++)
            {
                if (!_server.Pipelining)
                {
                    await _wire.Write(commands[i], phase.Token);
                }
                var reply = await _wire.Read(phase.Token);
                var isData = i == commands.Length - 1;
                senderTaken |= i == 0 && reply.Done;
                if (isData && refused is not null && reply.Code == 354)
                {
                    return await EndNothing(refused, senderTaken, phase.Token);
                }
                refused ??= (isData ? reply.Code == 354 : reply.Done) ? null : Refused(reply);
            }
            if (refused is not null && IsUsable)
            {
                await _wire.Write("RSET\r\n", phase.Token);
                IsUsable = (await _wire.Read(phase.Token)).Done;
            }
        }
        catch (Exception e) when (refused is not null && e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // What became of the mail is known; only the connection is lost.
            IsUsable = false;
        }
        return refused;
    }

    /// <summary>A server that waits for data in spite of its refusal of the only recipient is given none (RFC 2920, 3.1). One that refused the sender, and now waits, might deliver the nothing: it is left alone.</summary>
    private async Task<SmtpResult> EndNothing(SmtpResult refused, bool senderTaken, CancellationToken ct)
    {
        if (senderTaken)
        {
            await _wire.Write(".\r\n", ct);
        }
        IsUsable = senderTaken && (await _wire.Read(ct)).Code != 421;
        return refused;
    }

    /// <summary>The data, whose last write has their end, and the answer to it.</summary>
    private async Task<SmtpResult> SendData(CancellationTokenSource phase, CancellationToken ct)
    {
        var rest = _data.WrittenMemory;
        for (; rest.Length > Block; rest = rest[Block..])
        {
            phase.CancelAfter(_timeouts.Block);
            await _wire.Write(rest[..Block], phase.Token);
        }
        phase.Token.ThrowIfCancellationRequested();
        Volatile.Write(ref _mayHaveLeft, true);
        phase.CancelAfter(_timeouts.End);
        if (ct.IsCancellationRequested)
        {
            phase.CancelAfter(_timeouts.Grace);
        }
        await _wire.Write(rest, phase.Token);
        return Ended(await _wire.Read(phase.Token));
    }

    /// <summary>A refusal before the data. 421 speaks of the connection, not of the mail, and what is no refusal is no SMTP.</summary>
    private SmtpResult Refused(SmtpReply reply)
    {
        IsUsable = reply.Code is not 421 and >= 400;
        return Result(!IsUsable ? SmtpOutcome.NotSent : reply.Code < 500 ? SmtpOutcome.Deferred : SmtpOutcome.Rejected, reply);
    }

    /// <summary>The answer to the end of the data. With 421 too the server says that it does not answer for the mail.</summary>
    private SmtpResult Ended(SmtpReply reply)
    {
        IsUsable = reply.Code is not 421 && reply.Code / 100 != 3;
        return Result((reply.Code / 100) switch { 2 => SmtpOutcome.Accepted, 4 => SmtpOutcome.Deferred, 5 => SmtpOutcome.Rejected, _ => SmtpOutcome.Unknown }, reply);
    }

    private static SmtpResult Result(SmtpOutcome outcome, SmtpReply reply) => new(outcome, reply.Code, reply.Status, reply.Text);

    /// <summary>The data as they travel (RFC 5321, 4.5.2), up to and with the dot.</summary>
    private void StuffDots(ReadOnlySpan<byte> message)
    {
        _data.ResetWrittenCount();
        while (message.Length > 0)
        {
            if (message[0] == '.')
            {
                _data.Write("."u8);
            }
            var end = message.IndexOfAny((byte)'\r', (byte)'\n');
            if (end >= 0 && !message[end..].StartsWith("\r\n"u8))
            {
                throw new ArgumentException("a message has its line breaks as CRLF", nameof(message));
            }
            _data.Write(message[..(end < 0 ? message.Length : end)]);
            _data.Write("\r\n"u8);
            message = end < 0 ? [] : message[(end + 2)..];
        }
        _data.Write(".\r\n"u8);
    }
}
