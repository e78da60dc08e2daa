using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// What waits follows the person: to a corrected address, into merged contacts and organisations, and nowhere once they are gone.
/// </summary>
public sealed class FollowingTests(World world) : IClassFixture<World>
{
    private const string Email = Cast.HeadOnPremium;

    [Fact]
    public async Task What_waits_for_a_contact_follows_a_corrected_address_and_ends_with_a_deleted_one()
    {
        using var client = await world.As(Email);
        var (campaign, word, contacts) = await PausedTo(client, 3);
        var (gone, moved) = (contacts[0].Id(), contacts[1].Id());
        await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/contacts/{gone}").Json(204);
        await client.Ask(HttpMethod.Put, $"{Mailings.Api}/contacts/{moved}", new
        {
            email = $"corrected.{word}@exemple.cg",
            name = "Nouveau Nom",
            tags = new[] { word },
            version = 1,
        }).Json();

        await client.Act(campaign, "resume").Json();
        var figures = await client.Until(campaign, "sent");
        (figures.Number("written"), figures.Number("suppressed")).ShouldBe((2, 1));
        (await Written(campaign)).ShouldContain($"\"Nouveau Nom\" <corrected.{word}@exemple.cg>");
    }

    [Fact]
    public async Task Merged_contacts_get_what_waits_for_them_once()
    {
        using var client = await world.As(Email);
        var (campaign, _, contacts) = await PausedTo(client, 4);
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts/{contacts[0].Id()}/merge",
            new { ids = new[] { contacts[1].Id(), contacts[2].Id() } }).Json();
        await client.Act(campaign, "resume").Json();
        (await client.Until(campaign, "sent")).Number("written").ShouldBe(2);
        (await Written(campaign)).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_contact_that_takes_the_place_of_a_deleted_one_gets_what_waits()
    {
        using var client = await world.As(Email);
        var (campaign, word, contacts) = await PausedTo(client, 2);
        var address = contacts[0].Text("email");
        await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/contacts/{contacts[0].Id()}").Json(204);
        await Move(client, contacts[1].Id(), address, word, 1);
        await client.Act(campaign, "resume").Json();
        (await client.Until(campaign, "sent")).Number("written").ShouldBe(1);
        (await Written(campaign)).ShouldHaveSingleItem().ShouldContain(address);
    }

    [Theory]
    [InlineData("sent", 0), InlineData("sending", 0), InlineData("bounced", 1)]
    public async Task Who_has_it_already_in_one_of_two_merged_contacts_gets_no_other(string other, int sent)
    {
        using var client = await world.As(Email);
        var (campaign, _, contacts) = await PausedTo(client, 2);
        await world.Execute(
            "update campaigns.emails_sent set status = 'sending' where contact_id = @id; update campaigns.emails_sent set status = @other"
            + " where contact_id = @id and status <> @other", new { id = contacts[1].Id(), other });
        await client.Ask(
            HttpMethod.Post, $"{Mailings.Api}/contacts/{contacts[0].Id()}/merge", new { ids = new[] { contacts[1].Id() } }).Json();
        await client.Act(campaign, "resume").Json();
        await client.Until(campaign, "sent");
        (await Written(campaign)).Length.ShouldBe(sent);
    }

    [Fact]
    public async Task What_was_in_hand_follows_its_contact_when_it_is_put_back()
    {
        using var client = await world.As(Email);
        var (campaign, word, contacts) = await PausedTo(client, 6);
        await world.Execute("update campaigns.emails_sent set status = 'sending' where campaign_id = @id", new { id = campaign.Id() });
        await client.Ask(HttpMethod.Delete, $"{Mailings.Api}/contacts/{contacts[0].Id()}").Json(204);
        await Move(client, contacts[1].Id(), $"corrected.{word}@exemple.cg", word, 1);
        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts/{contacts[2].Id()}/merge", new { ids = new[] { contacts[3].Id() } })
            .Json();
        // Two of which only the messages are left, in the hand of one that has none.
        await world.Execute(
            "update campaigns.emails_sent set contact_id = @to where contact_id = any (@of); delete from campaigns.emails_sent where"
            + " contact_id = @to and recipient_email = @own", new
            {
                to = contacts[4].Id(),
                of = new[] { contacts[5].Id(), contacts[2].Id() },
                own = contacts[4].Text("email"),
            });
        await world.Execute("update campaigns.emails_sent set status = 'pending' where campaign_id = @id", new { id = campaign.Id() });

        await client.Act(campaign, "resume").Json();
        await client.Until(campaign, "sent");
        (await Written(campaign)).Select(to => to.Split('<')[^1].TrimEnd('>')).ShouldBe(
            new[] { $"corrected.{word}@exemple.cg", contacts[4].Text("email") }, ignoreOrder: true);
    }

