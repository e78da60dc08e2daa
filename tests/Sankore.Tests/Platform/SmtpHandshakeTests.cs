using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>Nothing is sent over a connection that is not what the operator asked for.</summary>
public sealed class SmtpHandshakeTests
{
    [Theory]
    [InlineData(SmtpSecurity.StartTls)]
    [InlineData(SmtpSecurity.Tls)]
    public async Task A_certificate_is_trusted_or_nothing_is_sent(SmtpSecurity security)
    {
        using var certificate = ScriptedSmtp.SelfSigned("localhost");
        using var ofAnother = ScriptedSmtp.SelfSigned("other.example.org");
        (X509Certificate2 Shown, X509Certificate2? Trusted, bool Fits)[] cases =
        [
            (certificate, certificate, true), (certificate, null, false), (certificate, ofAnother, false), (ofAnother, ofAnother, false),
        ];
        foreach (var (shown, trusted, fits) in cases)
        {
            await using var server =
                new ScriptedSmtp { Certificate = shown, TlsFirst = security == SmtpSecurity.Tls, Abilities = ["STARTTLS", "AUTH PLAIN"] };
            var options = new SmtpOptions(
                "localhost", server.Port, security)
            { User = "me", Password = "secret", Authorities = trusted is null ? null : [trusted] };
            if (fits)
            {
                await using var connection = await SmtpConnection.OpenAsync(options, null, CancellationToken.None);
                server.Heard.Count(c => c.StartsWith("EHLO", StringComparison.Ordinal)).ShouldBe(security == SmtpSecurity.StartTls ? 2 : 1);
                server.Heard.ShouldContain(c => c.StartsWith("AUTH", StringComparison.Ordinal));
                continue;
            }
            (await Refused(options)).ShouldContain("certificate");
            server.Heard.ShouldNotContain(
                c => c.StartsWith("AUTH", StringComparison.Ordinal) || c.StartsWith("MAIL", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("250-STARTTLS\r\n250 OK", "454 4.7.0 not now")]
    [InlineData("250 OK", "220 go on")]
    public async Task Without_TLS_nothing_goes_on(string hello, string toStartTls)
    {
        using var certificate = ScriptedSmtp.SelfSigned("localhost");
        await using var server = new ScriptedSmtp(
            c => c.StartsWith("EHLO", StringComparison.Ordinal) ? $"250-AUTH PLAIN\r\n{hello}" : c == "STARTTLS" ? toStartTls
            : null)
        { Certificate = certificate };
        await Refused(new SmtpOptions(
            "localhost", server.Port, SmtpSecurity.StartTls)
        { User = "me", Password = "secret", Authorities = [certificate] });
        server.Heard.ShouldNotContain(c => c.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_said_before_TLS_is_not_believed()
    {
        using var certificate = ScriptedSmtp.SelfSigned("localhost");
        var isEncrypted = false;
        await using var server = new ScriptedSmtp(c =>
        {
            var isHello = c.StartsWith("EHLO", StringComparison.Ordinal);
            isEncrypted |= c == "STARTTLS";
            return c == "STARTTLS" ? "220 go on\r\n250-believe this\r\n250 AUTH LOGIN"
                : !isHello ? null : isEncrypted ? "250 AUTH PLAIN" : "250-AUTH LOGIN\r\n250 STARTTLS";
        })
        { Certificate = certificate };
        var options = new SmtpOptions("localhost", server.Port, SmtpSecurity.StartTls)
        {
            User = "me",
            Password = "secret",
            Authorities = [certificate],
        };
        await using var connection = await SmtpConnection.OpenAsync(options, null, CancellationToken.None);
        server.Heard.Where(c => !c.StartsWith("EHLO", StringComparison.Ordinal))
            .ShouldBe(["STARTTLS", $"AUTH PLAIN {Base64("\0me\0secret")}"]);
    }

    [Theory]
    [InlineData("AUTH PLAIN LOGIN")]
    [InlineData("AUTH=LOGIN PLAIN CRAM-MD5")]
    public async Task Who_sends_signs_in(string offered)
    {
        await using var server = new ScriptedSmtp { Abilities = [offered] };
        await using var connection = await SmtpConnection.OpenAsync(SignedIn(server), null, CancellationToken.None);
        server.Heard.ShouldContain($"AUTH PLAIN {Base64("\0élève\0sécret")}");
    }

    [Fact]
    public async Task Where_only_LOGIN_is_offered_it_is_used()
    {
        await using var server = new ScriptedSmtp(
            c => c == "AUTH LOGIN" ? "334 VXNlcm5hbWU6" : c == Base64("élève") ? "334 UGFzc3dvcmQ6" : c == Base64("sécret") ? "235 in"
            : null)
        { Abilities = ["AUTH LOGIN"] };
        await using var connection = await SmtpConnection.OpenAsync(SignedIn(server), null, CancellationToken.None);
        server.Heard.Skip(1).ShouldBe(["AUTH LOGIN", Base64("élève"), Base64("sécret")]);
    }

    [Theory]
    [InlineData("AUTH", "535 5.7.8 wrong", "535")]
    [InlineData("AUTH", "334 more", "334")]
    [InlineData("GREETING", "554 5.3.2 go away", "554")]
    [InlineData("GREETING", "421 4.3.2 busy", "421")]
    [InlineData("GREETING", ScriptedSmtp.Cut, "cannot be used")]
    [InlineData("GREETING", ScriptedSmtp.Hang, "in time")]
    [InlineData("EHLO", "550 5.7.1 go away", "550")]
    [InlineData("EHLO", ScriptedSmtp.Endless, "does not end")]
    [InlineData("EHLO", ScriptedSmtp.Hang, "in time")]
    public async Task A_server_that_does_not_let_us_in_is_quoted(string stage, string answer, string said)
    {
        // Whoever refuses EHLO so refuses HELO too.
        await using var server = new ScriptedSmtp(
            c => SmtpConnectionTests.Is(c.Replace("HELO ", "EHLO ", StringComparison.Ordinal), stage) ? answer
            : null)
        { Abilities = ["AUTH PLAIN"] };
        var sentence = await Refused(
            answer == ScriptedSmtp.Hang ? SignedIn(server) with { Timeouts = SmtpConnectionTests.Impatient } : SignedIn(server));
        sentence.ShouldContain(said);
        sentence.ShouldNotContain("sécret");
        sentence.ShouldNotContain(Base64("sécret"));
        sentence.ShouldNotContain("\n");
    }

    [Fact]
    public async Task Nobody_signs_in_where_no_way_is_known()
    {
        await using var server = new ScriptedSmtp { Abilities = ["AUTH CRAM-MD5"] };
        (await Refused(SignedIn(server))).ShouldContain("neither");
    }

    [Fact]
    public async Task A_line_without_an_end_ends()
    {
        await using var server = new ScriptedSmtp(c => c == "GREETING" ? "220 " + new string('x', 1_000_000) : null);
        (await Refused(new SmtpOptions("localhost", server.Port, SmtpSecurity.None))).ShouldContain("does not end");
    }

    [Fact]
    public async Task Where_nobody_listens_nothing_is_sent() =>
        (await Refused(new SmtpOptions("localhost", 1, SmtpSecurity.None))).ShouldContain("localhost:1");

    private static async Task<string> Refused(SmtpOptions options) =>
        (await Should.ThrowAsync<SmtpConnectionException>(() => SmtpConnection.OpenAsync(options, null, CancellationToken.None))).Message;

    private static SmtpOptions SignedIn(ScriptedSmtp server) =>
        new("localhost", server.Port, SmtpSecurity.None) { User = "élève", Password = "sécret" };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
