using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>Mail that others wrote is read as they meant it; what is no mail is read too, somehow.</summary>
public sealed class ReceivedMailTests
{
    private static readonly string[] Fragments =
    [
        "Content-Type: multipart/mixed; boundary=a\r\n", "Content-Type: multipart/mixed; boundary=\"\"\n", "Content-Type: message/rfc822\n",
            "Content-Type: text/plain; charset=\"\n", "charset*0*=utf-8'", "boundary*1*=%41",
        "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "\r\n", "\n", "\n\n", "--a\n", "--a--\n",
        "--\n", " ", "\t", ":", "=", "=?", "=?utf-8?B?4?=", "=?x?Q?=e9?=", "?=", "é", "\0", "%", ";", "\"", "\\", "(", "9999999999",
    ];

    [Theory]
    [InlineData("=?ISO-8859-1?Q?=E9l=E8ve?= simple", "élève simple")]
    [InlineData("=?utf-8?B?w6lsw6g=?= =?utf-8?B?dmU=?=", "élève")]
    [InlineData("=?utf-8?B?ww==?=\r\n =?utf-8?B?qWzDqHZl?=", "élève")]
    [InlineData("=?utf-8?q?a_b?= and =?iso-8859-15?q?=A4?=", "a b and €")]
    [InlineData("=?windows-1252?Q?l=92=E9cole?=", "l’école")]
    [InlineData("=?koi8-r?B?+sTSwdfT1NfVyg==?=", "Здравствуй")]
    [InlineData("=?iso-2022-jp?B?GyRCM1g5OxsoQg==?=", "学校")]
    [InlineData("=?utf-8*fr?Q?=C3=A9t=C3=A9?=", "été")]
    [InlineData("=?nobody-knows?Q?=E9?=", "é")]
    [InlineData("=?utf-8?X?x?= =?utf-8?Q?x", "=?utf-8?X?x?= =?utf-8?Q?x")]
    [InlineData("plain: \"quoted\" = ?", "plain: \"quoted\" = ?")]
    public void Encoded_words_are_read(string written, string text) => Read($"Subject: {written}\r\n\r\n").Header("Subject").ShouldBe(text);

    [Fact]
    public void Letters_of_another_charset_are_read()
    {
        var head = "Content-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"u8;
        ReadMail.Of([.. head, 0x93, 0xe9, 0x94]).BodyText().ShouldBe("“é”");
        Read("Content-Transfer-Encoding: quoted-printable\n\nune =C3=A9t=C3=A9 =\nlong = 5 =G\n").BodyText()
            .ShouldBe("une été long = 5 =G\n");
        Read("Content-Transfer-Encoding: BASE64\n\nw6l0\r\n w6k*=\n").BodyText().ShouldBe("été");
    }

    [Theory]
    [InlineData("attachment; filename=\"plan.pdf\"", "plan.pdf")]
    [InlineData("attachment; filename=plan.pdf; size=3", "plan.pdf")]
    [InlineData("attachment; filename=\"a \\\"b\\\".pdf\"", "a \"b\".pdf")]
    [InlineData("attachment; filename*=UTF-8''%C3%A9t%C3%A9.pdf", "été.pdf")]
    [InlineData("attachment; filename*=iso-8859-1'fr'%E9t%E9.pdf; filename=ete.pdf", "été.pdf")]
    [InlineData("attachment; filename=ete.pdf; filename*=iso-8859-1'fr'%E9t%E9.pdf", "été.pdf")]
    [InlineData("attachment; filename*1*=t%C3%A9; filename*0*=utf-8''%C3%A9; filename*2=\".pdf\"", "été.pdf")]
    [InlineData("attachment; filename=\"=?utf-8?Q?=C3=A9t=C3=A9.pdf?=\"", "été.pdf")]
    [InlineData("attachment", "")]
    public void Names_of_files_are_read(string disposition, string name) =>
        (Read($"Content-Disposition: {disposition}\r\n\r\n").Body!.ContentDisposition!.FileName ?? "").ShouldBe(name);

