using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Who has what in a group: people by modules, as the one rule has it.</summary>
public sealed class MatrixTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_cell_is_what_the_persons_own_menu_says()
    {
        var group = await world.GroupId("g001");
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(await world.IdOf("bursar.s0001.1@sankore.test"), await world.ModuleId("bibliotheque"), new { canDelete = true })
            .Json();
        var matrix = await Matrix(admin, group, $"school={await world.SchoolId("s0001")}&size=100");
        var codes = matrix.GetProperty("modules").EnumerateArray().ToDictionary(m => m.Text("id"), m => m.Text("code"));
        codes.Values.ShouldBe((await world.MenuOf(Cast.Admin1)).Keys);
        var people = People(matrix);
        people.Count.ShouldBeGreaterThan(5);
        foreach (var person in people)
        {
            var menu = await world.MenuOf(person.Text("email"));
            person.GetProperty("cells").EnumerateObject().ToDictionary(c => codes[c.Name], c => c.Value.GetString()!)
                .ShouldBe(menu, ignoreOrder: true, person.Text("email"));
        }
        var bursar = people.Single(p => p.Text("email") == "bursar.s0001.1@sankore.test").GetProperty("cells");
        bursar.Text((await world.ModuleId("bibliotheque")).ToString()).ShouldBe("rd");
        bursar.Text((await world.ModuleId("caisse-et-depenses")).ToString()).ShouldBe("rwe");
        bursar.Text((await world.ModuleId("gestion-inscriptions")).ToString()).ShouldBe("r");
        people.Single(p => p.Text("email") == Cast.HeadOnPremium).GetProperty("cells").Text((await world.ModuleId("campagnes")).ToString())
            .ShouldBe("rwde");
    }

    [Fact]
    public async Task People_come_in_pages_by_name()
    {
        var group = await world.GroupId("g001");
        using var admin = await world.As(Cast.Admin1);
        var expected = await world.Rows<Guid>(
            "select p.id from public.profiles p where exists (select 1 from tenancy.memberships m where m.user_id = p.id"
            + " and m.school_group_id = @group) order by p.display_name collate \"und-x-icu\", p.id", new { group });
        var seen = new List<Guid>();
        for (var page = 1; seen.Count < expected.Count; page++)
        {
            var people = (await Matrix(admin, group, $"size=40&page={page}")).GetProperty("people");
            people.GetProperty("total").GetInt32().ShouldBe(expected.Count);
            people.GetProperty("items").GetArrayLength().ShouldBeGreaterThan(0);
            seen.AddRange(people.GetProperty("items").EnumerateArray().Select(p => p.Id()));
        }
        seen.ShouldBe(expected);
        People(await Matrix(admin, group, "page=99")).ShouldBeEmpty();
    }

    [Fact]
    public async Task People_are_found_by_name_address_role_and_school()
    {
        var (group, school) = (await world.GroupId("g001"), await world.SchoolId("s0006"));
        using var admin = await world.As(Cast.Admin1);
        var heads = People(await Matrix(admin, group, "role=head&size=100"));
        heads.Count.ShouldBe(12);
        heads.ShouldAllBe(p => p.Text("email").StartsWith("head.", StringComparison.Ordinal));
        var staff = People(await Matrix(admin, group, $"school={school}&size=100"));
        staff.Count.ShouldBeGreaterThan(5);
        staff.ShouldAllBe(p => p.Text("email").Contains(".s0006", StringComparison.Ordinal));
        var head = People(await Matrix(admin, group, $"role=head&school={school}")).ShouldHaveSingleItem();
        head.GetProperty("roles")[0].GetString().ShouldBe("head");
        head.GetProperty("schools")[0].GetString()
            .ShouldBe(await world.Sql<string>("select name from tenancy.schools where id = @school", new { school }));
        foreach (var q in new[] { "head.s0006", "HEAD.S0006@", head.Text("name") })
        {
            People(await Matrix(admin, group, $"size=100&q={Uri.EscapeDataString(q)}")).ShouldContain(p => p.Id() == head.Id());
        }
        foreach (var nothing in new[] { "q=head.s0002", "q=%25_%25", "role=king", $"school={await world.SchoolId("s0002")}" })
        {
            People(await Matrix(admin, group, nothing)).ShouldBeEmpty(nothing);
        }
        People(await Matrix(admin, group, "role=group_admin")).ShouldHaveSingleItem().GetProperty("schools").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Only_the_groups_administrator_and_the_operator_are_shown_it()
    {
        var group = await world.GroupId("g001");
        foreach (var email in new[] { Cast.Admin2, Cast.HeadOnPremium, Cast.Teacher1 })
        {
            using var client = await world.As(email);
            await client.Ask(HttpMethod.Get, $"/api/groups/{group}/matrix").ShouldRefuse(404, "NOT_FOUND");
        }
        using var admin = await world.As(Cast.Admin1);
        using var operators = await world.As(Cast.Super);
        JsonElement.DeepEquals(await Matrix(operators, group, "size=10"), await Matrix(admin, group, "size=10")).ShouldBeTrue();
        await operators.Ask(HttpMethod.Get, $"/api/groups/{Guid.NewGuid()}/matrix").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Get, $"/api/groups/{group}/matrix?school=s0001").ShouldRefuse(400, "BAD_REQUEST");
    }

    [Fact]
    public async Task A_group_without_a_subscription_has_people_and_no_modules()
    {
        await world.Subscribe("g003", status: "suspended");
        using var admin = await world.As("admin.g003@sankore.test");
        var matrix = await Matrix(admin, await world.GroupId("g003"), "size=5");
        matrix.GetProperty("modules").GetArrayLength().ShouldBe(0);
        People(matrix).Count.ShouldBe(5);
        People(matrix).ShouldAllBe(p => p.GetProperty("cells").Names().Count == 0);
    }

    private static Task<JsonElement> Matrix(HttpClient client, Guid group, string query) =>
        client.Ask(HttpMethod.Get, $"/api/groups/{group}/matrix?{query}").Json();

    private static List<JsonElement> People(JsonElement matrix) => [.. matrix.GetProperty("people").GetProperty("items").EnumerateArray()];

    [Theory]
    [InlineData("school=x"), InlineData("page=beaucoup"), InlineData("school=%20")]
    public async Task A_page_asked_for_with_what_is_no_id_or_number_is_a_bad_request(string query)
    {
        using var admin = await world.As(Cast.Admin1);
        var group = await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'");
        using var answer = await admin.Ask(HttpMethod.Get, $"/groups/{group}/matrix?{query}");
        ((int)answer.StatusCode).ShouldBe(400);
        using var empty = await admin.Ask(HttpMethod.Get, $"/groups/{group}/matrix?school=&role=&q=&page=");
        ((int)empty.StatusCode).ShouldBe(200);
    }
}
