using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// A small network and the events that change what its schools have, one SQL statement each. An event that meets nothing does nothing.
/// </summary>
public sealed class SyncNetwork(NpgsqlConnection connection, int seed)
{
    private const string Live = "('trialing', 'active', 'past_due')";
    private readonly Random _random = new(seed);
    private readonly Guid[] _plans = Ids(4);
    private readonly Guid[] _groups = Ids(5);
    private readonly Guid[] _categories = Ids(4);
    private readonly List<Guid> _modules = [.. Ids(10)];
    private readonly List<Guid> _schools = [.. Ids(10)];
    private readonly List<Guid> _subscriptions = [];
    private int _number;

    /// <summary>Writes the network, with the triggers of its tables at work.</summary>
    public Task Write() => Commit(
    [
        .. _plans.Select(id => $"insert into tenancy.subscription_plans (id, name, slug) values ('{id}', 'Plan', '{Code()}')"),
        .. _groups.Select(id => $"insert into tenancy.school_groups (id, name, code) values ('{id}', 'Group', '{Code()}')"),
        .. _categories.Select(id => $"insert into tenancy.business_categories (id, name, slug) values ('{id}', 'Category', '{Code()}')"),
        .. _modules.Select(InsertModule),
        .. Enumerable.Range(0, 8).Select(_ => InsertLine()),
        .. Enumerable.Range(0, 4).Select(_ => InsertCategoryLine()),
        .. _groups.Select(InsertSubscription),
        .. _schools.Select(InsertSchool),
    ]);

    /// <summary>A random event.</summary>
    public string Event() => _random.Next(4) == 0 ? SchoolEvent() : OtherEvent();

    /// <summary>A random event that changes no school itself.</summary>
    public string OtherEvent() => _random.Next(3) switch
    {
        0 => GroupEvent(),
        1 => PlanEvent(),
        _ => CatalogueEvent(),
    };

    public string GroupEvent() => _random.Next(10) switch
    {
        0 or 1 => InsertSubscription(One(_groups)),
        2 => $"delete from tenancy.subscriptions where id = '{Late(_subscriptions)}'",
        3 or 4 => $"update tenancy.subscriptions set plan_id = '{One(_plans)}' where id = '{Late(_subscriptions)}'",
        5 => $"update tenancy.subscriptions set plan_id = '{One(_plans)}' where plan_id = '{One(_plans)}'",
        6 =>
            $"update tenancy.subscriptions set status = '{Word(["suspended", "cancelled", "expired"])}'"
            + $" where school_group_id = '{One(_groups)}' and status in {Live}",
        7 =>
            $"update tenancy.subscriptions s set status = '{Word(["trialing", "active", "past_due"])}' where id = '{Late(_subscriptions)}'"
            + $" and {NoneLive("s.school_group_id", "s.id")}",
        8 => Move(One(_groups)),
        _ => $"update tenancy.school_groups set status = {Switched} where id = '{One(_groups)}'",
    };

    public string PlanEvent() => _random.Next(8) switch
    {
        0 or 1 => InsertLine(),
        2 => $"update tenancy.plan_modules set included = not included where plan_id = '{One(_plans)}' and module_id = '{Late(_modules)}'",
        3 => $"update tenancy.plan_modules set included = not included where module_id = '{Late(_modules)}'",
        4 => $"delete from tenancy.plan_modules where plan_id = '{One(_plans)}'"
        + (_random.Next(2) == 0 ? "" : $" and module_id = '{Late(_modules)}'"),
        5 or 6 => InsertCategoryLine(),
        _ => $"delete from tenancy.plan_categories where plan_id = '{One(_plans)}' and category_id = '{One(_categories)}'",
    };

    public string CatalogueEvent() => _random.Next(10) switch
    {
        0 => _random.Next(2) == 0 ? InsertModule(Added(_modules)) : InsertModules([Added(_modules), Added(_modules), Added(_modules)]),
        1 => $"delete from tenancy.modules where id in ('{Late(_modules)}', '{Late(_modules)}')",
        2 => $"update tenancy.modules set status = {Switched} where id = '{Late(_modules)}'",
        3 => $"update tenancy.modules set is_built = not is_built where id = '{Late(_modules)}'",
        4 => $"update tenancy.modules set code = '{Code()}' where id = '{Late(_modules)}'",
        5 => $"update tenancy.modules set category_id = '{One(_categories)}' where id = '{Late(_modules)}'",
        6 =>
            $"update tenancy.modules set category_id = '{One(_categories)}', status = {Switched} where category_id = '{One(_categories)}'"
            + $" and id in ('{Late(_modules)}', '{Late(_modules)}')",
        7 =>
        $"update tenancy.modules set name = 'Name {++_number}', status = status, category_id = category_id where id = '{Late(_modules)}'",
        8 => $"update tenancy.business_categories set status = {Switched} where id in ('{One(_categories)}', '{One(_categories)}')",
        _ => $"update tenancy.business_categories set status = {Switched} where id = '{One(_categories)}'",
    };

