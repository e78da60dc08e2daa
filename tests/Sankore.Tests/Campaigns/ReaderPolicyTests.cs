using Npgsql;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// Writing takes the module's right to write, and deleting its own, whatever the code does: raw SQL as the role, on a person's own rows.
/// </summary>
public sealed class ReaderPolicyTests(World world) : IClassFixture<World>, IAsyncLifetime
{
    private const string Email = "head.s0009@sankore.test";

    // What a merge, or a draft's file, takes away is part of something written.
    private static readonly string[] Deleted = ["segments", "contact_fields", "suppressions", "email_templates", "email_campaigns"];

    private Guid _person, _campaign;

    /// <summary>A row in every table that its user writes, of somebody who may write at first.</summary>
    public async ValueTask InitializeAsync()
    {
        (_person, _campaign) = (await world.IdOf(Email), Guid.CreateVersion7());
        await Rights(write: true, delete: true);
        await AsPerson<int>("""
            insert into campaigns.organizations (name) values (@word);
            insert into campaigns.contacts (email) values (@word || '@exemple.cg');
            insert into campaigns.segments (name, filter) values (@word, '{}');
            insert into campaigns.contact_fields (key, label, kind) values (@word, 'Classe', 'text');
            insert into campaigns.suppressions (email, reason) values (@word || '.s@exemple.cg', 'manual');
            insert into campaigns.email_templates (name, subject, content) values (@word, 'Objet', 'Texte');
            insert into campaigns.email_campaigns (id, name) values (@_campaign, @word);
            insert into campaigns.attachments (campaign_id, file_name, content_type, content)
            values (@_campaign, 'a.txt', 'text/plain', 'a');
            insert into campaigns.emails_sent (campaign_id, recipient_email) values (@_campaign, @word || '@exemple.cg');
            insert into campaigns.tries (id, campaign_id, recipient_email) values (gen_random_uuid(), @_campaign, 'x@exemple.cg');
            """);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Whoever_may_only_read_writes_no_row_of_any_table()
    {
        await Rights(write: false, delete: false);
        foreach (var (table, columns, values) in Rows())
        {
            (await Count($"select count(*) from campaigns.{table}")).ShouldBeGreaterThan(0, table);
            // A file is refused by its campaign, which the person cannot change either (CAMPAIGN_SETTLED).
            (await Should.ThrowAsync<PostgresException>(
                () => AsPerson<int>($"insert into campaigns.{table} ({columns}) values ({values})")))
                .SqlState.ShouldBe(table == "attachments" ? "SK001" : PostgresErrorCodes.InsufficientPrivilege, table);
            (await Touched($"update campaigns.{table} set user_id = user_id")).ShouldBe(0, table);
            (await Touched($"delete from campaigns.{table}")).ShouldBe(0, table);
        }
    }

    [Fact]
    public async Task Whoever_may_write_but_not_delete_deletes_only_what_is_part_of_something_written()
    {
        await Rights(write: true, delete: false);
        // What others refer to goes last.
        foreach (var (table, _, _) in Rows().Reverse())
        {
            var touched = await Touched($"delete from campaigns.{table}");
            (touched > 0).ShouldBe(!Deleted.Contains(table), table);
        }
    }

    [Fact]
    public async Task Whoever_has_lost_the_module_still_reads_what_is_theirs()
    {
        await world.Execute("update tenancy.user_module_permissions set is_active = false where user_id = @_person", new { _person });
        (await world.AsRole<bool>("authenticated", _person, "select tenancy.has_module('campagnes')")).ShouldBe([false]);
        (await Count("select count(*) from campaigns.contacts")).ShouldBeGreaterThan(0);
        (await Should.ThrowAsync<PostgresException>(() => AsPerson<int>("insert into campaigns.contacts (email) values ('x@exemple.cg')")))
            .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    private static IEnumerable<(string Table, string Columns, string Values)> Rows() =>
    [
        ("organizations", "name", "@word"), ("contacts", "email", "@word || '@exemple.cg'"), ("segments", "name, filter", "@word, '{}'"),
        ("contact_fields", "key, label, kind", "@word, @word, 'text'"),
        ("suppressions", "email, reason", "@word || '@exemple.cg', 'manual'"),
        ("email_templates", "name, subject, content", "@word, 'x', 'x'"), ("email_campaigns", "name", "@word"),
        ("attachments", "campaign_id, file_name, content_type, content", "@_campaign, 'x', 'text/plain', 'x'"),
        ("emails_sent", "campaign_id, recipient_email", "@_campaign, @word || '@exemple.cg'"),
        ("tries", "id, campaign_id, recipient_email", "gen_random_uuid(), @_campaign, 'x@exemple.cg'"),
    ];

    /// <summary>What was assigned to the person gives these rights, in every place.</summary>
    private async Task Rights(bool write, bool delete)
    {
        await world.Execute(
            "update tenancy.user_module_permissions set is_active = true, can_write = @write, can_delete = @delete"
            + " where user_id = @_person", new { _person, write, delete });
        foreach (var (right, has) in new[] { ("read", true), ("write", write), ("delete", delete) })
        {
            (await world.AsRole<bool>("authenticated", _person, "select tenancy.has_module('campagnes', @right)", new { right }))
                .ShouldBe([has], right);
        }
    }

    private Task<IReadOnlyList<T>> AsPerson<T>(string sql) =>
        world.AsRole<T>("authenticated", _person, sql, new { _campaign, word = Catalogue.Word() });

    private async Task<long> Count(string sql) => (await AsPerson<long>(sql))[0];

    private async Task<long> Touched(string statement)
    {
        try
        {
            return await Count($"with touched as ({statement} returning 1) select count(*) from touched");
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            // Not granted to anybody.
            return 0;
        }
    }
}
