using System.Text;
using Sankore.Platform.Mail;
using Sankore.Tests.Client;

namespace Sankore.Tests.Platform;

/// <summary>Signing in at Microsoft 365 and Google, with access tokens instead of a password.</summary>
public sealed class AccessTokenTests
{
    private const string Secret = "s3cret-of-the-client";
    private const string Refresh = "1//refresh-of-the-owner";

    [Theory]
    [InlineData("AUTH LOGIN XOAUTH2 OAUTHBEARER", "XOAUTH2", "user=school@example.org\u0001auth=Bearer token-1\u0001\u0001")]
    [InlineData("AUTH OAUTHBEARER", "OAUTHBEARER", "n,a=school@example.org,\u0001host=localhost\u0001port=")]
    public async Task A_connection_signs_in_with_a_token(string offered, string mechanism, string said)
    {
        await using var endpoint = await TokenEndpoint.Start(n => TokenEndpoint.Token($"token-{n}"));
        await using var server = new ScriptedSmtp { Abilities = [offered] };
        using var tokens = new AccessTokens(Options(endpoint), TimeProvider.System);
        await using var connection = await SmtpConnection.OpenAsync(To(server, endpoint), tokens, CancellationToken.None);
        var auth = server.Heard.Single(c => c.StartsWith("AUTH", StringComparison.Ordinal)).Split(' ');
        auth[1].ShouldBe(mechanism);
        Encoding.UTF8.GetString(Convert.FromBase64String(auth[2])).ShouldStartWith(said);
        connection.IsUsable.ShouldBeTrue();
    }

