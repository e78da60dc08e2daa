using System.Net;
using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>The places of a group's people through the API: listed for whoever keeps them, changed, ended.</summary>
public sealed class MembershipsApiTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_place_changes_its_role_its_school_its_state_and_its_end()
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        var second = await admin.NewSchool(tenant.GroupId);
        var place = await admin.PlaceOf(tenant.GroupId, tenant.Teacher);
        place = await Changed(new { role = "librarian" });
        (place.Text("role"), place.GetProperty("schoolId").GetGuid(), place.GetProperty("version").GetInt32())
            .ShouldBe(("librarian", tenant.SchoolId, 2));
        place = await Changed(new { schoolId = second.Id() });
        (place.Text("role"), place.Text("school")).ShouldBe(("librarian", second.Text("name")));
        var end = new DateTime(2050, 7, 1, 22, 30, 0, DateTimeKind.Utc);
        place = await Changed(new { expiresAt = "2050-07-02T00:30:00+02:00" });
        place.GetProperty("expiresAt").GetDateTime().ToUniversalTime().ShouldBe(end);
        place = await Changed(new { role = "teacher" });
        place.GetProperty("expiresAt").ValueKind.ShouldBe(JsonValueKind.String);
        place = await Changed(new { endless = true });
        place.GetProperty("expiresAt").ValueKind.ShouldBe(JsonValueKind.Null);
        place = await Changed(new { status = "inactive" });
        place.Text("status").ShouldBe("inactive");
        place = await Changed(new { status = "active", role = "group_admin" });
        (place.Text("role"), place.Text("status"), place.GetProperty("schoolId").ValueKind)
            .ShouldBe(("group_admin", "active", JsonValueKind.Null));
        place = await Changed(new { role = "head", schoolId = tenant.SchoolId });
        (place.Text("role"), place.GetProperty("schoolId").GetGuid(), place.GetProperty("version").GetInt32())
            .ShouldBe(("head", tenant.SchoolId, 9));

        async Task<JsonElement> Changed(object body)
        {
            using var answer = await admin.ChangePlace(place, body);
            answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Body());
            return await admin.PlaceOf(tenant.GroupId, tenant.Teacher);
        }
    }

    [Fact]
    public async Task What_cannot_be_is_refused_and_changes_nothing()
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        var place = await admin.PlaceOf(tenant.GroupId, tenant.Teacher);
        await admin.ChangePlace(place, new { schoolId = other.SchoolId }).ShouldRefuse(422, "SCHOOL_UNKNOWN");
        await admin.ChangePlace(place, new { schoolId = Guid.NewGuid() }).ShouldRefuse(422, "SCHOOL_UNKNOWN");
        (string Field, string Value)[] cases =
        [
            ("role", "king"), ("role", ""), ("status", "asleep"), ("expiresAt", "2020-01-01T00:00:00Z"),
            ("expiresAt", "0001-01-01T00:00:00Z"), ("expiresAt", "9999-12-31T23:59:59.9999999Z"),
        ];
        foreach (var (field, value) in cases)
        {
            (await admin.ChangePlace(place, new Dictionary<string, object> { [field] = value }).ShouldRefuse(400, "VALIDATION_FAILED"))
                .ErrorOf(field);
        }
        object[] bodies =
        [
            new { expiresAt = "9999-12-31T23:59:59-12:00" }, new { expiresAt = "tomorrow" }, new { schoolId = "first" },
            new { endless = "yes" },
        ];
        foreach (var body in bodies)
        {
            await admin.ChangePlace(place, body).ShouldRefuse(400, "BAD_REQUEST");
        }
        // Two places of one person that would be one.
        await admin.Hire(tenant.GroupId, tenant.Teacher, tenant.SchoolId, "head").Json();
        await admin.ChangePlace(place, new { role = "head" }).ShouldRefuse(409, "ALREADY_MEMBER");
        (await world.Sql<int>(
            "select version from tenancy.memberships where id = @id",
            new { id = place.GetProperty("membershipId").GetGuid() })).ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_stops_administering_the_group_needs_a_school()
    {
        var tenant = await NewTenant();
        var second = await world.NewPerson(tenant.GroupId, null, "group_admin");
        using var admin = await world.As(tenant.Admin);
        var place = await admin.PlaceOf(tenant.GroupId, second);
        (await admin.ChangePlace(place, new { role = "teacher" }).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("schoolId");
        (await admin.ChangePlace(place, new { role = "teacher", schoolId = tenant.SchoolId }))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_is_based_on()
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        var place = await admin.PlaceOf(tenant.GroupId, tenant.Teacher);
        var path = $"/api/memberships/{place.GetProperty("membershipId").GetGuid()}";
        await admin.Ask(HttpMethod.Put, path, new { role = "head" }).ShouldRefuse(428, "VERSION_REQUIRED");
        (await admin.Ask(HttpMethod.Put, path, new { role = "head", version = 1 })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await admin.Ask(HttpMethod.Put, path, new { role = "teacher", version = 1 }).ShouldRefuse(412, "STALE");
        await admin.ChangePlace(place, new { role = "teacher", version = 2 }).ShouldRefuse(412, "STALE");
        var answers = await Task.WhenAll(new[] { "bursar", "teacher", "supervisor", "secretary" }.Select(
            role => admin.Ask(HttpMethod.Put, path, new { role, version = 2 })));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([204, 412, 412, 412]);
    }

    [Fact]
    public async Task Nobody_changes_a_place_of_their_own_or_one_that_is_not_theirs_to_keep()
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        using var teacher = await world.As(tenant.Teacher);
        using var stranger = await world.As(Cast.Admin2);
        using var moderator = await world.As(await world.NewPerson(platformRole: "moderator"));
        using var super = await world.As(Cast.Super);
        using var nobody = world.Nobody();
        var (own, place) = (await admin.PlaceOf(tenant.GroupId, tenant.Admin), await admin.PlaceOf(tenant.GroupId, tenant.Teacher));
        object[] bodies =
        [
            new { status = "inactive" }, new { role = "head", schoolId = tenant.SchoolId }, new { endless = true },
        ];
        foreach (var body in bodies)
        {
            await admin.ChangePlace(own, body).ShouldRefuse(403, "FORBIDDEN");
            await teacher.ChangePlace(place, body).ShouldRefuse(403, "FORBIDDEN");
            await teacher.ChangePlace(own, body).ShouldRefuse(404, "NOT_FOUND");
            await stranger.ChangePlace(place, body).ShouldRefuse(404, "NOT_FOUND");
            await moderator.ChangePlace(place, body).ShouldRefuse(403, "FORBIDDEN");
            await nobody.ChangePlace(place, body).ShouldRefuse(401, "UNAUTHENTICATED");
        }
        (await admin.StaffOf(tenant.GroupId)).ShouldAllBe(p => p.GetProperty("version").GetInt32() == 1);
        (await super.ChangePlace(place, new { role = "head" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_group_keeps_an_administrator_whose_place_has_no_end()
    {
        var tenant = await NewTenant();
        var ending = await world.NewPerson(tenant.GroupId, null, "group_admin");
        await world.Execute(
            "update tenancy.memberships set expires_at = now() + interval '1 day' where user_id = @id",
            new { id = await world.IdOf(ending) });
        using var admin = await world.As(ending);
        var lasting = await admin.PlaceOf(tenant.GroupId, tenant.Admin);
        object[] bodies =
        [
            new { status = "inactive" }, new { role = "head", schoolId = tenant.SchoolId },
            new { expiresAt = DateTimeOffset.UtcNow.AddDays(9) },
        ];
        foreach (var body in bodies)
        {
            await admin.ChangePlace(lasting, body).ShouldRefuse(409, "LAST_GROUP_ADMIN");
        }
        (await admin.PlaceOf(tenant.GroupId, tenant.Admin)).GetRawText().ShouldBe(lasting.GetRawText());
        await world.NewPerson(tenant.GroupId, null, "group_admin");
        (await admin.ChangePlace(lasting, new { status = "inactive" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_place_that_is_ended_empties_the_menu_and_resets_the_stream()
    {
        using var super = await world.As(Cast.Super);
        var module = await super.NewModule();
        var tenant = await world.NewTenantWith(super, module);
        await world.AssignToEverybody(module);
        using var admin = await world.As(tenant.Admin);
        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([module.Text("code")]);
        await world.Heard();
        await using var stream = await world.Listen(tenant.Teacher);
        await using var other = await world.Listen(tenant.Admin);

        (await admin.ChangePlace(await admin.PlaceOf(tenant.GroupId, tenant.Teacher), new { status = "inactive" }))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await world.MenuOf(tenant.Teacher)).ShouldBeEmpty();
        await Waiting.Until(() => stream.Resets() == 1, "the page is to be read again");
        await world.Rename(module, "Sans lui");
        await other.Hears(module, "Sans lui");
        other.Resets().ShouldBe(0);
        (await admin.ChangePlace(await admin.PlaceOf(tenant.GroupId, tenant.Teacher), new { status = "active" }))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await Waiting.Until(() => stream.Resets() == 2, "and again");
        await world.Rename(module, "Avec lui");
        await stream.Hears(module, "Avec lui");
        stream.NamesOf(module).ShouldBe(["Avec lui"]);
        (await world.MenuOf(tenant.Teacher)).Keys.ShouldBe([module.Text("code")]);
    }

    private async Task<Tenant> NewTenant()
    {
        using var super = await world.As(Cast.Super);
        return await world.NewTenant(super, await super.NewPlan());
    }
}
