using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Several assign at once, or while the person works: one order of things, and nothing lost.</summary>
public sealed class AssignmentConcurrencyTests(ModuleRoutes world) : IClassFixture<ModuleRoutes>
{
    [Fact]
    public async Task Of_two_who_assign_the_same_at_once_one_is_told_to_read_again()
    {
        using var first = await world.As(Cast.Admin1);
        using var second = await SecondAdmin("g001", "head.s0006@sankore.test");
        var module = await world.ModuleId("bibliotheque");
        foreach (var user in await world.PeopleOf("g001", "teacher", 12))
        {
            var last = await world.LastLine();
            var answers = await Task.WhenAll(
                first.Assign(user, module, new { canWrite = true }), second.Assign(user, module, new { canExport = true }));
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
        var (people, modules, category) = (
            await world.PeopleOf("g005", "teacher", 15), new[] { await world.ModuleId("bibliotheque"), await world.ModuleId("inventaire") },
            await world.CategoryId("finances"));
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
        var all =
            results.Sum(r => r.GetProperty("outcomes").EnumerateObject().Where(o => o.Name != "unchanged").Sum(o => o.Value.GetInt32()));
        lines.Count.ShouldBe(all);
        foreach (var chain in lines.GroupBy(l => (l.UserId, l.Target)))
        {
            var had = default(string);
            foreach (var line in chain)
            {
                line.Before.ShouldBe(had);
                had = line.Action == "refused" ? had : line.After;
            }
            (await world.Sql<bool>(
                "select coalesce((select is_active from tenancy.user_module_permissions where user_id = @user and school_id is null"
                + " and coalesce(module_id, category_id) = @target), false)",
                new { user = chain.Key.UserId, target = chain.Key.Target })).ShouldBe(had is not null);
        }
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

    private async Task<HttpClient> SecondAdmin(string group, string email)
    {
        await world.Place(await world.IdOf(email), group, null, "group_admin");
        return await world.As(email);
    }
}
