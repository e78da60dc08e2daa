using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>Two changes of the same row at the same time: the second waits for the first, and both are done.</summary>
public sealed class LockOrderTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    [Theory]
    [InlineData("modules", "name = 'A'", "status = 'inactive'")]
    [InlineData("modules", "status = 'inactive'", "name = 'A'")]
    [InlineData("modules", "name = 'A'", "is_built = false")]
    [InlineData("modules", "name = 'A'", null)]
    [InlineData("business_categories", "name = 'A'", "status = 'inactive'")]
    [InlineData("business_categories", "status = 'inactive'", "name = 'A'")]
    [InlineData("subscription_plans", "name = 'A'", "status = 'inactive'")]
    [InlineData("school_groups", "name = 'A'", "status = 'inactive'")]
    [InlineData("subscriptions", "ends_at = now() + interval '1 day'", "status = 'suspended'")]
    [InlineData("schools", "name = 'A'", "status = 'inactive'")]
    public async Task Two_changes_of_a_row_wait_for_each_other_and_not_in_a_circle(string table, string first, string? second)
    {
        var id = Guid.CreateVersion7();
        await world.Execute($"""
            insert into tenancy.business_categories (id, name, slug) values ('{id}', 'Category', '{id}');
            insert into tenancy.modules (id, code, name, category_id) values ('{id}', '{id}', 'Module', '{id}');
            insert into tenancy.subscription_plans (id, name, slug) values ('{id}', 'Plan', '{id}');
            insert into tenancy.plan_modules (id, plan_id, module_id) values ('{id}', '{id}', '{id}');
            insert into tenancy.school_groups (id, name, code) values ('{id}', 'Group', '{id}');
            insert into tenancy.subscriptions (id, school_group_id, plan_id, starts_at) values ('{id}', '{id}', '{id}', now());
            insert into tenancy.schools (id, school_group_id, name, code) values ('{id}', '{id}', 'School', '{id}');
            """);
        await using var open = new NpgsqlConnection(world.AdminConnection);
        await using var other = new NpgsqlConnection(world.AdminConnection);
        await open.OpenAsync();
        await other.OpenAsync();
        var pid = await other.ExecuteScalarAsync<int>("select pg_backend_pid()");
        await open.ExecuteAsync($"begin; update tenancy.{table} set {first} where id = '{id}'");
        var running = other.ExecuteAsync(
            second is null ? $"delete from tenancy.{table} where id = '{id}'" : $"update tenancy.{table} set {second} where id = '{id}'");
        await Waiting.Until(
            () =>
            world.Sql<bool>("select exists (select 1 from pg_locks where not granted and pid = @pid)", new { pid }), "the second waits");
        await open.ExecuteAsync("commit transaction");
        await running;
        (await SyncOracle.Differences(open)).ShouldBeEmpty();
    }
}
