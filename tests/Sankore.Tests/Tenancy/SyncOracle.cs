using System.Text.Json;
using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>What every school should have, worked out plan by plan from the rows of a database, and what it has.</summary>
public static class SyncOracle
{
    private sealed record School(Guid Id, Guid SchoolGroupId, string Status, string ActiveModules, Guid? SubscriptionId);

    private sealed record Module(Guid Id, string Code, Guid CategoryId);

    private sealed record Link(Guid PlanId, Guid TargetId);

    private sealed record Subscription(Guid Id, Guid SchoolGroupId, Guid PlanId);

    /// <summary>A line for each school that has something else than it should.</summary>
    public static async Task<List<string>> Differences(NpgsqlConnection connection)
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        var codes = await CodesByPlan(connection);
        var live = (await connection.QueryAsync<Subscription>(
            "select id, school_group_id, plan_id from tenancy.subscriptions where status not in ('suspended', 'cancelled', 'expired')"))
            .ToDictionary(s => s.SchoolGroupId);
        var open = (await connection.QueryAsync<Guid>("select id from tenancy.school_groups where status = 'active'")).ToHashSet();
        var differences = new List<string>();
        foreach (var school in await connection.QueryAsync<School>(
            "select id, school_group_id, status, active_modules::text, subscription_id from tenancy.schools"))
        {
            var subscription = open.Contains(school.SchoolGroupId) ? live.GetValueOrDefault(school.SchoolGroupId) : null;
            SortedSet<string> due = subscription is null || school.Status != "active" ? [] : codes.GetValueOrDefault(subscription.PlanId)
                ?? [];
            var has = JsonSerializer.Deserialize<SortedDictionary<string, bool>>(school.ActiveModules)!;
            if (!due.SetEquals(has.Keys) || has.ContainsValue(false) || school.SubscriptionId != subscription?.Id)
            {
                differences.Add(
                    $"school {school.Id} of group {school.SchoolGroupId} has {school.ActiveModules} by {school.SubscriptionId}, not "
                    + $"{string.Join(", ", due)} by {subscription?.Id}");
            }
        }
        return differences;
    }

    /// <summary>First what the categories bring, then what the lines add and take away, then what cannot be used.</summary>
    private static async Task<Dictionary<Guid, SortedSet<string>>> CodesByPlan(NpgsqlConnection connection)
    {
        var modules = (await connection.QueryAsync<Module>("select id, code, category_id from tenancy.modules")).ToDictionary(m => m.Id);
        var usable = (await connection.QueryAsync<Guid>("select id from tenancy.modules where is_built and status = 'active'")).ToHashSet();
        var closed = (await connection.QueryAsync<Guid>("select id from tenancy.business_categories where status <> 'active'")).ToHashSet();
        var included = new HashSet<(Guid Plan, Guid Module)>();
        foreach (var line in await connection.QueryAsync<Link>("select plan_id, category_id as target_id from tenancy.plan_categories"))
        {
            included.UnionWith(modules.Values.Where(m => m.CategoryId == line.TargetId).Select(m => (line.PlanId, m.Id)));
        }
        included.UnionWith(
            (await connection.QueryAsync<Link>("select plan_id, module_id as target_id from tenancy.plan_modules where included"))
            .Select(l => (l.PlanId, l.TargetId)));
        included.ExceptWith(
            (await connection.QueryAsync<Link>("select plan_id, module_id as target_id from tenancy.plan_modules where not included"))
            .Select(l => (l.PlanId, l.TargetId)));
        return included.Where(i => usable.Contains(i.Module) && !closed.Contains(modules[i.Module].CategoryId)).GroupBy(i => i.Plan)
            .ToDictionary(p => p.Key, p => new SortedSet<string>(p.Select(i => modules[i.Module].Code), StringComparer.Ordinal));
    }
}
