using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>One mail through one connection: what became of it is told apart, whatever the server does.</summary>
public sealed class SmtpConnectionTests
{
    private static readonly Envelope Envelope = new(Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.org"));

    internal static MimeMessage Message => With("Bonjour");

    [Theory]
    [InlineData("MAIL", "451 4.3.0 later", SmtpOutcome.Deferred)]
    [InlineData("MAIL", "550 5.7.1 never", SmtpOutcome.Rejected)]
    [InlineData("MAIL", "421 4.3.2 closing", SmtpOutcome.NotSent)]
    [InlineData("MAIL", "354 odd", SmtpOutcome.NotSent)]
    [InlineData("MAIL", "rubbish", SmtpOutcome.NotSent)]
    [InlineData("MAIL", ScriptedSmtp.Cut, SmtpOutcome.NotSent)]
    [InlineData("MAIL", ScriptedSmtp.Hang, SmtpOutcome.NotSent)]
    [InlineData("MAIL", ScriptedSmtp.Endless, SmtpOutcome.NotSent)]
    [InlineData("RCPT", "450-4.2.0 full\r\n450 4.2.0 really", SmtpOutcome.Deferred)]
    [InlineData("RCPT", "550 5.1.1 nobody", SmtpOutcome.Rejected)]
    [InlineData("RCPT", "421 4.3.2 closing", SmtpOutcome.NotSent)]
    [InlineData("RCPT", ScriptedSmtp.Cut, SmtpOutcome.NotSent)]
    [InlineData("RCPT", ScriptedSmtp.Hang, SmtpOutcome.NotSent)]
    [InlineData("DATA", "451 4.3.0 later", SmtpOutcome.Deferred)]
    [InlineData("DATA", "554 5.5.1 never", SmtpOutcome.Rejected)]
    [InlineData("DATA", "421 4.3.2 closing", SmtpOutcome.NotSent)]
    [InlineData("DATA", "250 odd", SmtpOutcome.NotSent)]
    [InlineData("DATA", ScriptedSmtp.Cut, SmtpOutcome.NotSent)]
    [InlineData("DATA", ScriptedSmtp.Hang, SmtpOutcome.NotSent)]
    [InlineData(".", "250 2.0.0 queued as 42", SmtpOutcome.Accepted)]
    [InlineData(".", "451 4.3.0 later", SmtpOutcome.Deferred)]
    [InlineData(".", "552 5.2.3 too much", SmtpOutcome.Rejected)]
    [InlineData(".", "421 4.3.2 closing", SmtpOutcome.Deferred)]
    [InlineData(".", "354 odd", SmtpOutcome.Unknown)]
    [InlineData(".", "rubbish", SmtpOutcome.Unknown)]
    [InlineData(".", ScriptedSmtp.Cut, SmtpOutcome.Unknown)]
    [InlineData(".", ScriptedSmtp.Hang, SmtpOutcome.Unknown)]
    [InlineData(".", ScriptedSmtp.Endless, SmtpOutcome.Unknown)]
    public async Task What_became_of_a_mail_is_told_apart(string stage, string answer, SmtpOutcome outcome)
    {
        foreach (var pipelining in (bool[])[true, false])
        {
            var first = true;
            await using var server = new ScriptedSmtp(
                c => Is(c, stage) && first && !(first = false) ? answer : null)
            { Abilities = pipelining ? ["PIPELINING"] : [] };
            await using var connection = await Open(server, o => answer == ScriptedSmtp.Hang ? o with { Timeouts = Impatient } : o);
            var result = await Send(connection);
            result.Outcome.ShouldBe(outcome, $"pipelining {pipelining}: {result}");
            if (char.IsAsciiDigit(answer[0]) && result.Code > 0)
            {
                answer.ShouldStartWith($"{result.Code}");
                answer.ShouldContain(result.Status ?? result.Text);
            }
            result.Phase.ShouldBe(
                stage switch { "MAIL" => SmtpPhase.Sender, "RCPT" => SmtpPhase.Recipient, "DATA" => SmtpPhase.Data, _ => SmtpPhase.End });
            connection.IsUsable.ShouldBe(result.Code is not 0 and not 421 && outcome is not (SmtpOutcome.NotSent or SmtpOutcome.Unknown));
            (await Send(connection)).Outcome.ShouldBe(connection.IsUsable ? SmtpOutcome.Accepted : SmtpOutcome.NotSent);
            server.Mails.Count(m => m.Contains("Bonjour", StringComparison.Ordinal))
                .ShouldBe((stage == "." ? 1 : 0) + (connection.IsUsable ? 1 : 0));
        }
    }

    [Theory]
    [InlineData("354 go on")]
    [InlineData("554 5.5.1 no recipients")]
    public async Task A_recipient_who_is_refused_does_not_spoil_the_connection(string toData)
    {
        var recipients = 0;
        await using var server = new ScriptedSmtp(c =>
            Is(c, "RCPT") && recipients++ == 0 ? "550 5.1.1 nobody" : Is(c, "DATA") && recipients == 1 ? toData : null);
        await using var connection = await Open(server);
        (await Send(connection)).ShouldBe(new SmtpResult(SmtpOutcome.Rejected, SmtpPhase.Recipient, 550, "5.1.1", "5.1.1 nobody"));
        using var second = Message;
        (await connection.SendAsync(Envelope, second, CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        // Whatever it would have said to DATA: it is not asked before it has taken the recipient.
        server.Heard.Count(c => Is(c, "DATA")).ShouldBe(1);
        server.Heard.ShouldContain("RSET");
        server.Mails.ShouldBe([Encoding.ASCII.GetString(second.Bytes())]);
    }

    [Fact]
    public async Task A_refusal_stays_one_when_the_server_leaves_after_it()
    {
        await using var server = new ScriptedSmtp(c => Is(c, "RCPT") ? "550 5.1.1 nobody" : Is(c, "RSET") ? ScriptedSmtp.Close : null);
        await using var connection = await Open(server);
        (await Send(connection)).Outcome.ShouldBe(SmtpOutcome.Rejected);
        connection.IsUsable.ShouldBeFalse();
    }

    [Fact]
    public async Task A_large_mail_that_is_cut_off_in_its_midst_was_not_sent()
    {
        await using var server = new ScriptedSmtp(c => Is(c, "DATA") ? "354 go on\r\n" : null);
        using var large = With(string.Concat(Enumerable.Repeat(new string('x', 70) + "\n", 400_000)));
        await using var connection =
            await Open(server, o => o with { Timeouts = o.Timeouts with { Block = TimeSpan.FromMilliseconds(200) } });
        // The server reads a byte at a time: the blocks do not leave in time.
        (await connection.SendAsync(Envelope, large, CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.NotSent);
    }

    [Fact]
    public async Task A_mail_called_off_is_not_sent_before_its_end_and_unknown_after()
    {
        foreach (var (stage, outcome) in ((string, SmtpOutcome)[])[("RCPT", SmtpOutcome.NotSent), (".", SmtpOutcome.Unknown)])
        {
            using var stop = new CancellationTokenSource();
            await using var server = new ScriptedSmtp(c =>
            {
                if (Is(c, stage))
                {
                    stop.Cancel();
                    return ScriptedSmtp.Hang;
                }
                return null;
            });
            await using var connection =
                await Open(server, o => o with { Timeouts = new SmtpTimeouts { Grace = TimeSpan.FromMilliseconds(50) } });
            (await connection.SendAsync(Envelope, Message, stop.Token)).Outcome.ShouldBe(outcome);
        }
    }

    [Fact]
    public async Task A_mail_called_off_before_it_is_offered_is_not_sent()
    {
        await using var server = new ScriptedSmtp();
        await using var connection = await Open(server);
        (await Send(connection)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        (await connection.SendAsync(Envelope, Message, new CancellationToken(canceled: true))).Outcome.ShouldBe(SmtpOutcome.NotSent);
        server.Mails.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Dots_arrive_as_they_were()
    {
        await using var server = new ScriptedSmtp();
        await using var connection = await Open(server);
        var lines = Gen.Elements(".", "..", ".x", "x.", "", "x", ". ", "...", "é", new string('.', 300)).ListOf();
        Prop.ForAll(Arb.From(lines), message =>
        {
            using var sent = With(string.Join("\n", message));
            Task.Run(() => connection.SendAsync(Envelope, sent, CancellationToken.None)).GetAwaiter().GetResult()
                .Outcome.ShouldBe(SmtpOutcome.Accepted);
            server.Mails.TryDequeue(out var data).ShouldBeTrue();
            string.Concat(data.Split("\r\n").SkipLast(1).Select(l => (l.StartsWith('.') ? l[1..] : l) + "\r\n"))
                .ShouldBe(Encoding.ASCII.GetString(sent.Bytes()));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("x\n.\nMAIL FROM:<eve@example.org>")]
    [InlineData("x\r.\r\n")]
    [InlineData("x\r")]
    public async Task A_message_with_broken_line_breaks_is_not_sent(string message)
    {
        // A part that keeps the line breaks that it was given.
        var content = new MimeContent(new MemoryStream(Encoding.ASCII.GetBytes(message)), ContentEncoding.Binary);
        using var part = new TextPart("plain") { ContentTransferEncoding = ContentEncoding.Binary, Content = content };
        Should.Throw<ArgumentException>(() => new RenderedBody(part));

        // Those of a text are made whole, and no line of it ends the message.
        await using var server = new ScriptedSmtp();
        await using var connection = await Open(server);
        using var sent = With(message);
        (await connection.SendAsync(Envelope, sent, CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        (await Send(connection)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        server.Heard.Count(c => Is(c, "MAIL")).ShouldBe(2);
        server.Heard.ShouldNotContain(c => c.Contains("eve@", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_server_cannot_take_is_not_offered()
    {
        var abroad = new Envelope(null, Mailbox.Parse("jürgen@münchen.de"));
        await using var small = new ScriptedSmtp { Abilities = ["SIZE 10"] };
        await using var connection = await Open(small);
        var refused = await connection.SendAsync(abroad, Message, CancellationToken.None);
        (refused.Outcome, refused.Phase, refused.Status).ShouldBe((SmtpOutcome.Rejected, SmtpPhase.Recipient, "5.6.7"));
        refused = await connection.SendAsync(Envelope, Message, CancellationToken.None);
        (refused.Outcome, refused.Phase, refused.Status).ShouldBe((SmtpOutcome.Rejected, SmtpPhase.Sender, "5.3.4"));
        small.Heard.ShouldNotContain(c => Is(c, "MAIL"));

        await using var able = new ScriptedSmtp { Abilities = ["SMTPUTF8", "8BITMIME", "SIZE 100000"] };
        await using var other = await Open(able);
        using var message = new MailMessage(Envelope.To, abroad.To, "s", "t").Build();
        (await other.SendAsync(abroad, message, CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        able.Heard.ShouldContain($"MAIL FROM:<> SMTPUTF8 SIZE={message.Bytes().Length}");
        able.Heard.ShouldContain("RCPT TO:<jürgen@xn--mnchen-3ya.de>");
        able.Mails.Single().ShouldContain("To: jürgen@xn--mnchen-3ya.de\r\n");
        // What needs no other letters does not ask for them: a server further on may have none.
        var domain = new Envelope(Envelope.From, Mailbox.Parse("a@münchen.de"));
        (await other.SendAsync(domain, Message, CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        able.Heard.Last(c => Is(c, "MAIL")).ShouldNotContain("SMTPUTF8");
        able.Heard.ShouldContain("RCPT TO:<a@xn--mnchen-3ya.de>");

        // Other letters in a text need nothing of the server.
        await using var plain = new ScriptedSmtp { Abilities = [] };
        await using var third = await Open(plain);
        (await third.SendAsync(Envelope, With("é"), CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        plain.Mails.Single().ShouldAllBe(c => c < 128);
    }

    [Fact]
    public async Task A_server_that_wants_a_login_says_in_which_phase()
    {
        await using var server = new ScriptedSmtp(c => Is(c, "RCPT") ? "530 5.7.0 sign in first" : null);
        await using var connection = await Open(server);
        (await Send(connection)).ShouldBe(new SmtpResult(SmtpOutcome.Rejected, SmtpPhase.Recipient, 530, "5.7.0", "5.7.0 sign in first"));
    }

    internal static bool Is(string command, string stage) => command.Split(' ', '\n')[0] == stage;

    /// <summary>For servers that do not answer anyway.</summary>
    internal static SmtpTimeouts Impatient =>
        new() { Connect = TimeSpan.FromMilliseconds(300), Command = TimeSpan.FromMilliseconds(300), End = TimeSpan.FromMilliseconds(300) };

    internal static SmtpOptions To(ScriptedSmtp server) => new("localhost", server.Port, SmtpSecurity.None);

    private static Task<SmtpConnection> Open(ScriptedSmtp server, Func<SmtpOptions, SmtpOptions>? but = null) =>
        SmtpConnection.OpenAsync(but?.Invoke(To(server)) ?? To(server), null, CancellationToken.None);

    private static MimeMessage With(string text) =>
        new MailMessage(Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.org"), "s", text).Build();

    private static Task<SmtpResult> Send(SmtpConnection connection) => connection.SendAsync(Envelope, Message, CancellationToken.None);
}
