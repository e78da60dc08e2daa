using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Rbac;

namespace Sankore.Tests.Support;

/// <summary>Inviting people into groups, and what they do with the link.</summary>
public static class Hiring
{
    /// <summary>Asks to invite somebody.</summary>
    public static Task<HttpResponseMessage> Hire(
        this HttpClient client, Guid group, string? email, Guid? school, string? role = "teacher", string? name = "Amina Nkounkou") =>
        client.Ask(HttpMethod.Post, $"/api/groups/{group}/staff", new { email, name, role, schoolId = school });

    /// <summary>What came of inviting somebody: created, placed, invited, unchanged.</summary>
    public static async Task<(int Created, int Placed, int Invited, int Unchanged)> Hired(this Task<HttpResponseMessage> asked)
    {
        var answer = await asked.Json();
        return (Number("created"), Number("placed"), Number("invited"), Number("unchanged"));

        int Number(string name) => answer.GetProperty(name).GetInt32();
    }

    /// <summary>The people of a group, as somebody sees them.</summary>
    public static async Task<IReadOnlyList<JsonElement>> StaffOf(this HttpClient client, Guid group, string query = "?size=100") =>
        [.. (await client.Ask(HttpMethod.Get, $"/api/groups/{group}/staff{query}").Json()).GetProperty("items").EnumerateArray()];

    /// <summary>Somebody's one place in a group.</summary>
    public static async Task<JsonElement> PlaceOf(this HttpClient client, Guid group, string email) =>
        (await client.StaffOf(group)).Where(s => s.Text("email") == email).ShouldHaveSingleItem();

    /// <summary>Asks to change a place.</summary>
    public static Task<HttpResponseMessage> ChangePlace(this HttpClient client, JsonElement place, object body, string? ifMatch = null) =>
        client.Ask(
            HttpMethod.Put, $"/api/memberships/{place.GetProperty("membershipId").GetGuid()}", body, ifMatch
            ?? $"\"{place.GetProperty("version").GetInt32()}\"");

    /// <summary>The link that somebody got by mail.</summary>
    public static async Task<string> LinkOf(this World world, string email) => (await world.MailTo(email, "/setup")).Link("/setup");

    /// <summary>The token of a link.</summary>
    public static string Token(string link) => link.Split("token=")[1];

    /// <summary>Does something with a link.</summary>
    public static async Task Invite(this World world, Func<AcceptedInvitations, Task> act)
    {
        await using var scope = world.App.Services.CreateAsyncScope();
        await act(scope.ServiceProvider.GetRequiredService<AcceptedInvitations>());
    }
}
