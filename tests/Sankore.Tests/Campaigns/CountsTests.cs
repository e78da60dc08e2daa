using Dapper;
using Npgsql;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// The counters that are kept are what a full count would say, whatever is done to the messages, by whomever, in whatever statements.
/// </summary>
public sealed class CountsTests(World world) : IClassFixture<World>
{
    private const string Kept = """
        select total, pending, sending, sent, written, delivered, failed, bounced, deferred, unknown, suppressed, opened, clicked,
          unsubscribed, complained
        from campaigns.campaign_counts where campaign_id = @campaign
        """;

    private const string Counted = """
        select count(*)::int as total, count(*) filter (where status = 'pending')::int, count(*) filter (where status = 'sending')::int,
          count(*) filter (where status = 'sent' and coalesce(error_code, '') <> 'NOT_SENT')::int,
               count(*) filter (where status = 'sent' and error_code = 'NOT_SENT')::int,
               count(*) filter (where status = 'delivered')::int, count(*) filter (where status = 'failed')::int,
                 count(*) filter (where status = 'bounced')::int,
               count(*) filter (where status = 'pending' and attempts > 0)::int,
                 count(*) filter (where status = 'failed' and error_code = 'OUTCOME_UNKNOWN')::int,
               count(*) filter (where status = 'failed' and error_code = 'SUPPRESSED')::int, count(opened_at)::int, count(clicked_at)::int,
                 count(unsubscribed_at)::int, count(complained_at)::int
        from campaigns.emails_sent where campaign_id = @campaign
        """;

    private static readonly string[] Steps =
    [
        "update campaigns.emails_sent set status = 'sending', attempts = attempts + 1 where status = 'pending' and {0}",
        "update campaigns.emails_sent set status = 'sent', sent_at = now() - random() * interval '3 minutes' where status = 'sending'"
        + " and {0}",
        "update campaigns.emails_sent set status = 'sent', error_code = 'NOT_SENT', sent_at = now() where status = 'sending' and {0}",
        "update campaigns.emails_sent set status = 'pending' where status = 'sending' and {0}",
        "update campaigns.emails_sent"
        + " set status = 'failed', error_code = (array['OUTCOME_UNKNOWN', 'SUPPRESSED', 'REJECTED'])[1 + floor(random() * 3)] where "
        + "status in ('pending', 'sending') and {0}",
        "update campaigns.emails_sent set status = 'delivered', delivered_at = now() where (status = 'sent' or status = 'failed'"
        + " and error_code = 'OUTCOME_UNKNOWN') and {0}",
        "update campaigns.emails_sent set status = 'bounced' where status in ('sending', 'sent', 'delivered') and {0}",
        "update campaigns.emails_sent"
        + " set opened_at = coalesce(opened_at, now()), clicked_at = case when random() < 0.5 then now() else clicked_at end where {0}",
        "update campaigns.emails_sent set unsubscribed_at = now(), complained_at = case when random() < 0.2 then now() end where {0}",
        "delete from campaigns.emails_sent where {0}",
        "insert into campaigns.emails_sent (user_id, campaign_id, recipient_email) select user_id, id, "
        + "gen_random_uuid() || '@exemple.cg' from campaigns.email_campaigns, generate_series(1, 7) where id = any (@campaigns)",
    ];

    public static TheoryData<int> Seeds => Effort.Seeds(1, 1, 2, 3);

