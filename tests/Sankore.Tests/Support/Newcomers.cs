using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Identity;

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
        client.Bears(await client.Login(await world.Register()));
        return client;
    }

    /// <summary>An account as registering leaves it once the link was followed; its address.</summary>
    public static async Task<string> Register(
        this World world, string password = Password, bool isProved = true, string? email = null)
    {
        email ??= $"{Catalogue.Word()}@example.org";
        await using var scope = world.App.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Account>>();
        (await users.CreateAsync(new Account { Email = email, UserName = email, EmailConfirmed = isProved }, password)).Check();
        return email;
    }

    /// <summary>Signs in; the tokens.</summary>
    public static Task<JsonElement> Login(this HttpClient client, string email, string password = Password) =>
        client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password }).Json();

    /// <summary>Uses the tokens from now on.</summary>
    public static void Bears(this HttpClient client, JsonElement tokens) =>
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("accessToken"));
}
