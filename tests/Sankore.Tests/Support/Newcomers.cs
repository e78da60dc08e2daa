using System.Net.Http.Headers;
using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>People who register for one test.</summary>
public static class Newcomers
{
    /// <summary>A password that is nobody else's.</summary>
    public const string Password = "un mot de passe à moi";

    /// <summary>A client signed in as somebody who has just registered.</summary>
    public static async Task<HttpClient> Newcomer(this World world)
    {
        var client = world.Nobody();
        var email = await client.Register();
        client.Bears(await client.Login(email));
        return client;
    }

    /// <summary>Registers an account; its address.</summary>
    public static async Task<string> Register(this HttpClient client, string password = Password)
    {
        var email = $"{Catalogue.Word()}@example.org";
        await client.Ask(HttpMethod.Post, "/api/auth/register", new { email, password }).Json();
        return email;
    }

    /// <summary>Signs in; the tokens.</summary>
    public static Task<JsonElement> Login(this HttpClient client, string email, string password = Password) =>
        client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password }).Json();

    /// <summary>Uses the tokens from now on.</summary>
    public static void Bears(this HttpClient client, JsonElement tokens) =>
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("accessToken"));
}
