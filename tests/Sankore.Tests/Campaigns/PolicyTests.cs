using Npgsql;

namespace Sankore.Tests.Campaigns;

/// <summary>Every row belongs to its user, and nobody else sees or touches it: raw SQL as the role, whatever the code does.</summary>
public sealed class PolicyTests(World world) : IClassFixture<World>, IAsyncLifetime
{
    private Guid _mine, _other, _campaign, _contact, _organization;

    /// <summary>A row of the head's in every table, made as the head.</summary>
    public async ValueTask InitializeAsync()
    {
        (_mine, _other) = (await world.IdOf(Cast.HeadOnPremium), await world.IdOf(Cast.Admin1));
        (_campaign, _contact, _organization) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await world.AsRole<int>("authenticated", _mine, """
            insert into campaigns.organizations (id, name) values (@_organization, @word);
            insert into campaigns.contacts (id, email, organization_name) values (@_contact, @word || '@exemple.cg', @word);
            insert into campaigns.segments (name, filter) values (@word, '{}');
            insert into campaigns.contact_fields (key, label, kind) values (@word, 'Classe', 'text');
            insert into campaigns.suppressions (email, reason) values (@word || '.s@exemple.cg', 'manual');
            insert into campaigns.email_templates (name, subject, content) values (@word, 'Objet', 'Texte');
            insert into campaigns.email_campaigns (id, name, subject, content) values (@_campaign, @word, 'Objet', 'Texte');
            insert into campaigns.attachments (campaign_id, file_name, content_type, content)
            values (@_campaign, 'a.txt', 'text/plain', 'a');
            insert into campaigns.emails_sent (campaign_id, contact_id, recipient_email, status)
            values (@_campaign, @_contact, @word || '@exemple.cg', 'sending');
            update campaigns.emails_sent set status = 'sent', sent_at = now() where campaign_id = @_campaign;
            insert into campaigns.tries (id, campaign_id, recipient_email) values (gen_random_uuid(), @_campaign, 'x@exemple.cg');
            """, new { _organization, _contact, _campaign, word = Catalogue.Word() });
        await world.AsRole<int>("service_role", null, """
            insert into campaigns.campaign_links (campaign_id, user_id, number, url) values (@_campaign, @_mine, 1, 'https://exemple.cg/');
            select accepted
            from campaigns.take_events('generic', array[@_campaign::text],
              array(select id from campaigns.emails_sent where campaign_id = @_campaign limit 1), array['opened'], array[now()],
              array[null], array[null], array[false]);
            """, new { _mine, _campaign });
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Each_sees_all_of_their_own_and_nothing_of_anybody_elses()
    {
        var tables = await Tables();
        tables.Count.ShouldBeGreaterThanOrEqualTo(13);
        foreach (var table in tables)
        {
            (await world.Sql<long>($"select count(*) from {table} where user_id = @_mine", new { _mine }))
                .ShouldBeGreaterThan(0, $"{table} has rows to hide");
            (await Seen("authenticated", _mine, table)).ShouldBeGreaterThan(0, table);
            (await Seen("authenticated", _other, table)).ShouldBe(0, table);
            (await Should.ThrowAsync<PostgresException>(() => Seen("anon", null, table)))
                .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, table);
        }
        foreach (var view in new[] { "campaigns.campaign_analytics", "campaigns.contact_analytics" })
        {
            (await Seen("authenticated", _mine, view)).ShouldBeGreaterThan(0, view);
            (await Seen("authenticated", _other, view)).ShouldBe(0, view);
        }
        (await world.AsRole<long>("authenticated", _other, "select total_contacts from campaigns.dashboard_analytics")).ShouldBe([0]);
        (await world.AsRole<long>("authenticated", _mine, "select total_contacts from campaigns.dashboard_analytics")).Single()
            .ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Nobody_changes_or_deletes_what_is_somebody_elses()
    {
        foreach (var table in await Tables())
        {
            foreach (var statement in new[] { $"update {table} set user_id = user_id", $"delete from {table}" })
            {
                try
                {
                    (await world.AsRole<int>(
                        "authenticated", _other,
                        $"with touched as ({statement} returning 1) select count(*) from touched")).ShouldBe([0], statement);
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    // Not even of one's own.
                }
            }
        }
    }

    [Fact]
    public async Task Nobody_makes_rows_in_somebody_elses_name()
    {
        foreach (var (table, columns, values) in Rows())
        {
            await Refused(PostgresErrorCodes.InsufficientPrivilege, $"insert into {table} (user_id, {columns}) values (@_mine, {values})");
        }
    }

    [Fact]
    public async Task Nobodys_row_points_at_somebody_elses()
    {
        var own = Guid.CreateVersion7();
        await world.AsRole<int>(
            "authenticated", _other, "insert into campaigns.email_campaigns (id, name) values (@own, 'Eigen')", new { own });
        foreach (var statement in new[]
        {
            "insert into campaigns.contacts (email, organization_id) values ('x@exemple.cg', @_organization)",
            "insert into campaigns.attachments (campaign_id, file_name, content_type, content)"
            + " values (@_campaign, 'a.txt', 'text/plain', 'a')",
            "insert into campaigns.emails_sent (campaign_id, recipient_email) values (@_campaign, 'x@exemple.cg')",
            "insert into campaigns.emails_sent (campaign_id, contact_id, recipient_email) values (@own, @_contact, 'x@exemple.cg')",
        })
        {
            await Refused(PostgresErrorCodes.ForeignKeyViolation, statement, own);
        }
        await world.AsRole<int>("authenticated", _other, "delete from campaigns.email_campaigns where id = @own", new { own });
    }

    [Fact]
    public async Task The_counters_are_written_by_the_database_alone()
    {
        string[] statements =
        [
            "update campaigns.campaign_counts set sent = 99", "delete from campaigns.campaign_minutes",
            "update campaigns.user_counts set contacts = 0", "update campaigns.campaign_links set url = 'https://evil.test'",
            "delete from campaigns.delivery_events", "select campaigns.resubscribe(gen_random_uuid())",
        ];
        foreach (var statement in statements)
        {
            (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>("authenticated", _mine, statement)))
                .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
        }
    }

