namespace Sankore.Tests.Tenancy;

/// <summary>
/// What may be done with a module: whatever any of the assignments in force says, and everything for the group's administrator.
/// </summary>
public sealed class RightsTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private static readonly string[] Seconds = ["in force", "revoked", "expired", "elsewhere", "of another module"];

    private sealed record Rights(Guid UserId, bool CanWrite, bool CanDelete, bool CanExport);

    [Fact]
    public async Task Rights_of_two_assignments_add_up()
    {
        var (network, first, second) = Base();
        var due = new Dictionary<Guid, Rights>();
        foreach (var state in Seconds)
        {
            for (var bits = 0; bits < 64; bits++)
            {
                var user = Person(network, network.Schools[0], "teacher");
                var (here, there) = (bits & 7, bits >> 3);
                network.Assignments.Add(Assignment(network, user, here, moduleId: first.Id));
                network.Assignments.Add(Assignment(
                    network, user, there, categoryId: state == "of another module" ? null
                    : first.CategoryId, moduleId: state == "of another module" ? second.Id : null) with
                {
                    IsActive = state != "revoked",
                    ExpiresAt = state == "expired" ? DateTime.UtcNow.AddMinutes(-1) : DateTime.UtcNow.AddDays(1),
                    SchoolId = network.Schools[state == "elsewhere" ? 1 : 0].Id,
                });
                due[user.Id] = Of(user, state == "in force" ? here | there : here);
            }
        }
        var admin = Person(network, null, "group_admin");
        due[admin.Id] = Of(admin, 7);
        await Network.Write(world.AdminConnection, [network]);
        foreach (var (user, rights) in due)
        {
            (await world.AsRole<Rights>(
                "authenticated", user,
                "select auth.uid() as user_id, can_write, can_delete, can_export from tenancy.my_menu() where code = 'rights-1'"))
                .ShouldBe([rights]);
            var asked = await world.AsRole<Rights>("authenticated", user, """
                select auth.uid() as user_id, tenancy.has_module('rights-1', 'write') as can_write,
                  tenancy.has_module('rights-1', 'delete') as can_delete, tenancy.has_module('rights-1', 'export') as can_export
                """);
            asked.ShouldBe([rights]);
        }
    }

    [Fact]
    public async Task There_are_no_other_rights_and_none_without_the_module()
    {
        var (network, first, _) = Base("other");
        var admin = Person(network, null, "group_admin");
        var teacher = Person(network, network.Schools[1], "teacher");
        network.Schools[1].ActiveModules.Clear();
        network.Assignments.Add(Assignment(network, teacher, 7, moduleId: first.Id));
        await Network.Write(world.AdminConnection, [network]);
        string[] words = ["read", "write", "delete", "export", "", "READ", "manage"];
        const string sql = "select w from unnest(@words) w where tenancy.has_module('other-1', w)";
        (await world.AsRole<string>("authenticated", admin.Id, sql, new { words }))
            .ShouldBe(["read", "write", "delete", "export"], ignoreOrder: true);
        (await world.AsRole<string>("authenticated", teacher.Id, sql, new { words })).ShouldBeEmpty();
        (await world.AsRole<bool>("authenticated", admin.Id, "select tenancy.has_module('no-such-module')")).ShouldBe([false]);
    }

    private static (Network Network, NetModule First, NetModule Second) Base(string name = "rights")
    {
        var category = new NetCategory(Guid.CreateVersion7(), name, name, "active");
        NetModule[] modules =
            [.. new[] { 1, 2 }.Select(i => new NetModule(Guid.CreateVersion7(), $"{name}-{i}", name, category.Id, "active", true))];
        var plan = new NetPlan(Guid.CreateVersion7(), name, name, "active");
        var group = new NetGroup(Guid.CreateVersion7(), name, name, "active");
        var network = new Network
        {
            Categories = [category],
            Modules = [.. modules],
            Plans = [plan],
            PlanCategories = [new NetPlanCategory(Guid.CreateVersion7(), plan.Id, category.Id)],
            Groups = [group],
            Subscriptions = [new NetSubscription(Guid.CreateVersion7(), group.Id, plan.Id, "active", DateTime.UtcNow)],
            Schools = [
            .. new[] { 1, 2 }.Select(
            i =>
            new NetSchool(Guid.CreateVersion7(), group.Id, name, $"{name}-{i}", "active", modules.ToDictionary(m => m.Code, _ => true)))],
        };
        return (network, modules[0], modules[1]);
    }

    private static NetUser Person(Network network, NetSchool? school, string role)
    {
        var user = new NetUser(Guid.CreateVersion7(), $"{network.Groups[0].Code}{network.Users.Count}@sankore.test");
        network.Users.Add(user);
        network.Memberships.Add(new NetMembership(Guid.CreateVersion7(), user.Id, network.Groups[0].Id, school?.Id, role, "active", null));
        return user;
    }

    private static NetAssignment Assignment(Network network, NetUser user, int bits, Guid? moduleId = null, Guid? categoryId = null) =>
        new(Guid.CreateVersion7(), user.Id, network.Groups[0].Id, null, moduleId, categoryId, (bits & 1) > 0, (bits & 2) > 0,
            (bits & 4) > 0, true, null);

    private static Rights Of(NetUser user, int bits) => new(user.Id, (bits & 1) > 0, (bits & 2) > 0, (bits & 4) > 0);
}
