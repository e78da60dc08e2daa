using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>What is written into a message is what others read out of it, whatever its letters.</summary>
public sealed class MailMessageTests(PythonMail python) : IClassFixture<PythonMail>
{
    private static readonly string[] Fragments =
    [
        "Bonjour", "élève", "œuvre", " ", "  ", "\t", "’", "– été", "🎓", "👩‍🏫", "e\u0301", "学校から", "مدرسة", "école, «", "=?utf-8?Q?x?=",
            "=?", "?=", "_", "=", "=3D", "\"", "\\", "<", ">", "@", ",", ";", ":", "(", ")", ".", "..",
        "'", "%41", "*", "--", "=_", "From ", "a long line of plain words that goes on and on and on and on and on, well beyond what fits",
        "\u00a0", "\u2028", "\u0001", "\u007f", "\u0085", "\ud800", "x",
        "https://example.org/" + new string('a', 120), new string('b', 1100), new string('é', 60),
    ];

    private static readonly string[] Breaks = ["\n", "\r\n", "\r", "\n\n", " \n", "\t\n", "\n.\n", "\nFrom "];

    private static readonly Gen<string> Lines = from parts in Gen.Elements(Fragments).ListOf() select string.Concat(parts);
    private static readonly Gen<string> Texts = from parts in Gen.Elements([.. Fragments, .. Breaks]).ListOf() select string.Concat(parts);

    private static readonly Arbitrary<MailMessage> Messages = Arb.From(
        from subject in Lines
        from text in Texts
        from html in Gen.OneOf(Texts, Gen.Constant<string>(null!))
        from sender in Lines
        from recipient in Lines
        from replyTo in Gen.OneOf(Lines, Gen.Constant<string>(null!))
        from files in Gen.Zip(Lines, Texts).ListOf()
        select new MailMessage(Mailbox.Named(sender, "no-reply@sankore.test"), Mailbox.Named(recipient, "eleve@école.fr"), subject, text)
        {
            Html = html,
            ReplyTo = replyTo is null ? null : Mailbox.Named(replyTo, "\"an odd one\"@example.org"),
            Attachments = [.. files.Take(3).Select(f => new Attachment(f.Item1, "application/pdf", Encoding.UTF8.GetBytes(f.Item2)))],
        });

