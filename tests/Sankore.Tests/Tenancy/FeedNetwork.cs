using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>A transaction that was committed: the log's position after it, what each person saw then, and what it did.</summary>
public sealed record FeedStep(long Position, Dictionary<string, HashSet<Guid>> Seen, string Sql, bool HasInBetween = false);

/// <summary>
/// A small catalogue with a few plans, a group and a school on each with its people, and random changes to it, one SQL statement each.
/// </summary>
public sealed partial class FeedNetwork(World world, int seed)
{
    private readonly Random _random = new(seed);
    private readonly Guid[] _categories = [.. Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7())];
    private readonly Guid[] _plans = [.. Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7())];
    private readonly List<Guid> _modules = [.. Enumerable.Range(0, 7).Select(_ => Guid.CreateVersion7())];
    private readonly Guid _marker = Guid.CreateVersion7();
    private int _number;

    /// <summary>The administrators, one of each group and one of the first two; then the staff.</summary>
    public (Guid Id, string Email)[] People { get; } =
        [.. Enumerable.Range(0, Administrators + StaffGroups.Length).Select(i => (Guid.CreateVersion7(), $"p{i}@feed{seed}.sankore.test"))];

    /// <summary>Writes the network, with the triggers of its tables at work.</summary>
    public async Task Write()
    {
        var sql = new List<string>();
        sql.AddRange(_categories.Select(
            (id, i) => $"insert into tenancy.business_categories (id, name, slug) values ('{id}', 'Category {i}', 'f{seed}-c{i}')"));
        sql.Add($"insert into tenancy.business_categories (id, name, slug) values ('{_marker}', 'Marker', 'f{seed}-marker')");
        sql.AddRange(_modules.Select(id => Insert(id, One(_categories))));
        sql.Add($"insert into tenancy.modules (id, code, name, category_id) values ('{_marker}', 'f{seed}-marker', 'Marker', '{_marker}')");
        foreach (var (i, plan) in _plans.Index())
        {
            sql.Add($"insert into tenancy.subscription_plans (id, name, slug) values ('{plan}', 'Plan {i}', 'f{seed}-p{i}')");
            sql.Add($"insert into tenancy.plan_modules (id, plan_id, module_id) values (gen_random_uuid(), '{plan}', '{_marker}')");
            sql.Add($"insert into tenancy.school_groups (id, name, code) values ('{plan}', 'Group {i}', 'f{seed}-g{i}')");
            sql.Add(
                $"insert into tenancy.schools (id, school_group_id, name, code) values ('{plan}', '{plan}', 'School {i}', 'f{seed}-s{i}')");
            sql.Add(
                $"insert into tenancy.subscriptions (id, school_group_id, plan_id, starts_at)"
                + $" values (gen_random_uuid(), '{plan}', '{plan}', now())");
        }
        foreach (var (i, (id, email)) in People.Index())
        {
            sql.Add(
                $"insert into auth.users (id, email, normalized_email, password_hash, security_stamp, concurrency_stamp, is_demo)"
                + $" values ('{id}', '{email}', util.address_key('{email}'), '{Cluster.DemoPasswordHash}', 's', 'c', true)");
            sql.Add($"insert into public.profiles (id, email, display_name) values ('{id}', '{email}', 'Person {i}')");
            sql.AddRange(i < Administrators
                ? (i < 3 ? (int[])[i] : [0, 1])
                .Select(
                    p =>
                        $"insert into tenancy.memberships (id, user_id, school_group_id, role)"
                        + $" values (gen_random_uuid(), '{id}', '{_plans[p]}', 'group_admin')")
                : StaffGroups[i - Administrators].SelectMany(p => Hire(id, _plans[p])));
        }
        sql.AddRange(
            Enumerable.Range(0, 8).Select(_ => LinkModule()).Concat(Enumerable.Range(0, 2).Select(_ => LinkCategory()))
            .Concat(Enumerable.Range(0, 12).Select(_ => Assign())));
        await Commit(sql);
    }

    /// <summary>A random change.</summary>
    public string Change() => _random.Next(5) < 2 ? RightsChange() : CatalogueChange();

    /// <summary>A random change of the catalogue or of what plans include.</summary>
    private string CatalogueChange() => _random.Next(12) switch
    {
        0 or 1 =>
            $"update tenancy.modules set name = 'Name {++_number}', icon = '{One(["book", "mail", "bus"])}' where id = '{One(_modules)}'",
        2 =>
            $"update tenancy.modules set status = case status when 'active' then 'inactive' else 'active' end where id = '{One(_modules)}'",
        3 => $"update tenancy.modules set is_built = not is_built where id = '{One(_modules)}'",
        4 => $"update tenancy.modules set category_id = '{One(_categories)}' where id = '{One(_modules)}'",
        5 => Insert(Added(), One(_categories)),
        6 => $"delete from tenancy.modules where id = '{One(_modules)}'",
        7 =>
            $"update tenancy.business_categories set status = case status when 'active' then 'inactive' else 'active' end"
            + $" where id = '{One(_categories)}'",
        8 => $"update tenancy.business_categories set name = 'Category {++_number}' where id = '{One(_categories)}'",
        9 => _random.Next(2) == 0 ? LinkModule()
        : $"delete from tenancy.plan_modules where plan_id = '{One(_plans)}' and module_id = '{One(_modules)}'",
        10 => $"update tenancy.plan_modules set included = not included where plan_id = '{One(_plans)}' and module_id = '{One(_modules)}'",
        _ => _random.Next(2) == 0 ? LinkCategory()
        : $"delete from tenancy.plan_categories where plan_id = '{One(_plans)}' and category_id = '{One(_categories)}'",
    };

    /// <summary>A change that everybody is told of, so that whoever has seen it has seen all before it.</summary>
    public string Mark(string name) => $"update tenancy.modules set name = '{name}' where id = '{_marker}'";

    /// <summary>Commits statements in one transaction.</summary>
    /// <returns>The log's position after it.</returns>
    public async Task<long> Commit(IEnumerable<string> statements)
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        await connection.ExecuteAsync($"begin; {string.Join("; ", statements)}; commit");
        return await connection.ExecuteScalarAsync<long>("select live.position()");
    }

    /// <summary>
    /// Commits <paramref name="second"/> while <paramref name="first"/> is done but not committed; where the second must wait for the
    /// first, afterwards.
    /// </summary>
    public async Task<FeedStep[]> CommitAmid(string first, string second)
    {
        await using var open = new NpgsqlConnection(world.AdminConnection);
        await open.OpenAsync();
        await open.ExecuteAsync($"begin; {first}");
        var other = CommitIfRowsAreThere(second);
        await Waiting.Until(
            async () => other.IsCompleted
            || await world.Sql<bool>(
                "select exists (select 1 from pg_locks where not granted and pid in (select pid from pg_stat_activity"
                + " where datname = current_database()))"), "the second is committed, or waits");
        var steps = new List<FeedStep>();
        if (other.IsCompleted)
        {
            steps.Add(new FeedStep(await other, await Seen(), $"{second}\nwhile not committed: {first}"));
        }
        // One that waits for the first's rows commits after it: there is a state in between that is not looked at.
        var waits = !other.IsCompleted;
        await open.ExecuteAsync("commit transaction");
        await other;
        return [
            .. steps,
            new FeedStep(await world.Sql<long>("select live.position()"), await Seen(), $"{first}\nat the same time as: {second}", waits)];
    }

    // What the second statement found may be deleted by the time that it may go on.
    private async Task<long> CommitIfRowsAreThere(string statement)
    {
        try
        {
            return await Commit([statement]);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return await world.Sql<long>("select live.position()");
        }
    }

    /// <summary>The modules and categories that each person has now, as the row policies have it.</summary>
    public async Task<Dictionary<string, HashSet<Guid>>> Seen()
    {
        var seen = new Dictionary<string, HashSet<Guid>>();
        await using var connection = new NpgsqlConnection(world.AppConnection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var (id, email) in People)
        {
            await connection.ExecuteAsync(
                "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', json_build_object('sub', @id, "
                + "'role', 'authenticated')::text, true)", new { id });
            seen[email] = [
                .. await connection.QueryAsync<Guid>(
                    "select id from tenancy.modules union all select id from tenancy.business_categories")];
        }
        return seen;
    }

    private string Insert(Guid id, Guid category) =>
        $"insert into tenancy.modules (id, code, name, category_id)"
        + $" values ('{id}', 'f{seed}-m{++_number}', 'Module {_number}', '{category}')";

    // Of a module that was deleted nothing is inserted; of a link that is there already, neither.
    private string LinkModule() =>
        $"insert into tenancy.plan_modules (id, plan_id, module_id, included) select gen_random_uuid(), '{One(_plans)}', id, "
        + $"{(_random.Next(3) > 0 ? "true" : "false")} from tenancy.modules where id = '{One(_modules)}' on conflict do nothing";

    private string LinkCategory() =>
        $"insert into tenancy.plan_categories (id, plan_id, category_id)"
        + $" values (gen_random_uuid(), '{One(_plans)}', '{One(_categories)}') on conflict do nothing";

    private Guid Added()
    {
        _modules.Add(Guid.CreateVersion7());
        return _modules[^1];
    }

    private T One<T>(IReadOnlyList<T> of) => of[_random.Next(of.Count)];
}
