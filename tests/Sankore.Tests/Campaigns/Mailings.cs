using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sankore.Tests.Campaigns;

/// <summary>Campaigns as one line each.</summary>
internal static class Mailings
{
    public const string Api = "/api/campaigns";

    /// <summary>Contacts of a person, with a tag and a segment of their own, whose id it gives.</summary>
    public const string ContactsSql = """
        with organizations as (
          insert into campaigns.organizations (user_id, name) select u.id, 'Org ' || @word || ' ' || i
          from auth.users u, generate_series(0, least(@count, 20) - 1) i where u.email = @email returning id, name, user_id),
        contacts as (
          insert into campaigns.contacts (user_id, email, name, organization_id, organization_name, tags)
          select o.user_id, @word || '.' || i || '@exemple' || i % 5 || '.cg', 'Personne ' || i, o.id, o.name, array[@word]
          from generate_series(0, @count - 1) i join organizations o on o.name = 'Org ' || @word || ' ' || i % 20)
        insert into campaigns.segments (user_id, name, filter) select id, @word, jsonb_build_object('tags', array[@word]) from auth.users
        where email = @email returning id
        """;

    /// <summary>Contacts of a person; their segment.</summary>
    public static Task<Guid> Contacts(this World world, string email, string word, int count) =>
        world.Sql<Guid>(ContactsSql, new { email, word, count });

    /// <summary>A draft to a segment.</summary>
    public static Task<JsonElement> Draft(
        this HttpClient client, string name, Guid segment, string content = "<p>Bonjour {{contact.name}} de {{organization.name}}</p>",
        string subject = "Pour {{contact.name}}") =>
            client.Ask(HttpMethod.Post, Api, new { name, subject, content, audience = new { kind = "segment", segmentId = segment } })
            .Json(201);

    public static Task<HttpResponseMessage> Act(this HttpClient client, JsonElement campaign, string act, object? body = null) =>
        client.Ask(HttpMethod.Post, $"{Api}/{campaign.Id()}/{act}", body);

    public static Task<JsonElement> Figures(this HttpClient client, JsonElement campaign) =>
        client.Ask(HttpMethod.Get, $"{Api}/{campaign.Id()}/analytics").Json();

    /// <summary>Waits until a campaign is in a state; its figures then.</summary>
    public static async Task<JsonElement> Until(this HttpClient client, JsonElement campaign, string status, int seconds = 60)
    {
        JsonElement figures = default;
        await Waiting.Until(
            async () => (figures = await client.Figures(campaign)).Text("status") == status, $"the campaign is {status}", seconds);
        return figures;
    }

    /// <summary>A time to schedule at, as many days from now.</summary>
    public static object InDays(int days) => new
    {
        at = DateTime.UtcNow.AddDays(days).ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture),
        timeZone = "UTC",
    };

    public static int Number(this JsonElement figures, string name) => figures.GetProperty(name).GetInt32();

    /// <summary>The message's id, out of its Message-ID.</summary>
    public static Guid MessageId(string mail) =>
        Guid.Parse(Regex.Match(mail, "^Message-ID: <([0-9a-f-]{36})@", RegexOptions.Multiline | RegexOptions.IgnoreCase).Groups[1].Value);
}