    [Fact]
    public async Task Whoever_left_is_not_written_to_however_the_row_comes_to_be()
    {
        var word = Catalogue.Word();
        await world.Execute(
            "insert into campaigns.suppressions (user_id, email, reason) values (@_mine, @email, 'unsubscribed')",
            new { _mine, email = $"{word}@exemple.cg" });
        foreach (var role in new[] { "authenticated", "service_role" })
        {
            foreach (var status in new[] { "pending", "sending" })
            {
                await Suppressed(
                    role,
                    $"insert into campaigns.emails_sent (user_id, campaign_id, recipient_email, status)"
                    + $" values (@_mine, @_campaign, @address, '{status}')", word);
            }
        }
        // Suppressed after the row was made: the message does not go on the wire.
        var later = Catalogue.Word();
        await world.AsRole<int>(
            "authenticated", _mine, "insert into campaigns.emails_sent (campaign_id, recipient_email) values (@_campaign, @email)",
            new { _campaign, email = $"{later}@exemple.cg" });
        await world.Execute(
            "insert into campaigns.suppressions (user_id, email, reason) values (@_mine, @email, 'bounced')",
            new { _mine, email = $"{later}@exemple.cg" });
        await Suppressed(
            "service_role", "update campaigns.emails_sent set status = 'sending' where recipient_email = lower(@address)", later);
    }

    [Fact]
    public async Task Nobody_puts_words_into_a_recipients_mouth_or_takes_them_back()
    {
        var word = Catalogue.Word();
        await Refused("SK001", $"insert into campaigns.suppressions (email, reason) values ('{word}@exemple.cg', 'unsubscribed')");
        await world.Execute(
            "insert into campaigns.suppressions (user_id, email, reason) values (@_mine, @email, 'complained')",
            new { _mine, email = $"{word}@exemple.cg" });
        (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>(
            "authenticated", _mine, "delete from campaigns.suppressions where email = @email",
            new { email = $"{word}@exemple.cg" }))).MessageText.ShouldBe("SUPPRESSION_KEPT");
        await Refused(PostgresErrorCodes.InsufficientPrivilege, "update campaigns.suppressions set reason = 'manual'");
    }

    private static IEnumerable<(string Table, string Columns, string Values)> Rows() =>
    [
        ("campaigns.organizations", "name", "'x'"), ("campaigns.contacts", "email", "'x@exemple.cg'"),
            ("campaigns.segments", "name, filter", "'x', '{}'"), ("campaigns.contact_fields", "key, label, kind", "'x', 'x', 'text'"),
            ("campaigns.suppressions", "email, reason", "'x@exemple.cg', 'manual'"),
        ("campaigns.email_templates", "name, subject, content", "'x', 'x', 'x'"), ("campaigns.email_campaigns", "name", "'x'"),
        ("campaigns.attachments", "campaign_id, file_name, content_type, content", "@_campaign, 'x', 'text/plain', 'x'"),
        ("campaigns.emails_sent", "campaign_id, recipient_email", "@_campaign, 'x@exemple.cg'"),
        ("campaigns.tries", "id, campaign_id, recipient_email", "gen_random_uuid(), @_campaign, 'x@exemple.cg'"),
    ];

    // All but the key of the links, which is no user's (UnsubscribeTests).
    private async Task<IReadOnlyList<string>> Tables() =>
        await world.Sql<string[]>(
            "select array_agg(c.oid::regclass::text order by 1) from pg_class c where c.relnamespace = 'campaigns'::regnamespace"
            + " and c.relkind = 'r' and c.relname not in ('signing_keys', 'bounce_undos', 'past_links', 'past_messages')");

    private async Task<long> Seen(string role, Guid? user, string table) =>
        (await world.AsRole<long>(role, user, $"select count(*) from {table}"))[0];

    private async Task Refused(string state, string statement, Guid? own = null) =>
        (await Should.ThrowAsync<PostgresException>(
            () => world.AsRole<int>("authenticated", _other, statement, new { _mine, _campaign, _contact, _organization, own })))
            .SqlState.ShouldBe(state, statement);

    private async Task Suppressed(string role, string statement, string word) =>
        (await Should.ThrowAsync<PostgresException>(
            () => world.AsRole<int>(role, _mine, statement, new { _mine, _campaign, address = $"{word.ToUpperInvariant()}@Exemple.CG" })))
            .MessageText.ShouldBe("SUPPRESSED", statement);
}
