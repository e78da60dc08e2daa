using System.Text.Json;
using Sankore.Tenancy;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Who may not assign what to whom: each refusal has its code and its words, changes nothing, and is one line of the log.
/// </summary>
public sealed class AssignmentRefusalTests(World world) : IClassFixture<World>
{
    private const string OnlyYourGroup = "d’un groupe que vous administrez|of a group that you administer";

    [Theory]
    [InlineData(Cast.Admin1, Cast.HeadOnEssentiel)]
    [InlineData(Cast.Admin2, Cast.Teacher1)]
    [InlineData(Cast.Admin1, Cast.Super)]
    public async Task People_of_another_group_are_as_unknown_as_nobody(string by, string to) =>
        await Refused(by, await Module(to), 404, "NOT_FOUND", "Introuvable|Not found");

    [Fact]
    public async Task Whom_the_caller_sees_and_does_not_administer_is_refused_by_name()
    {
        await world.Execute("""
            insert into rbac.user_roles (user_id, role_id)
            select u.id, r.id from auth.users u, rbac.roles r where u.email = 'admin.g004@sankore.test' and r.role_name = 'moderator'
            """);
        await Refused("admin.g004@sankore.test", await Module(Cast.HeadOnEssentiel), 403, "UNAUTHORIZED", OnlyYourGroup);
    }

    [Theory]
    [InlineData(Cast.Teacher1, "teacher.s0001.2@sankore.test")]
    [InlineData(Cast.HeadOnPremium, Cast.Teacher1)]
    [InlineData(Cast.HeadOnPremium, Cast.HeadOnPremium)]
    [InlineData(Cast.Super, Cast.Teacher1)]
    public async Task Only_who_administers_a_group_assigns(string by, string to) =>
        await Refused(by, await Module(to), 403, "UNAUTHORIZED", OnlyYourGroup);

    [Fact]
    public async Task A_visitor_assigns_nothing()
    {
        using var visitor = await world.Newcomer();
        var line = await world.LastLine();
        await visitor.Assign(await world.IdOf(Cast.Teacher1), await world.ModuleId("campagnes")).ShouldRefuse(403, "UNAUTHORIZED");
        (await world.LinesAfter(line)).ShouldHaveSingleItem().SchoolGroupId.ShouldBeNull();
    }

    [Fact]
    public async Task Naming_the_group_does_not_open_it()
    {
        foreach (var group in new[] { await world.GroupId("g002"), Guid.NewGuid() })
        {
            var attempt = await Module(Cast.HeadOnEssentiel) with { Body = new { groupId = group } };
            (await Refused(Cast.Admin1, attempt, 403, "UNAUTHORIZED", OnlyYourGroup)).SchoolGroupId.ShouldBe(await world.GroupId("g001"));
        }
    }

    [Fact]
    public async Task A_person_whose_place_is_inactive_is_not_of_the_group()
    {
        const string Email = "teacher.s0036.2@sankore.test";
        await world.Execute("update tenancy.memberships set status = 'inactive' where user_id = @id", new { id = await world.IdOf(Email) });
        await Refused(Cast.Admin1, await Module(Email), 403, "UNAUTHORIZED", OnlyYourGroup);
    }

    [Fact]
    public async Task A_module_outside_the_plan_is_not_assigned()
    {
        const string Words = "n’est pas inclus dans le plan|plan does not include";
        await Refused(Cast.Admin2, await Module(Cast.HeadOnEssentiel, "caisse-et-depenses"), 422, "MODULE_NOT_IN_PLAN", Words);
        await Refused(Cast.Admin2, await Category(Cast.HeadOnEssentiel, "finances"), 422, "MODULE_NOT_IN_PLAN", Words);
    }

    [Theory]
    [InlineData("transport")]
    [InlineData("palmares")]
    [InlineData("laboratoire")]
    public async Task A_module_that_cannot_be_used_is_not_assigned(string code) =>
        await Refused(
            "admin.g004@sankore.test", await Module("teacher.s0004.1@sankore.test", code), 422, "MODULE_INACTIVE",
            "n’est pas actif|is not active");

