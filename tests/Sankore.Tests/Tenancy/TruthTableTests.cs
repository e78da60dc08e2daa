using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>The rule of access (document 003) on every combination of its links: all of them hold, or the module is not there.</summary>
public sealed class TruthTableTests(TruthTable world) : IClassFixture<TruthTable>
{
    private sealed record Cell(
        Guid UserId, Guid ModuleId, bool ModuleActive, bool ModuleBuilt, bool Included, bool SubscriptionLive, bool OnInSchool,
        bool IsGroupAdmin, bool Assigned, bool CanWrite, bool Granted);

    private static bool IsOn(PersonCase person) => person.SchoolList is "on" or "whole group";

    private static bool Has(PersonCase person, ModuleCase module)
    {
        if (!module.IsActive || !module.IsCategoryActive || !module.IsBuilt || !module.IsIncluded)
        {
            return false;
        }
        return person.IsLive && (person.Role == "group_admin" || person.SchoolList == "on" && person.IsAssigned);
    }

    [Fact]
    public async Task Every_combination_grants_what_the_rule_grants()
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        var cells = (await connection.QueryAsync<Cell>("""
            select user_id, module_id, module_active, module_built, included, subscription_live, on_in_school, is_group_admin, assigned,
              can_write, granted from tenancy.module_access
            """)).ToDictionary(c => (c.UserId, c.ModuleId));
        cells.Count.ShouldBe(world.People.Count * world.Modules.Count);
        foreach (var person in world.People)
        {
            foreach (var module in world.Modules)
            {
                var assigned = person.Role == "group_admin" ? cells[(person.User.Id, module.Module.Id)].Assigned : person.IsAssigned;
                cells[(person.User.Id, module.Module.Id)].ShouldBe(new Cell(person.User.Id, module.Module.Id,
                    module.IsActive && module.IsCategoryActive, module.IsBuilt, module.IsIncluded
                    && person.Subscription is not null, person.IsLive, IsOn(person), person.Role == "group_admin",
                    assigned, person.Role == "group_admin" || person.IsAssigned, Has(person, module)), $"{person} {module}");
            }
        }
        cells.Values.Count(c => c.Granted)
            .ShouldBe(
                3 * (12 + 4) * 3,
                "live states, by administrators and by staff of every sort that has a module, of three modules that can be had");
    }

    [Fact]
    public async Task Each_person_is_told_the_same_by_the_question_and_by_the_row_policies()
    {
        foreach (var person in world.People.Where((p, i) => p.IsLive || i % 5 == 0))
        {
            var due = world.Modules.Where(m => Has(person, m)).Select(m => m.Module).ToList();
            (await world.AsRole<Guid>("authenticated", person.User.Id, "select id from tenancy.modules"))
                .ShouldBe(due.Select(m => m.Id), ignoreOrder: true, person.ToString());
            var codes = world.Modules.Select(m => m.Module.Code).ToArray();
            var asked = await world.AsRole<string>(
                "authenticated", person.User.Id, "select c from unnest(@codes) c where tenancy.has_module(c)", new { codes });
            asked.ShouldBe(due.Select(m => m.Code), ignoreOrder: true, person.ToString());
            var writable = await world.AsRole<string>(
                "authenticated", person.User.Id, "select c from unnest(@codes) c where tenancy.has_module(c, 'write')", new { codes });
            writable.ShouldBe(due.Select(m => m.Code), ignoreOrder: true, person.ToString());
        }
    }

    [Fact]
    public async Task Each_person_has_the_same_in_the_menu()
    {
        foreach (var person in world.People.Where((p, i) => p.IsLive ? i % 4 == 0 : i % 50 == 0))
        {
            using var client = await world.As(person.User.Email);
            var menu = await client.Ask("/api/me/menu");
            menu.Items.Select(i => i.GetProperty("id").GetGuid())
                .ShouldBe(world.Modules.Where(m => Has(person, m)).Select(m => m.Module.Id), ignoreOrder: true, person.ToString());
        }
    }

    [Fact]
    public async Task A_place_that_is_over_gives_nothing()
    {
        var have = world.People.Where(p => world.Modules.Exists(m => Has(p, m))).Select(p => p.User.Id).ToArray();
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        foreach (var over in (
            string[])["status = 'inactive'", "expires_at = now()", "expires_at = now() - interval '1 second'",
            "status = 'inactive', expires_at = now() + interval '1 day'"])
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await connection.ExecuteAsync(
                $"set local session_replication_role = replica; update tenancy.memberships set {over} where user_id = any (@have)",
                new { have });
            (await connection.ExecuteScalarAsync<long>(
                "select count(*) from tenancy.module_access where user_id = any (@have)", new { have })).ShouldBe(0, over);
        }
    }
}
