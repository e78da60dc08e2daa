using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>Lines of plans that change what they speak of: schools on both sides follow.</summary>
public sealed class MovedLineTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    [Theory]
    [InlineData("plan_modules", "module_id"), InlineData("plan_categories", "category_id")]
    public async Task A_line_that_moves_to_another_plan_leaves_the_one_and_joins_the_other(string table, string target)
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        var (from, to, other) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var id in (Guid[])[from, to])
        {
            await world.Execute($"""
                insert into tenancy.business_categories (id, name, slug) values ('{id}', 'Category', '{id}');
                insert into tenancy.modules (id, code, name, category_id) values ('{id}', '{id}', 'Module', '{id}');
                insert into tenancy.subscription_plans (id, name, slug) values ('{id}', 'Plan', '{id}');
                insert into tenancy.school_groups (id, name, code) values ('{id}', 'Group', '{id}');
                insert into tenancy.subscriptions (id, school_group_id, plan_id, starts_at) values ('{id}', '{id}', '{id}', now());
                insert into tenancy.schools (id, school_group_id, name, code) values ('{id}', '{id}', 'School', '{id}');
                """);
        }
        await world.Execute($"insert into tenancy.{table} (id, plan_id, {target}) values ('{other}', '{from}', '{from}')");
        await world.Execute($"update tenancy.{table} set plan_id = '{to}' where id = '{other}'");
        (await SyncOracle.Differences(connection)).ShouldBeEmpty();
        await world.Execute($"update tenancy.{table} set {target} = '{to}' where id = '{other}'");
        (await SyncOracle.Differences(connection)).ShouldBeEmpty();
        await world.Execute(
            $"delete from tenancy.subscriptions where id = '{from}'; delete from tenancy.subscription_plans where id = '{from}'; delete"
            + $" from tenancy.{table} where id = '{other}'");
        (await SyncOracle.Differences(connection)).ShouldBeEmpty();
    }
}
