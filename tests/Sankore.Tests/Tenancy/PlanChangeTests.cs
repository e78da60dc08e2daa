using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>What the people of a plan notice of a change of it, before and after it is saved; and who may change one.</summary>
public sealed class PlanChangeTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_preview_says_who_would_gain_and_lose_what_and_changes_nothing()
    {
        using var admin = await world.As(Cast.Super);
        var category = (await admin.NewCategory()).Id();
        var (lost, kept, gained, excluded) = (
            await admin.NewModule(), await admin.NewModule(), await admin.NewModule(categoryId: category),
            await admin.NewModule(categoryId: category));
        var plan = await admin.NewPlan(null, lost.Id(), kept.Id());
        var (first, second) = (await world.NewTenant(admin, plan), await world.NewTenant(admin, plan));
        await OneOfBothAndWhoNoticesNothing(admin, first, second);
        var before = await world.Position();

        var body = plan.Body(
            ("categoryIds", new[] { category }),
            ("modules", new object[] { new { moduleId = kept.Id() }, new { moduleId = excluded.Id(), included = false } }));
        var preview = await admin.Ask(HttpMethod.Post, $"/api/plans/{plan.Id()}/preview", body).Json();
        preview.GetProperty("groups").GetInt32().ShouldBe(2);
        preview.GetProperty("schools").GetInt32().ShouldBe(2);
        preview.GetProperty("people").GetInt32().ShouldBe(5);
        Strings(preview, "gained").ShouldBe([gained.Text("name")]);
        Strings(preview, "lost").ShouldBe([lost.Text("name")]);

        (await world.Position()).ShouldBe(before);
        JsonElement.DeepEquals(
            (await admin.Ask(HttpMethod.Get, $"/api/plans/{plan.Id()}").Json()).GetProperty("plan").GetProperty("version"),
            plan.GetProperty("version")).ShouldBeTrue();
        (await world.MenuOf(first.Admin)).Keys.ShouldBe([lost.Text("code"), kept.Text("code")], ignoreOrder: true);

        await admin.Ask(HttpMethod.Put, $"/api/plans/{plan.Id()}", body).Json();
        foreach (var email in new[] { first.Admin, second.Admin })
        {
            (await world.MenuOf(email)).Keys.ShouldBe([gained.Text("code"), kept.Text("code")], ignoreOrder: true);
        }
        (await admin.Ask(HttpMethod.Get, $"/api/schools/{second.SchoolId}").Json()).GetProperty("activeModules").EnumerateArray()
            .Select(c => c.GetString())
            .ShouldBe([gained.Text("code"), kept.Text("code")], ignoreOrder: true);
    }

    /// <summary>
    /// Somebody of both groups is one person; a school that is closed has nothing to notice, nor has somebody who left.
    /// </summary>
    private async Task OneOfBothAndWhoNoticesNothing(HttpClient admin, Tenant first, Tenant second)
    {
        var both = await world.NewPerson(first.GroupId, first.SchoolId, "head");
        await world.Place(await world.IdOf(both), second.Group.Text("code"), second.School.Text("code"), "teacher");
        var closed = await admin.NewSchool(first.GroupId);
        await admin.Ask(HttpMethod.Put, $"/api/schools/{closed.Id()}", closed.With(("status", "inactive"))).Json();
        await world.Execute(
            "update tenancy.memberships set status = 'inactive' where user_id = @id",
            new { id = await world.IdOf(await world.NewPerson(first.GroupId, first.SchoolId)) });
    }

    [Fact]
    public async Task What_cannot_be_used_is_neither_gained_nor_lost()
    {
        using var admin = await world.As(Cast.Super);
        var (asleep, unbuilt) = (await admin.NewModule(), await admin.NewModule());
        await admin.Ask(HttpMethod.Put, $"/api/modules/{asleep.Id()}", asleep.With(("status", "inactive"))).Json();
        await admin.Ask(HttpMethod.Put, $"/api/modules/{unbuilt.Id()}", unbuilt.With(("isBuilt", false))).Json();
        var plan = await admin.NewPlan(null, asleep.Id());
        var preview = await admin.Ask(
            HttpMethod.Post, $"/api/plans/{plan.Id()}/preview", plan.Body(("modules", new[] { new { moduleId = unbuilt.Id() } }))).Json();
        Strings(preview, "gained").ShouldBeEmpty();
        Strings(preview, "lost").ShouldBeEmpty();
        preview.GetProperty("people").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task A_stream_is_told_exactly_what_its_plan_gained_and_lost()
    {
        using var admin = await world.As(Cast.Super);
        var category = (await admin.NewCategory()).Id();
        var (lost, kept, gained, other) =
            (await admin.NewModule(), await admin.NewModule(), await admin.NewModule(categoryId: category), await admin.NewModule());
        var mine = await world.NewTenantWith(admin, lost, kept);
        var theirs = await world.NewTenantWith(admin, other);
        await world.Heard();
        await using var stream = await world.Listen(mine.Admin);
        await using var neighbour = await world.Listen(theirs.Admin);

        await admin.Ask(
            HttpMethod.Put, $"/api/plans/{mine.PlanId}",
            mine.Plan.Body(("categoryIds", new[] { category }), ("modules", new[] { new { moduleId = kept.Id() } }))).Json();
        await Waiting.Until(() => stream.ToldOfModules().Count >= 2, "the plan's people are told");
        // Whatever else there were to tell would come before this.
        await world.Rename(kept, "Dernière");
        await world.Rename(other, "Dernière");
        await stream.Hears(kept, "Dernière");
        await neighbour.Hears(other, "Dernière");

        stream.ToldOfModules().ShouldBe([("INSERT", gained.Id()), ("DELETE", lost.Id()), ("UPDATE", kept.Id())], ignoreOrder: true);
        neighbour.ToldOfModules().ShouldBe([("UPDATE", other.Id())]);
        stream.Resets().ShouldBe(0);
        neighbour.Resets().ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_keeps_a_module_is_told_nothing_when_another_plan_gains_or_loses_it()
    {
        using var admin = await world.As(Cast.Super);
        var (lost, gained, other) = (await admin.NewModule(), await admin.NewModule(), await admin.NewModule());
        var (plan, neighbour) = (await admin.NewPlan(null, lost.Id()), await world.NewTenantWith(admin, lost, gained, other));
        await world.Heard();
        await using var stream = await world.Listen(neighbour.Admin);

        await admin.Ask(HttpMethod.Put, $"/api/plans/{plan.Id()}", plan.Body(("modules", new[] { new { moduleId = gained.Id() } }))).Json();
        await world.Rename(other, "Dernière");
        await stream.Hears(other, "Dernière");
        stream.ToldOfModules().ShouldBe([("UPDATE", other.Id())]);
    }

    [Fact]
    public async Task Of_two_administrators_who_save_a_plan_at_once_one_wins_whole()
    {
        using var first = await world.As(Cast.Super);
        using var second = await world.As(await world.NewPerson(platformRole: "admin"));
        var (a, b) = (await first.NewModule(), await first.NewModule());
        for (var round = 0; round < 8; round++)
        {
            var plan = await first.NewPlan();
            var bodies = new[] { (a, "Le premier"), (b, "Le second") }.Select(
                x => plan.Body(("name", x.Item2), ("categoryIds", new[] { x.Item1.GetProperty("categoryId").GetGuid() }),
                ("modules", new[] { new { moduleId = x.Item1.Id(), monthlyPrice = 12 } }))).ToArray();
            var answers = await Task.WhenAll(
                first.Ask(HttpMethod.Put, $"/api/plans/{plan.Id()}", bodies[0]),
                second.Ask(HttpMethod.Put, $"/api/plans/{plan.Id()}", bodies[1]));

            answers.Select(x => (int)x.StatusCode).Order().ShouldBe([200, 412]);
            var won = answers[0].IsSuccessStatusCode ? (Name: "Le premier", Module: a) : (Name: "Le second", Module: b);
            var kept = await first.Ask(HttpMethod.Get, $"/api/plans/{plan.Id()}").Json();
            kept.GetProperty("plan").Text("name").ShouldBe(won.Name);
            kept.GetProperty("plan").GetProperty("version").GetInt32().ShouldBe(2);
            kept.GetProperty("modules").EnumerateArray().ShouldHaveSingleItem().Id().ShouldBe(won.Module.Id());
            (await world.Rows<Guid>("select category_id from tenancy.plan_categories where plan_id = @id", new { id = plan.Id() }))
                .ShouldBe([won.Module.GetProperty("categoryId").GetGuid()]);
        }
    }

    [Fact]
    public async Task A_plan_that_a_group_has_or_had_is_not_deleted()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        await admin.Ask(HttpMethod.Delete, $"/api/plans/{tenant.PlanId}").ShouldRefuse(409, "IN_USE");
        await admin.Ask(HttpMethod.Put, $"/api/subscriptions/{tenant.Subscription.Id()}", new { status = "cancelled", version = 1 }).Json();
        await admin.Ask(HttpMethod.Delete, $"/api/plans/{tenant.PlanId}").ShouldRefuse(409, "IN_USE");
        (await admin.Ask(HttpMethod.Get, $"/api/plans/{tenant.PlanId}").Json()).GetProperty("modules").GetArrayLength().ShouldBe(1);

        var unused = await admin.NewPlan(null, (await admin.NewModule()).Id());
        (await admin.Ask(HttpMethod.Delete, $"/api/plans/{unused.Id()}", ifMatch: "\"1\"")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await admin.Ask(HttpMethod.Get, $"/api/plans/{unused.Id()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("teacher")]
    [InlineData("group_admin")]
    [InlineData("moderator")]
    [InlineData("nobody")]
    public async Task Plans_are_the_operators_to_change(string who)
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        using var client = who switch
        {
            "teacher" => await world.As(tenant.Teacher),
            "group_admin" => await world.As(tenant.Admin),
            "moderator" => await world.As(await world.NewPerson(platformRole: "moderator")),
            _ => world.Nobody(),
        };
        var (status, code) = who == "nobody" ? (401, "UNAUTHENTICATED") : (403, "FORBIDDEN");
        var path = $"/api/plans/{tenant.PlanId}";
        var slug = Catalogue.Word();
        await client.Ask(HttpMethod.Post, "/api/plans", new { name = "À moi", slug }).ShouldRefuse(status, code);
        await client.Ask(HttpMethod.Put, path, tenant.Plan.Body(("slug", slug))).ShouldRefuse(status, code);
        await client.Ask(HttpMethod.Post, $"{path}/preview", tenant.Plan.Body()).ShouldRefuse(status, code);
        await client.Ask(HttpMethod.Delete, path).ShouldRefuse(status, code);
        (await world.Sql<int>("select count(*)::int from tenancy.subscription_plans where slug = @slug", new { slug })).ShouldBe(0);
        JsonElement.DeepEquals(
            (await admin.Ask(HttpMethod.Get, path).Json()).GetProperty("plan").GetProperty("version"),
            tenant.Plan.GetProperty("version")).ShouldBeTrue();
    }

    private static IReadOnlyList<string?> Strings(JsonElement element, string field) =>
        [.. element.GetProperty(field).EnumerateArray().Select(e => e.GetString())];
}
