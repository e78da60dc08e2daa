using Sankore.Platform.Security;
using Sankore.Rbac;

namespace Sankore.Tenancy;

/// <summary>What is asked: to give each of some people each of some targets, or to take it away.</summary>
/// <param name="GroupId">The group that is meant; null: the one that follows from the school or the people.</param>
/// <param name="SchoolId">The one school that it is for; null: the whole group.</param>
/// <param name="Rights">What is given.</param>
/// <param name="Version">The version that the one assignment must have (0: there is none); null: whatever it has.</param>
internal sealed record AssignmentChange(
    bool Revokes,
    Guid[] UserIds,
    Guid[] ModuleIds,
    Guid[] CategoryIds,
    Guid? GroupId,
    Guid? SchoolId,
    AssignedRights Rights,
    int? Version)
{
    public IEnumerable<AssignmentTarget> Targets =>
        ModuleIds.Select(AssignmentTarget.Module).Concat(CategoryIds.Select(AssignmentTarget.Category));
}

/// <summary>A place of the caller's.</summary>
/// <param name="IsActive">Whether its status is active.</param>
/// <param name="IsCurrent">Whether it is active and has not ended.</param>
internal sealed record CallerPlace(Guid GroupId, string Role, bool IsActive, bool IsCurrent)
{
    public bool IsAdministration => Role == "group_admin" && IsActive;
}

/// <summary>A place of one of the people, in a group that the caller administers.</summary>
internal sealed record PersonPlace(Guid UserId, Guid GroupId, Guid? SchoolId, bool IsActive);

/// <summary>A module or category that exists, in a group that the caller administers and that has a live subscription.</summary>
/// <param name="GroupId">Null where there is no such group.</param>
/// <param name="Included">Whether the group's plan includes it, or any of it.</param>
/// <param name="Available">Whether any of what is included can be used.</param>
internal sealed record AssignmentOffer(Guid? ModuleId, Guid? CategoryId, Guid? GroupId, bool Included, bool Available)
{
    public AssignmentTarget Target => new(ModuleId, CategoryId);
}

/// <summary>What is assigned to one of the people already, or was.</summary>
internal sealed record ExistingAssignment(
    Guid Id,
    Guid UserId,
    Guid GroupId,
    Guid? ModuleId,
    Guid? CategoryId,
    bool CanRead,
    bool CanWrite,
    bool CanDelete,
    bool CanExport,
    DateTime? ExpiresAt,
    bool IsActive,
    int Version)
{
    public AssignmentTarget Target => new(ModuleId, CategoryId);

    public AssignedRights Rights => new(CanRead, CanWrite, CanDelete, CanExport, ExpiresAt);
}

/// <summary>All that must be known to judge a change.</summary>
/// <param name="Now">By the database's clock.</param>
/// <param name="CallerPlaces">Of any group and state, the oldest first.</param>
/// <param name="SchoolGroupId">The group of the school that the change names; null: there is no such school.</param>
/// <param name="KnownPeople">Those of the people whom the caller may know of: of others it is not even said that they exist.</param>
internal sealed record AssignmentFacts(
    Guid CallerId,
    DateTime Now,
    IReadOnlyList<CallerPlace> CallerPlaces,
    Guid? SchoolGroupId,
    IReadOnlySet<Guid> KnownPeople,
    IReadOnlyList<PersonPlace> PersonPlaces,
    IReadOnlyList<AssignmentOffer> Offers,
    IReadOnlyList<ExistingAssignment> Existing);

/// <summary>What becomes of one person and target.</summary>
/// <param name="UserId">Null when the whole call is refused and nobody was named; so is the target.</param>
/// <param name="Had">The active assignment that was there before.</param>
/// <param name="ExistingId">Of the row, active or not.</param>
/// <param name="Action"><c>assigned</c>, <c>updated</c>, <c>unchanged</c>, <c>revoked</c> or <c>refused</c>.</param>
/// <param name="Refusal">Why it is refused; null: it is not.</param>
internal sealed record AssignmentVerdict(
    Guid? UserId,
    AssignmentTarget? Target,
    AssignedRights? Had,
    Guid? ExistingId,
    string Action,
    Reason? Refusal)
{
    /// <summary>The action, or the code of the refusal.</summary>
    public string Outcome => Refusal?.Code ?? Action;
}

/// <summary>What becomes of a change.</summary>
/// <param name="GroupId">The group that it is judged in.</param>
/// <param name="LogGroupId">The group whose log tells of it.</param>
/// <param name="Refusal">Why the whole of it is refused; then <paramref name="Verdicts"/> is the first pair alone.</param>
internal sealed record AssignmentJudgement(Guid? GroupId, Guid? LogGroupId, Reason? Refusal, IReadOnlyList<AssignmentVerdict> Verdicts);

