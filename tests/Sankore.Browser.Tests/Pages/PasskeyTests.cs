namespace Sankore.Browser.Tests.Pages;

/// <summary>Passkeys in a browser, with Chromium's virtual authenticator in place of a finger.</summary>
public sealed class PasskeyTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const string Password = "une phrase assez longue";

    // Browsers accept passkeys at a name only.
    private Uri Named => new UriBuilder(world.Address) { Host = "localhost" }.Uri;

    [Fact]
    public async Task One_is_added_and_signs_in_by_a_finger_on_a_telephone()
    {
        var (person, _) = await Newcomer(Look.Phone);
        await using var leaving = person;
        var page = person.Page;
        await Device.Plug(person);
        await Begin(page);
        await page.FillAsync("#name", "Mon téléphone");
        await page.PressAsync("#name", "Enter");
        // The list follows live before the answer is there, which would end a navigation.
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Créé.");
        await Expect(page.Locator(".feed b")).ToHaveTextAsync("Mon téléphone");
        await person.Context.ClearCookiesAsync();

        // A browser that offers nothing by itself.
        await page.AddInitScriptAsync("PublicKeyCredential.isConditionalMediationAvailable = async () => false");
        await page.GotoAsync("/login?returnUrl=%2Faccount%2Fpasskeys");
        await page.FillAsync("#email", "à moitié");
        await page.GetByRole(AriaRole.Button, new() { Name = "Utiliser une clé d’accès" }).TapAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Clés d’accès");
        await Expect(page.Locator(".feed small").Last).ToContainTextAsync("Dernière connexion");
        person.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_device_offers_it_where_the_address_is_typed()
    {
        var (person, _) = await Newcomer();
        await using var leaving = person;
        await Device.Plug(person);
        await Add(person.Page, "Bureau");
        await person.Context.ClearCookiesAsync();
        await person.Page.GotoAsync("/login");
        await Expect(person.Page.Locator("h1")).ToContainTextAsync("Bonjour");
    }

    [Fact]
    public async Task It_takes_the_place_of_the_code_wherever_one_is_asked_for()
    {
        var (person, email) = await Newcomer();
        await using var leaving = person;
        var (page, device) = (person.Page, await Device.Plug(person));
        await Add(page, "Bureau");
        await page.GotoAsync("/account");
        await Press(page, "Configurer");
        await page.FillAsync("#twofactor-password", Password);
        await Press(page, "Utiliser une clé d’accès");
        await Expect(page.Locator("li.code")).ToHaveCountAsync(10);
        await page.GotoAsync("/account/passkeys");
        await Expect(page.Locator(".feed .badge")).ToHaveTextAsync("Second facteur");

        await person.Context.ClearCookiesAsync();
        await device.Touch(false);
        await page.GotoAsync("/login");
        await SignIn(page, email);
        await Expect(page.Locator("h1")).ToHaveTextAsync("Code de vérification");
        await device.Touch(true);
        await Press(page, "Utiliser une clé d’accès");
        await Expect(page.Locator("h1")).ToContainTextAsync("Bonjour");

        await page.GotoAsync("/account");
        await page.FillAsync("#off-password", Password);
        await page.ClickAsync("form:has(#off-password) [data-passkey]");
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Modifié.");

        await page.GotoAsync("/account/passkeys");
        await AboutToRemove(page, "pas le bon");
        await Press(page, "Retirer", exact: true);
        await Expect(page.Locator("#proof-password-err")).ToHaveTextAsync("Ce n’est pas votre mot de passe actuel.");
        await page.FillAsync("#proof-password", Password);
        await Press(page, "Retirer", exact: true);
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Supprimé.");
        await Expect(page.Locator(".feed li")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task What_the_device_does_not_do_is_said_beside_the_button()
    {
        var (person, email) = await Newcomer();
        await using var leaving = person;
        var (page, device) = (person.Page, await Device.Plug(person));
        await Add(page, "Bureau");
        await Begin(page);
        await Press(page, "Créer la clé");
        await Expect(page.Locator("form small.err")).ToHaveTextAsync("Cet appareil a déjà une clé d’accès pour ce compte.");

        await person.Context.ClearCookiesAsync();
        await device.Forget();
        await page.GotoAsync("/login");
        await Press(page, "Utiliser une clé d’accès");
        await Expect(page.Locator("form small.err"))
            .ToHaveTextAsync("Rien n’a été choisi, ou cet appareil n’a pas de clé d’accès pour ce site.");
        await SignIn(page, email);
        await Expect(page.Locator("h1")).ToContainTextAsync("Bonjour");
    }

    [Fact]
    public async Task At_an_address_of_digits_the_page_says_where_to_go()
    {
        await using var person = await chrome.Open(world.Address, Cast.Teacher1);
        await person.Page.GotoAsync("/account/passkeys");
        await Expect(person.Page.Locator(".flash.warn a")).ToHaveAttributeAsync("href", new Uri(Named, "/account/passkeys").ToString());
        await Expect(person.Page.GetByRole(AriaRole.Button, new() { Name = "Continuer" })).ToBeDisabledAsync();
        await using var nobody = await chrome.Open(world.Address, null);
        await nobody.Page.GotoAsync("/login");
        await Expect(nobody.Page.Locator("[data-passkey]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_browser_without_passkeys_is_told_before_it_is_asked_for_a_password()
    {
        var (person, email) = await Newcomer();
        await using var leaving = person;
        var page = person.Page;
        await page.AddInitScriptAsync("delete window.PublicKeyCredential");
        await page.GotoAsync("/account/passkeys");
        await Expect(page.Locator("[data-passkey-missing]")).ToBeVisibleAsync();
        await person.Context.ClearCookiesAsync();
        await page.GotoAsync("/login");
        await Expect(page.Locator("[data-passkey]")).ToBeHiddenAsync();
        await SignIn(page, email);
        await Expect(page.Locator("h1")).ToContainTextAsync("Bonjour");
    }

    [Fact]
    public async Task One_that_another_tab_has_removed_already_is_said_to_be_gone()
    {
        var (person, _) = await Newcomer();
        await using var leaving = person;
        await Device.Plug(person);
        await Add(person.Page, "Bureau");
        await AboutToRemove(person.Page);
        var other = await person.Tab("/account/passkeys");
        await AboutToRemove(other);
        await Press(other, "Retirer", exact: true);
        await Expect(other.Locator(".flash.ok")).ToBeVisibleAsync();
        await Press(person.Page, "Retirer", exact: true);
        await Expect(person.Page.Locator(".flash.bad")).ToBeVisibleAsync();
    }

    private static async Task AboutToRemove(IPage page, string password = Password)
    {
        await page.GetByRole(AriaRole.Link, new() { Name = "Retirer…" }).ClickAsync();
        await page.FillAsync("#proof-password", password);
    }

    private static async Task SignIn(IPage page, string email)
    {
        await page.FillAsync("#email", email);
        await page.FillAsync("#password", Password);
        await Press(page, "Se connecter", exact: true);
    }

    private static async Task Begin(IPage page)
    {
        await page.GotoAsync("/account/passkeys");
        await page.FillAsync("#proof-password", Password);
        await Press(page, "Continuer");
    }

    private static async Task Add(IPage page, string name)
    {
        await Begin(page);
        await page.FillAsync("#name", name);
        await Press(page, "Créer la clé");
        await Expect(page.Locator(".flash.ok")).ToHaveTextAsync("Créé.");
    }

    private static Task Press(IPage page, string name, bool exact = false) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = exact }).ClickAsync();

    private async Task<(Person Person, string Email)> Newcomer(Look? look = null)
    {
        var email = await world.Register(Password);
        var person = await chrome.Open(Named, null, look);
        await person.SignIn(email, Password);
        return (person, email);
    }

    /// <summary>Chromium's virtual authenticator, over its debugging protocol.</summary>
    private sealed class Device(ICDPSession wire, string id)
    {
        public static async Task<Device> Plug(Person person)
        {
            var wire = await person.Context.NewCDPSessionAsync(person.Page);
            await wire.SendAsync("WebAuthn.enable");
            var made = await wire.SendAsync("WebAuthn.addVirtualAuthenticator", new()
            {
                ["options"] = new Dictionary<string, object>
                {
                    ["protocol"] = "ctap2",
                    ["transport"] = "internal",
                    ["hasResidentKey"] = true,
                    ["hasUserVerification"] = true,
                    ["isUserVerified"] = true,
                    ["automaticPresenceSimulation"] = true,
                },
            });
            return new Device(wire, made!.Value.GetProperty("authenticatorId").GetString()!);
        }

        /// <summary>Whether somebody touches it as soon as it asks.</summary>
        public async Task Touch(bool enabled) => await wire.SendAsync(
            "WebAuthn.setAutomaticPresenceSimulation", new() { ["authenticatorId"] = id, ["enabled"] = enabled });

        /// <summary>Its passkeys are gone.</summary>
        public async Task Forget() => await wire.SendAsync("WebAuthn.clearCredentials", new() { ["authenticatorId"] = id });
    }
}
