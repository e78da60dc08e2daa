using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Sankore.Identity;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>Mail, from the transaction that wants it sent to the page that shows it.</summary>
public sealed class MailTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("Réinitialisation : élèves & œuvres – été 🎓", "Bonjour,\n\nvoilà l’été : <b>pas du HTML</b> &amp; co.\n\nÀ bientôt")]
    [InlineData("Plain", "Plain text\n.\n.. and dots\n=3D and signs")]
    [InlineData(
        "Un objet tellement long qu’il ne tient pas sur une seule ligne d’en-tête, même avec beaucoup de bonne volonté, parce qu’il "
        + "raconte toute l’histoire de l’école", "x")]
    [InlineData(
        "Fin",
        "une très longue ligne sans fin "
        + "aaaaaaaaaaaaaaaaaaaa"
        + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa é fin")]
    public async Task A_mail_is_read_in_the_outbox_as_it_was_written(string subject, string text)
    {
        var to = $"{Catalogue.Word()}@example.org";
        var id = await Send(new Mail(to, subject, text));
        await Waiting.Until(() => File.Exists(Path.Combine(world.OutboxFolder, $"{id}.eml")), "the mail is written");

        var mail = world.Mails().Single(m => Path.GetFileNameWithoutExtension(m.Path) == id.ToString());
        mail.Header("To").ShouldBe(to);
        mail.Text.TrimEnd().ShouldBe(text);
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, PasswordRules.Demo);
        WebUtility.HtmlDecode(await browser.Page("/admin/outbox")).ShouldContain(subject);
        var page = await browser.Page($"/admin/outbox/{id}");
        page.ShouldNotContain("<b>pas");
        WebUtility.HtmlDecode(page).ShouldContain(subject);
        WebUtility.HtmlDecode(page).ReplaceLineEndings("\n").ShouldContain(text);
        WebUtility.HtmlDecode(page).ShouldContain(to);
    }

    [Theory]
    [InlineData("victim@example.org\r\nBcc: eve@example.org", "Bonjour")]
    [InlineData("victim@example.org\nBcc: eve@example.org", "Bonjour")]
    [InlineData("victim@example.org, eve@example.org", "Bonjour")]
    [InlineData("victim@example.org", "Bonjour\r\nBcc: eve@example.org")]
    [InlineData("victim@example.org", "Bonjour\nBcc: eve@example.org")]
    [InlineData("victim@example.org", "Bonjour\r\n\r\nAnother body")]
    public async Task Nobody_adds_headers_to_a_mail(string to, string subject)
    {
        var folder = Directory.CreateTempSubdirectory("sankore-mail-").FullName;
        var job = Job(folder);
        var refused = false;
        try
        {
            await job.Run(
                new Job(Guid.CreateVersion7(), JsonSerializer.SerializeToElement(new Mail(to, subject, "Text")), 1),
                TestContext.Current.CancellationToken);
        }
        catch (FinalFailure)
        {
            refused = true;
        }

        var mails = OutboxFiles.In(folder);
        mails.Count.ShouldBe(refused ? 0 : 1);
        foreach (var mail in mails)
        {
            mail.Headers.ShouldNotContain(h => h.StartsWith("Bcc", StringComparison.OrdinalIgnoreCase));
            mail.Header("To").ShouldNotContain("eve@");
            mail.Text.Trim().ShouldBe("Text");
        }
        Directory.GetFileSystemEntries(folder).Length.ShouldBe(mails.Count);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_mail_that_is_sent_twice_is_one_file()
    {
        var folder = Directory.CreateTempSubdirectory("sankore-mail-").FullName;
        var job = Job(folder);
        var (id, mail) = (Guid.CreateVersion7(), JsonSerializer.SerializeToElement(new Mail("a@example.org", "Once", "Text")));
        await job.Run(new Job(id, mail, 1), TestContext.Current.CancellationToken);
        await job.Run(new Job(id, mail, 1), TestContext.Current.CancellationToken);
        Path.GetFileName(Directory.GetFileSystemEntries(folder).ShouldHaveSingleItem()).ShouldBe($"{id}.eml");
        OutboxFiles.In(folder)[0].Header("Message-ID").ShouldContain(id.ToString());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Two_nodes_write_each_mail_once()
    {
        await using var second = await world.StartNode("http://127.0.0.1:0");
        var subject = Catalogue.Word();
        var ids = new List<Guid>();
        for (var i = 0; i < 40; i++)
        {
            ids.Add(await Send(new Mail($"{i}@example.org", subject, "Text")));
        }
        await Waiting.Until(async () => await world.Sql<long>(
            "select count(*) from util.job_queue where id = any(@ids) and status = 'completed'", new { ids = ids.ToArray() }) == 40,
            "all mails are written");
        (await world.Sql<long>("select count(*) from util.job_queue where id = any(@ids) and attempts = 1", new { ids = ids.ToArray() }))
            .ShouldBe(40);
        world.Mails().Count(m => m.Header("Subject").Contains(subject)).ShouldBe(40);
        await second.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_mail_that_never_was_is_not_found()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, PasswordRules.Demo);
        await browser.Page($"/admin/outbox/{Guid.NewGuid()}", HttpStatusCode.NotFound);
    }

    private static MailJob Job(string folder) =>
        new(new MailOptions(folder, Mailbox.Parse("Sankore <no-reply@sankore.test>")), null, TimeProvider.System,
            NullLogger<MailJob>.Instance);

    private Task<Guid> Send(Mail mail) => world.Db.Run(Caller.Service, async session =>
    {
        await session.SendMail(mail);
        return await session.Value<Guid>(
            "select id from util.job_queue where payload ->> 'To' = @To and payload ->> 'Subject' = @Subject and status = 'pending'",
            new { mail.To, mail.Subject });
    }, TestContext.Current.CancellationToken);
}