    public string SchoolEvent() => _random.Next(6) switch
    {
        0 => InsertSchool(Added(_schools)),
        1 => $"delete from tenancy.schools where id = '{Late(_schools)}'",
        2 => $"update tenancy.schools set name = 'School {++_number}' where id = '{Late(_schools)}'",
        3 => $"update tenancy.schools set status = {Switched} where school_group_id = '{One(_groups)}'",
        4 => $"update tenancy.schools set status = {Switched} where id = '{Late(_schools)}'",
        _ => $"update tenancy.schools set school_group_id = '{One(_groups)}' where id = '{Late(_schools)}'",
    };

    /// <summary>Some events in a transaction, in which some are taken back, and now and then all of them.</summary>
    public string[] Transaction(int events)
    {
        var statements = new List<string>();
        for (var i = 0; i < events; i++)
        {
            var taken = _random.Next(6) == 0;
            statements.AddRange(
                taken ? ["savepoint back", Event(), _random.Next(3) == 0 ? "release savepoint back" : "rollback to savepoint back"]
                : [Event()]);
        }
        return [.. statements, _random.Next(7) == 0 ? "rollback" : "commit"];
    }

    public Task Commit(IEnumerable<string> statements) => Run([.. statements, "commit"]);

    /// <summary>Runs a transaction whose last statement ends it.</summary>
    public Task Run(IEnumerable<string> statements) => connection.ExecuteAsync($"begin; {string.Join(";\n", statements)}");

    private Guid One(Guid[] of) => of[_random.Next(of.Length)];

    private string Word(string[] of) => of[_random.Next(of.Length)];

    // Most of the first ones are gone after a while.
    private Guid Late(List<Guid> of) => of[^(1 + _random.Next(Math.Min(of.Count, 14)))];

    private const string Switched = "case status when 'active' then 'inactive' else 'active' end";

    private static string NoneLive(string group, string except) =>
        $"not exists (select 1 from tenancy.subscriptions o where o.school_group_id = {group} and o.status in {Live} and o.id <> {except})";

    // A group has one live subscription: one that would be the second is not moved.
    private string Move(
        Guid group) =>
        $"update tenancy.subscriptions s set school_group_id = '{group}' where id = '{Late(_subscriptions)}' and (s.status not in {Live}"
        + $" or {NoneLive($"'{group}'", "s.id")})";

    private string InsertSubscription(Guid group)
    {
        var status = Word(["trialing", "active", "active", "past_due", "suspended", "expired"]);
        var id = Added(_subscriptions);
        return $"insert into tenancy.subscriptions (id, school_group_id, plan_id, status, starts_at) select '{id}', '{group}', "
            + $"'{One(_plans)}', '{status}', now()"
            + (status is "suspended" or "expired" ? "" : $" where {NoneLive($"'{group}'", $"'{id}'")}");
    }

    private string InsertModule(Guid id) => InsertModules([id]);

    private string InsertModules(Guid[] ids) => "insert into tenancy.modules (id, code, name, category_id, is_built) values "
        + string.Join(
            ", ", ids.Select(id => $"('{id}', '{Code()}', 'Module', '{One(_categories)}', {(_random.Next(5) > 0 ? "true" : "false")})"));

    private string InsertSchool(Guid id) =>
        $"insert into tenancy.schools (id, school_group_id, name, code) values ('{id}', '{One(_groups)}', 'School', '{Code()}')";

    private string InsertLine() =>
        $"insert into tenancy.plan_modules (id, plan_id, module_id, included) select gen_random_uuid(), '{One(_plans)}', id, "
        + $"{(_random.Next(4) > 0 ? "true" : "false")} from tenancy.modules where id = '{Late(_modules)}' on conflict (plan_id, "
        + $"module_id) do "
        + (_random.Next(2) == 0 ? "nothing" : "update set included = excluded.included");

    private string InsertCategoryLine() =>
        $"insert into tenancy.plan_categories (id, plan_id, category_id)"
        + $" values (gen_random_uuid(), '{One(_plans)}', '{One(_categories)}') on conflict do nothing";

    private string Code() => $"s{seed}-{++_number}";

    private static Guid Added(List<Guid> ids)
    {
        ids.Add(Guid.CreateVersion7());
        return ids[^1];
    }

    private static Guid[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7())];
}
