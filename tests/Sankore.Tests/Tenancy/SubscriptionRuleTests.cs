using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;

namespace Sankore.Tests.Tenancy;

/// <summary>Which subscriptions are live, and which groups live on a plan, is the same wherever it is asked.</summary>
public sealed class SubscriptionRuleTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task The_program_the_database_and_its_index_know_the_same_live_states()
    {
        var index = await world.Sql<string>("""
            select pg_get_expr(indpred, indrelid) from pg_index
            where indexrelid = 'tenancy.subscriptions_school_group_id_live_unique'::regclass
            """);
        foreach (var sql in new[] { "tenancy.is_live(status)", index })
        {
            var live = await world.Rows<string>($"select status from unnest(@States) status where {sql}", new { SubscriptionInput.States });
            live.ShouldBe(SubscriptionInput.Live, ignoreOrder: true);
        }
        const string StatesSql = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'subscriptions_status_check'";
        var known = System.Text.RegularExpressions.Regex.Matches(await world.Sql<string>(StatesSql), "'([a-z_]+)'");
        known.Select(m => m.Groups[1].Value).ShouldBe(SubscriptionInput.States, ignoreOrder: true);
    }

    [Fact]
    public async Task A_group_that_is_closed_lives_on_no_plan_in_any_figure()
    {
        var before = await Figures();
        foreach (var (status, fewer) in new[] { ("inactive", 1), ("active", 0) })
        {
            await world.Execute("update tenancy.school_groups set status = @status where code = 'g001'", new { status });
            (await Figures()).ShouldBe(new Figured(before.Live - fewer, before.Share - fewer, before.Plan - fewer, before.Module - fewer));
        }
        before.Share.ShouldBe(before.Plan);
    }

    /// <summary>
    /// How many groups live on a plan; on Premium, by the dashboard and by the list of plans; on any that includes one module.
    /// </summary>
    private async Task<Figured> Figures()
    {
        var (super, ct) = (Caller.Person(await world.IdOf(Cast.Super)), TestContext.Current.CancellationToken);
        using var client = await world.As(Cast.Super);
        var plans = (await client.Ask(HttpMethod.Get, "/api/plans?size=100").Json()).GetProperty("items").EnumerateArray().ToList();
        var premium = plans.Single(p => p.Text("slug") == "premium");
        var (shares, _) = await new Dashboard(world.Db).Read(super, ct);
        var (lines, _) = await new Modules(world.Db, SankoreApp.Modules).Lines(super, new ListQuery { Q = "campagnes" }, null, null, ct);
        return new Figured(
            shares.Sum(s => s.Groups), shares.Single(s => s.Name == premium.Text("name")).Groups, premium.GetProperty("groups").GetInt64(),
            lines.Single(l => l.Code == "campagnes").Groups);
    }

    private sealed record Figured(long Live, long Share, long Plan, long Module);
}
