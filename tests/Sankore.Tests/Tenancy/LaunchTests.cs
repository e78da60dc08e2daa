using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sankore.Tests.Tenancy;

/// <summary>A module that is an application of its own learns who opens it, from a token that it checks itself (docs/modules.md).</summary>
public sealed class LaunchTests(World world) : IClassFixture<World>
{
    private const string Audience = "https://annonces.exemple.cg";

    [Fact]
    public async Task An_application_lets_in_whom_the_token_names_and_once()
    {
        await using var application = await Application(Audience);
        var token = await Token("annonces");

        using var visitor = new HttpClient { BaseAddress = World.AddressOf(application) };
        var told = JsonElement.Parse(await visitor.GetStringAsync($"/?token={token}"));

        told.Text("sub").ShouldBe((await world.IdOf(Cast.HeadOnPremium)).ToString());
        told.Text("email").ShouldBe(Cast.HeadOnPremium);
        told.Text("name").ShouldBe("Orel Mboungou");
        told.Text("module").ShouldBe("annonces");
        told.GetProperty("rights").EnumerateArray().Select(r => r.GetString()).ShouldBe(["read", "write", "delete", "export"]);
        var place = told.GetProperty("places").EnumerateArray().ShouldHaveSingleItem();
        place.Text("role").ShouldBe("head");
        place.GetProperty("group").Text("code").ShouldBe("g001");
        place.GetProperty("school").Text("code").ShouldBe("s0001");
        (await visitor.GetAsync($"/?token={token}")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, "it was used");
    }

    [Fact]
    public async Task A_token_for_another_application_or_changed_or_over_lets_nobody_in()
    {
        await using var other = await Application("https://messagerie-interne.exemple.cg");
        await using var application = await Application(Audience);
        var token = await Token("annonces");

        (await Ask(other, token)).ShouldBe(HttpStatusCode.Unauthorized);
        (await Ask(application, token[..^6] + "AAAAAA")).ShouldBe(HttpStatusCode.Unauthorized);
        await using var late = await Application(Audience, DateTime.UtcNow.AddSeconds(61));
        (await Ask(late, token)).ShouldBe(HttpStatusCode.Unauthorized);
        (await Ask(application, token)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Whoever_has_not_got_the_module_gets_no_token()
    {
        using var browser = await SignedIn(Cast.HeadOnGratuit);
        (await browser.Get("/m/annonces/open")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await browser.Get("/m/nulle-part/open")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var head = await SignedIn(Cast.HeadOnPremium);
        (await head.Get("/m/campagnes/open")).StatusCode.ShouldBe(HttpStatusCode.NotFound, "it has pages here");
        (await head.Get("/m/campagnes")).Headers.Location!.OriginalString.ShouldEndWith("/campaigns");
    }

    [Fact]
    public async Task The_page_of_a_module_says_why_it_is_not_open()
    {
        using var gratuit = await SignedIn(Cast.HeadOnGratuit);
        WebUtility.HtmlDecode(await gratuit.Page("/m/annonces"))
            .ShouldContain("Le plan Gratuit n’inclut pas le module «\u00a0Annonces\u00a0»");
        using var head = await SignedIn(Cast.HeadOnPremium);
        await world.Execute("update tenancy.modules set is_built = false where code = 'inventaire'");
        WebUtility.HtmlDecode(await head.Page("/m/inventaire")).ShouldContain("Bientôt");
        (await head.Page("/plan")).ShouldContain("Inventaire");
        (await head.Get("/m/nulle-part")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_key_is_followed_by_another_that_is_shown_before_it_signs()
    {
        var first = Kid(await Token("annonces"));
        await world.Execute("update auth.signing_keys set created_at = now() - interval '91 days'");

        Kid(await Token("annonces")).ShouldBe(first, "the new one is known to nobody yet");
        var keys = await Keys();
        keys.Count.ShouldBe(2);
        await world.Execute("update auth.signing_keys set created_at = created_at - interval '61 minutes'");
        var second = Kid(await Token("annonces"));
        second.ShouldNotBe(first);
        keys.Select(k => k.Text("kid")).ShouldBe([second, first], ignoreOrder: true);
        await Should.ThrowAsync<Npgsql.PostgresException>(
            async () => await world.AsRole<Guid>("authenticated", await world.IdOf(Cast.Super), "select id from auth.signing_keys"));
    }

    private async Task<Browser> SignedIn(string email)
    {
        var browser = new Browser(world.Address);
        (await browser.SignIn(email, Sankore.Identity.PasswordRules.Demo)).StatusCode.ShouldBe(HttpStatusCode.Found);
        return browser;
    }

    private static string Kid(string token) => new JsonWebToken(token).Kid;

    private async Task<List<JsonElement>> Keys()
    {
        using var nobody = world.Nobody();
        return [.. JsonElement.Parse(await nobody.GetStringAsync("/.well-known/jwks.json")).GetProperty("keys").EnumerateArray()];
    }

    /// <summary>The token that the browser of the head of school 1 is sent away with.</summary>
    private async Task<string> Token(string module)
    {
        using var browser = await SignedIn(Cast.HeadOnPremium);
        using var answer = await browser.Get($"/m/{module}/open");
        answer.StatusCode.ShouldBe(HttpStatusCode.Found);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        answer.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
        var address = answer.Headers.Location!.OriginalString;
        address.ShouldStartWith($"https://{module}.exemple.cg/?token=");
        return address[(address.IndexOf('=', StringComparison.Ordinal) + 1)..];
    }

    private static async Task<HttpStatusCode> Ask(WebApplication application, string token)
    {
        using var visitor = new HttpClient { BaseAddress = World.AddressOf(application) };
        return (await visitor.GetAsync($"/?token={token}")).StatusCode;
    }

    /// <summary>A small application that knows of us nothing but the address of our keys.</summary>
    private async Task<WebApplication> Application(string origin, DateTime? now = null)
    {
        var used = new ConcurrentDictionary<string, bool>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/", async (string token) =>
        {
            using var client = new HttpClient();
            var keys = new JsonWebKeySet(await client.GetStringAsync(new Uri(world.Address, "/.well-known/jwks.json")));
            var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
            {
                ValidIssuer = Issuer,
                ValidAudience = origin,
                IssuerSigningKeys = keys.GetSigningKeys(),
                ValidAlgorithms = ["ES256"],
                ClockSkew = TimeSpan.Zero,
                LifetimeValidator = (from, to, _, _) => from <= DateTime.UtcNow.AddSeconds(1) && to > (now ?? DateTime.UtcNow),
            });
            return result.IsValid && used.TryAdd((string)result.Claims["jti"], true)
                ? Results.Content(Base64UrlEncoder.Decode(((JsonWebToken)result.SecurityToken).EncodedPayload), "application/json")
                : Results.Unauthorized();
        });
        await app.StartAsync();
        return app;
    }

    // What links in mails begin with, too.
    private string Issuer => world.App.Services.GetService(typeof(Sankore.Platform.Web.AppAddress)) is Sankore.Platform.Web.AppAddress a
        ? a.Base.GetLeftPart(UriPartial.Authority) : "";
}
