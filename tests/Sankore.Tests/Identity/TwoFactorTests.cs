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
        var email = await client.Register();
        var (key, recovery) = await TurnOn(client, email);
        recovery.Count.ShouldBe(10);

        await Login(client, email, null).ShouldRefuse(401, "TWO_FACTOR_REQUIRED");
        await Login(client, email, Totp.Code(key, -20)).ShouldRefuse(401, "INVALID_CREDENTIALS");
        client.Bears(await Login(client, email, Totp.Code(key)).Json());
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(email);
    }

    [Fact]
    public async Task A_recovery_code_works_once()
    {
        using var client = world.Nobody();
        var email = await client.Register();
        var (_, recovery) = await TurnOn(client, email);
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
        var email = await client.Register();
        client.Bears(await client.Login(email));
        await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json();
        client.Bears(await client.Login(email));
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true, twoFactorCode = "000000" })
            .ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf("twoFactorCode");
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true }).ShouldRefuse(400, "ACCOUNT_INVALID"))
            .ErrorOf("twoFactorCode");
        await client.Login(email);
    }

    [Fact]
    public async Task It_can_be_turned_off_again()
    {
        using var client = world.Nobody();
        var email = await client.Register();
        var (key, _) = await TurnOn(client, email);
        client.Bears(await Login(client, email, Totp.Code(key)).Json());
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = false }).Json()).GetProperty("isTwoFactorEnabled")
            .GetBoolean().ShouldBeFalse();
        await client.Login(email);
    }

    [Fact]
    public async Task The_key_is_kept_encrypted()
    {
        using var client = world.Nobody();
        var email = await client.Register();
        var (key, _) = await TurnOn(client, email);
        (await world.Sql<string>("select authenticator_key from auth.users where email = @email", new { email })).ShouldNotContain(key);
        (await world.Sql<long>(
            "select count(*) from audit.audit_logs where coalesce(before::text, '') || coalesce(after::text, '') like '%' || @key || '%'",
            new { key })).ShouldBe(0);
    }

    // A new key and the switch itself each end the sessions before: sign in again in between.
    private static async Task<(string Key, IReadOnlyList<string> Recovery)> TurnOn(HttpClient client, string email)
    {
        client.Bears(await client.Login(email));
        var key = (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json()).Text("sharedKey");
        client.Bears(await client.Login(email));
        var on = await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { enable = true, twoFactorCode = Totp.Code(key) }).Json();
        on.GetProperty("isTwoFactorEnabled").GetBoolean().ShouldBeTrue();
        client.DefaultRequestHeaders.Authorization = null;
        return (key, [.. on.GetProperty("recoveryCodes").EnumerateArray().Select(c => c.GetString()!)]);
    }

    private static Task<HttpResponseMessage> Login(HttpClient client, string email, string? twoFactorCode) =>
        client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password, twoFactorCode });
}
