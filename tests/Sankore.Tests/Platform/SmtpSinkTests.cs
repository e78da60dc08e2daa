using System.Text;
using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>The same against a mail server that is not ours: Postfix's smtp-sink.</summary>
public sealed class SmtpSinkTests
{
    [Theory]
    [InlineData("-N")]
    [InlineData("-p")]
    [InlineData("-e")]
    [InlineData("-8", "-E", "-a")]
    public async Task What_is_sent_arrives_byte_for_byte(params string[] options)
    {
        await using var sink = await SmtpSink.Start(options);
        await using var pool = new SmtpPool(To(sink), TimeProvider.System);
        var messages = Enumerable.Range(0, 20).Select(i => Message($"Nº {i}", string.Concat(Enumerable.Repeat($".\n..\n{i} été\n", i * i))))
            .ToList();
        var results =
            await Task.WhenAll(messages.Select((m, i) => pool.SendAsync(Envelope(i), m, MailKind.Bulk, null, CancellationToken.None)));
        results.ShouldAllBe(r => r.Outcome == SmtpOutcome.Accepted);
        var arrived = sink.Mails.Select(mail => mail[(mail.IndexOf("From:", StringComparison.Ordinal))..].TrimEnd('\n'))
            .Order(StringComparer.Ordinal);
        arrived.ShouldBe(
            messages.Select(m => Encoding.ASCII.GetString(m.Bytes()).Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\n'))
            .Order(StringComparer.Ordinal));
        sink.Mails.ShouldContain(
            m => m.Contains("X-Mail-Args: <a@example.org>", StringComparison.Ordinal)
            && m.Contains("X-Rcpt-Args: <7@example.org>", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-r", "MAIL", SmtpOutcome.Deferred)]
    [InlineData("-r", "RCPT", SmtpOutcome.Deferred)]
    [InlineData("-r", "DATA", SmtpOutcome.Deferred)]
    [InlineData("-r", ".", SmtpOutcome.Deferred)]
    [InlineData("-f", "MAIL", SmtpOutcome.Rejected)]
    [InlineData("-f", "RCPT", SmtpOutcome.Rejected)]
    [InlineData("-f", "DATA", SmtpOutcome.Rejected)]
    [InlineData("-f", ".", SmtpOutcome.Rejected)]
    [InlineData("-q", "CONNECT", SmtpOutcome.NotSent)]
    [InlineData("-q", "EHLO", SmtpOutcome.NotSent)]
    [InlineData("-q", "RCPT", SmtpOutcome.NotSent)]
    [InlineData("-q", "DATA", SmtpOutcome.NotSent)]
    [InlineData("-q", ".", SmtpOutcome.Unknown)]
    [InlineData("-Q", "MAIL", SmtpOutcome.NotSent)]
    [InlineData("-Q", "DATA", SmtpOutcome.NotSent)]
    [InlineData("-Q", ".", SmtpOutcome.Deferred)]
    public async Task What_became_of_a_mail_is_told_apart(string option, string command, SmtpOutcome outcome)
    {
        await using var sink = await SmtpSink.Start(option, command);
        await using var pool = new SmtpPool(To(sink), TimeProvider.System);
        for (var i = 0; i < 3; i++)
        {
            (await pool.SendAsync(Envelope(i), Message("s", "t"), MailKind.Bulk, null, CancellationToken.None)).Outcome.ShouldBe(outcome);
        }
    }

    private static SmtpOptions To(SmtpSink sink) => new("127.0.0.1", sink.Port, SmtpSecurity.None);

    private static Envelope Envelope(int i) => new(Mailbox.Parse("a@example.org"), Mailbox.Parse($"{i}@example.org"));

    private static MimeMessage Message(string subject, string text) =>
        new MailMessage(Mailbox.Parse("Élève <a@example.org>"), Mailbox.Parse("b@example.org"), subject, text).Build();
}
