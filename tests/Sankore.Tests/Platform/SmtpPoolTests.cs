using MimeKit;
using Sankore.Platform.Mail;
using Sankore.Tests.Client;

namespace Sankore.Tests.Platform;

/// <summary>
/// A node's connections: few, kept, replaced when they are dead; and its limits, which transactional mail does not wait for.
/// </summary>
public sealed class SmtpPoolTests
{
    private static MimeMessage Message => SmtpConnectionTests.Message;

    [Fact]
    public async Task Many_mails_share_few_connections()
    {
        await using var server = new ScriptedSmtp();
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { Connections = 3 }, TimeProvider.System);
        var results = await Task.WhenAll(
            Enumerable.Range(0, 60).Select(i => Send(pool, $"{i}@example.org", i % 2 == 0 ? MailKind.Bulk : MailKind.Transactional)));
        results.ShouldAllBe(r => r.Outcome == SmtpOutcome.Accepted);
        server.Mails.Count.ShouldBe(60);
        server.Connections.ShouldBeInRange(1, 3);
    }

    [Fact]
    public async Task A_transactional_mail_does_not_wait_behind_bulk()
    {
        await using var server = new ScriptedSmtp(c => c.StartsWith("RCPT TO:<bulk", StringComparison.Ordinal) ? ScriptedSmtp.Hold : null);
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { Connections = 3 }, TimeProvider.System);
        var bulk = Task.WhenAll(Enumerable.Range(0, 20).Select(i => Send(pool, $"bulk{i}@example.org", MailKind.Bulk)));
        await Waiting.Until(
            () => server.Heard.Count(c => c.StartsWith("EHLO", StringComparison.Ordinal)) == 2, "bulk has its two connections");
        (await Send(pool, "somebody@example.org", MailKind.Transactional)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        server.Mails.Count.ShouldBe(1);
        server.Release();
        (await bulk).ShouldAllBe(r => r.Outcome == SmtpOutcome.Accepted);
    }

    [Fact]
    public async Task A_connection_is_replaced_when_it_is_dead_or_has_served_enough()
    {
        var mails = 0;
        await using var server =
            new ScriptedSmtp(c => c.StartsWith("MAIL", StringComparison.Ordinal) && ++mails == 2 ? ScriptedSmtp.Cut : null);
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { MailsPerConnection = 3 }, TimeProvider.System);
        for (var i = 0; i < 5; i++)
        {
            (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        }
        // One mail, then the dead one's replacement for three, then another.
        server.Connections.ShouldBe(3);
        server.Mails.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_mail_of_unknown_outcome_is_not_sent_again()
    {
        await using var server = new ScriptedSmtp(c => c.StartsWith(".\n", StringComparison.Ordinal) ? ScriptedSmtp.Cut : null);
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server), TimeProvider.System);
        (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.Unknown);
        server.Mails.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_server_nothing_is_sent()
    {
        await using var pool = new SmtpPool(new SmtpOptions("localhost", 1, SmtpSecurity.None), TimeProvider.System);
        (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.NotSent);
    }

    [Fact]
    public async Task What_is_to_be_written_down_is_before_the_mail_leaves()
    {
        await using var server = new ScriptedSmtp();
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { Connections = 1 }, TimeProvider.System);
        var heard = -1;
        (await pool.SendAsync(To("a@example.org"), Message, MailKind.Bulk, _ =>
        {
            heard = server.Heard.Count(c => c.StartsWith("MAIL", StringComparison.Ordinal));
            return Task.CompletedTask;
        }, CancellationToken.None)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        heard.ShouldBe(0);
        await Should.ThrowAsync<InvalidOperationException>(() => pool.SendAsync(To("a@example.org"), Message, MailKind.Bulk, _ =>
            throw new InvalidOperationException("the disk is full"), CancellationToken.None));
        server.Mails.Count.ShouldBe(1);
        (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.Accepted);
    }

    [Fact]
    public async Task A_connection_that_nobody_uses_is_closed()
    {
        var time = new FakeTime();
        await using var server = new ScriptedSmtp();
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server), time);
        await Send(pool);
        time.Advance(TimeSpan.FromSeconds(20));
        await Send(pool);
        // The first look finds it young, the second does not.
        time.Advance(TimeSpan.FromSeconds(15));
        server.Heard.ShouldNotContain("QUIT");
        time.Advance(TimeSpan.FromSeconds(15));
        await Waiting.Until(() => server.Heard.Contains("QUIT"), "the connection is closed");
        server.Connections.ShouldBe(1);
        time.Waits.ShouldBeEmpty();
    }

    [Fact]
    public async Task Bulk_keeps_to_its_pace_and_transactional_mail_does_not_wait()
    {
        var time = new FakeTime();
        await using var server = new ScriptedSmtp();
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { PerMinute = 60 }, time);
        await Send(pool, kind: MailKind.Bulk);
        var waiting = Enumerable.Range(0, 3).Select(_ => Send(pool, kind: MailKind.Bulk)).ToArray();
        waiting.ShouldAllBe(w => !w.IsCompleted);
        (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        server.Mails.Count.ShouldBe(2);
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            (await waiting[i]).Outcome.ShouldBe(SmtpOutcome.Accepted);
            waiting[(i + 1)..].ShouldAllBe(w => !w.IsCompleted);
        }
        // The transactional one is made up for by the next of bulk.
        var last = Send(pool, kind: MailKind.Bulk);
        time.Advance(TimeSpan.FromSeconds(1));
        last.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(1));
        (await last).Outcome.ShouldBe(SmtpOutcome.Accepted);
    }

    [Fact]
    public async Task Each_domain_has_its_own_pace()
    {
        var time = new FakeTime();
        await using var server = new ScriptedSmtp();
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { PerDomainPerMinute = 6 }, time);
        await Send(pool, "a@one.org", MailKind.Bulk);
        using var stop = new CancellationTokenSource();
        var second = pool.SendAsync(To("b@ONE.org"), Message, MailKind.Bulk, null, stop.Token);
        await Send(pool, "a@two.org", MailKind.Bulk);
        second.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => second);
        // The turn that was not used is there for the next.
        var third = Send(pool, "c@one.org", MailKind.Bulk);
        time.Advance(TimeSpan.FromSeconds(10));
        (await third).Outcome.ShouldBe(SmtpOutcome.Accepted);
    }

    private static Envelope To(string address) => new(Mailbox.Parse("a@example.org"), Mailbox.Parse(address));

    private static Task<SmtpResult> Send(SmtpPool pool, string to = "b@example.org", MailKind kind = MailKind.Transactional) =>
        pool.SendAsync(To(to), Message, kind, null, CancellationToken.None);
}
