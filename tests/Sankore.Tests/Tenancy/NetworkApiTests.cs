using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Plans, groups, schools and people: who sees which, in which order.</summary>
public sealed class NetworkApiTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("plans", "select count(*)::int from tenancy.subscription_plans")]
    [InlineData("groups", "select count(*)::int from tenancy.school_groups")]
    [InlineData("schools", "select count(*)::int from tenancy.schools")]
    [InlineData("users", "select count(*)::int from public.profiles")]
    public async Task The_operator_sees_all_page_by_page(string list, string count)
    {
        using var admin = await world.As(Cast.Super);
        var total = await world.Sql<int>(count);
        var ids = new List<Guid>();
        for (var page = 1; ids.Count < total; page++)
        {
            var answer = await admin.Ask(HttpMethod.Get, $"/api/{list}?page={page}&size=100").Json();
            answer.GetProperty("total").GetInt32().ShouldBe(total);
            answer.GetProperty("items").GetArrayLength().ShouldBe(Math.Min(100, total - ids.Count));
            ids.AddRange(answer.GetProperty("items").EnumerateArray().Select(e => e.Id()));
        }
        ids.ShouldBeUnique();
    }

    [Theory]
    [InlineData("plans", "name", "name")]
    [InlineData("groups", "code", "code")]
    [InlineData("groups", "city", "city")]
    [InlineData("groups", "plan", "plan")]
    [InlineData("schools", "code", "code")]
    [InlineData("schools", "city", "city")]
    [InlineData("schools", "group", "groupName")]
    [InlineData("users", "email", "email")]
    [InlineData("users", "createdAt", "createdAt")]
    public async Task A_list_is_sorted_either_way(string list, string sort, string field)
    {
        using var admin = await world.As(Cast.Super);
        var up = (await Items(admin, $"{list}?sort={sort}&size=100")).Texts(field);
        var down = (await Items(admin, $"{list}?sort=-{sort}&size=100")).Texts(field);
        up.Count.ShouldBeGreaterThan(1);
        up.ShouldBe(up.Order(StringComparer.Ordinal));
        down.ShouldBe(down.OrderDescending(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("plans", "Essentiel", "essentiel", "slug")]
    [InlineData("groups", "G003", "g003", "code")]
    [InlineData("schools", "S0017", "s0017", "code")]
    [InlineData("users", "SUPER@", Cast.Super, "email")]
    public async Task A_search_finds_what_is_meant(string list, string q, string expected, string field)
    {
        using var admin = await world.As(Cast.Super);
        (await Items(admin, $"{list}?q={q}")).Texts(field).ShouldBe([expected]);
        (await Items(admin, $"{list}?q={Catalogue.Word()}")).GetArrayLength().ShouldBe(0);
        (await Items(admin, $"{list}?q=%25%25_")).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("plans")]
    [InlineData("groups")]
    [InlineData("schools")]
    [InlineData("users")]
    public async Task An_unknown_sort_is_refused(string list)
    {
        using var admin = await world.As(Cast.Super);
        (await admin.Ask(HttpMethod.Get, $"/api/{list}?sort=colour").ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("sort");
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, $"/api/{list}").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    [Fact]
    public async Task A_plan_says_its_price_and_its_reach()
    {
        using var admin = await world.As(Cast.Super);
        var plan = (await Items(admin, "plans?q=Premium")).EnumerateArray().ShouldHaveSingleItem();
        plan.GetProperty("monthlyPrice").GetInt64().ShouldBe(75_000);
        plan.Text("currency").ShouldBe("XAF");
        plan.GetProperty("groups").GetInt32()
            .ShouldBe(
                await world.Sql<int>(
                    "select count(*)::int from tenancy.subscriptions s join tenancy.subscription_plans p on p.id = s.plan_id"
                    + " where p.slug = 'premium'"));
        plan.GetProperty("modules").GetInt32()
            .ShouldBe(
                await world.Sql<int>(
                    "select count(*)::int from tenancy.included_modules i join tenancy.subscription_plans p on p.id = i.plan_id"
                    + " where p.slug = 'premium'"));
    }

    [Fact]
    public async Task Schools_can_be_asked_for_by_group()
    {
        using var admin = await world.As(Cast.Super);
        var group = (await Items(admin, "groups?q=g002")).EnumerateArray().ShouldHaveSingleItem();
        group.Text("plan").ShouldBe("Essentiel");
        group.Text("subscriptionStatus").ShouldBe("active");
        var schools = await Items(admin, $"schools?group={group.Id()}&size=100");
        schools.GetArrayLength().ShouldBe(group.GetProperty("schools").GetInt32());
        schools.EnumerateArray().ShouldAllBe(s => s.GetProperty("groupId").GetGuid() == group.Id());
        await admin.Ask(HttpMethod.Get, "/api/schools?group=first").ShouldRefuse(400, "BAD_REQUEST");
    }

    [Theory]
    [InlineData(Cast.Admin1, "g001", "premium")]
    [InlineData(Cast.Admin2, "g002", "essentiel")]
    public async Task A_group_admin_sees_the_own_group_all_its_schools_and_its_plan(string email, string code, string plan)
    {
        using var client = await world.As(email);
        var group = (await Items(client, "groups")).EnumerateArray().ShouldHaveSingleItem();
        group.Text("code").ShouldBe(code);
        var schools = await Items(client, "schools?size=100");
        schools.GetArrayLength()
            .ShouldBe(
                await world.Sql<int>("select count(*)::int from tenancy.schools where school_group_id = @id", new { id = group.Id() }));
        schools.EnumerateArray().ShouldAllBe(s => s.GetProperty("groupId").GetGuid() == group.Id());
        var seen = (await Items(client, "plans")).EnumerateArray().ShouldHaveSingleItem();
        seen.Text("slug").ShouldBe(plan);
        seen.GetProperty("groups").GetInt32().ShouldBe(1);
        var other = await world.Sql<Guid>("select id from tenancy.school_groups where code <> @code limit 1", new { code });
        (await Items(client, $"schools?group={other}")).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData(Cast.HeadOnPremium, "s0001")]
    [InlineData(Cast.HeadOnEssentiel, "s0002")]
    [InlineData(Cast.Teacher1, "s0001")]
    public async Task Whoever_works_in_a_school_sees_that_one(string email, string code)
    {
        using var client = await world.As(email);
        (await Items(client, "schools?size=100")).Texts("code").ShouldBe([code]);
        (await Items(client, "groups")).GetArrayLength().ShouldBe(1);
        (await Items(client, "plans")).GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_place_that_is_given_up_shows_nothing_any_more()
    {
        const string Email = "head.s0060@sankore.test";
        using var head = await world.As(Email);
        (await Items(head, "schools")).GetArrayLength().ShouldBe(1);
        await world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @id", new { id = await world.IdOf(Email) });
        foreach (var list in new[] { "schools", "groups", "plans", "modules", "categories" })
        {
            (await Items(head, list)).GetArrayLength().ShouldBe(0, list);
        }
    }

    [Theory]
    [InlineData(Cast.Admin1)]
    [InlineData(Cast.HeadOnPremium)]
    [InlineData(Cast.Teacher1)]
    public async Task People_and_roles_are_listed_for_whoever_has_the_permission(string email)
    {
        using var client = await world.As(email);
        await client.Ask(HttpMethod.Get, "/api/users").ShouldRefuse(403, "FORBIDDEN");
        await client.Ask(HttpMethod.Get, "/api/roles").ShouldRefuse(403, "FORBIDDEN");
        await client.Ask(HttpMethod.Get, "/api/audit-logs").ShouldRefuse(403, "FORBIDDEN");
    }

    private static async Task<JsonElement> Items(HttpClient client, string query) =>
        (await client.Ask(HttpMethod.Get, $"/api/{query}").Json()).GetProperty("items");
}
