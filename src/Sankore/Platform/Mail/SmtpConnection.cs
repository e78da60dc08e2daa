using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>A connection to a mail server (submission, RFC 6409), for one mail after the other.</summary>
public sealed class SmtpConnection : IAsyncDisposable
{
    private readonly SmtpOptions _options;
    private readonly PhaseSmtpClient _client;
    private bool _isUsable = true;

    private SmtpConnection(SmtpOptions options, PhaseSmtpClient client) => (_options, _client) = (options, client);

    /// <summary>Whether another mail may go this way.</summary>
    public bool IsUsable => _isUsable && _client.IsConnected;

    /// <summary>How many mails were offered to the server.</summary>
    public int Offered { get; private set; }

    /// <summary>
    /// Connects, encrypts as the options say, and signs in. An access token that the server does not take is replaced once.
    /// </summary>
    /// <param name="options">Where to.</param>
    /// <param name="tokens">Where access tokens come from, if that is how the program signs in.</param>
    /// <param name="ct">Calls it off.</param>
    /// <exception cref="SmtpConnectionException">That cannot be done.</exception>
    public static async Task<SmtpConnection> OpenAsync(SmtpOptions options, AccessTokens? tokens, CancellationToken ct)
    {
        try
        {
            return new SmtpConnection(options, await SmtpConnector.Open(options, tokens, ct));
        }
        catch (SmtpConnectionException e) when (tokens is not null && e is { Phase: SmtpPhase.SignIn, Code: 535 })
        {
            return new SmtpConnection(options, await SmtpConnector.Open(options, tokens, ct));
        }
    }

    /// <summary>
    /// Sends one mail. Whatever happens on the way is told by the result, and so is being called off. Nothing can have been delivered if
    /// it is <see cref="SmtpOutcome.NotSent"/>, <see cref="SmtpOutcome.Deferred"/> or <see cref="SmtpOutcome.Rejected"/>: the end of the
    /// data was not written, or the server said that it does not take it. Not for two mails at once.
    /// </summary>
    /// <param name="envelope">From and to whom.</param>
    /// <param name="message">As <see cref="MailMessage.Build"/> makes it.</param>
    /// <param name="ct">Calls it off; once the end of the data is on its way, its answer is still waited for a little.</param>
    public async Task<SmtpResult> SendAsync(Envelope envelope, MimeMessage message, CancellationToken ct)
    {
        if (!IsUsable)
        {
            return SmtpResult.NoReply(SmtpPhase.Connect, "the connection is no longer usable");
        }
        var size = Size(message);
        if (Impossible(envelope, size) is { } impossible)
        {
            return impossible;
        }
        Offered++;
        _client.Begin();
        using var limit = new CancellationTokenSource();
        // Not linked to the caller's: after the end of the data being called off only shortens the wait.
        await using var calledOff = ct.UnsafeRegister(_ => CallOff(limit), null);
        try
        {
            return SmtpResult.Replied(SmtpPhase.End, 250, await _client.Send(envelope, message, size, limit, ct));
        }
        catch (SmtpCommandException e)
        {
            return Replied((int)e.StatusCode, e.Message);
        }
        catch (ServiceNotAuthenticatedException e)
        {
            return Replied((int)SmtpStatusCode.AuthenticationRequired, e.Message);
        }
        catch (Exception e) when (_client.Phase == SmtpPhase.End || e is IOException or SocketException or ProtocolException
            or OperationCanceledException or ObjectDisposedException or ServiceNotConnectedException)
        {
            _isUsable = false;
            var why = e is OperationCanceledException ? "the server did not answer in time, or the mail was called off" : e.Message;
            return SmtpResult.NoReply(_client.Phase, why.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Says goodbye, if there is somebody to say it to, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsUsable)
        {
            // The answer is of no use, and some servers take their time.
            using var moment = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await _client.DisconnectAsync(quit: true, moment.Token);
        }
        _isUsable = false;
        _client.Dispose();
    }

    private void CallOff(CancellationTokenSource limit)
    {
        if (_client.Phase == SmtpPhase.End)
        {
            limit.CancelAfter(_options.Timeouts.Grace);
        }
        else
        {
            limit.Cancel();
        }
    }

    private SmtpResult Replied(int code, string text)
    {
        var result = SmtpResult.Replied(_client.Phase, code, text);
        _isUsable = code is not 421 && (code is >= 400 and < 600 || result.Outcome == SmtpOutcome.Accepted);
        return result;
    }

    /// <summary>What the server has said that it cannot take: nothing is offered to it.</summary>
    private SmtpResult? Impossible(Envelope envelope, long size)
    {
        if ((envelope.To.NeedsSmtpUtf8 || envelope.From?.NeedsSmtpUtf8 == true) && !_client.Capabilities.HasFlag(SmtpCapabilities.UTF8))
        {
            var phase = envelope.To.NeedsSmtpUtf8 ? SmtpPhase.Recipient : SmtpPhase.Sender;
            return new SmtpResult(SmtpOutcome.Rejected, phase, 553, "5.6.7", "the mail server takes only ASCII before the @ (no SMTPUTF8)");
        }
        return _client.MaxSize is > 0 and var most && size > most
            ? new SmtpResult(SmtpOutcome.Rejected, SmtpPhase.Sender, 552, "5.3.4", $"the mail server takes at most {most} bytes") : null;
    }

    /// <summary>How many bytes travel, without writing them for it: fields end as the rendering has them end, with CRLF.</summary>
    private static long Size(MimeMessage message)
    {
        var body = (RenderedBody)message.Body!;
        var fields = message.Headers.Concat(body.Headers)
            .Sum(h => h.RawField.Length + 1 + h.RawValue.Length
                + h.RawValue.AsSpan().Count((byte)'\n') - h.RawValue.AsSpan().Count((byte)'\r'));
        return fields + 2 + body.Bytes.Length;
    }
}
