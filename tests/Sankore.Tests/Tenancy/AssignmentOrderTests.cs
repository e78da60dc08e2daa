using Npgsql;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Plans, groups and modules change while assignments are made of them: each is decided one way or the other, and nothing fails.
/// </summary>
public sealed class AssignmentOrderTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_plan_that_changes_meanwhile_decides_each_assignment_one_way_or_the_other()
    {
        using var admin = await world.As(Cast.Admin1);
        var module = await world.ModuleId("inventaire");
        var people = await world.PeopleOf("g001", "secretary", 12);
        var editing = Task.Run(async () =>
        {
            for (var i = 0; i < 12; i++)
            {
                await world.Execute(
                    "delete from tenancy.plan_modules where module_id = @module and plan_id = (select id from tenancy.subscription_plans"
                    + " where slug = 'premium')", new { module });
                await world.Execute(
                    "insert into tenancy.plan_modules (id, plan_id, module_id) select gen_random_uuid(), id, @module"
                    + " from tenancy.subscription_plans where slug = 'premium'", new { module });
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
        (await world.Sql<int>(
            "select count(*)::int from tenancy.schools s join tenancy.school_entitlements e on e.school_id = s.id"
            + " where s.active_modules is distinct from e.active_modules")).ShouldBe(0);
    }

    [Fact]
    public async Task A_group_that_closes_and_opens_meanwhile_makes_no_assignment_fail()
    {
        using var admin = await world.As(Cast.Admin2);
        var (group, module, people) =
            (await world.GroupId("g002"), await world.ModuleId("annonces"), await world.PeopleOf("g002", "teacher", 8));
        using var done = new CancellationTokenSource();
        var closing = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                foreach (var status in new[] { "inactive", "active" })
                {
                    await Retried(
                        () => world.Execute("update tenancy.school_groups set status = @status where id = @group", new { status, group }));
                }
            }
        });
        var answers = await Task.WhenAll(people.Select(async (user, n) =>
        {
            var statuses = new List<int>();
            for (var i = 0; i < 10; i++)
            {
                using var answer = n % 2 == 0
                    ? await admin.Bulk(group, new { userIds = people, moduleIds = new[] { module }, canWrite = i % 2 == 0 })
                    : await admin.Assign(user, module, new { canExport = i % 2 == 0 });
                statuses.Add((int)answer.StatusCode);
            }
            return statuses;
        }));
        await done.CancelAsync();
        await closing;
        answers.SelectMany(a => a).Distinct().ShouldBeSubsetOf([200, 412, 422]);
    }

    [Fact]
    public async Task A_module_that_changes_its_code_or_is_deleted_meanwhile_makes_no_assignment_fail()
    {
        using var super = await world.As(Cast.Super);
        using var admin = await world.As("admin.g004@sankore.test");
        var (group, people, finances) =
            (await world.GroupId("g004"), await world.PeopleOf("g004", "teacher", 20), await world.CategoryId("finances"));
        for (var round = 0; round < 6; round++)
        {
            var module = await super.NewModule(categoryId: finances);
            var assigning = people.Chunk(4).Select(some => Statuses(admin, group, some, module.Id(), 4)).ToList();
            for (var i = 0; i < 3; i++)
            {
                module = await super.Ask(HttpMethod.Put, $"/api/modules/{module.Id()}", module.With(("code", Catalogue.Word()))).Json();
            }
            using var deleted = await super.Ask(HttpMethod.Delete, $"/api/modules/{module.Id()}");
            ((int)deleted.StatusCode).ShouldBe(204);
            (await Task.WhenAll(assigning)).SelectMany(s => s).Distinct().ShouldBeSubsetOf([200, 409]);
        }
    }

    private static async Task<List<int>> Statuses(HttpClient admin, Guid group, Guid[] people, Guid module, int times)
    {
        var statuses = new List<int>();
        for (var i = 0; i < times; i++)
        {
            using var answer = await admin.Bulk(group, new { userIds = people, moduleIds = new[] { module }, canWrite = i % 2 == 0 });
            statuses.Add((int)answer.StatusCode);
        }
        return statuses;
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
}
