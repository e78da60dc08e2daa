namespace Sankore.Tests.Tenancy;

/// <summary>
/// Who sees which rows, worked out with sets and loops from the documents: a module shows where it is active, built and included (document
/// 002, « Un module doit être »), by a line of the plan or with its category, in the plan that a group lives on; on in the school, and
/// assigned to whoever works there (document 003). Group administrators have their group's whole plan, and see their group, others their
/// school; whoever reads the platform by a role in force sees all of it.
/// </summary>
public sealed class Oracle(IReadOnlyList<Network> networks)
{
    /// <summary>The tables that are asked about.</summary>
    public static readonly string[] Tables =
    [
        "tenancy.modules", "tenancy.business_categories", "tenancy.subscription_plans", "tenancy.plan_modules", "tenancy.plan_categories",
        "tenancy.school_groups", "tenancy.schools", "tenancy.subscriptions", "tenancy.memberships", "tenancy.user_module_permissions",
        "tenancy.module_assignment_logs", "public.profiles",
    ];

    /// <summary>The rows of each table that a person sees, as <c>table id</c>.</summary>
    public HashSet<string> Sees(Network network, NetUser user) =>
        IsOperator(network, user) ? [.. networks.SelectMany(All)] : [.. Member(network, user)];

    /// <summary>The modules of a person's menu: the operator's own places count, not what an operator may read.</summary>
    public static HashSet<Guid> Menu(Network network, NetUser user)
    {
        var modules = new HashSet<Guid>();
        foreach (var place in network.Memberships.Where(m => m.UserId == user.Id && IsCurrent(m)))
        {
            if (PlanOf(network, place) is { } plan)
            {
                modules.UnionWith(network.Modules.Where(
                    m => Shows(network, m) && Includes(network, plan, m)
                    && (place.Role == "group_admin" || IsOn(network, place, m) && IsAssigned(network, place, m))).Select(m => m.Id));
            }
        }
        return modules;
    }

    private static IEnumerable<string> Member(Network n, NetUser user)
    {
        var active = n.Memberships.Where(m => m.UserId == user.Id && IsCurrent(m)).ToList();
        var groups = active.Select(m => m.SchoolGroupId).ToHashSet();
        var administered = active.Where(m => m.Role == "group_admin").Select(m => m.SchoolGroupId).ToHashSet();
        var plans = active.Select(m => PlanOf(n, m)).OfType<Guid>().ToHashSet();
        var wholePlans = active.Where(m => m.Role == "group_admin").Select(m => PlanOf(n, m)).OfType<Guid>().ToHashSet();
        var modules = Menu(n, user);
        var categories = n.Categories.Where(c => c.Status == "active"
            && (
                n.PlanCategories.Exists(l => l.CategoryId == c.Id && wholePlans.Contains(l.PlanId))
                || n.Modules.Exists(m => m.CategoryId == c.Id && modules.Contains(m.Id)))).Select(c => c.Id).ToHashSet();
        var memberships = n.Memberships.Where(m => m.UserId == user.Id || administered.Contains(m.SchoolGroupId)).ToList();
        return
        [
            .. Rows("tenancy.modules", modules),
            .. Rows("tenancy.business_categories", categories),
            .. Rows("tenancy.subscription_plans", plans),
            .. Rows(
            "tenancy.plan_modules", n.PlanModules.Where(l => plans.Contains(l.PlanId) && modules.Contains(l.ModuleId)).Select(l => l.Id)),
            .. Rows(
                "tenancy.plan_categories",
                n.PlanCategories.Where(l => plans.Contains(l.PlanId) && categories.Contains(l.CategoryId)).Select(l => l.Id)),
            .. Rows("tenancy.school_groups", groups),
            .. Rows(
                "tenancy.schools",
                n.Schools.Where(s => administered.Contains(s.SchoolGroupId) || active.Exists(m => m.SchoolId == s.Id)).Select(s => s.Id)),
            .. Rows("tenancy.subscriptions", n.Subscriptions.Where(s => groups.Contains(s.SchoolGroupId)).Select(s => s.Id)),
            .. Rows("tenancy.memberships", memberships.Select(m => m.Id)),
            .. Rows(
                "tenancy.user_module_permissions",
                n.Assignments.Where(p => p.UserId == user.Id || administered.Contains(p.SchoolGroupId)).Select(p => p.Id)),
            .. Rows(
                "tenancy.module_assignment_logs",
                n.Logs.Where(l => l.SchoolGroupId is { } group && administered.Contains(group)).Select(l => l.Id)),
            .. Rows(
                "public.profiles", n.Memberships.Where(m => administered.Contains(m.SchoolGroupId)).Select(m => m.UserId).Append(user.Id)),
        ];
    }

