using Sankore.Tenancy;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Invented facts and changes, and what should come of them: every rule that is broken is found, and the first in the order of the rules is
/// the answer.
/// </summary>
internal sealed class AssignmentOracle(int seed)
{
    private static readonly string[] Order =
    [
        "UNAUTHORIZED (whole)", "ASSIGNER_EXPIRED (whole)", "NOT_FOUND (school)", "EXPIRY_PAST (whole)", "NOT_FOUND (person)",
        "SELF_ASSIGNMENT", "UNAUTHORIZED (person)", "NOT_IN_SCHOOL",
        "NOT_FOUND (target)", "SUBSCRIPTION_INACTIVE", "MODULE_NOT_IN_PLAN", "MODULE_INACTIVE", "NOT_FOUND (assignment)", "STALE",
    ];

    private static readonly DateTime Now = new(2026, 1, 31, 12, 0, 0, DateTimeKind.Utc);

    private readonly Random _random = new(seed);
    private readonly Guid[] _groups = Ids(3), _schools = Ids(2), _people = Ids(3), _modules = Ids(2), _categories = Ids(2);

    public (AssignmentChange Change, AssignmentFacts Facts) Invent()
    {
        // The caller is the first of the people.
        var people = Some(_people).Concat(Often ? [] : Ids(1)).ToArray();
        var ends = Pick<DateTimeOffset?>([null, null, Now.AddDays(1), Now, Now.AddDays(-1)]);
        var rights = new AssignedRights(true, Coin, false, false, ends);
        var change = new AssignmentChange(
            !Often, people, [.. Some(_modules), .. Often ? [] : Ids(1)], [.. Some(_categories)],
            Often ? null : Pick(_groups), Often ? null : Pick(_schools), rights, Pick<int?>([null, 0, 1, 2]));
        var schoolGroups = _schools.ToDictionary(s => s, _ => Pick(_groups));
        var places = Some(_groups).Concat(Some(_groups)).Select(g => new CallerPlace(g, Often ? "group_admin" : "head", Often, Often))
            .Select(p => p with { IsCurrent = p.IsCurrent && p.IsActive }).ToList();
        var targets = Some(_modules).Select(AssignmentTarget.Module).Concat(Some(_categories).Select(AssignmentTarget.Category)).ToList();
        var live = Some(_groups).ToList();
        var offers = targets.SelectMany(t => live.Count == 0 ? [new AssignmentOffer(t.ModuleId, t.CategoryId, null, false, false)]
            : live.Select(g => Often
                ? new AssignmentOffer(t.ModuleId, t.CategoryId, g, true, Often)
                : new AssignmentOffer(t.ModuleId, t.CategoryId, g, false, false)));
        var existing =
            from person in _people
            from target in targets
            from g in _groups
            where Coin
            select new ExistingAssignment(
                Guid.NewGuid(), person, g, target.ModuleId, target.CategoryId,
                true, Coin, false, false, Coin ? null : Now.AddDays(1), Often, Pick([1, 2]));
        return (change, new AssignmentFacts(
            _people[0], Now, places, change.SchoolId is { } school && Often ? schoolGroups[school] : null, Some(_people).ToHashSet(),
            [.. _people.SelectMany(p => Some(_groups).Select(g => new PersonPlace(p, g, Coin ? null : Pick(_schools), Often)))],
            [.. offers], [.. existing]));
    }

    /// <summary>The group, and the outcome of each pair in the order of the call; of a call refused whole, of its first pair.</summary>
    public static (Guid? Group, bool IsWhole, List<string> Outcomes) Expected(AssignmentChange change, AssignmentFacts facts)
    {
        var group = change.GroupId;
        var best = -1;
        foreach (var place in facts.CallerPlaces)
        {
            var works = facts.PersonPlaces.Any(p => p.GroupId == place.GroupId);
            var score = (place.GroupId == facts.SchoolGroupId ? 4 : 0) + (works ? 2 : 0) + (place.IsCurrent ? 1 : 0);
            if (change.GroupId is null && place is { Role: "group_admin", IsActive: true } && score > best)
            {
                (group, best) = (place.GroupId, score);
            }
        }
        var whole = Whole(change, facts, group).MinBy(r => Array.IndexOf(Order, r));
        if (whole is not null)
        {
            return (group, true, [whole.Split(' ')[0]]);
        }
        var outcomes = new List<string>();
        foreach (var person in change.UserIds.ToHashSet())
        {
            foreach (var target in change.Targets.ToHashSet())
            {
                var found = facts.Existing.SingleOrDefault(e => e.UserId == person && e.GroupId == group
                    && e.ModuleId == target.ModuleId && e.CategoryId == target.CategoryId);
                var broken = Pair(change, facts, group, person, target, found).MinBy(r => Array.IndexOf(Order, r));
                outcomes.Add(broken?.Split(' ')[0] ?? Done(change, found));
            }
        }
        return (group, false, outcomes);
    }

