using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>What the people of a group notice when its subscription changes; and who may change one.</summary>
public sealed class SubscriptionChangeTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Suspending_empties_the_menus_of_the_groups_people_and_of_nobody_else()
    {
        using var admin = await world.As(Cast.Super);
        var (module, theirs) = (await admin.NewModule(), await admin.NewModule());
        var plan = await admin.NewPlan(null, module.Id(), theirs.Id());
        var (tenant, neighbour) = (await world.NewTenant(admin, plan), await world.NewTenant(admin, plan));
        await world.AssignToEverybody(module);
        string[] people = [tenant.Admin, tenant.Teacher];
        await world.Heard();
        await using var first = await world.Listen(tenant.Admin);
        await using var second = await world.Listen(tenant.Teacher);
        await using var other = await world.Listen(neighbour.Admin);
        await using var elsewhere = await world.Listen(neighbour.Teacher);

        await Change(admin, tenant.Subscription, new { status = "suspended", version = 1 }).Json();
        foreach (var email in people)
        {
            (await world.MenuOf(email)).ShouldBeEmpty(email);
        }
        (await world.MenuOf(neighbour.Teacher)).Keys.ShouldBe([module.Text("code")]);
        await Waiting.Until(() => first.Resets() == 1 && second.Resets() == 1, "the group's pages are to be read again");
        // Whatever else there were to tell would come before this.
        await world.Rename(module, "Après");
        await other.Hears(module, "Après");
        await elsewhere.Hears(module, "Après");

        await Change(admin, tenant.Subscription, new { status = "active", version = 2 }).Json();
        await Waiting.Until(() => first.Resets() == 2 && second.Resets() == 2, "and again");
        await world.Rename(module, "Encore après");
        await first.Hears(module, "Encore après");
        await second.Hears(module, "Encore après");
        await other.Hears(module, "Encore après");
        await elsewhere.Hears(module, "Encore après");
        (first.Resets(), second.Resets(), other.Resets(), elsewhere.Resets()).ShouldBe((2, 2, 0, 0));
        first.NamesOf(module).ShouldBe(["Encore après"]);
        (await world.MenuOf(tenant.Admin)).Count.ShouldBe(2);
        (await world.MenuOf(tenant.Teacher)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_group_that_moves_to_another_plan_has_that_ones_modules()
    {
        using var admin = await world.As(Cast.Super);
        var (small, both, big) = (await admin.NewModule(), await admin.NewModule(), await admin.NewModule());
        var tenant = await world.NewTenantWith(admin, small, both);
        var bigger = await admin.NewPlan(null, both.Id(), big.Id());
        await world.AssignToEverybody(both);
        await world.AssignToEverybody(big);
        await IsOn(small, both);
        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([both.Text("code")]);

        var moved = await Change(admin, tenant.Subscription, new { planId = bigger.Id(), version = 1 }).Json();
        (moved.Text("plan"), moved.Text("status"), moved.GetProperty("version").GetInt32()).ShouldBe((bigger.Text("name"), "active", 2));
        await IsOn(both, big);
        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([both.Text("code"), big.Text("code")], ignoreOrder: true);
        await Change(admin, tenant.Subscription, new { planId = tenant.PlanId, version = 2 }).Json();
        await IsOn(small, both);
        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([both.Text("code")]);

        async Task IsOn(params JsonElement[] modules)
        {
            (await world.MenuOf(tenant.Admin)).Keys.ShouldBe(modules.Select(m => m.Text("code")), ignoreOrder: true);
            (await admin.Ask(HttpMethod.Get, $"/api/schools/{tenant.SchoolId}").Json()).GetProperty("activeModules").EnumerateArray()
                .Select(m => m.GetString())
                .ShouldBe(modules.Select(m => m.Text("code")), ignoreOrder: true);
        }
    }

    [Fact]
    public async Task What_is_cancelled_is_followed_by_a_new_one()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        var tenant = await world.NewTenantWith(admin, module);
        await Change(admin, tenant.Subscription, new { status = "cancelled", version = 1 }).Json();
        (await world.MenuOf(tenant.Admin)).ShouldBeEmpty();
        await admin.NewSubscription(tenant.GroupId, tenant.PlanId);
        (await world.MenuOf(tenant.Admin)).Keys.ShouldBe([module.Text("code")]);
        await Change(admin, tenant.Subscription, new { autoRenew = false, version = 2 }).Json();
        (await world.MenuOf(tenant.Admin)).Keys.ShouldBe([module.Text("code")]);
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_is_based_on()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        await Change(admin, tenant.Subscription, new { autoRenew = false }).ShouldRefuse(428, "VERSION_REQUIRED");
        using var answer = await admin.Ask(
            HttpMethod.Put, $"/api/subscriptions/{tenant.Subscription.Id()}", new { autoRenew = false, billingPeriod = "monthly" },
            ifMatch: "\"1\"");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Body());
        answer.Headers.ETag?.Tag.ShouldBe("\"2\"");
        var saved = JsonElement.Parse(await answer.Body());
        (saved.GetProperty("autoRenew").GetBoolean(), saved.Text("billingPeriod"), saved.GetProperty("endsAt").GetDateTime())
            .ShouldBe((false, "monthly", tenant.Subscription.GetProperty("endsAt").GetDateTime()));
        await Change(admin, tenant.Subscription, new { status = "cancelled", version = 1 }).ShouldRefuse(412, "STALE");
        var answers = await Task.WhenAll(new[] { "suspended", "past_due", "cancelled", "expired" }.Select(
            status => Change(admin, tenant.Subscription, new { status, version = 2 })));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 412, 412, 412]);
    }

    [Fact]
    public async Task Subscriptions_are_the_operators_to_change()
    {
        using var admin = await world.As(Cast.Super);
        var tenant = await world.NewTenantWith(admin, await admin.NewModule());
        var path = $"/api/groups/{tenant.GroupId}/subscriptions";
        string?[] others = [tenant.Admin, tenant.Teacher, Cast.Admin2, await world.NewPerson(platformRole: "moderator"), null];
        foreach (var email in others)
        {
            using var client = email is null ? world.Nobody() : await world.As(email);
            var (status, reason) = email is null ? (401, "UNAUTHENTICATED") : (403, "FORBIDDEN");
            await client.Ask(HttpMethod.Post, path, new { planId = tenant.PlanId }).ShouldRefuse(status, reason);
            await Change(client, tenant.Subscription, new { status = "cancelled", version = 1 }).ShouldRefuse(status, reason);
        }
        (await admin.Ask(HttpMethod.Get, path).Json()).EnumerateArray().ShouldHaveSingleItem().GetRawText()
            .ShouldBe(tenant.Subscription.GetRawText());

        using var own = await world.As(tenant.Admin);
        (await own.Ask(HttpMethod.Get, path).Json()).EnumerateArray().ShouldHaveSingleItem().Id().ShouldBe(tenant.Subscription.Id());
        using var stranger = await world.As(Cast.Admin2);
        (await stranger.Ask(HttpMethod.Get, path).Json()).GetArrayLength().ShouldBe(0);
    }

    private static Task<HttpResponseMessage> Change(HttpClient admin, JsonElement subscription, object body) =>
        admin.Ask(HttpMethod.Put, $"/api/subscriptions/{subscription.Id()}", body);
}