    [Theory]
    [InlineData("suspended")]
    [InlineData("cancelled")]
    [InlineData("expired")]
    public async Task Without_a_live_subscription_nothing_is_assigned(string status)
    {
        await world.Subscribe("g005", status: status);
        Attempt[] attempts =
        [
            await Module("teacher.s0005.1@sankore.test"), await Category("teacher.s0005.1@sankore.test", "finances"),
        ];
        foreach (var attempt in attempts)
        {
            await Refused(
                "admin.g005@sankore.test", attempt, 422, "SUBSCRIPTION_INACTIVE", "pas d’abonnement en cours|no live subscription");
        }
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        var known = await Module(Cast.Teacher1);
        await Refused(Cast.Admin1, known with { User = Guid.NewGuid() }, 404, "NOT_FOUND", "Introuvable|Not found");
        await Refused(Cast.Admin1, known with { Target = Guid.NewGuid() }, 404, "NOT_FOUND", "Introuvable|Not found");
        await Refused(Cast.Admin1, known with { Target = Guid.NewGuid(), OfCategory = true }, 404, "NOT_FOUND", "Introuvable|Not found");
    }

    [Fact]
    public async Task A_school_of_another_group_is_as_unknown_as_none()
    {
        using var admin = await world.As(Cast.Admin1);
        var answers = new List<string>();
        foreach (var school in new[] { await world.SchoolId("s0002"), Guid.NewGuid() })
        {
            var attempt = await Module(Cast.Teacher1) with { Body = new { schoolId = school } };
            await Refused(Cast.Admin1, attempt, 404, "NOT_FOUND", "Introuvable|Not found");
            var problem = await attempt.By(admin, "fr").ShouldRefuse(404, "NOT_FOUND");
            answers.Add(string.Join('|', problem.EnumerateObject().Where(p => p.Name != "traceId").Select(p => p.ToString())));
        }
        answers[0].ShouldBe(answers[1]);
    }

    [Fact]
    public async Task Nobody_assigns_to_themselves() =>
        await Refused(Cast.Admin1, await Module(Cast.Admin1), 403, "SELF_ASSIGNMENT", "à soi-même|to themselves");

    [Fact]
    public async Task An_administration_that_has_ended_assigns_nothing()
    {
        const string Email = "admin.g003@sankore.test";
        await world.Execute(
            "update tenancy.memberships set expires_at = now() - interval '1 minute' where user_id = @id",
            new { id = await world.IdOf(Email) });
        await Refused(Email, await Module(Cast.HeadOnGratuit, "messagerie-interne"), 403, "ASSIGNER_EXPIRED", "a pris fin|has ended");
    }

    [Fact]
    public async Task Nothing_is_assigned_until_a_moment_that_has_passed() =>
        await Refused(
            Cast.Admin1, await Module(Cast.Teacher1) with { Body = new { expiresAt = DateTimeOffset.UtcNow.AddMinutes(-1) } }, 422,
            "EXPIRY_PAST", "déjà passée|has passed already");

    [Fact]
    public async Task Nothing_is_assigned_for_a_school_where_the_person_does_not_work() =>
        await Refused(
            Cast.Admin1, await Module(Cast.Teacher1) with { Body = new { schoolId = await world.SchoolId("s0006") } }, 422, "NOT_IN_SCHOOL",
            "ne travaille pas dans cette école|does not work in that school");

    [Fact]
    public async Task A_change_says_what_it_is_based_on()
    {
        var attempt = await Module("teacher.s0041.2@sankore.test");
        using var admin = await world.As(Cast.Admin1);
        await attempt.By(admin, "fr").Json();
        foreach (var version in new int?[] { null, 0, 2, 7 })
        {
            var line = await Refused(
                Cast.Admin1, attempt with { Body = new { canDelete = true, version } }, 412, "STALE", "entre-temps|in the meantime");
            (line.Had, line.Asked).ShouldBe(("rw", "rd"));
        }
        await Refused(
            Cast.Admin1, attempt with { Body = new { canDelete = true, version = 1 }, IfMatch = "\"3\"" }, 412, "STALE",
            "entre-temps|in the meantime");
        await admin.Assign(attempt.User, attempt.Target, new { canDelete = true }, ifMatch: "\"abc\"").ShouldRefuse(400, "BAD_REQUEST");
    }