    [Fact]
    public async Task A_merged_organisation_stands_for_the_others_wherever_they_were_chosen()
    {
        using var client = await world.As(Email);
        var word = Catalogue.Word();
        var ids = new List<Guid>();
        foreach (var name in new[] { "A", "B", "C" })
        {
            ids.Add((await client.Ask(HttpMethod.Post, $"{Mailings.Api}/contacts", new
            {
                email = $"{word}.{name}@exemple.cg",
                organization = $"{word} {name}",
            }).Json(201)).GetProperty("organizationId").GetGuid());
        }
        var segment = (await client.Ask(HttpMethod.Post, $"{Mailings.Api}/segments", new
        {
            name = word,
            filter = new { organizationIds = ids[1..] },
        }).Json(201)).Id();
        var draft = await ToOrganizations(client, word, ids);
        var scheduled = await ToOrganizations(client, word, [ids[1]]);
        var other = await ToOrganizations(client, word, [ids[2]]);
        await client.Act(scheduled, "schedule", Mailings.InDays(2)).Json();

        await client.Ask(HttpMethod.Post, $"{Mailings.Api}/organizations/{ids[0]}/merge", new { ids = new[] { ids[1] } }).Json();

        (await Chosen(client, $"/segments/{segment}", "filter")).ShouldBe(new[] { ids[0], ids[2] }, ignoreOrder: true);
        (await Chosen(client, $"/{draft.Id()}", "audience")).ShouldBe(new[] { ids[0], ids[2] }, ignoreOrder: true);
        (await Chosen(client, $"/{other.Id()}", "audience")).ShouldBe([ids[2]]);
        (await Chosen(client, $"/{scheduled.Id()}", "audience")).ShouldBe([ids[0]]);
        var after = await client.Ask(HttpMethod.Get, $"{Mailings.Api}/{scheduled.Id()}").Json();
        (after.Text("status"), after.GetProperty("scheduledAt").ValueKind).ShouldBe(("scheduled", JsonValueKind.String));
    }

    /// <summary>To whom a campaign's messages went.</summary>
    private async Task<string[]> Written(JsonElement campaign) =>
        [.. (await world.Rows<Guid>($"select id from campaigns.emails_sent where campaign_id = '{campaign.Id()}'"))
            .Select(id => Path.Combine(world.OutboxFolder, $"{id}.eml")).Where(File.Exists)
            .Select(path => ReadMail.In(path).To.ToString())];

    private static Task<JsonElement> ToOrganizations(HttpClient client, string name, IEnumerable<Guid> organizationIds) => client.Ask(
        HttpMethod.Post, Mailings.Api, new
        {
            name,
            subject = "a",
            content = "b",
            audience = new { kind = "organizations", organizationIds },
        }).Json(201);

    private static async Task<Guid[]> Chosen(HttpClient client, string path, string property) =>
        [.. (await client.Ask(HttpMethod.Get, Mailings.Api + path).Json()).GetProperty(property).GetProperty("organizationIds")
            .EnumerateArray().Select(id => id.GetGuid())];

    private static Task<JsonElement> Move(HttpClient client, Guid contact, string email, string tag, int version) => client.Ask(
        HttpMethod.Put, $"{Mailings.Api}/contacts/{contact}", new { email, tags = new[] { tag }, version }).Json();

    /// <summary>
    /// A paused campaign to so many contacts, tagged with its name and in the order of their addresses; none of its messages has left.
    /// </summary>
    private async Task<(JsonElement Campaign, string Word, JsonElement Contacts)> PausedTo(HttpClient client, int count)
    {
        var word = Catalogue.Word();
        var campaign = await client.Draft(word, await world.Contacts(Email, word, count));
        await world.Execute("update util.job_queue set status = 'failed' where status = 'pending'");
        await client.Act(campaign, "schedule", Mailings.InDays(1)).Json();
        await world.Execute(
            "update campaigns.email_campaigns set status = 'sending', started_at = now() where id = @id;"
            + " update campaigns.email_campaigns set status = 'paused' where id = @id;"
            + " insert into campaigns.emails_sent (user_id, campaign_id, contact_id, recipient_email) select k.user_id, @id, k.id, k.email"
            + " from campaigns.contacts k join campaigns.email_campaigns c on c.user_id = k.user_id where c.id = @id and k.tags && array["
            + " c.name]", new { id = campaign.Id() });
        return (campaign, word,
            (await client.Ask(HttpMethod.Get, $"{Mailings.Api}/contacts?tag={word}&sort=email").Json()).GetProperty("items"));
    }
}