    [Fact]
    public void Python_reads_what_was_written() => Prop.ForAll(Messages, message =>
    {
        var read = python.Read(Bytes(message));
        read.Defects.ShouldBeEmpty();
        read.Subject.ShouldBe(Characters(message.Subject));
        read.From.ShouldHaveSingleItem().ShouldBe([Characters(message.From.Name), message.From.Address]);
        read.To.ShouldHaveSingleItem().ShouldBe([Characters(message.To.Name), message.To.Address]);
        read.ReplyTo.ShouldBe(message.ReplyTo is { } to ? [[Characters(to.Name), to.Address]] : []);
        read.Text.ShouldBe(Body(message.Text));
        read.Html.ShouldBe(message.Html is null ? null : Body(message.Html));
        read.MessageId.ShouldBe($"<{message.MessageId}>");
        read.Date.ShouldBe(message.Date.ToUnixTimeSeconds());
        read.Files.Length.ShouldBe(message.Attachments.Count);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void We_read_what_was_written() => Prop.ForAll(Messages, message =>
    {
        using var read = ReadMail.Of(Bytes(message).ToArray());
        read.Header("subject").Trim().ShouldBe(Characters(message.Subject).Trim());
        read.Header("To").ShouldEndWith(message.To.Address + (message.To.Name.Length > 0 ? ">" : ""));
        read.BodyText().ReplaceLineEndings("\n").ShouldBe(Body(message.Text).ReplaceLineEndings("\n"));
        read.HtmlBody?.Replace("\r\n", "\n", StringComparison.Ordinal).ShouldBe(Body(message.Html!));
        read.Attachments.Count(p => p.ContentType.MimeType == "application/pdf").ShouldBe(message.Attachments.Count);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_message_is_ASCII_in_short_lines() => Prop.ForAll(Messages, written =>
    {
        var message = Encoding.Latin1.GetString(Bytes(written));
        message.ShouldAllBe(c => c < 128 && c != '\0');
        message.ShouldEndWith("\r\n");
        message.Replace("\r\n", "", StringComparison.Ordinal).ShouldNotContain('\r');
        message.Replace("\r\n", "", StringComparison.Ordinal).ShouldNotContain('\n');
        message.Split("\r\n").ShouldAllBe(line => line.Length <= 78);
        message[..message.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n").ShouldAllBe(line => line.Trim().Length > 0);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_attachment_has_its_name_and_its_bytes() => Prop.ForAll(Arb.From(Gen.Zip(Lines, Texts)), file =>
    {
        var content = Encoding.Unicode.GetBytes(file.Item2);
        var message = Bytes(new MailMessage(
            Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.org"), "s",
            "t")
        { Attachments = [new Attachment(file.Item1, "application/pdf", content)] });
        using var read = ReadMail.Of(message.ToArray());
        var ours = read.Attachments.ShouldHaveSingleItem().ShouldBeOfType<MimePart>();
        (ours.FileName ?? "").Trim().ShouldBe(Characters(file.Item1).Trim());
        ours.Decoded().ShouldBe(content);
        var theirs = python.Read(message).Files.ShouldHaveSingleItem();
        (theirs[0] ?? "").ShouldBe(AsPythonNames(Characters(file.Item1)));
        Convert.FromBase64String(theirs[2]).ShouldBe(content);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("\"a\"")]
    [InlineData("\"a \\\\ \\\" b\"")]
    [InlineData("<a>")]
    [InlineData("\"")]
    [InlineData(" \"a\" ")]
    public void A_name_in_quotes_of_its_own_keeps_them(string name)
    {
        var message = Bytes(Simple() with { Attachments = [new Attachment(name, "application/pdf", [1])] });
        ReadMail.Of(message.ToArray()).Attachments.Single().ContentDisposition!.FileName!.Trim().ShouldBe(name.Trim());
        python.Read(message).Files.ShouldHaveSingleItem()[0].ShouldBe(AsPythonNames(name));
    }

    [Fact]
    public void Further_fields_travel_as_they_are_when_they_are_ASCII()
    {
        var address = "<https://example.org/u/" + new string('z', 90) + ">, <mailto:stop@example.org>";
        var message = Bytes(
            Simple()
            with
            { Headers = [("X-Extra", address), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"), ("X-Mot", "élève")] });
        Encoding.ASCII.GetString(message).ShouldContain("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
        python.Read(message).Extra.ShouldBe(address);
        ReadMail.Of(message.ToArray()).Header("X-Mot").ShouldBe("élève");
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    [InlineData("\r")]
    [InlineData("\0")]
    public void Nobody_adds_lines_to_a_header(string evil)
    {
        var injected = $"x{evil}Bcc: eve@example.org";
        Should.Throw<ArgumentException>(() => Bytes(Simple() with { Subject = injected }));
        Should.Throw<ArgumentException>(() => Bytes(Simple() with { MessageId = $"{injected}@a" }));
        Should.Throw<ArgumentException>(() => Bytes(Simple() with { Headers = [("X-Extra", injected)] }));
        Should.Throw<ArgumentException>(() => Bytes(Simple() with { Headers = [(injected, "x")] }));
        Should.Throw<ArgumentException>(() => new Attachment(injected, "text/plain", []));
        Should.Throw<ArgumentException>(() => new Attachment("x", $"text/plain{evil}X: y", []));
        Should.Throw<FormatException>(() => Mailbox.Named(injected, "a@example.org"));
        Should.Throw<FormatException>(() => Mailbox.Parse($"{injected} <a@example.org>"));
        Should.Throw<FormatException>(() => Mailbox.Parse($"a{evil}@example.org"));
        Should.Throw<FormatException>(() => Mailbox.Parse($"a@example.org{evil}x"));
        Should.Throw<FormatException>(() => Mailbox.Parse($"\"a{evil}b\"@example.org"));
    }

    [Theory]
    [InlineData("Bcc", "eve@example.org")]
    [InlineData("content-type", "text/html")]
    [InlineData("From", "eve@example.org")]
    [InlineData("X Y", "z")]
    [InlineData("X:", "z")]
    [InlineData("", "z")]
    public void A_further_field_is_none_of_the_messages_own(string name, string value) =>
        Should.Throw<ArgumentException>(() => Bytes(Simple() with { Headers = [(name, value)] }));

    [Theory]
    [InlineData("a@example.org", "a@example.org", false)]
    [InlineData("École <a@école.fr>", "a@xn--cole-9oa.fr", false)]
    [InlineData("\"A \\\"B\\\" C\" <a@example.org>", "a@example.org", false)]
    [InlineData("jürgen@münchen.de", "jürgen@xn--mnchen-3ya.de", true)]
    [InlineData("a+b..c@localhost", "a+b..c@localhost", false)]
    public void An_address_has_an_ASCII_domain(string text, string address, bool needsUtf8)
    {
        Mailbox.Parse(text).Address.ShouldBe(address);
        Mailbox.Parse(text).NeedsSmtpUtf8.ShouldBe(needsUtf8);
    }

    [Fact]
    public void MimeKit_reads_every_address_that_is_taken()
    {
        var local = Gen.Elements("abzAZ019.-_+!'~/=?é\"".ToCharArray()).NonEmptyListOf();
        var domain = Gen.Elements("abz09.-_".ToCharArray()).NonEmptyListOf();
        var addresses = Gen.Zip(local, domain).Select(parts => string.Concat(parts.Item1) + "@" + string.Concat(parts.Item2));
        var lenient = new ParserOptions { AddressParserComplianceMode = RfcComplianceMode.Looser };
        Prop.ForAll(Arb.From(addresses), address =>
            Mailbox.TryParse(address) is not { Address: var taken } || MailboxAddress.Parse(lenient, taken).Address == taken)
            .QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("a@")]
    [InlineData("@b")]
    [InlineData("a b@c.org")]
    [InlineData("a@b c.org")]
    [InlineData("a@c.org, b@c.org")]
    [InlineData("a@c.org> SIZE=1")]
    [InlineData("<a@c.org> <b@c.org>")]
    [InlineData("a@.org")]
    [InlineData("a@b..org")]
    [InlineData("\"a\"b\"@c.org")]
    public void What_is_not_one_address_is_refused(string text) => Sankore.Platform.Jobs.Mail.IsAddress(text).ShouldBeFalse();

    private static MailMessage Simple() => new(Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.org"), "s", "t");

    private static ReadOnlySpan<byte> Bytes(MailMessage message) => message.Build().Bytes();

    /// <summary>Half a character is none.</summary>
    private static string Characters(string text) => text.Replace('\ud800', '\ufffd');

    /// <summary>Python takes the quotes that a name itself has for those around it (<c>email.utils.unquote</c>), and trims names.</summary>
    private static string AsPythonNames(string name) => (name switch
    {
        ['"', .. var inner, '"'] => inner.Replace(@"\\", @"\", StringComparison.Ordinal).Replace(@"\""", "\"", StringComparison.Ordinal),
        ['<', .. var inner, '>'] => inner,
        _ => name,
    }).Trim();

    private static string Body(string text)
    {
        var lines = Characters(text).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return lines.Length == 0 || lines.EndsWith('\n') ? lines : lines + "\n";
    }
}