    [Fact]
    public async Task A_revocation_is_refused_as_an_assignment_is()
    {
        var module = await world.ModuleId("campagnes");
        var assigned = await Module("teacher.s0046.2@sankore.test");
        using var own = await world.As(Cast.Admin1);
        await assigned.By(own, "fr").Json();
        foreach (var (by, to, status, code) in new[]
        {
            (Cast.Admin2, assigned.User, 404, "NOT_FOUND"), (Cast.HeadOnPremium, assigned.User, 403, "UNAUTHORIZED"),
                (Cast.Admin1, await world.IdOf(Cast.HeadOnEssentiel), 404, "NOT_FOUND"),
            (Cast.Admin1, await world.IdOf(Cast.Admin1), 403, "SELF_ASSIGNMENT"),
            (Cast.Admin1, await world.IdOf("teacher.s0046.1@sankore.test"), 404, "NOT_FOUND"),
            (Cast.Admin1, Guid.NewGuid(), 404, "NOT_FOUND"),
        })
        {
            using var client = await world.As(by);
            var (before, last) = (await world.AssignmentsNow(), await world.LastLine());
            await client.Revoke(to, module).ShouldRefuse(status, code);
            (await world.AssignmentsNow()).ShouldBe(before);
            var line = (await world.LinesAfter(last)).ShouldHaveSingleItem();
            (line.Action, line.Reason, line.After).ShouldBe(("refused", code, null));
        }
        await own.Revoke(assigned.User, module, ifMatch: "\"9\"").ShouldRefuse(412, "STALE");
    }

    private async Task<LogLine> Refused(string by, Attempt attempt, int status, string code, string words)
    {
        using var client = await world.As(by);
        var line = default(LogLine)!;
        foreach (var (language, phrase) in new[] { "fr", "en" }.Zip(words.Split('|')))
        {
            var (before, last) = (await world.AssignmentsNow(), await world.LastLine());
            (await attempt.By(client, language).ShouldRefuse(status, code)).Text("title").ShouldContain(phrase);
            (await world.AssignmentsNow()).ShouldBe(before);
            line = (await world.LinesAfter(last)).ShouldHaveSingleItem();
            (line.Action, line.Reason, line.UserId, line.Target, line.AssignedBy)
                .ShouldBe(("refused", code, attempt.User, attempt.Target, await world.IdOf(by)));
            AssignedRights.Parse(line.After).ShouldBe(attempt.Asked);
            line.SchoolId.ShouldBe(attempt.Json.TryGetProperty("schoolId", out var school) ? school.GetGuid() : null);
        }
        return line;
    }

    private async Task<Attempt> Module(string to, string code = "campagnes") =>
        new(await world.IdOf(to), await world.ModuleId(code), false, new { canWrite = true }, null);

    private async Task<Attempt> Category(string to, string slug) =>
        new(await world.IdOf(to), await world.CategoryId(slug), true, new { canWrite = true }, null);

    private sealed record Attempt(Guid User, Guid Target, bool OfCategory, object Body, string? IfMatch)
    {
        public JsonElement Json => JsonSerializer.SerializeToElement(Body);

        public AssignedRights Asked => new(
            true, Is("canWrite"), Is("canDelete"), Is("canExport"), Json.TryGetProperty("expiresAt", out var end)
            ? Micro(end.GetDateTimeOffset()) : null);

        public Task<HttpResponseMessage> By(HttpClient client, string language) =>
            OfCategory ? client.AssignCategory(User, Target, Body, IfMatch, language)
                : client.Assign(User, Target, Body, IfMatch, language);

        private bool Is(string right) => Json.TryGetProperty(right, out var value) && value.GetBoolean();

        // PostgreSQL keeps microseconds.
        private static DateTimeOffset Micro(DateTimeOffset moment) => moment.AddTicks(-(moment.Ticks % 10));
    }
}