    [Fact]
    public async Task All_connections_share_a_token_until_shortly_before_its_end()
    {
        var time = new FakeTime();
        await using var endpoint = await TokenEndpoint.Start(n => TokenEndpoint.Token($"token-{n}", 600, $"refresh-{n}"));
        using var tokens = new AccessTokens(Options(endpoint) with { RefreshToken = Refresh }, time);
        (await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => tokens.Get(CancellationToken.None)))).ShouldAllBe(t => t == "token-1");
        time.Advance(TimeSpan.FromSeconds(539));
        (await tokens.Get(CancellationToken.None)).ShouldBe("token-1");
        time.Advance(TimeSpan.FromSeconds(1));
        (await tokens.Get(CancellationToken.None)).ShouldBe("token-2");
        endpoint.Asked.Select(form => form["refresh_token"]).ShouldBe([Refresh, "refresh-1"], "a new one takes the place of the old one");
    }

    [Fact]
    public async Task The_program_asks_in_its_own_name_or_with_the_owners_consent()
    {
        await using var endpoint = await TokenEndpoint.Start(n => TokenEndpoint.Token($"token-{n}"));
        using var own = new AccessTokens(Options(endpoint) with { Scope = "https://outlook.office365.com/.default" }, TimeProvider.System);
        await own.Get(CancellationToken.None);
        using var owners = new AccessTokens(Options(endpoint) with { RefreshToken = Refresh, ClientSecret = null }, TimeProvider.System);
        await owners.Get(CancellationToken.None);
        endpoint.Asked.ShouldBe(
        [
            new()
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = "sankore",
                ["client_secret"] = Secret,
                ["scope"] = "https://outlook.office365.com/.default",
            },
            new() { ["grant_type"] = "refresh_token", ["client_id"] = "sankore", ["refresh_token"] = Refresh },
        ]);
    }

    [Fact]
    public async Task A_token_that_the_server_does_not_take_is_replaced_once()
    {
        await using var endpoint = await TokenEndpoint.Start(n => TokenEndpoint.Token($"token-{n}"));
        const int revoked = 1;
        await using var server = new ScriptedSmtp(c => IsAuth(c) && Said(c).Contains($"token-{revoked}\u0001", StringComparison.Ordinal)
            ? "334 eyJzdGF0dXMiOiI0MDEifQ==" : c.Length == 0 ? "535 5.7.8 token expired" : null)
        { Abilities = ["AUTH XOAUTH2"] };
        await using var pool = new SmtpPool(To(server, endpoint) with { MailsPerConnection = 1 }, TimeProvider.System);
        (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        (await Send(pool)).Outcome.ShouldBe(SmtpOutcome.Accepted);
        endpoint.Asked.Count.ShouldBe(2);
        server.Heard.Count(c => c.StartsWith("AUTH", StringComparison.Ordinal)).ShouldBe(3);
    }

    [Fact]
    public async Task A_mailbox_that_may_not_sign_in_is_tried_twice_and_nothing_is_sent()
    {
        await using var endpoint = await TokenEndpoint.Start(n => TokenEndpoint.Token($"token-{n}"));
        await using var server = new ScriptedSmtp(c => IsAuth(c) ? "535 5.7.3 unsuccessful" : null) { Abilities = ["AUTH XOAUTH2"] };
        await using var pool = new SmtpPool(To(server, endpoint), TimeProvider.System);
        var result = await Send(pool);
        (result.Outcome, result.Phase, result.Code).ShouldBe((SmtpOutcome.NotSent, SmtpPhase.SignIn, 535));
        result.Text.ShouldContain("5.7.3 unsuccessful");
        ShouldSayNothing(result.Text);
        endpoint.Asked.Count.ShouldBe(2);
        server.Heard.ShouldNotContain(c => c.StartsWith("MAIL", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(400, """{"error":"invalid_grant","error_description":"s3cret-of-the-client is wrong"}""", "answered 400 invalid_grant")]
    [InlineData(401, """{"error":"s3cret-of-the-client"}""", "answered 401")]
    [InlineData(500, "<html>s3cret-of-the-client</html>", "answered 500")]
    [InlineData(200, """{"access_token":""}""", "answered 200")]
    [InlineData(200, """{"access_token":"a\r\nQUIT"}""", "answered 200")]
    [InlineData(200, "[1]", "answered 200")]
    [InlineData(302, "", "answered 302")]
    public async Task Without_a_token_nothing_is_sent_and_no_secret_is_told(int status, string body, string said)
    {
        await using var endpoint = await TokenEndpoint.Start(_ => (status, body));
        await using var server = new ScriptedSmtp { Abilities = ["AUTH XOAUTH2"] };
        await using var pool = new SmtpPool(To(server, endpoint), TimeProvider.System);
        var result = await Send(pool);
        (result.Outcome, result.Phase, result.Code).ShouldBe((SmtpOutcome.NotSent, SmtpPhase.SignIn, 0));
        result.Text.ShouldContain(said);
        ShouldSayNothing(result.Text);
        endpoint.Asked.Count.ShouldBe(1, "what carries the secret goes nowhere else");
        server.Heard.ShouldNotContain(c => c.StartsWith("AUTH", StringComparison.Ordinal));
        // The next mail asks anew.
        await Send(pool);
        endpoint.Asked.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Where_no_endpoint_answers_nothing_is_sent()
    {
        await using var server = new ScriptedSmtp { Abilities = ["AUTH XOAUTH2"] };
        var nowhere = new OAuthOptions(new Uri("http://127.0.0.1:1/token"), "c") { ClientSecret = Secret };
        await using var pool = new SmtpPool(SmtpConnectionTests.To(server) with { User = "u", OAuth = nowhere }, TimeProvider.System);
        var result = await Send(pool);
        (result.Outcome, result.Phase).ShouldBe((SmtpOutcome.NotSent, SmtpPhase.SignIn));
        result.Text.ShouldContain("127.0.0.1:1");
        ShouldSayNothing(result.Text);
    }

    [Fact]
    public async Task Nobody_signs_in_with_a_token_where_no_way_is_known()
    {
        await using var endpoint = await TokenEndpoint.Start(n => TokenEndpoint.Token($"token-{n}"));
        await using var server = new ScriptedSmtp { Abilities = ["AUTH PLAIN"] };
        await using var pool = new SmtpPool(To(server, endpoint), TimeProvider.System);
        (await Send(pool)).Text.ShouldContain("XOAUTH2");
        endpoint.Asked.ShouldBeEmpty();
    }

    [Fact]
    public void Settings_with_secrets_do_not_print_them()
    {
        var options =
            new OAuthOptions(new Uri("https://id.example.org/token"), "sankore") { ClientSecret = Secret, RefreshToken = Refresh };
        ShouldSayNothing($"{options} {new SmtpOptions("h", 1, SmtpSecurity.Tls) { OAuth = options, Password = Secret }}");
    }

    private static void ShouldSayNothing(string text) => text.ShouldSatisfyAllConditions(
        t => t.ShouldNotContain(Secret),
        t => t.ShouldNotContain(Refresh),
        t => t.ShouldNotContain("token-"),
        t => t.ShouldNotContain(Convert.ToBase64String("user="u8)[..6]));

    private static bool IsAuth(string command) => command.StartsWith("AUTH", StringComparison.Ordinal);

    private static string Said(string auth) => Encoding.UTF8.GetString(Convert.FromBase64String(auth.Split(' ')[2]));

    private static OAuthOptions Options(TokenEndpoint endpoint) => new(endpoint.Address, "sankore") { ClientSecret = Secret };

    private static SmtpOptions To(ScriptedSmtp server, TokenEndpoint endpoint) =>
        SmtpConnectionTests.To(server) with { User = "school@example.org", OAuth = Options(endpoint) };

    private static async Task<SmtpResult> Send(SmtpPool pool)
    {
        using var message = SmtpConnectionTests.Message;
        var envelope = new Envelope(Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.org"));
        return await pool.SendAsync(envelope, message, MailKind.Transactional, null, CancellationToken.None);
    }
}
