using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Who the caller is, and the caller's menu of modules.</summary>
public sealed class MeTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task The_operator_has_every_permission_and_no_place_in_the_network()
    {
        var me = await Me(Cast.Super);
        me.Names().ShouldBe(["id", "email", "displayName", "roles", "permissions", "memberships", "plan"], ignoreOrder: true);
        me.Id().ShouldBe(await world.IdOf(Cast.Super));
        me.Text("email").ShouldBe(Cast.Super);
        me.Text("displayName").ShouldNotBeNullOrWhiteSpace();
        Strings(me, "roles").ShouldBe(["admin"]);
        Strings(me, "permissions").Count.ShouldBe(await world.Sql<int>("select count(*)::int from rbac.permissions"));
        Strings(me, "permissions").ShouldContain("tenancy.manage");
        me.GetProperty("memberships").GetArrayLength().ShouldBe(0);
        me.GetProperty("plan").ValueKind.ShouldBe(JsonValueKind.Null);
        (await Menu(Cast.Super)).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData(Cast.Admin1, "group_admin", false, "premium")]
    [InlineData(Cast.HeadOnPremium, "head", true, "premium")]
    [InlineData(Cast.HeadOnEssentiel, "head", true, "essentiel")]
    [InlineData(Cast.HeadOnGratuit, "head", true, "gratuit")]
    [InlineData(Cast.Teacher1, "teacher", true, "premium")]
    public async Task A_member_has_a_place_and_the_plan_of_the_group(string email, string role, bool inSchool, string plan)
    {
        var me = await Me(email);
        Strings(me, "roles").ShouldBe(["member"]);
        Strings(me, "permissions").ShouldBeEmpty();
        var membership = me.GetProperty("memberships").EnumerateArray().ShouldHaveSingleItem();
        membership.Text("role").ShouldBe(role);
        membership.Text("groupName")
            .ShouldBe(
                await world.Sql<string>(
                    "select name from tenancy.school_groups where id = @id", new { id = membership.GetProperty("groupId").GetGuid() }));
        (membership.GetProperty("schoolId").ValueKind == JsonValueKind.String).ShouldBe(inSchool);
        (membership.GetProperty("schoolName").ValueKind == JsonValueKind.String).ShouldBe(inSchool);
        me.GetProperty("plan").Text("slug").ShouldBe(plan);
        me.GetProperty("plan").Id()
            .ShouldBe(await world.Sql<Guid>("select id from tenancy.subscription_plans where slug = @plan", new { plan }));
    }

    [Fact]
    public async Task Whoever_has_just_registered_is_a_member_without_a_place()
    {
        using var newcomer = await world.Newcomer();
        var me = await newcomer.Ask(HttpMethod.Get, "/api/me").Json();
        Strings(me, "roles").ShouldBe(["member"]);
        Strings(me, "permissions").ShouldBeEmpty();
        me.GetProperty("memberships").GetArrayLength().ShouldBe(0);
        me.GetProperty("plan").ValueKind.ShouldBe(JsonValueKind.Null);
        (await newcomer.Ask(HttpMethod.Get, "/api/me/menu").Json()).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task An_entry_of_the_menu_says_what_a_page_shows_of_it()
    {
        var entry = (await Menu(Cast.HeadOnGratuit)).EnumerateArray().Single(e => e.Text("code") == "gestion-inscriptions");
        new[] { "code", "name", "icon", "route", "category", "permissions" }.ShouldBeSubsetOf(entry.Names());
        entry.Text("name").ShouldBe("Gestion des inscriptions");
        entry.Text("icon").ShouldBe("clipboard");
        entry.Text("route").ShouldBe("/m/gestion-inscriptions");
        entry.GetProperty("category").Text("name").ShouldBe("Scolarité");
        entry.GetProperty("category").Text("color").ShouldBe("green");
        Strings(entry, "permissions").ShouldBe(["read", "write", "delete", "export"]);
    }

    [Fact]
    public async Task The_menu_is_what_the_plan_includes()
    {
        string[] gratuit = ["gestion-inscriptions", "gestion-classes", "emploi-du-temps", "presences-et-absences", "messagerie-interne"];
        (await Menu(Cast.HeadOnGratuit)).Texts("code").ShouldBe(gratuit);
        var essentiel = (await Menu(Cast.HeadOnEssentiel)).Texts("code");
        gratuit.ShouldBeSubsetOf(essentiel);
        essentiel.ShouldContain("gestion-equipe");
        essentiel.ShouldNotContain("caisse-et-depenses");
        (await Menu(Cast.HeadOnPremium)).Texts("code").ShouldContain("caisse-et-depenses");
        // A teacher has what was assigned to teachers, out of what the plan includes.
        var teacher = (await Menu(Cast.Teacher1)).Texts("code");
        teacher.ShouldBeSubsetOf((await Menu(Cast.HeadOnPremium)).Texts("code"));
        teacher.ShouldContain("notes-et-bulletins");
        teacher.ShouldNotContain("caisse-et-depenses");
        (await Menu(Cast.Admin1)).Texts("code").ShouldContain("tableau-bord-groupe");
    }

    [Fact]
    public async Task The_menu_follows_the_order_of_categories_then_of_modules()
    {
        using var admin = await world.As(Cast.Super);
        var last = (
            await admin.Ask(HttpMethod.Post, "/api/categories", new { name = $"Z {Catalogue.Word()}", sortOrder = 9999, color = "slate" })
            .Json(201)).Id();
        var first = (await admin.Ask(HttpMethod.Post, "/api/categories", new { name = $"A {Catalogue.Word()}", sortOrder = 0 }).Json(201))
            .Id();
        const string Route = "https://exemple.cg/";
        string[] expected = ["Forum", "Ecole", "Été", "Zèbre"];
        foreach (var category in new[] { last, first })
        {
            foreach (var (name, priority) in new[] { ("Été", 20), ("Zèbre", 20), ("Ecole", 20), ("Forum", 10) })
            {
                var module = new { code = Catalogue.Word(), name, categoryId = category, priority, route = Route };
                await admin.Ask(HttpMethod.Post, "/api/modules", module).Json(201);
            }
            await world.Execute(
                "insert into tenancy.plan_categories (id, plan_id, category_id) select gen_random_uuid(), id, @category"
                + " from tenancy.subscription_plans where slug = 'pro'", new { category });
        }

        // Group 4 lives on Pro.
        var names = (await Menu("admin.g004@sankore.test")).Texts("name");
        names.Take(4).ShouldBe(expected);
        names.TakeLast(4).ShouldBe(expected);
    }

    [Fact]
    public async Task Nobody_has_neither_a_self_nor_a_menu()
    {
        using var nobody = world.Nobody();
        await nobody.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await nobody.Ask(HttpMethod.Get, "/api/me/menu").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    private async Task<JsonElement> Me(string email)
    {
        using var client = await world.As(email);
        return await client.Ask(HttpMethod.Get, "/api/me").Json();
    }

    private async Task<JsonElement> Menu(string email)
    {
        using var client = await world.As(email);
        return await client.Ask(HttpMethod.Get, "/api/me/menu").Json();
    }

    private static List<string> Strings(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];
}
