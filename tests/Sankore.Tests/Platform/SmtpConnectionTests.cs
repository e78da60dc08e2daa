using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>One mail through one connection: what became of it is told apart, whatever the server does.</summary>
public sealed class SmtpConnectionTests
{
    private static readonly Envelope Envelope = new(Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.org"));
    private static readonly byte[] Message = Encoding.ASCII.GetBytes("Subject: s\r\n\r\nBonjour\r\n");

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
            await using var server = new ScriptedSmtp(c => Is(c, stage) && first && !(first = false) ? answer : null) { Abilities = pipelining ? ["PIPELINING"] : [] };
            await using var connection = await Open(server, o => answer == ScriptedSmtp.Hang ? o with { Timeouts = Impatient } : o);
            var result = await Send(connection);
            result.Outcome.ShouldBe(outcome, $"pipelining {pipelining}: {result}");
            if (char.IsAsciiDigit(answer[0]) && result.Code > 0)
            {
                answer.ShouldStartWith($"{result.Code}");
                answer.ShouldContain(result.Status ?? result.Text);
            }
            var keeps = result.Code is not 0 and not 421 && outcome is not (SmtpOutcome.NotSent or SmtpOutcome.Unknown);
            // A server that refuses the sender and waits for data all the same is left alone.
            connection.IsUsable.ShouldBe(keeps && !(pipelining && stage == "MAIL"));
            (await Send(connection)).Outcome.ShouldBe(connection.IsUsable ? SmtpOutcome.Accepted : SmtpOutcome.NotSent);
            server.Mails.Count(m => m.Contains("Bonjour", StringComparison.Ordinal)).ShouldBe((stage == "." ? 1 : 0) + (connection.IsUsable ? 1 : 0));
        }
    }

    [Theory]
    [InlineData("354 go on", ".")]
    [InlineData("554 5.5.1 no recipients", "RSET")]
    public async Task A_recipient_who_is_refused_does_not_spoil_the_connection(string toData, string then)
    {
        var recipients = 0;
        await using var server = new ScriptedSmtp(c => Is(c, "RCPT") && recipients++ == 0 ? "550 5.1.1 nobody" : Is(c, "DATA") && recipients == 1 ? toData : null);
        await using var connection = await Open(server);
        (await Send(connection)).ShouldBe(new SmtpResult(SmtpOutcome.Rejected, 550, "5.1.1", "5.1.1 nobody"));
        (await Send(connection)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        server.Heard.Contains("RSET").ShouldBe(then == "RSET");
        server.Mails.ShouldBe(then == "." ? ["", Encoding.ASCII.GetString(Message)] : [Encoding.ASCII.GetString(Message)]);
    }

    [Fact]
    public async Task A_refusal_stays_one_when_the_server_leaves_after_it()
    {
        await using var server = new ScriptedSmtp(c => Is(c, "RCPT") ? "550 5.1.1 nobody" : Is(c, "DATA") ? ScriptedSmtp.Close : null);
        await using var connection = await Open(server);
        (await Send(connection)).Outcome.ShouldBe(SmtpOutcome.Rejected);
        connection.IsUsable.ShouldBeFalse();
    }

    [Fact]
    public async Task A_large_mail_that_is_cut_off_in_its_midst_was_not_sent()
    {
        await using var server = new ScriptedSmtp(c => Is(c, "DATA") ? "354 go on\r\n" : null);
        var large = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 400_000)));
        await using var connection = await Open(server, o => o with { Timeouts = o.Timeouts with { Block = TimeSpan.FromMilliseconds(200) } });
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
            await using var connection = await Open(server, o => o with { Timeouts = new SmtpTimeouts { Grace = TimeSpan.FromMilliseconds(50) } });
            (await connection.SendAsync(Envelope, Message, stop.Token)).Outcome.ShouldBe(outcome);
        }
    }

    [Fact]
    public async Task Dots_arrive_as_they_were()
    {
        await using var server = new ScriptedSmtp();
        await using var connection = await Open(server);
        var lines = Gen.Elements(".", "..", ".x", "x.", "", "x", ". ", "...", "é", new string('.', 300)).ListOf();
        Prop.ForAll(Arb.From(lines), message =>
        {
            var text = string.Join("\r\n", message);
            Task.Run(() => connection.SendAsync(Envelope, Encoding.UTF8.GetBytes(text), CancellationToken.None)).GetAwaiter().GetResult().Outcome.ShouldBe(SmtpOutcome.Accepted);
            server.Mails.TryDequeue(out var data).ShouldBeTrue();
            string.Concat(data.Split("\r\n").SkipLast(1).Select(l => (l.StartsWith('.') ? l[1..] : l) + "\r\n")).ShouldBe(text.Length == 0 || text.EndsWith("\r\n", StringComparison.Ordinal) ? text : text + "\r\n");
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("x\n.\nMAIL FROM:<eve@example.org>")]
    [InlineData("x\r.\r\n")]
    [InlineData("x\r")]
    public async Task A_message_with_broken_line_breaks_is_not_sent(string message)
    {
        await using var server = new ScriptedSmtp();
        await using var connection = await Open(server);
        await Should.ThrowAsync<ArgumentException>(() => connection.SendAsync(Envelope, Encoding.ASCII.GetBytes(message), CancellationToken.None));
        (await Send(connection)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        server.Heard.Count(c => Is(c, "MAIL")).ShouldBe(1);
    }

    [Fact]
    public async Task What_the_server_cannot_take_is_not_offered()
    {
        var abroad = new Envelope(null, Mailbox.Parse("jürgen@münchen.de"));
        await using var small = new ScriptedSmtp { Abilities = ["SIZE 10"] };
        await using var connection = await Open(small);
        (await connection.SendAsync(abroad, Message, CancellationToken.None)).Status.ShouldBe("5.6.7");
        (await connection.SendAsync(Envelope, "é"u8.ToArray(), CancellationToken.None)).Status.ShouldBe("5.6.3");
        (await connection.SendAsync(Envelope, Message, CancellationToken.None)).Status.ShouldBe("5.3.4");
        small.Heard.ShouldNotContain(c => Is(c, "MAIL"));

        await using var able = new ScriptedSmtp { Abilities = ["SMTPUTF8", "8BITMIME", "SIZE"] };
        await using var other = await Open(able);
        (await other.SendAsync(abroad, "To: jürgen@xn--mnchen-3ya.de\r\n\r\nx"u8.ToArray(), CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        able.Heard.ShouldContain("MAIL FROM:<> SIZE=34 BODY=8BITMIME SMTPUTF8");
        able.Heard.ShouldContain("RCPT TO:<jürgen@xn--mnchen-3ya.de>");
    }

    internal static bool Is(string command, string stage) => command.Split(' ', '\n')[0] == stage;

    /// <summary>For servers that do not answer anyway.</summary>
    internal static SmtpTimeouts Impatient => new() { Connect = TimeSpan.FromMilliseconds(300), Command = TimeSpan.FromMilliseconds(300), End = TimeSpan.FromMilliseconds(300) };

    internal static SmtpOptions To(ScriptedSmtp server) => new("localhost", server.Port, SmtpSecurity.None);

    private static Task<SmtpConnection> Open(ScriptedSmtp server, Func<SmtpOptions, SmtpOptions>? but = null) => SmtpConnection.OpenAsync(but?.Invoke(To(server)) ?? To(server), CancellationToken.None);

    private static Task<SmtpResult> Send(SmtpConnection connection) => connection.SendAsync(Envelope, Message, CancellationToken.None);
}