    private static IEnumerable<string> Whole(AssignmentChange change, AssignmentFacts facts, Guid? group)
    {
        var administers = facts.CallerPlaces.Where(p => p.GroupId == group && p.Role == "group_admin").ToList();
        if (administers.TrueForAll(p => !p.IsActive))
        {
            yield return "UNAUTHORIZED (whole)";
        }
        if (administers.TrueForAll(p => !p.IsCurrent))
        {
            yield return "ASSIGNER_EXPIRED (whole)";
        }
        if (change.SchoolId.HasValue && (facts.SchoolGroupId is null || facts.SchoolGroupId != group))
        {
            yield return "NOT_FOUND (school)";
        }
        if (!change.Revokes && change.Rights.ExpiresAt is { } end && end.UtcDateTime <= facts.Now)
        {
            yield return "EXPIRY_PAST (whole)";
        }
    }

    private static IEnumerable<string> Pair(
        AssignmentChange change, AssignmentFacts facts, Guid? group, Guid person, AssignmentTarget target, ExistingAssignment? found)
    {
        var places = facts.PersonPlaces.Where(p => p.UserId == person && p.GroupId == group).ToList();
        var offers = facts.Offers.Where(o => o.ModuleId == target.ModuleId && o.CategoryId == target.CategoryId).ToList();
        var (gives, version) = (!change.Revokes, found is { IsActive: true } ? found.Version : 0);
        (string Rule, bool IsBroken)[] rules =
        [
            ("STALE", change.Version is { } expected && expected != version && !(gives && Done(change, found) == "unchanged")),
            ("NOT_FOUND (assignment)", !gives && version == 0),
            ("MODULE_INACTIVE", gives && !offers.Exists(o => o.GroupId == group && o.Available)),
            ("MODULE_NOT_IN_PLAN", gives && !offers.Exists(o => o.GroupId == group && o.Included)),
            ("SUBSCRIPTION_INACTIVE", gives && !offers.Exists(o => o.GroupId == group)),
            ("NOT_FOUND (target)", offers.Count == 0),
            ("NOT_IN_SCHOOL",
                gives && change.SchoolId is { } school && !places.Exists(p => p.IsActive && (p.SchoolId ?? school) == school)),
            ("UNAUTHORIZED (person)", gives ? !places.Exists(p => p.IsActive) : places.Count == 0),
            ("SELF_ASSIGNMENT", person == facts.CallerId),
            ("NOT_FOUND (person)", !facts.KnownPeople.Contains(person)),
        ];
        return rules.Where(r => r.IsBroken).Select(r => r.Rule);
    }

    private static string Done(AssignmentChange change, ExistingAssignment? found) => (change.Revokes, found) switch
    {
        (true, _) => "revoked",
        (_, null or { IsActive: false }) => "assigned",
        var (_, f) when f.CanWrite == change.Rights.Write && f.CanDelete == change.Rights.Delete && f.CanExport == change.Rights.Export
            && (f.ExpiresAt is { } end ? end == change.Rights.ExpiresAt?.UtcDateTime : change.Rights.ExpiresAt is null) => "unchanged",
        _ => "updated",
    };

    private static Guid[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => Guid.NewGuid())];

    private bool Coin => _random.Next(2) == 0;

    private bool Often => _random.Next(6) > 0;

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

    private IEnumerable<T> Some<T>(T[] of) => [.. of.Where(_ => _random.Next(4) > 0)];
}
