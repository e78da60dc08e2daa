namespace Sankore.Tests.Tenancy;

/// <summary>The list of a group's people: by role, by school, by words, page by page; and only for whoever keeps it.</summary>
public sealed class StaffListTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_list_is_filtered_and_comes_in_pages()
    {
        using var super = await world.As(Cast.Super);
        var tenant = await world.NewTenant(super, await super.NewPlan());
        using var admin = await world.As(tenant.Admin);
        var second = await admin.NewSchool(tenant.GroupId);
        var others = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            others.Add(await world.NewPerson(tenant.GroupId, second.Id(), i == 0 ? "head" : "teacher"));
        }
        (await Emails("?role=teacher")).ShouldBe([tenant.Teacher, others[1], others[2]], ignoreOrder: true);
        (await Emails($"?school={second.Id()}")).ShouldBe(others, ignoreOrder: true);
        (await Emails($"?school={second.Id()}&role=head")).ShouldBe([others[0]]);
        (await Emails($"?q={others[1][..8].ToUpperInvariant()}")).ShouldBe([others[1]]);
        (await Emails("?q=%25")).ShouldBeEmpty();
        (await Emails("?role=king")).ShouldBeEmpty();
        (await Emails($"?school={await world.SchoolId("s0001")}")).ShouldBeEmpty();

        var seen = new List<string>();
        for (var page = 1; page <= 3; page++)
        {
            var answer = await admin.Ask(HttpMethod.Get, $"/api/groups/{tenant.GroupId}/staff?size=2&page={page}").Json();
            (answer.GetProperty("total").GetInt32(), answer.GetProperty("page").GetInt32(), answer.GetProperty("size").GetInt32())
                .ShouldBe((5, page, 2));
            seen.AddRange(answer.GetProperty("items").Texts("email"));
        }
        seen.ShouldBe([tenant.Admin, tenant.Teacher, .. others], ignoreOrder: true);
        await admin.Ask(HttpMethod.Get, $"/api/groups/{tenant.GroupId}/staff?school=first").ShouldRefuse(400, "BAD_REQUEST");

        async Task<IReadOnlyList<string>> Emails(string query) =>
            [.. (await admin.StaffOf(tenant.GroupId, query)).Select(s => s.Text("email"))];
    }

    [Fact]
    public async Task People_who_are_invited_are_listed_and_found_with_the_others()
    {
        using var super = await world.As(Cast.Super);
        var plan = await super.NewPlan();
        var (tenant, other) = (await world.NewTenant(super, plan), await world.NewTenant(super, plan));
        using var admin = await world.As(tenant.Admin);
        await admin.Hire(tenant.GroupId, other.Teacher, tenant.SchoolId, "head").Json();
        foreach (var query in new[] { $"?q={other.Teacher[..9]}", "?role=head", $"?school={tenant.SchoolId}&role=head" })
        {
            (await admin.StaffOf(tenant.GroupId, query)).ShouldHaveSingleItem().Text("name").ShouldBe(other.Teacher);
        }
        // Not even its first letters tell the name.
        (await admin.StaffOf(tenant.GroupId, "?q=Personne")).Select(s => s.Text("email"))
            .ShouldBe([tenant.Admin, tenant.Teacher], ignoreOrder: true);
        (await super.StaffOf(tenant.GroupId)).Count.ShouldBe(3);
        using var neighbour = await world.As(other.Admin);
        (await neighbour.StaffOf(other.GroupId)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Whoever_does_not_administer_the_group_is_shown_no_list()
    {
        using var super = await world.As(Cast.Super);
        var tenant = await world.NewTenant(super, await super.NewPlan());
        foreach (var email in new[] { Cast.Admin2, tenant.Teacher, Cast.Teacher1, await world.NewPerson() })
        {
            using var client = await world.As(email);
            await client.Ask(HttpMethod.Get, $"/api/groups/{tenant.GroupId}/staff").ShouldRefuse(404, "NOT_FOUND");
        }
        await super.Ask(HttpMethod.Get, $"/api/groups/{Guid.NewGuid()}/staff").ShouldRefuse(404, "NOT_FOUND");
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, $"/api/groups/{tenant.GroupId}/staff").ShouldRefuse(401, "UNAUTHENTICATED");
        using var moderator = await world.As(await world.NewPerson(platformRole: "moderator"));
        (await moderator.StaffOf(tenant.GroupId)).Count.ShouldBe(2);
    }
}
