using System.Text.Json;
using Sankore.Identity;
using Sankore.Tenancy;

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

    [Theory, InlineData("name"), InlineData("email"), InlineData("role"), InlineData("school")]
    public async Task A_list_is_sorted_either_way_and_ties_keep_their_order_across_pages(string sort)
    {
        using var super = await world.As(Cast.Super);
        var tenant = await world.NewTenant(super, await super.NewPlan());
        using var admin = await world.As(tenant.Admin);
        Guid[] schools = [tenant.SchoolId, (await admin.NewSchool(tenant.GroupId)).Id()];
        var stranger = await world.NewPerson();
        foreach (var school in schools)
        {
            foreach (var (name, role) in (IEnumerable<(string, string)>)[("Zoé", "secretary"), ("Élodie", "head"), ("Fatou", "head")])
            {
                var email = await world.NewPerson(tenant.GroupId, school, role);
                await world.Execute("update public.profiles set display_name = @name where email = @email", new { name, email });
            }
            // Asked for both places, and in none yet.
            await admin.Hire(tenant.GroupId, stranger, school).Json();
        }
        var (up, down) = (await Pages(sort), await Pages("-" + sort));
        up.Count.ShouldBe(10);
        up.Select(Row).ShouldBeUnique();
        down.Select(Row).ShouldBe(up.Select(Row), ignoreOrder: true);
        // Who is of the whole group has no school, and is last either way.
        var texts = up.Texts(sort).Where(text => text is not null).ToList();
        texts.ShouldBe(sort == "role" ? texts.OrderBy(role => Array.IndexOf(Memberships.Roles, role))
            : texts.OrderBy(text => text.Replace('É', 'E'), StringComparer.OrdinalIgnoreCase));
        down.Texts(sort).Where(text => text is not null).ShouldBe(texts.AsEnumerable().Reverse());

        static string Row(JsonElement member) => $"{member.Text("email")} {member.Text("schoolId")}";

        async Task<IReadOnlyList<JsonElement>> Pages(string by)
        {
            var pages = new List<JsonElement>();
            for (var page = 1; page <= 4; page++)
            {
                pages.AddRange(await admin.StaffOf(tenant.GroupId, $"?size=3&sort={by}&page={page}"));
            }
            return pages;
        }
    }

    [Fact]
    public async Task An_unknown_sort_is_refused()
    {
        using var admin = await world.As(Cast.Admin1);
        var group = await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'");
        (await admin.Ask(HttpMethod.Get, $"/api/groups/{group}/staff?sort=colour").ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("sort");
    }

    [Theory]
    [InlineData("staff", "name"), InlineData("staff", "role"), InlineData("staff", "school")]
    [InlineData("people", "name"), InlineData("people", "createdAt")]
    public async Task A_page_says_how_it_is_sorted_and_offers_the_other_way(string list, string sort)
    {
        using var super = new Browser(world.Address);
        await super.SignIn(Cast.Super, PasswordRules.Demo);
        var group = await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'");
        // The demo's people came all at once.
        await world.Execute(
            "update public.profiles set created_at = now() + interval '1 day' where email = @email", new { email = Cast.Super });
        var path = list == "staff" ? $"/groups/{group}/staff" : "/admin/people";
        var (up, down) = (await super.Page($"{path}?sort={sort}&page=1"), await super.Page($"{path}?sort=-{sort}&page=1"));
        up.ShouldContain($"""<th class="sort" aria-sort="ascending"><a href="{path}?sort=-{sort}">""");
        down.ShouldContain($"""<th class="sort" aria-sort="descending"><a href="{path}?sort={sort}">""");
        First(up).ShouldNotBe(First(down));

        static string First(string page) => page.Split("<tbody>")[1].Split("</tr>")[0];
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
