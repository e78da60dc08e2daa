namespace Sankore.Tests.Tenancy;

/// <summary>A module as the rule sees it: its own state, its category's, and how the plan speaks of it.</summary>
public sealed record ModuleCase(NetModule Module, bool IsActive, bool IsBuilt, bool IsCategoryActive, bool IsCategoryInPlan, bool? Line)
{
    /// <summary>A line of the plan wins over the category.</summary>
    public bool IsIncluded => Line is null ? IsCategoryInPlan : Line.Value;
}

/// <summary>A person as the rule sees them: one place, in a group with a subscription, with assignments of one kind.</summary>
public sealed record PersonCase(NetUser User, bool IsGroupActive, string? Subscription, string Role, string SchoolList, string Assignment)
{
    /// <summary>What the person's assignments of everything are worth where they work.</summary>
    public bool IsAssigned => Assignment is "module" or "module here" or "category" or "category here";

    public bool IsLive => IsGroupActive && Subscription is "trialing" or "active" or "past_due";
}

/// <summary>Every combination of the links of the chain, in one database: each person of one kind, each module of one kind.</summary>
public sealed class TruthTable : EmptyWorld, IAsyncLifetime
{
    private static readonly string?[] Subscriptions = [null, "trialing", "active", "past_due", "suspended", "cancelled", "expired"];
    private static readonly string[] Assignments =
        ["none", "module", "module here", "category", "category here", "revoked module", "revoked category", "expired module",
            "expired category", "module elsewhere", "category elsewhere", "module in another group"];
    private readonly Network _network = new();
    private readonly NetPlan _plan = new(Guid.CreateVersion7(), "Plan", "truth-plan", "active");
    private readonly NetGroup _other = new(Guid.CreateVersion7(), "Other", "truth-other", "active");

    public List<ModuleCase> Modules { get; } = [];
    public List<PersonCase> People { get; } = [];

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        _network.Plans.Add(_plan);
        _network.Groups.Add(_other);
        foreach (var (active, inPlan) in Pairs([true, false], [true, false]))
        {
            AddCategory(active, inPlan);
        }
        foreach (var (active, subscription) in Pairs([true, false], Subscriptions))
        {
            AddGroup(active, subscription);
        }
        await Network.Write(AdminConnection, [_network]);
    }

    private void AddCategory(bool isActive, bool isInPlan)
    {
        var category =
            new NetCategory(Guid.CreateVersion7(), "Category", $"truth-{_network.Categories.Count}", isActive ? "active" : "inactive");
        _network.Categories.Add(category);
        if (isInPlan)
        {
            _network.PlanCategories.Add(new NetPlanCategory(Guid.CreateVersion7(), _plan.Id, category.Id));
        }
        foreach (var ((active, built), line) in Pairs([.. Pairs([true, false], [true, false])], (bool?[])[null, true, false]))
        {
            var module = new NetModule(
                Guid.CreateVersion7(), $"truth-{Modules.Count}", "Module", category.Id, active ? "active" : "inactive", built);
            _network.Modules.Add(module);
            Modules.Add(new ModuleCase(module, active, built, isActive, isInPlan, line));
            if (line is not null)
            {
                _network.PlanModules.Add(new NetPlanModule(Guid.CreateVersion7(), _plan.Id, module.Id, line.Value));
            }
        }
    }

    private void AddGroup(bool isActive, string? subscription)
    {
        var group = new NetGroup(Guid.CreateVersion7(), "Group", $"truth-{_network.Groups.Count}", isActive ? "active" : "inactive");
        _network.Groups.Add(group);
        if (subscription is not null)
        {
            _network.Subscriptions.Add(
                new NetSubscription(Guid.CreateVersion7(), group.Id, _plan.Id, subscription, DateTime.UtcNow.AddDays(-10)));
        }
        var elsewhere = AddSchool(group, _ => true);
        (string List, NetSchool? School)[] places =
        [
            ("on", AddSchool(group, _ => true)), ("absent", AddSchool(group, null)), ("false", AddSchool(group, _ => false)),
                ("whole group", null),
        ];
        foreach (var ((list, school), assignment) in Pairs(places, Assignments))
        {
            var user = new NetUser(Guid.CreateVersion7(), $"truth{People.Count}@sankore.test");
            var role = school is null ? "group_admin" : "teacher";
            _network.Users.Add(user);
            _network.Memberships.Add(new NetMembership(Guid.CreateVersion7(), user.Id, group.Id, school?.Id, role, "active", null));
            _network.Assignments.AddRange(Assigned(user, assignment, group, school, elsewhere));
            People.Add(new PersonCase(user, isActive, subscription, role, list, assignment));
        }
    }

    private NetSchool AddSchool(NetGroup group, Func<NetModule, bool>? isOn)
    {
        var number = _network.Schools.Count;
        var school = new NetSchool(
            Guid.CreateVersion7(), group.Id, $"School {number}", $"truth-{number}", "active", isOn is null ? []
            : _network.Modules.ToDictionary(m => m.Code, isOn));
        _network.Schools.Add(school);
        return school;
    }

    /// <summary>Every module, or every category, in the same way.</summary>
    private IEnumerable<NetAssignment> Assigned(NetUser user, string kind, NetGroup group, NetSchool? school, NetSchool elsewhere)
    {
        if (kind == "none")
        {
            yield break;
        }
        var isModule = kind.Contains("module", StringComparison.Ordinal);
        var inGroup = kind == "module in another group" ? _other.Id : group.Id;
        var inSchool = kind.EndsWith("elsewhere", StringComparison.Ordinal) ? elsewhere.Id : kind.EndsWith("here", StringComparison.Ordinal)
            ? school?.Id : null;
        var ends = kind.StartsWith("expired", StringComparison.Ordinal) ? DateTime.UtcNow.AddMinutes(-1) : kind == "module"
            ? DateTime.UtcNow.AddHours(1) : (DateTime?)null;
        foreach (var id in isModule ? _network.Modules.Select(m => m.Id) : _network.Categories.Select(c => c.Id))
        {
            yield return new NetAssignment(Guid.CreateVersion7(), user.Id, inGroup, inSchool, isModule ? id : null, isModule ? null : id,
                CanWrite: true, CanDelete: false, CanExport: false, !kind.StartsWith("revoked", StringComparison.Ordinal), ends);
        }
    }

    private static IEnumerable<(T, U)> Pairs<T, U>(IReadOnlyList<T> left, IReadOnlyList<U> right) =>
        left.SelectMany(_ => right, (l, r) => (l, r));
}
