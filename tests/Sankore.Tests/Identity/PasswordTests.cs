using System.Text.Json;
using Sankore.Identity;

namespace Sankore.Tests.Identity;

/// <summary>Forgotten, reset and changed passwords, and what becomes of the sessions that had the old one.</summary>
public sealed class PasswordTests(World world) : IClassFixture<World>
{
    private const string New = "une autre phrase secrète";

    [Fact]
    public async Task A_forgotten_password_is_set_anew_with_the_code_of_the_mail()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        await client.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email }).Json();
        var code = (await world.MailTo(email, "/reset")).Query("/reset")["code"].ToString();

        await client.Ask(HttpMethod.Post, "/api/auth/resetPassword", new { email, resetCode = code, newPassword = New }).Json();
        await client.Login(email, New);
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password })
            .ShouldRefuse(401, "INVALID_CREDENTIALS");
        (await client.Ask(
            HttpMethod.Post, "/api/auth/resetPassword",
            new { email, resetCode = code, newPassword = "encore une autre phrase" }).ShouldRefuse(400, "ACCOUNT_INVALID"))
            .ErrorOf("resetCode");
    }

    [Fact]
    public async Task Who_proves_the_address_has_the_account_whatever_a_squatter_set_up()
    {
        using var squatter = world.Nobody();
        using var owner = world.Nobody();
        var email = await world.Register(isProved: false);
        squatter.Bears(await squatter.Login(email));
        var key = (await squatter.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).Text("sharedKey");
        var on = new { enable = true, twoFactorCode = Totp.Code(key), Newcomers.Password };
        await squatter.Ask(HttpMethod.Post, "/api/auth/manage/2fa", on).Json();
        squatter.Bears(await squatter.Ask(
            HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password, twoFactorCode = Totp.Code(key, 1) }).Json());

        await owner.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email }).Json();
        var resetCode = (await world.MailTo(email, "/reset")).Query("/reset")["code"].ToString();
        await owner.Ask(HttpMethod.Post, "/api/auth/resetPassword", new { email, resetCode, newPassword = New }).Json();
        owner.Bears(await owner.Login(email, New));
        (await owner.Ask(HttpMethod.Get, "/api/auth/manage/info").Json()).GetProperty("isEmailConfirmed").GetBoolean().ShouldBeTrue();
        await squatter.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        (await world.Sql<bool>(
            "select two_factor_enabled or cardinality(recovery_codes) > 0 from auth.users where email = @email",
                new { email })).ShouldBeFalse();
    }

    [Fact]
    public async Task The_second_factor_of_a_proved_account_outlives_a_forgotten_password()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        await world.Execute("update auth.users set two_factor_enabled = true where email = @email", new { email });
        await client.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email }).Json();
        var resetCode = (await world.MailTo(email, "/reset")).Query("/reset")["code"].ToString();
        await client.Ask(HttpMethod.Post, "/api/auth/resetPassword", new { email, resetCode, newPassword = New }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = New }).ShouldRefuse(401, "TWO_FACTOR_REQUIRED");
    }

    [Fact]
    public async Task A_forgotten_password_is_answered_alike_for_every_address()
    {
        using var client = world.Nobody();
        foreach (var email in new[] { await world.Register(), $"{Catalogue.Word()}@example.org", "no address", "" })
        {
            using var answer = await client.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email });
            ((int)answer.StatusCode).ShouldBe(200, email);
            (await answer.Body()).ShouldBe("");
        }
    }

    [Theory]
    [InlineData("rubbish")]
    [InlineData("")]
    [InlineData("Q2ZESjg")]
    public async Task A_wrong_reset_code_is_refused(string resetCode)
    {
        using var client = world.Nobody();
        foreach (var email in new[] { await world.Register(), $"{Catalogue.Word()}@example.org" })
        {
            (await client.Ask(HttpMethod.Post, "/api/auth/resetPassword", new { email, resetCode, newPassword = New })
                .ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf("resetCode");
        }
    }

    [Fact]
    public async Task A_changed_password_ends_every_other_session_at_once()
    {
        using var first = world.Nobody();
        using var second = world.Nobody();
        var email = await world.Register();
        var tokens = await first.Login(email);
        first.Bears(tokens);
        second.Bears(await second.Login(email));
        await using var stream = await LiveClient.Open(world.Address, tokens.Text("accessToken"));
        await first.Ask(HttpMethod.Get, "/api/me").Json();

        await second.Ask(HttpMethod.Post, "/api/auth/manage/info", new { oldPassword = Newcomers.Password, newPassword = New }).Json();

        await Waiting.Until(async () => (int)(await first.Ask(HttpMethod.Get, "/api/me")).StatusCode == 401, "the old token is refused");
        await first.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await first.Ask(HttpMethod.Post, "/api/auth/refresh", new { refreshToken = tokens.Text("refreshToken") })
            .ShouldRefuse(401, "UNAUTHENTICATED");
        await Waiting.Until(() => stream.Ended.IsCompleted, "the stream of the old session ends");
        first.Bears(await first.Login(email, New));
        await first.Ask(HttpMethod.Get, "/api/me").Json();
    }

    [Fact]
    public async Task A_session_is_good_from_the_moment_that_it_is_given()
    {
        using var client = world.Nobody();
        var (email, password) = (await world.Register(), Newcomers.Password);
        for (var i = 0; i < 20; i++)
        {
            client.Bears(await client.Login(email, password));
            await client.Ask(HttpMethod.Get, "/api/me").Json();
            var next = $"{New} {i}";
            await client.Ask(HttpMethod.Post, "/api/auth/manage/info", new { oldPassword = password, newPassword = next }).Json();
            password = next;
        }
    }

    [Fact]
    public async Task A_new_password_needs_the_old_one_and_keeps_the_rules()
    {
        using var client = world.Nobody();
        client.Bears(await client.Login(await world.Register()));
        (await client.Ask(HttpMethod.Get, "/api/auth/manage/info").Json()).GetProperty("isEmailConfirmed").GetBoolean().ShouldBeTrue();
        (await Change("", New)).ErrorOf("oldPassword");
        (await Change("not the password", New)).ErrorOf("oldPassword");
        (await Change(Newcomers.Password, "court")).ErrorOf("password");
        (await Change(Newcomers.Password, PasswordRules.Demo)).ErrorOf("password");
        await client.Ask(HttpMethod.Get, "/api/me").Json();

        Task<JsonElement> Change(string oldPassword, string newPassword) =>
            client.Ask(HttpMethod.Post, "/api/auth/manage/info", new { oldPassword, newPassword }).ShouldRefuse(400, "ACCOUNT_INVALID");
    }

    [Fact]
    public async Task A_confirmed_address_is_said_to_be()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        client.Bears(await client.Login(email));
        var info = await client.Ask(HttpMethod.Get, "/api/auth/manage/info").Json();
        info.Text("email").ShouldBe(email);
        info.GetProperty("isEmailConfirmed").GetBoolean().ShouldBeTrue();
    }
}
