using Dapper;
using Npgsql;

namespace Sankore.Tests.Platform;

/// <summary>
/// A database of an earlier version becomes what a new one is: nothing old is left beside it, and nothing is there twice.
/// </summary>
public sealed class SchemaUpgradeTests
{
    // The last version in which policies and triggers had the names of their files' authors.
    private const string Earlier = "a7cb68d5b05b499fe75ccf8747f279317a7298ac";

    // The last one in which an address had as many keys as spellings.
    private const string BeforeKeys = "003b04b6787d19200df4ddaebfd610fc931d5653";

    // The last one in which a campaign wrote to an address in each of its spellings.
    private const string BeforeOneMessage = "b340a4c7f67078791cbf93c9120932d2adbadaca";

    private const string ObjectsSql = """
        select coalesce(array_agg(o order by o), '{}') from (
          select format('policy %s %s %s %s %s %s', p.polrelid::regclass, p.polname, p.polcmd,
              array(select r::regrole::text from unnest(p.polroles) r order by 1),
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) from pg_policy p
          union all select pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal
          union all select format('function %s %s %s %s', p.oid::regprocedure, md5(p.prosrc), p.proacl, p.proconfig) from pg_proc p
            where p.proowner = 'sankore_owner'::regrole
          union all select format('column %s.%s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod))
            from pg_attribute a join pg_class c on c.oid = a.attrelid
            where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v') and c.relowner = 'sankore_owner'::regrole
          union all select format('rights on %s %s', c.oid::regclass, c.relacl) from pg_class c
            where c.relkind in ('r', 'p', 'v') and c.relowner = 'sankore_owner'::regrole) x (o)
        """;

    private const string SpellingsSql = """
        insert into auth.users (id, email, normalized_email, email_confirmed, security_stamp, concurrency_stamp)
        select gen_random_uuid(), e, upper(e), e like 'b%', '', '' from unnest(array['Amina@École.cg', 'b@exemple.cg']) e;
        insert into auth.users (id, email, normalized_email, email_confirmed, security_stamp, concurrency_stamp)
        values (gen_random_uuid(), 'amina@xn--cole-9oa.cg', 'AMINA@XN--COLE-9OA.CG', true, '', '');
        insert into public.profiles (id, email, display_name) select id, email, 'x' from auth.users;
        insert into campaigns.contacts (user_id, email, created_at)
        select u.id, e.email, now() - e.n * interval '1 day' from auth.users u, unnest(array['by@école.cg', 'by@xn--cole-9oa.cg',
          'by@école.cg' || chr(8203), 'z@exemple.cg']) with ordinality e (email, n) where u.email = 'b@exemple.cg';
        insert into campaigns.suppressions (user_id, email, reason)
        select u.id, e.email, e.reason from auth.users u, (values ('by@école.cg', 'bounced'),
          ('by@xn--cole-9oa.cg', 'unsubscribed'),
          ('z@exemple.cg', 'manual')) e (email, reason) where u.email = 'b@exemple.cg';
        insert into campaigns.email_campaigns (user_id, name, subject, content) select id, 'x', 'x', 'x' from auth.users
        where email = 'b@exemple.cg';
        insert into campaigns.emails_sent (user_id, campaign_id, recipient_email, status)
        select c.user_id, c.id, e.email, e.status from campaigns.email_campaigns c, (values
          ('c@école.cg', 'pending'), ('c@xn--cole-9oa.cg', 'pending'),
          ('d@école.cg', 'sent'), ('d@xn--cole-9oa.cg', 'pending'),
          ('e@école.cg', 'sent'), ('e@xn--cole-9oa.cg', 'sent')) e (email, status)
        """;

    [Theory]
    [InlineData(Earlier), InlineData(BeforeOneMessage)]
    public async Task A_database_of_an_earlier_version_becomes_what_a_new_one_is(string commit)
    {
        var fresh = await Cluster.CreateDatabase(demo: false);
        var upgraded = await EarlierDatabase.Create(commit);
        await SankoreApp.PrepareDatabase(upgraded, _ => { }, CancellationToken.None);
        var (found, due) = (await Objects(upgraded), await Objects(fresh));
        found.Except(due).ShouldBeEmpty("left over");
        due.Except(found).ShouldBeEmpty("missing");
        found.Length.ShouldBe(due.Length);
    }

    [Fact]
    public async Task Two_spellings_of_one_address_in_an_earlier_version_become_one()
    {
        var database = await EarlierDatabase.Create(BeforeKeys);
        await using (var connection = new NpgsqlConnection(database))
        {
            await connection.ExecuteAsync(SpellingsSql);
        }

        await SankoreApp.PrepareDatabase(database, _ => { }, CancellationToken.None);

        await using var after = new NpgsqlConnection(database);
        (await after.QueryAsync<string>("select email || ' ' || email_key from campaigns.contacts order by email_key")).ShouldBe(
            ["by@école.cg\u200B by@xn--cole-9oa.cg", "z@exemple.cg z@exemple.cg"]);
        (await after.QueryAsync<string>("select email_key || ' ' || reason from campaigns.suppressions order by email_key")).ShouldBe(
            ["by@xn--cole-9oa.cg unsubscribed", "z@exemple.cg manual"]);
        (await after.QueryAsync<string>("select email_key || ' ' || status from campaigns.emails_sent order by 1")).ShouldBe(
            ["c@xn--cole-9oa.cg pending", "d@xn--cole-9oa.cg sent", "e@xn--cole-9oa.cg sent"]);
        (await after.ExecuteScalarAsync<long>("select count(*) from campaigns.past_messages where recipient_email like 'e@%'")).ShouldBe(1);
        // Who has proved the address has it; the other account is kept, and nobody signs in to it.
        (await after.QueryAsync<string>("select email from auth.users where normalized_email = util.address_key(email) order by 1"))
            .ShouldBe(["amina@xn--cole-9oa.cg", "b@exemple.cg"]);
        (await after.ExecuteScalarAsync<long>("select count(*) from auth.users")).ShouldBe(3);
    }

    private static async Task<string[]> Objects(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(ObjectsSql, connection);
        return (string[])(await command.ExecuteScalarAsync())!;
    }
}
