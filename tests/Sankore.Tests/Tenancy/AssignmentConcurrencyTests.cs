using System.Text.Json;
using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>Several assign at once, while plans and groups change: one order of things, nothing lost, no fault of the server's.</summary>
public sealed class AssignmentConcurrencyTests(ModuleRoutes world) : IClassFixture<ModuleRoutes>
{
    [Fact]
    public async Task Of_two_who_assign_the_same_at_once_one_is_told_to_read_again()
    {
        using var first = await world.As(Cast.Admin1);
        using var second = await SecondAdmin("g001", "head.s0006@sankore.test");
        var module = await world.ModuleId("bibliotheque");
        foreach (var user in await People("g001", "teacher", 12))
        {
            var last = await world.LastLine();
            var answers = await Task.WhenAll(first.Assign(user, module, new { canWrite = true }), second.Assign(user, module, new { canExport = true }));
            answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 412]);
            var won = JsonElement.Parse(await answers.Single(a => a.IsSuccessStatusCode).Body());
            won.GetProperty("version").GetInt32().ShouldBe(1);
            won.GetProperty("canWrite").GetBoolean().ShouldBe(answers[0].IsSuccessStatusCode);
            var lines = await world.LinesAfter(last);
            lines.Select(l => (l.Action, l.Reason)).ShouldBe([("assigned", null), ("refused", "STALE")]);
            (lines[0].Asked, lines[1].Had).ShouldBe(answers[0].IsSuccessStatusCode ? ("rw", "rw") : ("re", "re"));
        }
    }

    [Fact]
    public async Task Bulk_assignments_over_the_same_people_leave_one_chain_of_changes()
    {
        using var first = await world.As("admin.g005@sankore.test");
        using var second = await SecondAdmin("g005", "head.s0005@sankore.test");
        var group = await world.GroupId("g005");
        var (people, modules, category) = (await People("g005", "teacher", 15), new[] { await world.ModuleId("bibliotheque"), await world.ModuleId("inventaire") }, await world.CategoryId("finances"));
        var (last, random) = (await world.LastLine(), new Random(20260131));
        var bodies = Enumerable.Range(0, 20).Select(_ => new
        {
            userIds = people.OrderBy(_ => random.Next()).Take(random.Next(2, 12)).ToArray(),
            moduleIds = modules.Take(random.Next(1, 3)),
            categoryIds = new[] { category },
            canWrite = random.Next(2) == 0,
            canDelete = random.Next(2) == 0,
            revoke = random.Next(4) == 0,
        }).ToList();

        var results = await Task.WhenAll(bodies.Select((body, i) => (i % 2 == 0 ? first : second).Bulk(group, body).Json()));
        results.Zip(bodies).ShouldAllBe(r => r.First.GetProperty("people").GetInt32() == r.Second.userIds.Length);
        var lines = await world.LinesAfter(last);
        var all = results.Sum(r => r.GetProperty("outcomes").EnumerateObject().Where(o => o.Name != "unchanged").Sum(o => o.Value.GetInt32()));
        lines.Count.ShouldBe(all);
        foreach (var chain in lines.GroupBy(l => (l.UserId, l.Target)))
        {
            var had = default(string);
            foreach (var line in chain)
            {
                line.Before.ShouldBe(had);
                had = line.Action == "refused" ? had : line.After;
            }
            (await world.Sql<bool>("select coalesce((select is_active from tenancy.user_module_permissions where user_id = @user and school_id is null and coalesce(module_id, category_id) = @target), false)",
                new { user = chain.Key.UserId, target = chain.Key.Target })).ShouldBe(had is not null);
        }
    }

    [Fact]
    public async Task A_plan_that_changes_meanwhile_decides_each_assignment_one_way_or_the_other()
    {
        using var admin = await world.As(Cast.Admin1);
        var module = await world.ModuleId("inventaire");
        var people = await People("g001", "secretary", 12);
        var editing = Task.Run(async () =>
        {
            for (var i = 0; i < 12; i++)
            {
                await world.Execute("delete from tenancy.plan_modules where module_id = @module and plan_id = (select id from tenancy.subscription_plans where slug = 'premium')", new { module });
                await world.Execute("insert into tenancy.plan_modules (id, plan_id, module_id) select gen_random_uuid(), id, @module from tenancy.subscription_plans where slug = 'premium'", new { module });
            }
        });
        foreach (var user in people)
        {
            using var assigned = await admin.Assign(user, module);
            ((int)assigned.StatusCode).ShouldBeOneOf(200, 422);
            using var revoked = await admin.Revoke(user, module);
            ((int)revoked.StatusCode).ShouldBe(assigned.IsSuccessStatusCode ? 204 : 404);
        }
        await editing;
        await admin.Assign(people[0], module, new { version = 0 }).Json();
        (await world.Sql<int>("select count(*)::int from tenancy.schools s join tenancy.school_entitlements e on e.school_id = s.id where s.active_modules is distinct from e.active_modules")).ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_works_while_it_is_revoked_is_let_in_or_not_and_nothing_else()
    {
        const string Email = "supervisor.s0004.1@sankore.test";
        var (user, module) = (await world.IdOf(Email), await world.ModuleId("campagnes"));
        using var admin = await world.As("admin.g004@sankore.test");
        using var person = await world.As(Email);
        var changing = Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
            {
                await admin.Assign(user, module, new { canWrite = true, canDelete = true }).Json();
                (await admin.Revoke(user, module)).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
            }
        });
        var seen = new HashSet<int>();
        var menus = new HashSet<string?>();
        while (!changing.IsCompleted)
        {
            using var answer = await person.Ask(HttpMethod.Get, "/api/try-campagnes");
            seen.Add((int)answer.StatusCode);
            menus.Add((await person.Menu()).GetValueOrDefault("campagnes"));
        }
        await changing;
        seen.ShouldBeSubsetOf([200, 403]);
        menus.ShouldBeSubsetOf(["r", "rwd"]);
        await person.Ask(HttpMethod.Get, "/api/try-campagnes").ShouldRefuse(403, "MODULE_REFUSED");
    }

    [Fact]
    public async Task A_group_that_closes_and_opens_meanwhile_makes_no_assignment_fail()
    {
        using var admin = await world.As(Cast.Admin2);
        var (group, module, people) = (await world.GroupId("g002"), await world.ModuleId("annonces"), await People("g002", "teacher", 8));
        using var done = new CancellationTokenSource();
        var closing = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                foreach (var status in new[] { "inactive", "active" })
                {
                    await Retried(() => world.Execute("update tenancy.school_groups set status = @status where id = @group", new { status, group }));
                }
            }
        });
        var answers = await Task.WhenAll(people.Select(async (user, n) =>
        {
            var statuses = new List<int>();
            for (var i = 0; i < 10; i++)
            {
                using var answer = n % 2 == 0 ? await admin.Bulk(group, new { userIds = people, moduleIds = new[] { module }, canWrite = i % 2 == 0 }) : await admin.Assign(user, module, new { canExport = i % 2 == 0 });
                statuses.Add((int)answer.StatusCode);
            }
            return statuses;
        }));
        await done.CancelAsync();
        await closing;
        answers.SelectMany(a => a).Distinct().ShouldBeSubsetOf([200, 412, 422]);
    }

    private static async Task Retried(Func<Task> work)
    {
        while (true)
        {
            try
            {
                await work();
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
            }
        }
    }

    private async Task<HttpClient> SecondAdmin(string group, string email)
    {
        await world.Place(await world.IdOf(email), group, null, "group_admin");
        return await world.As(email);
    }

    private async Task<Guid[]> People(string group, string role, int count) =>
        [.. await world.Rows<Guid>("""
            select m.user_id from tenancy.memberships m join tenancy.school_groups g on g.id = m.school_group_id where g.code = @group and m.role = @role order by m.user_id limit @count
            """, new { group, role, count })];
}
