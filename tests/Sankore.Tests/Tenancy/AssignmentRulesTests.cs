using Sankore.Platform.Text;
using Sankore.Tenancy;

namespace Sankore.Tests.Tenancy;

/// <summary>The rules of assigning, without a database.</summary>
public sealed class AssignmentRulesTests
{
    private static readonly Guid Admin = Guid.NewGuid(), Group = Guid.NewGuid(), Other = Guid.NewGuid();
    private static readonly Guid Person = Guid.NewGuid(), Module = Guid.NewGuid(), School = Guid.NewGuid();

    private static readonly AssignmentChange Change =
        new(false, [Person], [Module], [], null, null, AssignedRights.Of(true, false, false, null), 0);

    private static readonly AssignmentFacts Facts = new(
        Admin, new DateTime(2026, 1, 31, 12, 0, 0, DateTimeKind.Utc), [new CallerPlace(Group, "group_admin", true, true)], null,
        new HashSet<Guid> { Person, Admin },
        [new PersonPlace(Person, Group, School, true)], [new AssignmentOffer(Module, null, Group, true, true)], []);

    [Fact]
    public void Any_facts_are_judged_as_the_oracle_says()
    {
        var seen = new Dictionary<string, int>();
        for (var seed = 0; seed < 20_000; seed++)
        {
            var (change, facts) = new AssignmentOracle(seed).Invent();
            var (group, isWhole, outcomes) = AssignmentOracle.Expected(change, facts);
            var judged = AssignmentRules.Judge(change, facts);
            (judged.GroupId, judged.Refusal is not null).ShouldBe((group, isWhole), $"seed {seed}");
            judged.Verdicts.Select(v => v.Outcome).ShouldBe(outcomes, $"seed {seed}");
            outcomes.ForEach(o => seen[o] = seen.GetValueOrDefault(o) + 1);
        }
        seen.Keys.Order(StringComparer.Ordinal).ShouldBe(
        [
            "ASSIGNER_EXPIRED", "EXPIRY_PAST", "MODULE_INACTIVE", "MODULE_NOT_IN_PLAN", "NOT_FOUND", "NOT_IN_SCHOOL",
            "SELF_ASSIGNMENT", "STALE", "SUBSCRIPTION_INACTIVE", "UNAUTHORIZED",
            "assigned", "revoked", "unchanged", "updated",
        ]);
    }

    [Fact]
    public void What_is_assigned_for_the_first_time_has_no_past()
    {
        var verdict = AssignmentRules.Judge(Change, Facts).Verdicts.ShouldHaveSingleItem();
        (verdict.Outcome, verdict.Target).ShouldBe(("assigned", AssignmentTarget.Module(Module)));
        (verdict.Had, verdict.ExistingId).ShouldBe((null, null));
    }

    [Fact]
    public void What_was_revoked_is_assigned_anew_and_what_is_active_is_updated()
    {
        var existing = new ExistingAssignment(Guid.NewGuid(), Person, Group, Module, null, true, false, true, false, null, true, 3);
        Judged(existing, 3).ShouldBe(("updated", existing.Rights, existing.Id));
        Judged(existing with { IsActive = false }, 0).ShouldBe(("assigned", null, existing.Id));
        Judged(existing with { CanWrite = true, CanDelete = false }, 7)
            .ShouldBe(("unchanged", existing.Rights with { Write = true, Delete = false }, existing.Id));

        static (string, AssignedRights?, Guid?) Judged(ExistingAssignment existing, int version)
        {
            var verdict = AssignmentRules.Judge(Change with { Version = version }, Facts with { Existing = [existing] }).Verdicts[0];
            return (verdict.Outcome, verdict.Had, verdict.ExistingId);
        }
    }

    [Fact]
    public void An_attempt_on_another_group_is_told_by_the_callers_own_log()
    {
        var judged = AssignmentRules.Judge(Change with { GroupId = Other }, Facts);
        (judged.GroupId, judged.LogGroupId, judged.Refusal?.Code).ShouldBe((Other, Group, "UNAUTHORIZED"));
        var stranger = AssignmentRules.Judge(Change, Facts with { CallerPlaces = [] });
        (stranger.GroupId, stranger.LogGroupId, stranger.Refusal?.Code).ShouldBe((null, null, "UNAUTHORIZED"));
    }

    [Fact]
    public void A_refused_call_names_its_first_person_and_target_and_nothing_where_there_is_none()
    {
        var past = AssignedRights.Of(null, null, null, Moment.Parse("2000-01-01"));
        var nobody = Change with { UserIds = [], ModuleIds = [], CategoryIds = [School], Rights = past };
        var verdict = AssignmentRules.Judge(nobody, Facts).Verdicts.ShouldHaveSingleItem();
        (verdict.UserId, verdict.Target, verdict.Outcome).ShouldBe((null, AssignmentTarget.Category(School), "EXPIRY_PAST"));
    }

    [Fact]
    public void Rights_are_compared_as_the_database_keeps_them()
    {
        var end = new DateTimeOffset(2100, 1, 1, 2, 0, 0, TimeSpan.FromHours(1)).AddTicks(123_456_7);
        var rights = AssignedRights.Of(true, null, null, Moment.Of(end));
        (rights.ExpiresAt!.Value.UtcTicks % 10, rights.ExpiresAt.Value.Offset).ShouldBe((0, TimeSpan.Zero));
        AssignedRights.Parse(rights.ToJson()).ShouldBe(rights);
        rights.ToJson().ShouldBe(
            """{"read":true,"write":true,"delete":false,"export":false,"expiresAt":"2100-01-01T01:00:00.123456+00:00"}""");
    }
}