    private const string Report = """
        From: MAILER-DAEMON@example.org
        Subject: Undelivered Mail Returned to Sender
        Content-Type: multipart/report; report-type=delivery-status;
        	boundary="9B095B5ADSN=_01/relay"

        This is a multi-part message.
        --9B095B5ADSN=_01/relay
        Content-Description: Notification

        It did not arrive.

        --9B095B5ADSN=_01/relay
        Content-Type: message/delivery-status

        Reporting-MTA: dns; relay.example.org

        Final-Recipient: rfc822; nobody@example.org
        Action: failed
        Status: 5.1.1

        --9B095B5ADSN=_01/relay
        Content-Type: message/rfc822

        Message-ID: <42@sankore.test>
        Subject: =?utf-8?Q?R=C3=A9union?=

        Bonjour
        --9B095B5ADSN=_01/relay--
        Afterwards, for nobody.
        """;

    [Fact]
    public void A_report_of_a_mail_that_came_back_is_read()
    {
        var report = Read(Report);
        var parts = report.Body.ShouldBeAssignableTo<Multipart>()!;
        parts.Select(p => p.ContentType.MimeType).ShouldBe(["text/plain", "message/delivery-status", "message/rfc822"]);
        report.BodyText().ShouldBe("It did not arrive.\n");
        parts[1].ShouldBeOfType<MessageDeliveryStatus>().StatusGroups[1]["Status"].ShouldBe("5.1.1");
        var returned = parts[2].ShouldBeOfType<MessagePart>().Message.ShouldNotBeNull();
        returned.Header("Message-ID").ShouldBe("<42@sankore.test>");
        returned.Header("Subject").ShouldBe("Réunion");
        returned.BodyText().ShouldBe("Bonjour");
    }

    [Fact]
    public void Parts_within_parts_end_somewhere()
    {
        var deep = new StringBuilder();
        for (var i = 0; i < 5000; i++)
        {
            deep.Append("Content-Type: multipart/mixed; boundary=b").Append(i).Append("\n\n--b").Append(i).Append('\n');
        }
        Read(deep.ToString()).BodyParts.Count().ShouldBeLessThan(100);
        // What has too many of something is left to a person.
        ReceivedMail.Read(Bytes("Content-Type: multipart/mixed; boundary=b\n\n" + string.Concat(Enumerable.Repeat("--b\n\nx\n", 50_000))))
            .ShouldBeNull();
        ReceivedMail.Read(Bytes(string.Concat(Enumerable.Repeat("X: y\n", 50_000)))).ShouldBeNull();
        ReceivedMail.Read(Bytes("X: y" + string.Concat(Enumerable.Repeat("\n z", Effort.Of(500_000, 3_000_000))))).ShouldNotBeNull();
        ReceivedMail.Read(new byte[30_000_000]).ShouldBeNull();
    }

    [Fact]
    public void Whatever_comes_is_read() => Prop.ForAll(
        Arb.From(from parts in Gen.Elements(Fragments).ListOf() select string.Concat(parts)), text =>
    {
        if (ReceivedMail.Read(Bytes(text)) is { } message)
        {
            (message.BodyText() + message.Header("Content-Type") + message.Subject).ShouldNotBeNull();
            message.BodyParts.Select(part => part.ContentType.MimeType + part.ContentDisposition?.FileName)
                .ShouldAllBe(said => said != null);
            message.BodyParts.OfType<TextPart>().ShouldAllBe(part => part.Text != null);
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Whatever_bytes_come_are_read() => Prop.ForAll<byte[]>(
        bytes => ReceivedMail.Read(bytes)?.BodyParts.Count().ShouldBeGreaterThanOrEqualTo(0)).QuickCheckThrowOnFailure();

    private static MimeMessage Read(string message) => ReadMail.Of(Bytes(message));

    private static byte[] Bytes(string message) => Encoding.UTF8.GetBytes(message);
}
