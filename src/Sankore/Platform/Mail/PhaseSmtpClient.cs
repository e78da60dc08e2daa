using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>Where in the conversation with a mail server something happened: who is to blame for a refusal depends on it.</summary>
public enum SmtpPhase
{
    /// <summary>Connection, TLS, greeting, EHLO.</summary>
    Connect,

    /// <summary>AUTH, and the access token for it.</summary>
    SignIn,

    /// <summary>MAIL: the server judges the sender.</summary>
    Sender,

    /// <summary>RCPT: the server judges the recipient.</summary>
    Recipient,

    /// <summary>DATA, and the message up to its last bytes.</summary>
    Data,

    /// <summary>The message's last bytes may have left: the server judges the message, and answers for it from now on.</summary>
    End,
}

/// <summary>
/// MailKit's client for messages that are ready to be sent. It says how far a mail has come, and gives each step its time.
/// </summary>
internal sealed class PhaseSmtpClient(SmtpOptions options) : SmtpClient
{
    private const int Block = 256 * 1024;

    private long _size;
    private volatile SmtpPhase _phase;

    /// <summary>How far the mail that was offered last has come.</summary>
    public SmtpPhase Phase => _phase;

    /// <summary>Another mail is to be offered: from here on <see cref="Phase"/> speaks of it.</summary>
    public void Begin() => _phase = SmtpPhase.Sender;

    /// <summary>Offers it. Throws as MailKit does; <see cref="Phase"/> says where.</summary>
    /// <returns>What the server said when it took the mail.</returns>
    /// <param name="envelope">From and to whom.</param>
    /// <param name="message">The message, whose body is a <see cref="RenderedBody"/>.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="limit">Is told to end the waiting after each step's time.</param>
    /// <param name="called">Calls it off: at once before the end of the data, after a little while then.</param>
    public async Task<string> Send(
        Envelope envelope, MimeMessage message, long size, CancellationTokenSource limit, CancellationToken called)
    {
        var body = (RenderedBody)message.Body!;
        _size = size;
        limit.CancelAfter(options.Timeouts.Command);
        body.Sending = async (stream, bytes, length, ct) =>
        {
            for (var at = 0; at < length; at += Block)
            {
                limit.CancelAfter(options.Timeouts.Block);
                await stream.WriteAsync(bytes.AsMemory(at, Math.Min(Block, length - at)), ct);
            }
            // All but what MailKit keeps back for its last write, which has the end in it.
            await stream.FlushAsync(ct);
            ct.ThrowIfCancellationRequested();
            _phase = SmtpPhase.End;
            limit.CancelAfter(called.IsCancellationRequested ? options.Timeouts.Grace : options.Timeouts.End);
        };
        try
        {
            var from = envelope.From?.ToMimeKit() ?? new MailboxAddress("", "");
            return await SendAsync(RenderedBody.Format, message, from, [envelope.To.ToMimeKit()], limit.Token);
        }
        finally
        {
            body.Sending = null;
        }
    }

    protected override SslClientAuthenticationOptions GetSslClientAuthenticationOptions(
        string host, RemoteCertificateValidationCallback remoteCertificateValidationCallback)
    {
        var tls = base.GetSslClientAuthenticationOptions(host, remoteCertificateValidationCallback);
        tls.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
        if (options.Authorities is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return tls;
    }

    protected override void Prepare(FormatOptions options, MimeMessage message, EncodingConstraint constraint, int maxLineLength)
    {
        // It is signed as it is.
    }

    protected override Task<long> GetSizeAsync(FormatOptions options, MimeMessage message, CancellationToken cancellationToken) =>
        Task.FromResult(_size);

    protected override void OnSenderAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
        _phase = SmtpPhase.Recipient;

    protected override void OnRecipientAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
        _phase = _phase == SmtpPhase.Recipient ? SmtpPhase.Data : _phase;
}
