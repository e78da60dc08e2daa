using System.Text.Json;

namespace Sankore.Tests.Campaigns;

/// <summary>What somebody deleted comes back within the hour, for nobody else, and once.</summary>
public sealed class UndoTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns";

    [Fact]
    public async Task Deleted_contacts_come_back_as_they_were_with_what_was_written_to_them()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var contact = await head.Ask(HttpMethod.Post, $"{Api}/contacts", new
        {
            email = $"{word}@exemple.cg",
            name = "Amina",
            organization = $"Lycée {word}",
            tags = new[] { "6e" },
            consentSource = "Inscription",
            consentOn = "2026-09-01",
        }).Json(201);
        var message = await Written(contact);

        await head.Ask(HttpMethod.Delete, $"{Api}/contacts/{contact.Id()}").Json(204);
        await head.Ask(HttpMethod.Get, $"{Api}/contacts/{contact.Id()}").ShouldRefuse(404, "NOT_FOUND");
        (await BringBack(head)).ShouldBe(1);

        var back = await head.Ask(HttpMethod.Get, $"{Api}/contacts/{contact.Id()}").Json();
        foreach (var field in contact.Names().Except(["updatedAt"]))
        {
            back.GetProperty(field).ToString().ShouldBe(contact.GetProperty(field).ToString(), field);
        }
        (await world.Sql<Guid>("select contact_id from campaigns.emails_sent where id = @message", new { message })).ShouldBe(contact.Id());
    }

    [Fact]
    public async Task An_address_that_was_added_again_meanwhile_stays_as_it_is()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var email = $"{Catalogue.Word()}@exemple.cg";
        var first = await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email, name = "Avant" }).Json(201);
        await head.Ask(HttpMethod.Delete, $"{Api}/contacts/{first.Id()}").Json(204);
        var second = await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email, name = "Après" }).Json(201);

        (await BringBack(head)).ShouldBe(0);

        (await head.Ask(HttpMethod.Get, $"{Api}/contacts/{second.Id()}").Json()).Text("name").ShouldBe("Après");
        await head.Ask(HttpMethod.Get, $"{Api}/contacts/{first.Id()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task An_organisation_comes_back_with_its_contacts()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var contact = await head.Ask(
            HttpMethod.Post, $"{Api}/contacts", new { email = $"{word}@exemple.cg", organization = $"Lycée {word}" }).Json(201);
        var organization = contact.GetProperty("organizationId").GetGuid();

        await head.Ask(HttpMethod.Delete, $"{Api}/organizations/{organization}").Json(204);
        (await BringBack(head)).ShouldBe(1);

        var back = await head.Ask(HttpMethod.Get, $"{Api}/contacts/{contact.Id()}").Json();
        back.GetProperty("organizationId").GetGuid().ShouldBe(organization);
        back.Text("organizationName").ShouldBe($"Lycée {word}");
    }

    [Theory]
    [InlineData("segments", """{"name":"Parents ?","filter":{"tags":["6e"]}}""")]
    [InlineData("suppressions", """{"email":"parti-?@exemple.cg","detail":"A changé d’école"}""")]
    [InlineData("templates", """{"name":"Rappel ?","subject":"Rappel","content":"<p>Bonjour</p>"}""")]
    public async Task What_was_deleted_comes_back_the_same(string what, string body)
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var input = JsonElement.Parse(body.Replace("?", Catalogue.Word(), StringComparison.Ordinal));
        var made = await head.Ask(HttpMethod.Post, $"{Api}/{what}", input).Json(201);

        await head.Ask(HttpMethod.Delete, $"{Api}/{what}/{made.Id()}").Json(204);
        (await Items()).ShouldNotContain(i => i.Id() == made.Id());
        (await BringBack(head)).ShouldBe(1);

        var back = (await Items()).Single(i => i.Id() == made.Id());
        foreach (var field in back.Names().Except(["updatedAt", "createdAt"]))
        {
            back.GetProperty(field).ToString().ShouldBe(made.GetProperty(field).ToString(), field);
        }

        async Task<List<JsonElement>> Items()
        {
            var list = await head.Ask(HttpMethod.Get, $"{Api}/{what}?size=100").Json();
            return [.. (list.ValueKind == JsonValueKind.Array ? list : list.GetProperty("items")).EnumerateArray()];
        }
    }

    [Fact]
    public async Task A_draft_comes_back_with_its_files_and_a_campaign_that_has_messages_does_not()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var word = Catalogue.Word();
        var draft = await head.Draft($"Campagne {word}", await world.Contacts(Cast.HeadOnPremium, word, 1));
        using (var form = new MultipartFormDataContent { { new ByteArrayContent([1, 2, 3]), "file", "notice.pdf" } })
        {
            await head.Ask(HttpMethod.Post, $"{Api}/{draft.Id()}/attachments", form).Json(201);
        }
        await head.Ask(HttpMethod.Delete, $"{Api}/{draft.Id()}").Json(204);
        (await BringBack(head)).ShouldBe(1);
        (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}").Json()).Text("content").ShouldBe(draft.Text("content"));
        var file = (await head.Ask(HttpMethod.Get, $"{Api}/{draft.Id()}/attachments").Json()).EnumerateArray().ShouldHaveSingleItem();
        (await head.GetByteArrayAsync($"{Api}/{draft.Id()}/attachments/{file.Id()}")).ShouldBe([1, 2, 3]);

        await world.Execute("""
            update campaigns.email_campaigns set status = 'sending' where id = @id;
            insert into campaigns.emails_sent (user_id, campaign_id, recipient_email, status)
            select user_id, id, 'a@exemple.cg', 'sent' from campaigns.email_campaigns where id = @id;
            update campaigns.email_campaigns set status = 'sent' where id = @id
            """, new { id = draft.Id() });
        await head.Ask(HttpMethod.Delete, $"{Api}/{draft.Id()}").Json(204);
        (await world.Sql<long>("select count(*) from util.deleted_rows where content ->> 'id' = @id", new { id = draft.Id().ToString() }))
            .ShouldBe(0);
    }

    [Fact]
    public async Task Nobody_else_brings_back_what_was_deleted_and_nobody_after_an_hour_or_twice()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var contact = await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = $"{Catalogue.Word()}@exemple.cg" }).Json(201);
        await head.Ask(HttpMethod.Delete, $"{Api}/contacts/{contact.Id()}").Json(204);
        var act = await Last();

        await admin.Ask(HttpMethod.Post, $"/api/undo/{act}").ShouldRefuse(404, "NOT_FOUND");
        (await world.AsRole<Guid>(
            "authenticated", await world.IdOf(Cast.Admin1), "select act_id from util.deleted_rows")).ShouldNotContain(act);

        await world.Execute("update util.deleted_rows set deleted_at = now() - interval '61 minutes' where act_id = @act", new { act });
        await head.Ask(HttpMethod.Post, $"/api/undo/{act}").ShouldRefuse(404, "NOT_FOUND");
        await world.Execute("update util.deleted_rows set deleted_at = now() where act_id = @act", new { act });
        await head.Ask(HttpMethod.Post, $"/api/undo/{act}").Json();
        await head.Ask(HttpMethod.Post, $"/api/undo/{act}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Whoever_has_lost_the_module_brings_nothing_back()
    {
        var email = "head.s0004@sankore.test";
        using var head = await world.As(email);
        var contact = await head.Ask(HttpMethod.Post, $"{Api}/contacts", new { email = $"{Catalogue.Word()}@exemple.cg" }).Json(201);
        await head.Ask(HttpMethod.Delete, $"{Api}/contacts/{contact.Id()}").Json(204);
        await world.Execute("""
            update tenancy.user_module_permissions set is_active = false
            where user_id = @id and category_id = (select id from tenancy.business_categories where slug = 'communication')
            """, new { id = await world.IdOf(email) });

        await head.Ask(HttpMethod.Post, $"/api/undo/{await Last(email)}").ShouldRefuse(403, "FORBIDDEN");
        (await world.Sql<bool>("select exists (select from campaigns.contacts where id = @id)", new { id = contact.Id() })).ShouldBeFalse();
    }

    private Task<Guid> Last(string email = Cast.HeadOnPremium) => world.Sql<Guid>("""
        select d.act_id from util.deleted_rows d join auth.users u on u.id = d.user_id where u.email = @email order by d.id desc limit 1
        """, new { email });

    private async Task<int> BringBack(HttpClient client) =>
        (await client.Ask(HttpMethod.Post, $"/api/undo/{await Last()}").Json()).Number("count");

    /// <summary>A message of a campaign to a contact.</summary>
    private Task<Guid> Written(JsonElement contact) => world.Sql<Guid>("""
        with campaign as (
          insert into campaigns.email_campaigns (user_id, name, subject, content, status)
          select user_id, 'Passée', 'Objet', 'Texte', 'sent' from campaigns.contacts where id = @id returning id, user_id)
        insert into campaigns.emails_sent (user_id, campaign_id, contact_id, recipient_email, status)
        select c.user_id, c.id, k.id, k.email, 'sent' from campaign c, campaigns.contacts k where k.id = @id returning id
        """, new { id = contact.Id() });
}
