using System.Text;

namespace Sankore.Tests.Identity;

/// <summary>The second factor (RFC 6238), end to end through <c>/api/auth/manage/2fa</c>.</summary>
public sealed class TwoFactorTests(World world) : IClassFixture<World>
{
    // RFC 6238, appendix B, cut to six digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(2000000000, "279037")]
    public void The_tests_own_authenticator_keeps_to_the_standard(long seconds, string code) =>
        Totp.At(Encoding.ASCII.GetBytes("12345678901234567890"), seconds / 30).ShouldBe(code);

    [Fact]
    public async Task A_second_factor_is_asked_for_once_it_is_on()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        var (key, used, recovery) = await TurnOn(client, email);
        recovery.Count.ShouldBe(10);

        await Login(client, email, null).ShouldRefuse(401, "TWO_FACTOR_REQUIRED");
        await Login(client, email, Totp.Code(key, -20)).ShouldRefuse(401, "INVALID_CREDENTIALS");
        await Login(client, email, used).ShouldRefuse(401, "INVALID_CREDENTIALS");
        var next = Totp.Code(key, 1);
        client.Bears(await Login(client, email, next).Json());
        await Login(client, email, next).ShouldRefuse(401, "INVALID_CREDENTIALS");
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
    }

    [Fact]
    public async Task A_recovery_code_works_once()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        var (_, _, recovery) = await TurnOn(client, email);
        await Recover(recovery[3]).Json();
        await Recover(recovery[3]).ShouldRefuse(401, "INVALID_CREDENTIALS");
        await Recover(recovery[4]).Json();
        var kept = await world.Sql<string>(
            "select authenticator_key || array_to_string(recovery_codes, ' ') from auth.users where email = @email", new { email });
        recovery.ShouldAllBe(code => !kept.Contains(code));

        Task<HttpResponseMessage> Recover(string twoFactorRecoveryCode) =>
            client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password, twoFactorRecoveryCode });
    }

    [Fact]
    public async Task A_wrong_code_does_not_turn_it_on()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        client.Bears(await client.Login(email));
        var key = (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).Text("sharedKey");
        client.Bears(await client.Login(email));
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true, twoFactorCode = "000000", Newcomers.Password })
            .ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf("twoFactorCode");
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true }).ShouldRefuse(400, "ACCOUNT_INVALID"))
            .ErrorOf("twoFactorCode");
        // A session that was left open is not enough to lock its owner out.
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true, twoFactorCode = Totp.Code(key) })
            .ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf("oldPassword");
        await client.Login(email);
    }

    [Fact]
    public async Task Reading_the_key_ends_no_session_and_nobody_reads_it_once_it_is_on()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        client.Bears(await client.Login(email));
        var first = (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).Text("sharedKey");
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).Text("sharedKey").ShouldBe(first);
        await client.Ask(HttpMethod.Get, "/api/me").Json();
        var (key, _, _) = await TurnOn(client, email);
        client.Bears(await Login(client, email, Totp.Code(key, 1)).Json());
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).GetProperty("sharedKey").GetString().ShouldBeNull();
    }

    [Fact]
    public async Task What_changes_how_one_signs_in_asks_for_the_password_and_the_factor_again()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        var (key, _, recovery) = await TurnOn(client, email);
        client.Bears(await Login(client, email, Totp.Code(key, 1)).Json());
        object[] changes =
        [
            new { enable = false }, new { resetRecoveryCodes = true }, new { newPassword = "une autre phrase" },
                new { newEmail = "new@example.org" },
        ];
        foreach (var change in changes)
        {
            var path = change.GetType().GetProperties()[0].Name.StartsWith("new", StringComparison.Ordinal) ? "info" : "2fa";
            foreach (var (password, code, field) in new[]
            {
                (null, null, "oldPassword"), ("not the password", recovery[0], "oldPassword"),
                (Newcomers.Password, null, "twoFactorCode"), (Newcomers.Password, "000000", "twoFactorCode"),
            })
            {
                await world.Execute("delete from auth.attempts");
                (await client.Ask(HttpMethod.Post, $"/api/auth/manage/{path}", Proved(change, password, code))
                    .ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf(field);
            }
        }
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", Proved(changes[0], Newcomers.Password, recovery[0])).Json())
            .GetProperty("isTwoFactorEnabled").GetBoolean().ShouldBeFalse();
        await client.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await client.Login(email);
    }

    [Fact]
    public async Task A_new_address_is_the_accounts_once_its_own_link_is_followed()
    {
        using var client = world.Nobody();
        var (email, next) = (await world.Register(), $"{Catalogue.Word()}@example.org");
        client.Bears(await client.Login(email));
        await client.Ask(HttpMethod.Post, "/api/auth/manage/info", new { newEmail = next, oldPassword = Newcomers.Password }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/manage/info", new { newEmail = Cast.Super, oldPassword = Newcomers.Password }).Json();
        var link = (await world.MailTo(next, "/confirm")).Query("/confirm");
        (string? userId, string? code) = (link["user"], link["code"]);
        await client.Ask(HttpMethod.Post, "/api/auth/confirmEmail", new { userId, email = "another@example.org", code }).ShouldRefuse(410,
            "LINK_INVALID");
        await client.Ask(HttpMethod.Post, "/api/auth/confirmEmail", new { userId, email = next, code }).Json(204);
        await client.Ask(HttpMethod.Post, "/api/auth/confirmEmail", new { userId, email = next, code }).ShouldRefuse(410, "LINK_INVALID");
        using var after = world.Nobody();
        await after.Login(next);
        await after.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password }).ShouldRefuse(401,
            "INVALID_CREDENTIALS");
        (await world.Sql<string>("select email from public.profiles where id = @id::uuid", new { id = userId })).ShouldBe(next);
    }

    [Fact]
    public async Task The_key_is_kept_encrypted()
    {
        using var client = world.Nobody();
        var email = await world.Register();
        var (key, _, _) = await TurnOn(client, email);
        (await world.Sql<string>("select authenticator_key from auth.users where email = @email", new { email })).ShouldNotContain(key);
        (await world.Sql<long>(
            "select count(*) from audit.audit_logs where coalesce(before::text, '') || coalesce(after::text, '') like '%' || @key || '%'",
            new { key })).ShouldBe(0);
    }

    private static Dictionary<string, object?> Proved(object change, string? password, string? code) => change.GetType().GetProperties()
        .ToDictionary(p => p.Name, p => p.GetValue(change)).Append(KeyValuePair.Create("oldPassword", (object?)password))
        .Append(KeyValuePair.Create("password", (object?)password)).Append(KeyValuePair.Create("twoFactorCode",
            (object?)code)).ToDictionary();

    private static async Task<(string Key, string Used, IReadOnlyList<string> Recovery)> TurnOn(HttpClient client, string email)
    {
        client.Bears(await client.Login(email));
        var key = (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).Text("sharedKey");
        var used = Totp.Code(key);
        var on = await client.Ask(
            HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true, twoFactorCode = used, Newcomers.Password }).Json();
        on.GetProperty("isTwoFactorEnabled").GetBoolean().ShouldBeTrue();
        client.DefaultRequestHeaders.Authorization = null;
        return (key, used, [.. on.GetProperty("recoveryCodes").EnumerateArray().Select(c => c.GetString()!)]);
    }

    private static Task<HttpResponseMessage> Login(HttpClient client, string email, string? twoFactorCode) =>
        client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password, twoFactorCode });
}
