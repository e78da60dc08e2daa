using System.Buffers.Binary;
using System.Security.Cryptography;
using Sankore.Identity;

namespace Sankore.Browser.Tests.Pages;

/// <summary>Two-step verification, as a person sets it up and signs in with it.</summary>
public sealed class TwoStepTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    [Fact]
    public async Task Once_set_up_a_code_or_a_recovery_code_is_asked_for()
    {
        await using var person = await chrome.Open(world.Address, Cast.HeadOnEssentiel);
        var page = person.Page;
        await page.GotoAsync("/account");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Configurer" }).ClickAsync();
        var key = (await page.Locator(".kv .code").TextContentAsync())!.Replace(" ", "", StringComparison.Ordinal);
        await page.FillAsync("#twofactor-password", PasswordRules.Demo);
        await page.FillAsync("#twoFactorCode", "000000");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Activer" }).ClickAsync();
        await Expect(page.Locator("#twoFactorCode-err")).ToHaveTextAsync("Ce code ne convient pas.");
        (await page.Locator(".kv .code").TextContentAsync())!.Replace(" ", "", StringComparison.Ordinal).ShouldBe(key);
        await page.FillAsync("#twofactor-password", PasswordRules.Demo);
        await page.FillAsync("#twoFactorCode", Code(key));
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Activer" }).ClickAsync();
        await Expect(page.Locator("li.code")).ToHaveCountAsync(10);
        var recovery = await page.Locator("li.code").AllTextContentsAsync();

        await using var phone = await chrome.Open(world.Address, null);
        await FirstStep(phone.Page);
        await phone.Page.FillAsync("#value", "000000");
        await phone.Page.ClickAsync("button.primary");
        await Expect(phone.Page.Locator(".flash.bad"))
            .ToHaveTextAsync("Ce compte demande un code de vérification : saisissez un code valable.");
        // The code that turned it on has done its work.
        await phone.Page.FillAsync("#value", Code(key, 1));
        await phone.Page.ClickAsync("button.primary");
        await Expect(phone.Page.Locator("h1")).ToContainTextAsync("Bonjour");

        await using var lost = await chrome.Open(world.Address, null);
        await FirstStep(lost.Page);
        await lost.Page.FillAsync("#value", recovery[0]);
        await lost.Page.ClickAsync("button.primary");
        await Expect(lost.Page.Locator("h1")).ToContainTextAsync("Bonjour");

        await TurnOff(lost.Page, recovery[1]);
        await using var again = await chrome.Open(world.Address, Cast.HeadOnEssentiel);
        await again.Watch("/");
    }

    private static async Task TurnOff(IPage page, string code)
    {
        await page.GotoAsync("/account");
        await page.FillAsync("#off-password", PasswordRules.Demo);
        await page.FillAsync("#off-code", code);
        await page.ClickAsync("form:has(#off-code) button.danger");
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Modifié.");
    }

    private static async Task FirstStep(IPage page)
    {
        await page.GotoAsync("/login");
        await page.FillAsync("#email", Cast.HeadOnEssentiel);
        await page.FillAsync("#password", PasswordRules.Demo);
        await page.ClickAsync("button.primary");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Code de vérification");
    }

    /// <summary>RFC 6238, as an authenticator app computes it.</summary>
    private static string Code(string key, int steps = 0)
    {
        var bits = string.Concat(key.Select(c => Convert.ToString(Base32.IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        var secret = Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2)).ToArray();
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30 + steps);
#pragma warning disable CA5350 // The standard says SHA-1.
        var hash = HMACSHA1.HashData(secret, counter);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 0xf, 4)) & 0x7fffffff;
        return (number % 1_000_000).ToString("000000", System.Globalization.CultureInfo.InvariantCulture);
    }
}
