using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Assigning, changing and revoking a module or a category, and what the person has of it.</summary>
public sealed class AssignmentTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_module_that_is_assigned_is_in_the_persons_list_and_menu()
    {
        const string Email = "teacher.s0006.1@sankore.test";
        var (user, module, line) = (await world.IdOf(Email), await world.ModuleId("caisse-et-depenses"), await world.LastLine());
        using var admin = await world.As(Cast.Admin1);
        (await world.MenuOf(Email)).ShouldNotContainKey("caisse-et-depenses");

        using var answer = await admin.Assign(user, module);
        ((int)answer.StatusCode).ShouldBe(200);
        answer.Headers.ETag?.Tag.ShouldBe("\"1\"");
        var assignment = JsonElement.Parse(await answer.Body());
        assignment.GetProperty("userId").GetGuid().ShouldBe(user);
        assignment.GetProperty("moduleId").GetGuid().ShouldBe(module);
        assignment.GetProperty("groupId").GetGuid().ShouldBe(await world.GroupId("g001"));
        assignment.GetProperty("categoryId").ValueKind.ShouldBe(JsonValueKind.Null);
        assignment.Text("name").ShouldBe("Caisse et dépenses");
        Rights(assignment).ShouldBe("r");
        (await world.MenuOf(Email))["caisse-et-depenses"].ShouldBe("r");
        using var person = await world.As(Email);
        foreach (var client in new[] { admin, person })
        {
            JsonElement.DeepEquals(
                (await client.ModulesOf(user)).Single(a => a.Text("code") == "caisse-et-depenses").With(("assignedBy", null)).Element(),
                assignment.With(("assignedBy", null)).Element()).ShouldBeTrue();
        }
        var logged = (await world.LinesAfter(line)).ShouldHaveSingleItem();
        (logged.Action, logged.Reason, logged.Had, logged.Asked, logged.SchoolGroupId)
            .ShouldBe(("assigned", null, null, "r", await world.GroupId("g001")));
    }

    [Fact]
    public async Task Each_right_is_given_by_itself()
    {
        const string Email = "teacher.s0006.3@sankore.test";
        var (user, module) = (await world.IdOf(Email), await world.ModuleId("paie-du-personnel"));
        using var admin = await world.As(Cast.Admin1);
        for (var mask = 0; mask < 8; mask++)
        {
            var (w, d, e) = ((mask & 1) > 0, (mask & 2) > 0, (mask & 4) > 0);
            var assigned =
                await admin.Assign(user, module, new { canRead = true, canWrite = w, canDelete = d, canExport = e, version = mask }).Json();
            var letters = string.Concat("r", w ? "w" : "", d ? "d" : "", e ? "e" : "");
            Rights(assigned).ShouldBe(letters);
            assigned.GetProperty("version").GetInt32().ShouldBe(mask + 1);
            (await world.MenuOf(Email))["paie-du-personnel"].ShouldBe(letters);
        }
    }

    [Fact]
    public async Task A_change_is_based_on_a_version_and_the_same_again_is_no_change()
    {
        const string Email = "teacher.s0011.1@sankore.test";
        var (user, module) = (await world.IdOf(Email), await world.ModuleId("caisse-et-depenses"));
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(user, module, new { canWrite = true }).Json();

        var line = await world.LastLine();
        using var changed = await admin.Assign(user, module, new { canWrite = true, canExport = true }, ifMatch: "\"1\"");
        changed.Headers.ETag?.Tag.ShouldBe("\"2\"");
        var logged = (await world.LinesAfter(line)).ShouldHaveSingleItem();
        (logged.Action, logged.Had, logged.Asked).ShouldBe(("updated", "rw", "rwe"));

        var (before, last) = (await world.AssignmentsNow(), await world.LastLine());
        foreach (var ifMatch in new[] { "\"2\"", "\"1\"", null })
        {
            using var same = await admin.Assign(user, module, new { canWrite = true, canExport = true }, ifMatch);
            same.Headers.ETag?.Tag.ShouldBe("\"2\"", ifMatch);
        }
        (await world.AssignmentsNow()).ShouldBe(before);
        (await world.LinesAfter(last)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_revoked_stays_on_record_and_can_be_assigned_again()
    {
        const string Email = "teacher.s0016.1@sankore.test";
        var (user, module) = (await world.IdOf(Email), await world.ModuleId("caisse-et-depenses"));
        using var admin = await world.As(Cast.Admin1);
        await admin.Assign(user, module, new { canDelete = true }).Json();

        var line = await world.LastLine();
        (await admin.Revoke(user, module, ifMatch: "\"1\"")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        (await world.MenuOf(Email)).ShouldNotContainKey("caisse-et-depenses");
        var list = await admin.ModulesOf(user);
        list[^1].Text("code").ShouldBe("caisse-et-depenses");
        list[^1].GetProperty("isActive").GetBoolean().ShouldBeFalse();
        list.SkipLast(1).ShouldAllBe(a => a.GetProperty("isActive").GetBoolean());
        await admin.Revoke(user, module).ShouldRefuse(404, "NOT_FOUND");

        var again = await admin.Assign(user, module, new { canExport = true }).Json();
        again.GetProperty("isActive").GetBoolean().ShouldBeTrue();
        again.Id().ShouldBe(list[^1].Id());
        again.GetProperty("version").GetInt32().ShouldBe(list[^1].GetProperty("version").GetInt32() + 1);
        (await world.MenuOf(Email))["caisse-et-depenses"].ShouldBe("re");
        (await world.LinesAfter(line)).Select(l => (l.Action, l.Reason, l.Had, l.Asked))
            .ShouldBe([("revoked", null, "rd", null), ("refused", "NOT_FOUND", null, null), ("assigned", null, null, "re")]);
    }

    [Fact]
    public async Task A_category_brings_whichever_modules_it_has()
    {
        const string Email = "teacher.s0021.1@sankore.test";
        var (user, category) = (await world.IdOf(Email), await world.CategoryId("finances"));
        using var admin = await world.As(Cast.Admin1);
        using var super = await world.As(Cast.Super);
        var assigned = await admin.AssignCategory(user, category, new { canWrite = true }).Json();
        assigned.Text("code").ShouldBe("finances");
        assigned.GetProperty("moduleId").ValueKind.ShouldBe(JsonValueKind.Null);
        string[] codes = ["frais-de-scolarite", "caisse-et-depenses", "paie-du-personnel"];
        var menu = await world.MenuOf(Email);
        codes.ShouldAllBe(c => menu[c] == "rw");

        var made = await super.NewModule(categoryId: category);
        (await world.MenuOf(Email))[made.Text("code")].ShouldBe("rw");
        await super.Ask(
            HttpMethod.Put, $"/api/modules/{made.Id()}", made.With(("categoryId", await world.CategoryId("ressources-humaines")))).Json();
        (await world.MenuOf(Email)).ShouldNotContainKey(made.Text("code"));

        (await admin.Ask(HttpMethod.Delete, $"/api/users/{user}/categories/{category}"))
            .StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        (await world.MenuOf(Email)).Keys.Intersect(codes).ShouldBeEmpty();
    }

    [Fact]
    public async Task Rights_of_a_module_and_of_its_category_add_up()
    {
        const string Email = "teacher.s0026.1@sankore.test";
        var user = await world.IdOf(Email);
        using var admin = await world.As(Cast.Admin1);
        await admin.AssignCategory(user, await world.CategoryId("finances"), new { canWrite = true }).Json();
        await admin.Assign(user, await world.ModuleId("caisse-et-depenses"), new { canExport = true }).Json();
        var menu = await world.MenuOf(Email);
        (menu["caisse-et-depenses"], menu["frais-de-scolarite"]).ShouldBe(("rwe", "rw"));
        await admin.Ask(HttpMethod.Delete, $"/api/users/{user}/categories/{await world.CategoryId("finances")}");
        menu = await world.MenuOf(Email);
        menu["caisse-et-depenses"].ShouldBe("re");
        menu.ShouldNotContainKey("frais-de-scolarite");
    }

    private static string Rights(JsonElement assignment) =>
        string.Concat(new[] { ("r", "canRead"), ("w", "canWrite"), ("d", "canDelete"), ("e", "canExport") }.Where(
            p => assignment.GetProperty(p.Item2).GetBoolean()).Select(p => p.Item1));
}