/// <summary>
/// The rules of assigning (document 003): who administers the group gives its people what its plan has. Each person and target is judged
/// by itself; the first rule that fails, in this order, is what the caller is told.
/// </summary>
internal static class AssignmentRules
{
    /// <summary>What becomes of a change.</summary>
    public static AssignmentJudgement Judge(AssignmentChange change, AssignmentFacts facts)
    {
        var group = GroupOf(change, facts);
        if (RefusalOfAll(change, facts, group) is { } refusal)
        {
            return new AssignmentJudgement(group, LogGroupOf(facts, group), refusal, [First(change, refusal)]);
        }
        var places = facts.PersonPlaces.Where(p => p.GroupId == group).ToLookup(p => p.UserId);
        var offers = facts.Offers.ToLookup(o => o.Target);
        var existing = facts.Existing.Where(e => e.GroupId == group).ToDictionary(e => (e.UserId, e.Target));
        var targets = change.Targets.Distinct().Select(t => (Target: t, Refusal: RefusalOfTarget(change, group, [.. offers[t]]))).ToList();
        var verdicts =
            from person in change.UserIds.Distinct()
            let refused = RefusalOfPerson(change, facts, person, [.. places[person]])
            from asked in targets
            let found = existing.GetValueOrDefault((person, asked.Target))
            let why = refused ?? asked.Refusal ?? RefusalOfPair(change, found)
            select new AssignmentVerdict(
                person, asked.Target, found is { IsActive: true } ? found.Rights : null, found?.Id, ActionOf(change, found, why), why);
        return new AssignmentJudgement(group, group, null, [.. verdicts]);
    }

    /// <summary>The group named; or one that the caller administers: best the school's, then one that some of the people work in.</summary>
    private static Guid? GroupOf(AssignmentChange change, AssignmentFacts facts) => change.GroupId ?? facts.CallerPlaces
        .Where(p => p.IsAdministration)
        .OrderByDescending(p => p.GroupId == facts.SchoolGroupId)
        .ThenByDescending(p => facts.PersonPlaces.Any(person => person.GroupId == p.GroupId))
        .ThenByDescending(p => p.IsCurrent)
        .FirstOrDefault()?.GroupId;

    /// <summary>An attempt on another's group is told by the log of the caller's own.</summary>
    private static Guid? LogGroupOf(AssignmentFacts facts, Guid? group) => facts.CallerPlaces
        .OrderByDescending(p => p.GroupId == group)
        .ThenByDescending(p => p.Role == "group_admin")
        .FirstOrDefault()?.GroupId;

    private static Reason? RefusalOfAll(AssignmentChange change, AssignmentFacts facts, Guid? group)
    {
        var administrations = facts.CallerPlaces.Where(p => p.IsAdministration && p.GroupId == group).ToList();
        return administrations.Count == 0 ? Reason.Unauthorized
            : !administrations.Exists(p => p.IsCurrent) ? Reason.AssignerExpired
            : change.SchoolId is not null && facts.SchoolGroupId != group ? Reason.NotFound
            : !change.Revokes && change.Rights.ExpiresAt <= facts.Now ? Reason.ExpiryPast
            : null;
    }

    private static Reason? RefusalOfPerson(
        AssignmentChange change, AssignmentFacts facts, Guid person, IReadOnlyList<PersonPlace> places) =>
        !facts.KnownPeople.Contains(person) ? Reason.NotFound
        : person == facts.CallerId ? Reason.SelfAssignment
        : !places.Any(p => p.IsActive || change.Revokes) ? Reason.Unauthorized
        : change.Revokes || change.SchoolId is not { } school ? null
        : places.Any(p => p.IsActive && (p.SchoolId is null || p.SchoolId == school)) ? null
        : Reason.NotInSchool;

    private static Reason? RefusalOfTarget(AssignmentChange change, Guid? group, IReadOnlyList<AssignmentOffer> offers) =>
        offers.Count == 0 ? Reason.NotFound
        : change.Revokes ? null
        : offers.FirstOrDefault(o => o.GroupId == group) is not { } offer ? Reason.SubscriptionInactive
        : !offer.Included ? Reason.ModuleNotInPlan
        : !offer.Available ? Reason.ModuleInactive
        : null;

    private static Reason? RefusalOfPair(AssignmentChange change, ExistingAssignment? found)
    {
        var active = found is { IsActive: true } ? found : null;
        return change.Revokes && active is null ? Reason.NotFound
            : change.Version is not { } version || version == (active?.Version ?? 0) ? null
            : change.Revokes || active?.Rights != change.Rights ? Reason.Stale
            : null;
    }

    private static string ActionOf(AssignmentChange change, ExistingAssignment? found, Reason? refusal) =>
        refusal is not null ? "refused"
        : change.Revokes ? "revoked"
        : found is not { IsActive: true } ? "assigned"
        : found.Rights == change.Rights ? "unchanged"
        : "updated";

    private static AssignmentVerdict First(AssignmentChange change, Reason refusal) =>
        new(change.UserIds is [var person, ..] ? person : null, change.Targets.FirstOrDefault(), null, null, "refused", refusal);
}