    [Theory, MemberData(nameof(Seeds))]
    public async Task They_say_what_a_full_count_says(int seed)
    {
        var (random, user) = (new Random(seed), await world.IdOf(Cast.HeadOnPremium));
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        var campaigns = (await connection.QueryAsync<Guid>(
            "insert into campaigns.email_campaigns (user_id, name, subject, content) select @user, 'N' || i, 'S', 'C'"
            + " from generate_series(1, 3) i returning id", new { user })).ToArray();
        await connection.ExecuteAsync(Steps[^1].Replace("(1, 7)", "(1, 60)", StringComparison.Ordinal), new { campaigns });
        for (var i = 0; i < 120; i++)
        {
            var step = Steps[random.Next(Steps.Length)];
            // Of one campaign, or of all at once; a few rows, or many.
            var which = random.Next(2) == 0 ? "campaign_id = any (@campaigns)" : "campaign_id = @one";
            await connection.ExecuteAsync(string.Format(
                System.Globalization.CultureInfo.InvariantCulture, step, $"{which} and random() < {(random.Next(2) == 0 ? "0.1" : "0.5")}"),
                new { campaigns, one = campaigns[random.Next(3)] });
            if (i % 10 == 9)
            {
                foreach (var campaign in campaigns)
                {
                    (await Row(connection, Kept, new { campaign }))
                        .ShouldBe(await Row(connection, Counted, new { campaign }), $"after step {i}");
                    (await connection.QueryAsync<(DateTime, int)>(
                        "select minute, sent from campaigns.campaign_minutes where campaign_id = @campaign and sent <> 0 order by 1",
                        new { campaign }))
                        .ShouldBe(
                            await connection.QueryAsync<(DateTime, int)>(
                                "select date_trunc('minute', sent_at, 'UTC'), count(*)::int from campaigns.emails_sent"
                                + " where campaign_id = @campaign and sent_at is not null and coalesce(error_code, '') <> 'NOT_SENT'"
                                + " group by 1 order by 1", new { campaign }));
                }
            }
        }
    }

    [Fact]
    public async Task A_persons_contacts_and_organisations_are_counted_as_they_come_and_go()
    {
        var user = await world.IdOf(Cast.Admin1);
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.ExecuteAsync("""
            insert into campaigns.contacts (user_id, email, organization_name) select @user, i || '@exemple.cg', 'Org ' || i % 5
            from generate_series(1, 40) i;
            delete from campaigns.contacts where user_id = @user and email like '1%';
            delete from campaigns.organizations where user_id = @user and name = 'Org 2';
            """, new { user });
        (await Row(connection, "select contacts, organizations from campaigns.user_counts where user_id = @user", new { user }))
            .ShouldBe([29, 4]);
        (await Row(
            connection,
            "select (select count(*) from campaigns.contacts where user_id = @user)::int, (select count(*) from campaigns.organizations"
            + " where user_id = @user)::int", new { user })).ShouldBe([29, 4]);
    }

    [Fact]
    public async Task Whoever_goes_takes_everything_along()
    {
        var user = await world.IdOf("teacher.s0001.1@sankore.test");
        await world.Execute("""
            insert into campaigns.contacts (user_id, email, organization_name) values (@user, 'a@exemple.cg', 'A');
            insert into campaigns.email_campaigns (user_id, name, subject, content) values (@user, 'N', 'S', 'C');
            insert into campaigns.emails_sent (user_id, campaign_id, recipient_email, contact_id, status, sent_at) select @user, c.id,
              'a@exemple.cg', k.id, 'sent', now()
            from campaigns.email_campaigns c, campaigns.contacts k where c.user_id = @user and k.user_id = @user;
            """, new { user });
        await world.Execute("delete from public.profiles where id = @user", new { user });
        // All but the key of the links, which is no person's.
        foreach (var table in await world.Sql<string[]>(
            "select array_agg(c.oid::regclass::text) from pg_class c where c.relnamespace = 'campaigns'::regnamespace"
            + " and c.relkind = 'r' and c.relname not in ('signing_keys', 'bounce_undos', 'past_links')"))
        {
            (await world.Sql<long>($"select count(*) from {table} where user_id = @user", new { user })).ShouldBe(0, table);
        }
    }

    private static async Task<int[]> Row(NpgsqlConnection connection, string sql, object args) =>
        [.. ((IDictionary<string, object>)await connection.QuerySingleAsync(sql, args)).Values.Select(v => (int)v)];
}
