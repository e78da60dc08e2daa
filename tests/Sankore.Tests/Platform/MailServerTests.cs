using System.Security.Cryptography;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>Transactional mail through a mail server, from the transaction that wants it sent to what became of it.</summary>
public sealed class MailServerTests(PythonMail python) : IClassFixture<PythonMail>
{
    [Fact]
    public async Task A_mail_is_sent_through_the_mail_server()
    {
        await using var sink = await SmtpSink.Start();
        await using var world = await MailingWorld.Start(sink.Port, demo: false);
        var ids = await Send(
            world,
            [.. Enumerable.Range(0, 30).Select(i => new Mail($"p{i}@example.org", $"Réunion n° {i}", "Bonjour,\n\n.\nà l’école 🎓"))]);
        await Waiting.Until(async () => await Count(world, ids, "completed") == 30, "all mails are sent");

        sink.Mails.Count.ShouldBe(30);
        var read = sink.Mails.Select(m => ReadMail.Of(System.Text.Encoding.Latin1.GetBytes(m))).ToDictionary(m => m.Header("Message-ID"));
        read.Keys.Order().ShouldBe(ids.Select(id => $"<{id}@sankore.test>").Order());
        read.Values.ShouldAllBe(
            m => m.BodyText().ReplaceLineEndings("\n").TrimEnd('\n') == "Bonjour,\n\n.\nà l’école 🎓"
            && m.From.Mailboxes.Single().Name == "Sankoré" && m.From.Mailboxes.Single().Address == "no-reply@sankore.test");
        read.Values.Select(m => m.Header("Subject")).Order().ShouldBe(Enumerable.Range(0, 30).Select(i => $"Réunion n° {i}").Order());
        Directory.GetFiles(world.OutboxFolder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_mail_is_signed_where_there_is_a_key()
    {
        using var rsa = RSA.Create(2048);
        var key = Path.GetTempFileName();
        await File.WriteAllTextAsync(key, rsa.ExportRSAPrivateKeyPem());
        await using var sink = await SmtpSink.Start();
        await using var world = await MailingWorld.Start(sink.Port, key, demo: false);
        var ids = await Send(world, [new Mail("a@example.org", "Réunion", "Bonjour,\n\n.\nà l’école")]);
        await Waiting.Until(async () => await Count(world, ids, "completed") == 1, "the mail is sent");

        var mail = sink.Mails.ShouldHaveSingleItem();
        var message = mail[mail.IndexOf("DKIM-Signature:", StringComparison.Ordinal)..].ReplaceLineEndings("\r\n");
        python.Verifies(
            System.Text.Encoding.Latin1.GetBytes(message),
            $"v=DKIM1; k=rsa; p={Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo())}").ShouldBeTrue(message);
        File.Delete(key);
    }

    [Fact]
    public async Task Each_mail_is_tried_as_often_as_it_should_be()
    {
        var deferrals = 0;
        await using var server = new ScriptedSmtp(command => command switch
        {
            "RCPT TO:<gone@example.org>" => "550 5.1.1 nobody of that name",
            "RCPT TO:<later@example.org>" => Interlocked.Increment(ref deferrals) == 1 ? "450 4.2.1 greylisted" : null,
            _ when command.StartsWith(".\n", StringComparison.Ordinal) && command.Contains("To: lost@", StringComparison.Ordinal) =>
                ScriptedSmtp.Cut,
            _ => null,
        });
        await using var world = await MailingWorld.Start(server.Port, demo: false);
        var ids = new List<Guid>();
        foreach (var to in (string[])["gone", "later", "lost", "fine"])
        {
            ids.AddRange(await Send(world, [new Mail($"{to}@example.org", to, "Bonjour")]));
        }
        await Waiting.Until(
            async () => await Count(world, ids, "completed") == 2 && await Count(world, ids, "failed") == 1 && deferrals == 1
            && await Count(world, [ids[1]], "pending") == 1, "each is tried");
        (await Column(world, ids[0], "attempts || ' ' || last_error")).ShouldBe("1 550 5.1.1 nobody of that name");
        (await Column(world, ids[1], "attempts || ' ' || last_error")).ShouldBe("1 450 4.2.1 greylisted");

        await world.Execute("update util.job_queue set run_at = now() where id = @id", new { id = ids[1] });
        await world.Execute("notify jobs");
        await Waiting.Until(async () => await Count(world, ids, "completed") == 3, "the one that was put off is sent");
        foreach (var (to, times) in ((string, int)[])[("gone", 0), ("later", 1), ("lost", 1), ("fine", 1)])
        {
            server.Mails.Count(m => m.Contains($"To: {to}@", StringComparison.Ordinal)).ShouldBe(times, to);
        }
    }

    [Fact]
    public async Task While_the_mail_server_is_away_mail_waits()
    {
        await using var world = await MailingWorld.Start(port: 1);
        var ids = await Send(world, [new Mail("a@example.org", "s", "t")]);
        await Waiting.Until(
            async () => await Column(world, ids[0], "attempts::text") == "1" && await Count(world, ids, "pending") == 1, "it is tried");
        (await Column(world, ids[0], "last_error")).ShouldContain("127.0.0.1:1");
    }

    private static async Task<Guid[]> Send(MailingWorld world, Mail[] mails)
    {
        var before = await world.Sql<DateTime>("select clock_timestamp()");
        await world.Db.Run(Caller.Service, async session =>
        {
            await session.SendMails(mails);
            return 0;
        }, CancellationToken.None);
        return await world.Sql<Guid[]>(
            "select array_agg(id) from util.job_queue where job_type = 'email_send' and created_at >= @before", new { before });
    }

    private static Task<long> Count(MailingWorld world, IReadOnlyCollection<Guid> ids, string status) =>
        world.Sql<long>(
            "select count(*) from util.job_queue where id = any(@ids) and status = @status", new { ids = ids.ToArray(), status });

    private static Task<string> Column(MailingWorld world, Guid id, string columns) =>
        world.Sql<string>($"select {columns} from util.job_queue where id = @id", new { id });
}
