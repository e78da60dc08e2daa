using System.Security.Cryptography;
using System.Text;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;
using Sankore.Tests.Client;

namespace Sankore.Tests.Platform;

/// <summary>What we sign, python3-dkim takes for signed; what anybody changes afterwards, it does not.</summary>
public sealed class DkimTests(PythonMail python) : IClassFixture<PythonMail>
{
    private static readonly Lazy<string> Key = new(() => Pem(2048));

    public static TheoryData<string> Texts => new(
        "Bonjour", "", "\n\n\n", "  spaces  \t and tabs \n  \n\nend  ", "élève\n" + new string('x', 3000),
        "école 🎓 مدرسة 学校".PadRight(500, '学'));

    [Theory]
    [MemberData(nameof(Texts))]
    public void Others_take_for_signed_what_we_sign(string text)
    {
        var messages = new[]
        {
            Simple(text),
            Simple(text)
            with { Html = $"<p>{text}</p>", ReplyTo = Mailbox.Parse("Élèves <r@example.org>"), Subject = text.Replace('\n', ' ') },
            Simple(text) with
            {
                Attachments = [new Attachment("à lire.pdf", "application/pdf", RandomNumberGenerator.GetBytes(10_000))],
                Headers = [("List-Unsubscribe", "<https://example.org/u/1>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")],
            },
        };
        foreach (var pem in (string[])[Key.Value, Pem(1024, pkcs1: true)])
        {
            var signer = new MailSigner("sankore.test", "mail", pem);
            foreach (var unsigned in messages)
            {
                var message = Bytes(unsigned, signer);
                python.Verifies(message, Record(signer)).ShouldBeTrue(Encoding.UTF8.GetString(message));
                Encoding.ASCII.GetString(message).Split("\r\n").TakeWhile(l => l.Length > 0).ShouldAllBe(l => l.Length <= 78);
            }
        }
    }

    [Fact]
    public void A_byte_that_is_changed_breaks_the_signature()
    {
        var signer = new MailSigner("sankore.test", "mail", Key.Value);
        var message =
            Bytes(Simple("Un texte, et rien d'autre") with { Headers = [("List-Unsubscribe", "<https://example.org/u/1>")] }, signer);
        foreach (var part in (
            string[])["From: ", "To: ", "Subject: ", "Date: ", "Message-ID: <", "List-Unsubscribe: <", "Content-Type: ", "Un tex"])
        {
            var changed = message.ToArray();
            changed[message.IndexOf(Encoding.ASCII.GetBytes("\r\n" + part)) + 2 + part.Length] ^= 1;
            python.Verifies(changed, Record(signer)).ShouldBeFalse(part);
        }
        foreach (var added in (
            string[])["From: eve@example.org\r\n", "Subject: other\r\n", "Reply-To: eve@example.org\r\n", "To: other@example.org\r\n"])
        {
            python.Verifies([.. Encoding.ASCII.GetBytes(added), .. message], Record(signer)).ShouldBeFalse(added);
        }
        python.Verifies([.. message, .. "more\r\n"u8], Record(signer)).ShouldBeFalse();
        // What relays do on the way is no change: spaces, and empty lines at the end.
        var relayed = Encoding.ASCII.GetString(message).Replace("Subject: s", "SUBJECT:   s ", StringComparison.Ordinal) + "\r\n\r\n";
        python.Verifies(Encoding.ASCII.GetBytes(relayed), Record(signer)).ShouldBeTrue();
    }

    [Fact]
    public void Another_key_is_not_ours()
    {
        var message = Bytes(Simple("x"), new MailSigner("sankore.test", "mail", Key.Value));
        python.Verifies(message, Record(new MailSigner("sankore.test", "mail", Pem(2048)))).ShouldBeFalse();
    }

    [Fact]
    public void Many_threads_sign_at_once()
    {
        // The time is part of a signature.
        var signer = new MailSigner("sankore.test", "mail", Pem(1024), new FakeTime());
        var message = Simple("Bonjour");
        var expected = Bytes(message, signer).ToArray();
        Parallel.For(0, 200, _ => Bytes(message, signer).SequenceEqual(expected).ShouldBeTrue());
    }

    [Fact]
    public void The_operator_is_told_what_to_publish() =>
        new MailSigner("sankore.test", "mail", Key.Value).Record.ShouldStartWith("mail._domainkey.sankore.test TXT v=DKIM1; k=rsa; p=MIIB");

    [Fact]
    public void A_short_key_or_none_is_refused()
    {
        Should.Throw<OperatorException>(() => new MailSigner("sankore.test", "mail", Pem(512))).Message.ShouldContain("512 bits");
        Should.Throw<OperatorException>(() => new MailSigner("sankore.test", "mail", "rubbish")).Message.ShouldContain("PEM");
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Should.Throw<OperatorException>(() => new MailSigner("sankore.test", "mail", curve.ExportPkcs8PrivateKeyPem()))
            .Message.ShouldContain("RSA");
        using var rsa = RSA.Create(2048);
        Should.Throw<OperatorException>(() => new MailSigner("sankore.test", "mail", rsa.ExportSubjectPublicKeyInfoPem()))
            .Message.ShouldContain("private");
    }

    private static MailMessage Simple(string text) =>
        new(Mailbox.Parse("Sankoré <no-reply@sankore.test>"), Mailbox.Parse("b@example.org"), "s", text);

    private static string Record(MailSigner signer) => signer.Record[(signer.Record.IndexOf("TXT ", StringComparison.Ordinal) + 4)..];

    private static string Pem(int bits, bool pkcs1 = false)
    {
        using var rsa = RSA.Create(bits);
        return pkcs1 ? rsa.ExportRSAPrivateKeyPem() : rsa.ExportPkcs8PrivateKeyPem();
    }

    private static ReadOnlySpan<byte> Bytes(MailMessage message, MailSigner signer) => message.Build(signer).Bytes();
}
