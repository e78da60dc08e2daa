namespace Sankore.Tests.Identity;

/// <summary>What anonymous requests are told of who has an account: nothing.</summary>
public sealed class SilenceTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("register", "{ \"email\": \"?\" }"), InlineData("forgotPassword", "{ \"email\": \"?\" }")]
    [InlineData("login", "{ \"email\": \"?\", \"password\": \"not the password\" }")]
    [InlineData("resetPassword", "{ \"email\": \"?\", \"resetCode\": \"abcd\", \"newPassword\": \"une autre phrase\" }")]
    public async Task The_answer_is_the_same_for_who_has_an_account_and_who_has_none(string route, string body)
    {
        var answers = new List<string>();
        foreach (var email in new[] { await world.Register(), $"{Catalogue.Word()}@example.org" })
        {
            for (var i = 0; i < 6; i++)
            {
                using var client = world.Nobody();
                using var content = new StringContent(body.Replace("?", email, StringComparison.Ordinal), null, "application/json");
                using var answer = await client.Ask(HttpMethod.Post, $"/api/auth/{route}", content);
                var text = await answer.Body();
                answers.Add($"{i} {(int)answer.StatusCode} {text[..Math.Max(0, text.IndexOf("\"traceId", StringComparison.Ordinal))]}");
            }
        }
        answers.Take(6).ShouldBe(answers.Skip(6));
    }

    [Theory]
    [InlineData("register", true), InlineData("register", false), InlineData("forgotPassword", true)]
    public async Task An_address_gets_at_most_five_mails_an_hour_from_whoever_asks(string route, bool isKnown)
    {
        using var client = world.Nobody();
        var email = isKnown ? await world.Register() : $"{Catalogue.Word()}@example.org";
        foreach (var spelling in Enumerable.Range(0, 8).Select(n => n % 2 == 0 ? email : email.ToUpperInvariant()))
        {
            await client.Ask(HttpMethod.Post, $"/api/auth/{route}", new { email = spelling }).Json();
        }
        await Waiting.Until(
            () => world.Sql<bool>("select count(*) = 0 from util.job_queue where status in ('pending', 'running')"), "all are worked off");
        world.Mails().Count(m => m.Header("To").Contains(email, StringComparison.OrdinalIgnoreCase)).ShouldBe(5);
    }

    [Fact]
    public async Task Who_reads_the_outbox_reads_no_links()
    {
        using var client = world.Nobody();
        var email = $"{Catalogue.Word()}@example.org";
        await client.Ask(HttpMethod.Post, "/api/auth/register", new { email }).Json();
        var mail = await world.MailTo(email, "/setup");
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Super, Sankore.Identity.PasswordRules.Demo);
        var page = System.Net.WebUtility.HtmlDecode(await browser.Page($"/admin/outbox/{Path.GetFileNameWithoutExtension(mail.Path)}"));
        page.ShouldContain("/setup?…");
        page.ShouldNotContain(Hiring.Token(mail.Link("/setup")));
    }
}