    private static bool IsCurrent(NetMembership place) => place.Status == "active" && IsAhead(place.ExpiresAt);

    private static bool IsAhead(DateTime? end) => end is null || end > DateTime.UtcNow;

    /// <summary>The plan of the live subscription of a place's group, while the group is active.</summary>
    private static Guid? PlanOf(Network n, NetMembership place)
    {
        foreach (var subscription in n.Subscriptions)
        {
            var live = subscription.Status is "trialing" or "active" or "past_due";
            if (live && subscription.SchoolGroupId == place.SchoolGroupId
                && n.Groups.Exists(g => g.Id == place.SchoolGroupId && g.Status == "active"))
            {
                return subscription.PlanId;
            }
        }
        return null;
    }

    private static bool IsOn(Network n, NetMembership place, NetModule module) =>
        n.Schools.Single(s => s.Id == place.SchoolId).ActiveModules.GetValueOrDefault(module.Code);

    private static bool IsAssigned(Network n, NetMembership place, NetModule module)
    {
        foreach (var p in n.Assignments)
        {
            var here = p.UserId == place.UserId && p.SchoolGroupId == place.SchoolGroupId
                && (p.SchoolId is null || p.SchoolId == place.SchoolId);
            if (here && p.IsActive && IsAhead(p.ExpiresAt) && (p.ModuleId == module.Id || p.CategoryId == module.CategoryId))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Active, built, in an active category.</summary>
    public static bool Shows(Network n, NetModule module) =>
        module is { Status: "active", IsBuilt: true } && n.Categories.Single(c => c.Id == module.CategoryId).Status == "active";

    /// <summary>By a line of the plan, or with the category.</summary>
    public static bool Includes(Network n, Guid plan, NetModule module) =>
        n.PlanModules.SingleOrDefault(l => l.PlanId == plan && l.ModuleId == module.Id) is { } line
        ? line.Included
        : n.PlanCategories.Exists(l => l.PlanId == plan && l.CategoryId == module.CategoryId);

    private static bool IsOperator(Network n, NetUser user) =>
        n.Roles.Exists(
            r => r.UserId == user.Id && r.RoleName is ("admin" or "moderator") && r.IsActive
            && (r.ExpiresAt is null || r.ExpiresAt > DateTime.UtcNow));

    private static IEnumerable<string> All(Network n) =>
        [
            .. Rows("tenancy.modules", n.Modules.Select(r => r.Id)), .. Rows("tenancy.business_categories", n.Categories.Select(r => r.Id)),
            .. Rows("tenancy.subscription_plans", n.Plans.Select(r => r.Id)),
            .. Rows("tenancy.plan_modules", n.PlanModules.Select(r => r.Id)),
            .. Rows("tenancy.plan_categories", n.PlanCategories.Select(r => r.Id)),
            .. Rows("tenancy.school_groups", n.Groups.Select(r => r.Id)),
            .. Rows("tenancy.schools", n.Schools.Select(r => r.Id)), .. Rows("tenancy.subscriptions", n.Subscriptions.Select(r => r.Id)),
            .. Rows("tenancy.memberships", n.Memberships.Select(r => r.Id)),
            .. Rows("tenancy.user_module_permissions", n.Assignments.Select(r => r.Id)),
            .. Rows("tenancy.module_assignment_logs", n.Logs.Select(r => r.Id)), .. Rows("public.profiles", n.Users.Select(r => r.Id)),
        ];

    private static IEnumerable<string> Rows<T>(string table, IEnumerable<T> ids) => ids.Select(id => $"{table} {id}");
}
